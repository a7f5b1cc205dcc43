//! Queries at random over what a role sees, typed well enough that engines take most of them, and such that their answer is one:
//! no page without a total order, no value that depends on the order in which rows are read.

use tollgate_core::names::{Dialect, Value};

use super::{
    kind::{Kind, name},
    node::{Node, Param, sql},
    random::Random,
    words::words,
};

/// A relation that a query may name: a visible table, or a common table expression.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) columns: Vec<(String, Kind)>,
    pub(super) is_table: bool,
}

/// A relation in a FROM.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    /// Empty for columns that stand for themselves, as those that USING merges.
    pub(super) alias: String,
    pub(super) columns: Vec<(String, Kind)>,
}

/// The relations of a SELECT, and of those around it.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope<'p> {
    pub(super) relations: Vec<Relation>,
    pub(super) outer: Option<&'p Scope<'p>>,
}

/// How far a query goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taste {
    /// Operations that fail on values.
    pub(super) leaky: bool,
    /// Parts of the grammar that are rare.
    pub(super) wide: bool,
    /// Parameters of a tool.
    pub(super) params: bool,
}

pub(super) struct Generator<'a> {
    pub(super) random: &'a mut Random,
    pub(super) dialect: Dialect,
    pub(super) taste: Taste,
    pub(super) sources: Vec<Source>,
    aliases: usize,
    /// How many more SELECTs and operators the text may have.
    pub(super) budget: usize,
}

/// A query and what it yields.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) node: Node,
    pub(super) columns: Vec<(String, Kind)>,
    /// Whether its rows come in one order only.
    pub(super) ordered: bool,
}

/// Where a query stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Top,
    /// Its columns need names of their own.
    From,
    /// One row at most.
    Scalar,
    Anywhere,
    /// Without a page.
    Whole,
}

impl<'a> Generator<'a> {
    pub(super) fn new(random: &'a mut Random, dialect: Dialect, tables: &[Source]) -> Self {
        let taste = Taste { leaky: random.percent(40), wide: random.percent(40), params: random.percent(30) };
        let budget = *random.one_of(&[4, 10, 10, 20, 50]);
        Self { random, dialect, taste, sources: tables.to_vec(), aliases: 0, budget }
    }

    /// A whole statement.
    pub(super) fn statement(&mut self) -> Made {
        let with = self.random.percent(15);
        let recursive = self.taste.wide && self.random.percent(40);
        let mut list = Vec::new();
        if with {
            for _ in 0..=self.random.below(2) {
                list.push(if recursive { self.recursion() } else { self.common_table() });
            }
        }
        let mut made = self.query(None, Place::Top, None, 3);
        if with {
            let word = if recursive { "WITH RECURSIVE " } else { "WITH " };
            made.node = sql![word, Node::List(", ", list), " ", made.node];
        }
        made
    }

    /// A common table expression that reads itself, a few times.
    fn recursion(&mut self) -> Node {
        let kind = self.kind();
        let cte = self.alias("r");
        let (from, scope) = self.from(None, 0);
        let start = sql!["SELECT 1, ", self.expr(kind, &scope, 1), " FROM ", from, self.filter(&scope, 0)];
        let own = Relation { alias: cte.clone(), columns: vec![("n".to_owned(), Kind::Int), ("v".to_owned(), kind)] };
        let mut scope = Scope { relations: vec![own], outer: None };
        let from = if self.random.percent(40) {
            self.join(Node::from(cte.as_str()), &mut scope, 0)
        } else {
            Node::from(cte.as_str())
        };
        let word = *self.random.one_of(&[" UNION ", " UNION ALL "]);
        let rest =
            if self.random.percent(30) { sql![" AND ", self.expr(Kind::Bool, &scope, 1)].maybe() } else { sql![] };
        let step = sql![format!("SELECT {cte}.n + 1, {cte}.v FROM "), from, format!(" WHERE {cte}.n < 3"), rest];
        let columns = vec![("n".to_owned(), Kind::Int), ("v".to_owned(), kind)];
        let node = sql![format!("{cte} (n, v) AS ("), start, word, step, ")"];
        self.sources.push(Source { name: cte, columns, is_table: false });
        node
    }

    fn common_table(&mut self) -> Node {
        let made = self.query(None, Place::From, None, 2);
        let shadow = self.taste.wide && self.random.percent(25);
        let cte = if shadow { self.random.one_of(&self.sources).name.clone() } else { self.alias("w") };
        let materialized = if self.taste.wide && self.random.percent(30) {
            *self.random.one_of(words(self.dialect).materialized)
        } else {
            ""
        };
        let renamed = self.random.percent(25);
        let columns: Vec<(String, Kind)> = made
            .columns
            .iter()
            .enumerate()
            .map(|(at, (own, kind))| (if renamed { format!("r{at}") } else { own.clone() }, *kind))
            .collect();
        let list = if renamed {
            let names: Vec<Node> = columns.iter().map(|(column, _)| Node::from(name(column, self.dialect))).collect();
            sql![" (", names.iter().map(Node::text).collect::<Vec<_>>().join(", "), ")"]
        } else {
            sql![]
        };
        let node = sql![name(&cte, self.dialect), list, " AS", Node::from(materialized).maybe(), " (", made.node, ")"];
        self.sources.retain(|source| source.name != cte);
        self.sources.push(Source { name: cte, columns, is_table: false });
        node
    }

    pub(super) fn alias(&mut self, prefix: &str) -> String {
        self.aliases += 1;
        format!("{prefix}{}", self.aliases)
    }

    /// A subquery that yields one column of a kind.
    pub(super) fn column_of(&mut self, kind: Kind, outer: &Scope<'_>, depth: usize) -> Node {
        self.query(Some(&[kind]), Place::Anywhere, Some(outer), depth).node
    }

    /// A subquery of any columns.
    pub(super) fn any_rows(&mut self, outer: &Scope<'_>, depth: usize) -> Node {
        // Under EXISTS MariaDB 10.11 counts the columns of a parenthesised operand wrongly, and refuses them.
        match self.dialect {
            Dialect::MariaDb => self.select(None, Place::Anywhere, Some(outer), depth).node,
            Dialect::Postgres | Dialect::Sqlite => self.query(None, Place::Anywhere, Some(outer), depth).node,
        }
    }

    /// A subquery of one row at most; on PostgreSQL sometimes of more, which fails.
    pub(super) fn single(&mut self, kind: Kind, outer: &Scope<'_>, depth: usize) -> Node {
        let loose = self.taste.leaky && self.dialect == Dialect::Postgres && self.random.percent(15);
        let place = if loose { Place::Anywhere } else { Place::Scalar };
        self.query(Some(&[kind]), place, Some(outer), depth).node
    }

    pub(super) fn query(
        &mut self,
        want: Option<&[Kind]>,
        place: Place,
        outer: Option<&Scope<'_>>,
        depth: usize,
    ) -> Made {
        self.budget = self.budget.saturating_sub(3);
        if place == Place::Scalar {
            return self.one_row(want, outer, depth);
        }
        if self.random.percent(12) && depth > 0 && self.budget > 0 {
            return self.set_operation(want, place, outer, depth);
        }
        self.select(want, place, outer, depth)
    }

    fn set_operation(&mut self, want: Option<&[Kind]>, place: Place, outer: Option<&Scope<'_>>, depth: usize) -> Made {
        let kinds: Vec<Kind> = match want {
            Some(kinds) => kinds.to_vec(),
            None => (0..=self.random.below(3)).map(|_| self.kind()).collect(),
        };
        let left = self.select(Some(&kinds), Place::From, outer, depth - 1);
        let mut node = unordered(&left);
        for _ in 0..=self.random.below(2) {
            let operator = *self.random.one_of(words(self.dialect).set_operators);
            let right = self.select(Some(&kinds), Place::Anywhere, outer, depth - 1);
            node = sql![node, sql![operator, unordered(&right)].maybe()];
        }
        self.finish(node, left.columns, place)
    }

    /// Adds a total order over the output, and a page.
    fn finish(&mut self, body: Node, columns: Vec<(String, Kind)>, place: Place) -> Made {
        let wanted = match place {
            Place::Top => 60,
            Place::From | Place::Anywhere | Place::Whole => 12,
            Place::Scalar => 100,
        };
        if !self.random.percent(wanted) {
            return Made { node: body, columns, ordered: false };
        }
        let keys = self.output_keys(&columns);
        let page = self.page(place);
        Made { node: sql![body, " ORDER BY ", keys, page], columns, ordered: true }
    }

    fn output_keys(&mut self, columns: &[(String, Kind)]) -> String {
        let mut places: Vec<usize> = (1..=columns.len()).collect();
        self.random.shuffle(&mut places);
        let keys: Vec<String> = places
            .into_iter()
            .map(|place| {
                let by_name = columns[place - 1].0.starts_with("o_") && self.random.percent(40);
                let key = if by_name { columns[place - 1].0.clone() } else { place.to_string() };
                format!(
                    "{key}{}{}",
                    self.random.one_of(&["", " ASC", " DESC"]),
                    self.random.one_of(words(self.dialect).nulls)
                )
            })
            .collect();
        keys.join(", ")
    }

    fn page(&mut self, place: Place) -> Node {
        let limit = self.random.below(6);
        let offset = self.random.below(3);
        match self.random.below(10) {
            _ if place == Place::Scalar => Node::from(" LIMIT 1"),
            _ if place == Place::Whole => sql![],
            0 if self.taste.params => {
                let value = Value::Integer(i64::try_from(limit).unwrap());
                sql![" LIMIT ", Node::Param(Param { name: self.alias("p"), value, literal: limit.to_string() })].maybe()
            }
            0..=2 => sql![format!(" LIMIT {limit}")].maybe(),
            3 => sql![format!(" LIMIT {limit} OFFSET {offset}")].maybe(),
            4 if self.dialect == Dialect::Postgres => sql![format!(" OFFSET {offset}")].maybe(),
            4 if self.dialect == Dialect::MariaDb => sql![format!(" LIMIT {offset}, {limit}")].maybe(),
            5 if self.dialect == Dialect::Postgres => sql![format!(" FETCH FIRST {} ROWS ONLY", limit + 1)].maybe(),
            _ => sql![],
        }
    }

    /// One row or none: an aggregate over everything, or the first in a total order.
    fn one_row(&mut self, want: Option<&[Kind]>, outer: Option<&Scope<'_>>, depth: usize) -> Made {
        let kind = want.and_then(|kinds| kinds.first()).copied().unwrap_or(Kind::Int);
        if kind == Kind::Json || self.random.percent(35) {
            return self.select(want, Place::Scalar, outer, depth.saturating_sub(1));
        }
        let (from, scope) = self.from(outer, depth.saturating_sub(1));
        let item = self.aggregate(kind, &scope, 1);
        let filter = self.filter(&scope, depth.saturating_sub(1));
        let node = sql!["SELECT ", item, " AS o_1 FROM ", from, filter];
        Made { node, columns: vec![("o_1".to_owned(), kind)], ordered: true }
    }

    pub(super) fn filter(&mut self, scope: &Scope<'_>, depth: usize) -> Node {
        if !self.random.percent(50) {
            return sql![];
        }
        let conditions: Vec<Node> =
            (0..=self.random.below(2)).map(|_| self.expr(Kind::Bool, scope, depth.min(2) + 1)).collect();
        let word = if self.random.percent(70) { " AND " } else { " OR " };
        sql![" WHERE ", Node::List(word, conditions)].maybe()
    }

    fn select(&mut self, want: Option<&[Kind]>, place: Place, outer: Option<&Scope<'_>>, depth: usize) -> Made {
        if want.is_none() && place == Place::Top && self.random.percent(6) {
            return self.star(outer, depth);
        }
        let (from, scope) = self.from(outer, depth);
        if self.random.percent(22) {
            return self.grouped(want, place, (from, scope), depth);
        }
        let kinds: Vec<Kind> = match want {
            Some(kinds) => kinds.to_vec(),
            None => (0..=self.random.below(4)).map(|_| self.kind_in(&scope)).collect(),
        };
        let windows = self.taste.wide && self.random.percent(20);
        let mut columns = Vec::new();
        let mut items = Vec::new();
        for kind in kinds {
            let expr = if windows && self.random.percent(50) {
                self.window(kind, &scope)
            } else {
                self.expr(kind, &scope, depth.min(2))
            };
            items.push(self.item(expr, kind, &mut columns));
        }
        if want.is_none() && !windows && self.taste.wide && self.random.percent(12) {
            items.extend(self.repeating(&scope, &mut columns));
        }
        let filter = self.filter(&scope, depth);
        if self.taste.wide && self.dialect == Dialect::Postgres && self.random.percent(5) {
            let keys: Vec<String> = (1..=columns.len()).map(|place| place.to_string()).collect();
            let body = sql!["SELECT DISTINCT ON (o_1) * FROM (SELECT ", all_of(items), " FROM ", from, filter];
            let node = sql![body, ") AS one ORDER BY ", keys.join(", ")];
            return Made { node, columns, ordered: true };
        }
        let distinct = if self.random.percent(12) && place != Place::Scalar { "DISTINCT " } else { "" };
        let items = if want.is_some() { all_of(items) } else { Node::List(", ", items) };
        // MariaDB takes an OFFSET before it drops rows that repeat one of constants.
        let place = if self.dialect == Dialect::MariaDb && !distinct.is_empty() { Place::Whole } else { place };
        let body = sql!["SELECT ", Node::from(distinct).maybe(), items, " FROM ", from, filter];
        self.finish(body, columns, place)
    }

    /// An output of PostgreSQL that repeats its row.
    fn repeating(&mut self, scope: &Scope<'_>, columns: &mut Vec<(String, Kind)>) -> Option<Node> {
        if self.dialect != Dialect::Postgres {
            return None;
        }
        let array = |this: &mut Self| this.column(Kind::Ints, scope, false).unwrap_or_else(|| "ARRAY[1, 2, 2]".into());
        let text = |this: &mut Self| this.column(Kind::Text, scope, false).unwrap_or_else(|| "'a,b'".into());
        let (call, kind) = match self.random.below(5) {
            0 => (Node::from("generate_series(1, 3)"), Kind::Int),
            1 => (sql!["unnest(", array(self), ")"], Kind::Int),
            2 => (sql!["(unnest(", array(self), ") + 1)"], Kind::Int),
            3 => (sql!["string_to_table(", text(self), ", 'a')"], Kind::Text),
            _ => (sql!["lower(unnest(string_to_array(", text(self), ", 'e')))"], Kind::Text),
        };
        Some(self.item(call, kind, columns))
    }

    /// An output column under a name of its own.
    fn item(&mut self, expr: Node, kind: Kind, columns: &mut Vec<(String, Kind)>) -> Node {
        let alias = format!("o_{}", columns.len() + 1);
        let word = if self.random.percent(80) { " AS " } else { " " };
        columns.push((alias.clone(), kind));
        sql![expr, word, alias]
    }

    fn star(&mut self, outer: Option<&Scope<'_>>, depth: usize) -> Made {
        let source = self.random.one_of(&self.sources).clone();
        let alias = self.alias("s");
        let relation = Relation { alias: alias.clone(), columns: source.columns.clone() };
        let scope = Scope { relations: vec![relation], outer };
        let filter = self.filter(&scope, depth);
        let star = if self.random.percent(50) { "*".to_owned() } else { format!("{alias}.*") };
        let body = sql![format!("SELECT {star} FROM {} AS {alias}", self.table_name(&source)), filter];
        self.finish(body, source.columns, Place::Top)
    }

    fn grouped(&mut self, want: Option<&[Kind]>, place: Place, (from, scope): (Node, Scope<'_>), depth: usize) -> Made {
        let keys: Vec<(Kind, Node)> = (0..self.random.below(3)).filter_map(|_| self.key(&scope)).collect();
        let kinds: Vec<Kind> = match want {
            Some(kinds) => kinds.to_vec(),
            None => (0..=self.random.below(3)).map(|_| self.kind()).chain(keys.iter().map(|(kind, _)| *kind)).collect(),
        };
        let mut columns = Vec::new();
        let mut items = Vec::new();
        for kind in kinds {
            let expr = self.grouped_expr(kind, &keys, &scope);
            items.push(self.item(expr, kind, &mut columns));
        }
        let filter = self.filter(&scope, depth);
        let texts: Vec<String> = keys.iter().map(|(_, key)| key.text()).collect();
        let group = if texts.is_empty() { String::new() } else { format!(" GROUP BY {}", self.grouping(&texts)) };
        // Without keys MariaDB leaves out of a HAVING what it takes for constant, `min` of a key among it.
        let having = if self.random.percent(25) && !(texts.is_empty() && self.dialect == Dialect::MariaDb) {
            let condition = self.grouped_expr(Kind::Bool, &keys, &scope);
            sql![" HAVING ", condition].maybe()
        } else {
            sql![]
        };
        let body = sql!["SELECT ", all_of(items), " FROM ", from, filter, group, having];
        self.finish(body, columns, place)
    }

    /// A column to group by, or an expression over one.
    fn key(&mut self, scope: &Scope<'_>) -> Option<(Kind, Node)> {
        let kind = self.kind_in(scope);
        let column = self.column(kind, scope, false)?.of(kind);
        let node = match kind {
            Kind::Text if self.random.percent(30) => sql!["lower(", column, ")"],
            Kind::Int if self.random.percent(30) => sql!["CASE WHEN ", column, " > 1 THEN 1 ELSE 0 END"],
            _ => column,
        };
        Some((kind, node.of(kind)))
    }

    fn grouping(&mut self, keys: &[String]) -> String {
        let list = keys.join(", ");
        if !self.taste.wide || self.dialect != Dialect::Postgres || !self.random.percent(20) {
            return list;
        }
        match self.random.below(3) {
            0 => format!("ROLLUP ({list})"),
            1 => format!("CUBE ({list})"),
            _ => format!("GROUPING SETS (({list}), ())"),
        }
    }

    /// A kind that constants exist of.
    pub(super) fn kind(&mut self) -> Kind {
        *self.random.one_of(&[
            Kind::Int,
            Kind::Int,
            Kind::BigInt,
            Kind::Decimal,
            Kind::Float,
            Kind::Text,
            Kind::Text,
            Kind::Bool,
            Kind::Date,
            Kind::Timestamp,
            Kind::Json,
        ])
    }

    /// A kind of some column, or any.
    pub(super) fn kind_in(&mut self, scope: &Scope<'_>) -> Kind {
        if self.random.percent(30) {
            return self.kind();
        }
        let relation = self.random.one_of(&scope.relations);
        self.random.one_of(&relation.columns).1
    }
}

/// A list of which none may go.
fn all_of(items: Vec<Node>) -> Node {
    let mut parts = Vec::new();
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            parts.push(Node::from(", "));
        }
        parts.push(item);
    }
    Node::Seq(parts)
}

/// An arm of a set operation. One with an order of its own is a subquery.
fn unordered(made: &Made) -> Node {
    if made.ordered { sql!["SELECT * FROM (", made.node.clone(), ") AS arm"] } else { made.node.clone() }
}
