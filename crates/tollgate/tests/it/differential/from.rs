//! FROM at random: tables, subqueries, joins of every kind, functions that yield rows.

use tollgate_core::names::Dialect;

use super::{
    kind::{Kind, name},
    node::{Node, sql},
    query::{Generator, Place, Relation, Scope, Source},
    words::words,
};

/// Names that are words of the language.
const WORDS: [&str; 2] = ["select", "order"];

impl Generator<'_> {
    /// A SELECT's relations.
    pub(super) fn from<'p>(&mut self, outer: Option<&'p Scope<'p>>, depth: usize) -> (Node, Scope<'p>) {
        let mut scope = Scope { relations: Vec::new(), outer };
        let (mut node, first) = self.factor(&scope, depth);
        scope.relations.push(first);
        let joins = match self.random.below(10) {
            _ if self.budget == 0 => 0,
            0..=4 => 0,
            5..=7 => 1,
            _ => 2,
        };
        for _ in 0..joins {
            node = self.join(node, &mut scope, depth);
        }
        (node, scope)
    }

    pub(super) fn join(&mut self, left: Node, scope: &mut Scope<'_>, depth: usize) -> Node {
        if self.taste.wide && self.dialect == Dialect::Postgres && depth > 0 && self.random.percent(12) {
            return self.lateral(left, scope, depth);
        }
        let (right, relation) = self.factor(scope, depth);
        let word = *self.random.one_of(words(self.dialect).joins);
        if self.random.percent(20) {
            let word = *self.random.one_of(&[", ", " CROSS JOIN "]);
            scope.relations.push(relation);
            return sql![left, sql![word, right].maybe()];
        }
        let common = common_column(scope, &relation);
        if let Some((column, kind)) = common
            && self.random.percent(30)
        {
            let natural = self.taste.wide && self.random.percent(30) && shared(scope, &relation) == 1;
            scope.relations.push(relation);
            scope.relations.push(Relation { alias: String::new(), columns: vec![(column.clone(), kind)] });
            return if natural {
                sql![left, " NATURAL", word, right]
            } else {
                sql![left, word, right, format!(" USING ({})", name(&column, self.dialect))]
            };
        }
        let before = scope.relations.clone();
        scope.relations.push(relation.clone());
        let equal = self.equality(&before, &relation);
        let rest =
            if self.random.percent(25) { sql![" AND ", self.expr(Kind::Bool, scope, 1)].maybe() } else { sql![] };
        sql![left, sql![word, right, " ON ", equal, rest].maybe()]
    }

    fn lateral(&mut self, left: Node, scope: &mut Scope<'_>, depth: usize) -> Node {
        let made = self.query(None, Place::From, Some(scope), depth - 1);
        let alias = self.alias("l");
        let word = *self.random.one_of(&[" CROSS JOIN LATERAL (", ", LATERAL ("]);
        let node = sql![left, word, made.node, format!(") AS {alias}")];
        scope.relations.push(Relation { alias, columns: made.columns });
        node
    }

    /// A condition that two relations share a value.
    fn equality(&mut self, left: &[Relation], right: &Relation) -> Node {
        let mut pairs = Vec::new();
        for relation in left.iter().filter(|relation| !relation.alias.is_empty()) {
            for (column, kind) in &relation.columns {
                for (other, its) in &right.columns {
                    if kind == its {
                        pairs.push((relation.alias.clone(), column.clone(), other.clone()));
                    }
                }
            }
        }
        if pairs.is_empty() {
            return Node::from("1 = 1").of(Kind::Bool);
        }
        let (alias, column, other) = self.random.one_of(&pairs).clone();
        let node = {
            let name = |text: &str| name(text, self.dialect);
            sql![name(&alias), ".", name(&column), " = ", name(&right.alias), ".", name(&other)]
        };
        node.of(Kind::Bool)
    }

    fn factor(&mut self, scope: &Scope<'_>, depth: usize) -> (Node, Relation) {
        if depth > 0 && self.budget > 0 && self.random.percent(15) {
            return self.derived(scope, depth);
        }
        if self.taste.wide && self.random.percent(8) {
            return self.table_function(scope);
        }
        let source = self.random.one_of(&self.sources).clone();
        let columns = source.columns.clone();
        let taken = scope.relations.iter().any(|relation| relation.alias.eq_ignore_ascii_case(&source.name));
        let table = self.table_name(&source);
        if !taken && self.random.percent(35) {
            return (Node::from(table), Relation { alias: source.name, columns });
        }
        let alias = self.alias("t");
        let word = if self.random.percent(70) { " AS " } else { " " };
        if self.taste.wide && self.dialect == Dialect::Postgres && self.random.percent(10) {
            let mut columns = columns;
            let renamed = 1 + self.random.below(columns.len());
            let names: Vec<String> = (1..=renamed).map(|place| format!("r_{place}")).collect();
            for (column, name) in columns.iter_mut().zip(&names) {
                column.0.clone_from(name);
            }
            let node = Node::from(format!("{table}{word}{alias} ({})", names.join(", ")));
            return (node, Relation { alias, columns });
        }
        (Node::from(format!("{table}{word}{alias}")), Relation { alias, columns })
    }

    fn derived(&mut self, scope: &Scope<'_>, depth: usize) -> (Node, Relation) {
        let alias = self.alias("d");
        if self.taste.wide && self.random.percent(15) {
            let kinds: Vec<Kind> =
                (0..=self.random.below(2)).map(|_| *self.random.one_of(&[Kind::Int, Kind::Text])).collect();
            let rows: Vec<Node> = (0..=self.random.below(3))
                .map(|_| {
                    let cells: Vec<String> = kinds.iter().map(|kind| kind.literal(self.random, self.dialect)).collect();
                    self.row_of(&cells)
                })
                .collect();
            let columns: Vec<(String, Kind)> =
                kinds.iter().enumerate().map(|(at, kind)| (format!("column{}", at + 1), *kind)).collect();
            let all = match self.dialect {
                Dialect::Postgres | Dialect::Sqlite => sql!["VALUES ", Node::List(", ", rows)],
                Dialect::MariaDb => Node::List(" UNION ALL ", rows),
            };
            return (sql!["(", all, format!(") AS {alias}")], Relation { alias, columns });
        }
        let made = self.query(None, Place::From, scope.outer, depth - 1);
        let node = sql!["(", made.node, format!(") AS {alias}")];
        (node, Relation { alias, columns: made.columns })
    }

    /// A row of constants, on MariaDB a SELECT: there the first one names the columns.
    fn row_of(&self, cells: &[String]) -> Node {
        if self.dialect != Dialect::MariaDb {
            return Node::from(format!("({})", cells.join(", ")));
        }
        let named = cells.iter().enumerate().map(|(at, cell)| format!("{cell} AS column{}", at + 1));
        Node::from(format!("SELECT {}", named.collect::<Vec<_>>().join(", ")))
    }

    /// Rows from a value: a constant's, or on PostgreSQL a neighbour's.
    fn table_function(&mut self, scope: &Scope<'_>) -> (Node, Relation) {
        let alias = self.alias("f");
        let neighbours = Scope { relations: scope.relations.clone(), outer: None };
        let (call, columns) = match (self.dialect, self.random.below(4)) {
            (Dialect::Postgres, 0) => {
                (Node::from(format!("generate_series(1, 3) AS {alias} (x)")), vec![("x".to_owned(), Kind::Int)])
            }
            (Dialect::Postgres, 1) => {
                let json =
                    self.column(Kind::Json, &neighbours, false).unwrap_or_else(|| "CAST('{\"a\": 1}' AS jsonb)".into());
                let call = sql!["jsonb_each_text(CASE WHEN jsonb_typeof(", json.clone(), ") = 'object' THEN ", json];
                let columns = vec![("k".to_owned(), Kind::Text), ("w".to_owned(), Kind::Text)];
                (sql![call, format!(" END) AS {alias} (k, w)")], columns)
            }
            (Dialect::Postgres, _) => {
                let array = self.column(Kind::Ints, &neighbours, false).unwrap_or_else(|| "ARRAY[1, 2, 2]".into());
                let ordinality = self.random.percent(30);
                let (with, names) = if ordinality { (" WITH ORDINALITY", "x, n") } else { ("", "x") };
                let mut columns = vec![("x".to_owned(), Kind::Int)];
                columns.extend(ordinality.then(|| ("n".to_owned(), Kind::BigInt)));
                (sql!["unnest(", array, format!("){with} AS {alias} ({names})")], columns)
            }
            (Dialect::Sqlite, _) => {
                (Node::from(format!("json_each('[1, 2, \"x\"]') AS {alias}")), vec![("id".to_owned(), Kind::Int)])
            }
            (Dialect::MariaDb, _) => {
                let call = format!("JSON_TABLE('[1, 2, 2]', '$[*]' COLUMNS (x INT PATH '$')) AS {alias}");
                (Node::from(call), vec![("x".to_owned(), Kind::Int)])
            }
        };
        (call, Relation { alias, columns })
    }

    pub(super) fn table_name(&mut self, source: &Source) -> String {
        let plain = source.name.chars().all(|c| c.is_ascii_lowercase()) && !WORDS.contains(&source.name.as_str());
        let bare = match self.random.below(4) {
            0 if plain => source.name.clone(),
            1 if plain && self.dialect != Dialect::MariaDb => source.name.to_uppercase(),
            _ => name(&source.name, self.dialect),
        };
        if !source.is_table || !self.random.percent(12) {
            return bare;
        }
        words(self.dialect).schema.map_or(bare.clone(), |schema| format!("{schema}.{bare}"))
    }
}

fn common_column(scope: &Scope<'_>, relation: &Relation) -> Option<(String, Kind)> {
    // A name that stands twice on the left is ambiguous.
    let on_left = |column: &str| {
        scope.relations.iter().flat_map(|r| &r.columns).filter(|(own, _)| own.eq_ignore_ascii_case(column)).count()
    };
    let same = |column: &str, kind: Kind| {
        scope.relations.iter().any(|r| r.columns.iter().any(|(own, its)| own == column && *its == kind))
    };
    relation.columns.iter().find(|(column, kind)| on_left(column) == 1 && same(column, *kind)).cloned()
}

fn shared(scope: &Scope<'_>, relation: &Relation) -> usize {
    let on_left = |column: &str| {
        scope.relations.iter().any(|r| r.columns.iter().any(|(own, _)| own.eq_ignore_ascii_case(column)))
    };
    relation.columns.iter().filter(|(column, _)| on_left(column)).count()
}
