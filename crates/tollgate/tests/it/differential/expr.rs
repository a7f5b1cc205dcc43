//! Expressions at random, each of a kind.

use tollgate_core::names::{Dialect, Value};

use super::{
    kind::{Kind, name},
    node::{Node, Param, sql},
    query::{Generator, Scope},
    words::words,
};

const COMPARISONS: [&str; 7] = [" = ", " <> ", " != ", " < ", " <= ", " > ", " >= "];
const PATTERNS: [&str; 9] = ["'a%'", "'%'", "'_'", "'%b%'", "'%\\%'", "'%e.com'", "''", "'redacted'", "'____%'"];

impl Generator<'_> {
    fn postgres(&self) -> bool {
        self.dialect == Dialect::Postgres
    }

    fn mariadb(&self) -> bool {
        self.dialect == Dialect::MariaDb
    }

    /// An expression of a kind. Boolean, numeric and text operators mostly stand in parentheses; without them the text says how
    /// it is grouped only to whoever knows the dialect.
    pub(super) fn expr(&mut self, kind: Kind, scope: &Scope<'_>, depth: usize) -> Node {
        if depth == 0 || self.budget == 0 || self.random.percent(25) {
            return self.leaf(kind, scope);
        }
        self.budget = self.budget.saturating_sub(1);
        let depth = depth - 1;
        let node = match self.random.below(10) {
            0 => self.choice(kind, scope, depth),
            1 if self.random.percent(50) => sql!["(", self.single(kind, scope, depth), ")"],
            _ => self.operation(kind, scope, depth),
        };
        node.of(kind)
    }

    fn operation(&mut self, kind: Kind, scope: &Scope<'_>, depth: usize) -> Node {
        match kind {
            Kind::Bool => self.condition(scope, depth),
            Kind::Int | Kind::BigInt => self.integer(kind, scope, depth),
            Kind::Decimal | Kind::Float => self.fraction(kind, scope, depth),
            Kind::Text => self.text(scope, depth),
            Kind::Date | Kind::Timestamp => self.time(kind, scope, depth),
            Kind::Json => self.json(scope, depth),
            Kind::Mood => self.leaf(kind, scope),
            Kind::Texts | Kind::Ints => self.array(kind, scope, depth),
        }
    }

    /// A column of the kind, or a constant.
    pub(super) fn leaf(&mut self, kind: Kind, scope: &Scope<'_>) -> Node {
        let outer = self.random.percent(20);
        if self.random.percent(82)
            && let Some(column) = self.column(kind, scope, outer)
        {
            return column.of(kind);
        }
        if kind == Kind::Bool && self.random.percent(75) {
            let of = self.kind_in(scope);
            if let Some(column) = self.column(of, scope, false) {
                let operator = *self.random.one_of(&COMPARISONS);
                let right = self.given(of).unwrap_or_else(|| self.constant(of));
                return sql!["(", column.of(of), operator, right, ")"].of(kind);
            }
        }
        self.constant(kind)
    }

    /// A parameter where the statement says of what type it is.
    fn given(&mut self, kind: Kind) -> Option<Node> {
        if !self.taste.params || !self.random.percent(50) {
            return None;
        }
        let (value, literal) = kind.argument(self.random, self.dialect)?;
        Some(Node::Param(Param { name: self.alias("p"), value, literal }))
    }

    /// A list of parameters for an `IN`.
    fn given_list(&mut self, kind: Kind) -> Option<Node> {
        if !self.taste.params || !matches!(kind, Kind::Int | Kind::Text) || !self.random.percent(50) {
            return None;
        }
        let (values, literals): (Vec<Value>, Vec<String>) =
            (0..=self.random.below(3)).filter_map(|_| kind.argument(self.random, self.dialect)).unzip();
        if values.is_empty() {
            return None;
        }
        Some(Node::Param(Param { name: self.alias("p"), value: Value::Array(values), literal: literals.join(", ") }))
    }

    fn constant(&mut self, kind: Kind) -> Node {
        // MariaDB takes a number that is bound for a text, and computes with it as a float, unless it stands beside a column.
        let fraction = matches!(kind, Kind::Decimal | Kind::Float);
        if let Some(param) = self.given(kind).filter(|_| !(self.mariadb() && fraction)) {
            let node = if self.postgres() { sql!["CAST(", param, " AS ", kind.cast(self.dialect), ")"] } else { param };
            return node.of(kind);
        }
        let node = if self.random.percent(6) {
            match kind {
                Kind::Mood | Kind::Texts | Kind::Ints => "NULL".to_owned(),
                _ => format!("CAST(NULL AS {})", kind.cast(self.dialect)),
            }
        } else if kind == Kind::Bool && self.random.percent(60) {
            "TRUE".to_owned()
        } else {
            kind.literal(self.random, self.dialect)
        };
        Node::from(node).of(kind)
    }

    /// A column of the kind if there is one, else an expression.
    pub(super) fn column_or(&mut self, kind: Kind, scope: &Scope<'_>, depth: usize) -> Node {
        match self.column(kind, scope, false) {
            Some(column) if depth == 0 => column.of(kind),
            _ => self.expr(kind, scope, depth.max(1)),
        }
    }

    pub(super) fn column(&mut self, kind: Kind, scope: &Scope<'_>, outer: bool) -> Option<Node> {
        let mut found = Vec::new();
        let mut hidden: Vec<&str> = Vec::new();
        let mut level = Some(scope);
        let mut own = true;
        while let Some(scope) = level {
            for relation in &scope.relations {
                if hidden.contains(&relation.alias.as_str()) || (outer == own && scope.outer.is_some()) {
                    continue;
                }
                let of_kind = relation.columns.iter().filter(|(_, its)| *its == kind);
                found.extend(of_kind.map(|(column, _)| (relation.alias.as_str(), column.as_str(), own)));
            }
            hidden.extend(scope.relations.iter().map(|relation| relation.alias.as_str()));
            level = scope.outer;
            own = false;
        }
        if found.is_empty() {
            return None;
        }
        let (alias, column, own) = *self.random.one_of(&found);
        let merged = alias.is_empty();
        if merged && !own {
            return None;
        }
        let unique = own
            && scope.relations.iter().flat_map(|r| &r.columns).filter(|(c, _)| c.eq_ignore_ascii_case(column)).count()
                == 1;
        let plain = column.chars().all(|c| c.is_ascii_lowercase()) && column != "select";
        let written = if plain && self.random.percent(60) { column.to_owned() } else { name(column, self.dialect) };
        Some(if merged || (unique && self.random.percent(40)) {
            Node::from(written)
        } else {
            Node::from(format!("{}.{written}", name(alias, self.dialect)))
        })
    }

    /// CASE and its like.
    fn choice(&mut self, kind: Kind, scope: &Scope<'_>, depth: usize) -> Node {
        let (a, b) = (self.expr(kind, scope, depth), self.expr(kind, scope, depth));
        match self.random.below(6) {
            0 | 1 => {
                let when = self.expr(Kind::Bool, scope, depth);
                sql!["CASE WHEN ", when, " THEN ", a, sql![" ELSE ", b].maybe(), " END"]
            }
            2 => {
                let (of, is) = (self.kind_in(scope), self.expr(Kind::Int, scope, depth));
                let of = if of == Kind::Int { is } else { self.leaf(Kind::Int, scope) };
                let when = self.constant(Kind::Int);
                sql!["CASE ", of, " WHEN ", when, " THEN ", a, sql![" ELSE ", b].maybe(), " END"]
            }
            3 => sql!["COALESCE(", a, ", ", b, ")"],
            4 => sql!["nullif(", a, ", ", b, ")"],
            _ => {
                let function = *self.random.one_of(words(self.dialect).choices);
                if !function.starts_with('i') || function == "ifnull" {
                    return sql![function, "(", a, ", ", b, ")"];
                }
                let when = self.expr(Kind::Bool, scope, depth);
                sql![function, "(", when, ", ", a, ", ", b, ")"]
            }
        }
    }

    /// Two operands, mostly in parentheses.
    fn both(&mut self, left: Node, operator: &str, right: Node) -> Node {
        if self.random.percent(75) { sql!["(", left, operator, right, ")"] } else { sql![left, operator, right] }
    }

    fn condition(&mut self, scope: &Scope<'_>, depth: usize) -> Node {
        let kind = self.kind_in(scope);
        match self.random.below(20) {
            0..=4 => {
                let (a, b) = (self.expr(kind, scope, depth), self.expr(kind, scope, depth));
                let operators: &[&str] =
                    if self.random.percent(85) { &COMPARISONS } else { words(self.dialect).distinct };
                let operator = *self.random.one_of(operators);
                self.both(a, operator, b)
            }
            5 | 6 => {
                let terms: Vec<Node> =
                    (0..2 + self.random.below(2)).map(|_| self.expr(Kind::Bool, scope, depth)).collect();
                let word = *self.random.one_of(&[" AND ", " OR "]);
                if self.random.percent(75) { sql!["(", Node::List(word, terms), ")"] } else { Node::List(word, terms) }
            }
            7 => {
                let a = self.expr(Kind::Bool, scope, depth);
                if self.random.percent(70) { sql!["(NOT ", a, ")"] } else { sql!["NOT ", a] }
            }
            8 | 9 => {
                let a = self.expr(kind, scope, depth);
                let test = *self.random.one_of(&[" IS NULL", " IS NOT NULL"]);
                sql!["(", a, test, ")"]
            }
            10 => {
                let a = self.expr(Kind::Bool, scope, depth);
                let test = *self.random.one_of(&[" IS TRUE", " IS NOT FALSE", " IS NOT TRUE"]);
                sql!["(", a, test, ")"]
            }
            11 | 12 => self.membership(kind, scope, depth),
            13 => {
                let not = *self.random.one_of(&["", "NOT "]);
                let (a, b, c) = (self.expr(kind, scope, depth), self.leaf(kind, scope), self.leaf(kind, scope));
                sql!["(", a, " ", not, "BETWEEN ", b, " AND ", c, ")"]
            }
            14 | 15 => self.likeness(scope, depth),
            16 | 17 if depth > 0 => {
                let not = *self.random.one_of(&["", "NOT "]);
                sql!["(", not, "EXISTS (", self.any_rows(scope, depth), "))"]
            }
            18 if self.taste.wide => self.wide_condition(scope, depth),
            _ => self.leaf(Kind::Bool, scope),
        }
    }

    fn membership(&mut self, kind: Kind, scope: &Scope<'_>, depth: usize) -> Node {
        let a = self.expr(kind, scope, depth);
        let word = *self.random.one_of(&[" IN (", " NOT IN ("]);
        if depth > 0 && self.random.percent(50) {
            return sql!["(", a, word, self.column_of(kind, scope, depth), "))"];
        }
        if let Some(list) = self.given_list(kind) {
            return sql!["(", self.column_or(kind, scope, 0), word, list, "))"];
        }
        let list: Vec<Node> = (0..=self.random.below(3)).map(|_| self.leaf(kind, scope)).collect();
        sql!["(", a, word, Node::List(", ", list), "))"]
    }

    fn likeness(&mut self, scope: &Scope<'_>, depth: usize) -> Node {
        let a = self.expr(Kind::Text, scope, depth);
        let word = match self.random.below(6) {
            0 => " NOT LIKE ",
            1 if self.postgres() => " ILIKE ",
            2 if self.postgres() && self.taste.leaky => *self.random.one_of(&[" ~ ", " ~* ", " !~ ", " SIMILAR TO "]),
            3 if self.taste.wide => *self.random.one_of(words(self.dialect).patterns),
            _ => " LIKE ",
        };
        let pattern = if self.taste.leaky && self.random.percent(30) {
            self.leaf(Kind::Text, scope)
        } else {
            Node::from(self.random.one_of(&PATTERNS).replace('\\', words(self.dialect).backslash))
        };
        let escape = if word.ends_with("LIKE ") && self.random.percent(15) { " ESCAPE '!'" } else { "" };
        sql!["(", a, word, pattern, Node::from(escape).maybe(), ")"]
    }

    fn wide_condition(&mut self, scope: &Scope<'_>, depth: usize) -> Node {
        let kind = *self.random.one_of(&[Kind::Int, Kind::Text]);
        let (a, b) = (self.expr(kind, scope, depth), self.expr(Kind::Int, scope, depth));
        let (c, d) = (self.leaf(kind, scope), self.leaf(Kind::Int, scope));
        match self.random.below(8) {
            0 => sql!["((", a, ", ", b, ") = (", c, ", ", d, "))"],
            1 => sql!["((", a, ", ", b, ") < (", c, ", ", d, "))"],
            2 if self.postgres() => {
                let array = self.arrays(Kind::Ints, scope);
                match self.random.below(3) {
                    0 => sql!["(", b, " = ANY (", array, "))"],
                    1 => sql!["(", array, " && ARRAY[1, 3])"],
                    _ => sql!["(", array, *self.random.one_of(&[" @> ", " <@ "]), "ARRAY[1, 2])"],
                }
            }
            3 if self.postgres() => sql!["(", a, " <> ALL (ARRAY[", c, "]))"],
            4 if self.postgres() && depth > 0 => {
                let word = *self.random.one_of(&[" = ANY (", " > ALL (", " <= SOME ("]);
                sql!["(", a, word, self.column_of(kind, scope, depth), "))"]
            }
            5 if self.postgres() => {
                let (a, b) = (self.leaf(Kind::Json, scope), self.leaf(Kind::Json, scope));
                let operator = *self.random.one_of(&[" @> ", " <@ "]);
                sql!["(", a, operator, b, ")"]
            }
            6 if self.postgres() => {
                let json = self.leaf(Kind::Json, scope);
                sql!["(", json, " ? 'a')"]
            }
            6 if !self.postgres() && depth > 0 => {
                let columns = self.column_of(kind, scope, depth);
                sql!["(", a, " NOT IN (", columns, "))"]
            }
            7 if self.postgres() => sql!["(", b, " BETWEEN SYMMETRIC ", d, " AND 2)"],
            _ => sql!["(", a, " <> ", c, ")"],
        }
    }

    fn integer(&mut self, kind: Kind, scope: &Scope<'_>, depth: usize) -> Node {
        let a = self.expr(kind, scope, depth);
        let leaky = self.taste.leaky || self.dialect == Dialect::Sqlite;
        match self.random.below(12) {
            0..=3 if leaky => {
                let b = self.expr(kind, scope, depth);
                let operator = *self.random.one_of(words(self.dialect).arithmetic);
                self.both(a, operator, b)
            }
            4 if leaky => sql!["(- ", a, ")"],
            5 if leaky => sql!["abs(", a, ")"],
            6 if leaky => {
                let text = self.expr(Kind::Text, scope, depth);
                sql!["CAST(", text, " AS ", kind.cast(self.dialect), ")"]
            }
            7 if kind == Kind::Int || !self.postgres() => {
                let text = self.expr(Kind::Text, scope, depth);
                let function = words(self.dialect).length;
                sql![function, "(", text, ")"]
            }
            8 => {
                let from = self.expr(Kind::Int, scope, depth);
                sql!["CAST(", from, " AS ", kind.cast(self.dialect), ")"]
            }
            9 if self.postgres() && self.taste.wide && kind == Kind::Int => {
                let array = self.arrays(Kind::Ints, scope);
                match self.random.below(4) {
                    0 => sql!["cardinality(", array, ")"],
                    1 => sql!["(", array, ")[2]"],
                    2 => sql!["array_length(", array, ", 1)"],
                    _ => sql!["position('a' IN ", self.expr(Kind::Text, scope, depth), ")"],
                }
            }
            9 | 11 if self.mariadb() => match self.random.below(6) {
                0 => sql!["year(", self.expr(Kind::Date, scope, depth), ")"],
                4 => sql!["datediff(", self.leaf(Kind::Timestamp, scope), ", ", self.leaf(Kind::Date, scope), ")"],
                1 => sql!["month(", self.expr(Kind::Date, scope, depth), ")"],
                2 => sql!["locate(", self.leaf(Kind::Text, scope), ", ", self.expr(Kind::Text, scope, depth), ")"],
                3 => sql!["week(", self.leaf(Kind::Date, scope), ", 3)"],
                _ => sql!["find_in_set(", self.leaf(Kind::Text, scope), ", ", self.expr(Kind::Text, scope, depth), ")"],
            },
            10 if self.taste.wide => {
                let b = self.leaf(kind, scope);
                let operator = *self.random.one_of(&[" & ", " | "]);
                sql!["(", a, operator, b, ")"]
            }
            _ => a,
        }
    }

    fn fraction(&mut self, kind: Kind, scope: &Scope<'_>, depth: usize) -> Node {
        let a = self.expr(kind, scope, depth);
        let leaky = self.taste.leaky || self.dialect == Dialect::Sqlite;
        match self.random.below(9) {
            0..=2 if leaky => {
                let b = self.expr(kind, scope, depth);
                let operator = *self.random.one_of(&[" + ", " - ", " * ", " / "]);
                self.both(a, operator, b)
            }
            3 => sql!["(- ", a, ")"],
            4 if kind == Kind::Decimal => sql!["round(", a, ", 1)"],
            4 => sql!["round(", a, ")"],
            5 if self.dialect != Dialect::Sqlite => sql![*self.random.one_of(&["floor", "ceil", "sign"]), "(", a, ")"],
            6 => {
                let from = self.expr(Kind::Int, scope, depth);
                sql!["CAST(", from, " AS ", kind.cast(self.dialect), ")"]
            }
            7 if self.taste.leaky && self.dialect != Dialect::Sqlite => {
                sql![*self.random.one_of(&["sqrt", "ln"]), "(", a, ")"]
            }
            8 if self.taste.wide && self.postgres() && kind == Kind::Decimal => {
                let field = *self.random.one_of(&["year", "month", "epoch", "isodow"]);
                sql![format!("EXTRACT({field} FROM "), self.leaf(Kind::Timestamp, scope), ")"]
            }
            _ => a,
        }
    }

    fn text(&mut self, scope: &Scope<'_>, depth: usize) -> Node {
        let a = self.expr(Kind::Text, scope, depth);
        let b = self.leaf(Kind::Text, scope);
        match self.random.below(14) {
            0 => sql!["lower(", a, ")"],
            1 => sql!["UPPER(", a, ")"],
            2 => sql!["substr(", a, ", 1, 3)"],
            3 if self.postgres() => sql!["substring(", a, " FROM 2)"],
            4 => sql!["trim(", a, ")"],
            5 if self.postgres() => sql!["TRIM(BOTH 'a' FROM ", a, ")"],
            6 | 7 if self.mariadb() => match self.random.below(3) {
                0 => sql!["concat_ws('-', ", a, ", ", b, ")"],
                _ => sql!["concat(", a, ", ", b, ")"],
            },
            6 | 7 => self.both(a, " || ", b),
            8 => sql!["replace(", a, ", 'a', ", b, ")"],
            9 => {
                let kind = *self.random.one_of(&[Kind::Int, Kind::Text, Kind::Date, Kind::Bool]);
                let of = self.expr(kind, scope, depth);
                sql!["CAST(", of, " AS ", Kind::Text.cast(self.dialect), ")"]
            }
            10 if self.dialect != Dialect::Sqlite => sql![*self.random.one_of(&["left", "right"]), "(", a, ", 2)"],
            11 if self.postgres() => {
                let json = self.leaf(Kind::Json, scope);
                sql!["(", json, " ->> 'a')"]
            }
            11 if self.taste.leaky => {
                let json = self.leaf(Kind::Json, scope);
                sql!["json_extract(", json, ", '$.a')"]
            }
            12 | 13 if self.mariadb() => match self.random.below(4) {
                0 => sql!["substring_index(", a, ", '@', 1)"],
                1 => sql!["reverse(", a, ")"],
                2 => sql!["date_format(", self.leaf(Kind::Timestamp, scope), ", '%Y-%m %H')"],
                _ => sql!["json_unquote(json_extract(", self.leaf(Kind::Json, scope), ", '$.a'))"],
            },
            12 if self.postgres() && self.taste.leaky => sql!["split_part(", a, ", '@', 2)"],
            13 if self.postgres() && self.taste.wide => self.wide_text(scope, depth),
            13 if self.postgres() => {
                let mood = self.leaf(Kind::Mood, scope);
                sql!["CAST(", mood, " AS text)"]
            }
            _ => a,
        }
    }

    fn wide_text(&mut self, scope: &Scope<'_>, depth: usize) -> Node {
        let a = self.expr(Kind::Text, scope, depth);
        let b = self.leaf(Kind::Text, scope);
        match self.random.below(9) {
            0 => sql!["concat_ws('-', ", a, ", ", b, ")"],
            1 => sql!["overlay(", a, " PLACING 'zz' FROM 1 FOR 1)"],
            2 => sql!["(", a, " COLLATE \"C\")"],
            3 => Node::from("E'it\\'s \\\\ \\n'"),
            4 => sql!["to_char(", self.leaf(Kind::Date, scope), ", 'YYYY-MM')"],
            5 => sql!["(", self.arrays(Kind::Texts, scope), ")[1]"],
            6 => sql!["regexp_replace(", a, ", '[ab]+', 'x')"],
            7 => sql!["(", self.leaf(Kind::Json, scope), " #>> '{a,b}')"],
            _ => sql!["array_to_string(", self.arrays(Kind::Ints, scope), ", ',')"],
        }
    }

    /// A column, or an array of constants.
    fn arrays(&mut self, kind: Kind, scope: &Scope<'_>) -> Node {
        let column = self.column(kind, scope, false);
        column
            .unwrap_or_else(|| Node::from(if kind == Kind::Ints { "ARRAY[1, 2]" } else { "ARRAY['a', 'b']" }))
            .of(kind)
    }

    fn time(&mut self, kind: Kind, scope: &Scope<'_>, depth: usize) -> Node {
        match self.dialect {
            Dialect::Postgres => {}
            Dialect::Sqlite => {
                let of = self.expr(Kind::Timestamp, scope, depth);
                return if kind == Kind::Date { sql!["date(", of, ")"] } else { sql!["datetime(", of, ")"] };
            }
            Dialect::MariaDb => return self.mariadbs_time(kind, scope, depth),
        }
        match (kind, self.random.below(5)) {
            (Kind::Timestamp, 3) if self.taste.wide => {
                sql!["(", self.leaf(kind, scope), " - INTERVAL '1' DAY)"]
            }
            (Kind::Date, 0) => sql!["CAST(", self.expr(Kind::Timestamp, scope, depth), " AS date)"],
            (Kind::Date, 1) if self.taste.leaky => {
                sql!["(", self.leaf(kind, scope), " + ", self.leaf(Kind::Int, scope), ")"]
            }
            (Kind::Timestamp, 0) => sql!["date_trunc('month', ", self.expr(kind, scope, depth), ")"],
            (Kind::Timestamp, 1) => sql!["CAST(", self.expr(Kind::Date, scope, depth), " AS timestamp)"],
            (Kind::Timestamp, 2) if self.taste.leaky => sql!["(", self.leaf(kind, scope), " + INTERVAL '1 day')"],
            _ => self.leaf(kind, scope),
        }
    }

    fn mariadbs_time(&mut self, kind: Kind, scope: &Scope<'_>, depth: usize) -> Node {
        match (kind, self.random.below(5)) {
            (Kind::Date, 0) => sql!["date(", self.expr(Kind::Timestamp, scope, depth), ")"],
            (Kind::Date, 1) => sql!["last_day(", self.expr(kind, scope, depth), ")"],
            (Kind::Date, 2) => sql!["CAST(", self.expr(Kind::Timestamp, scope, depth), " AS DATE)"],
            (Kind::Date, 3) if self.taste.leaky => sql!["CAST(", self.leaf(Kind::Text, scope), " AS DATE)"],
            (Kind::Timestamp, 0) => sql!["CAST(", self.expr(Kind::Date, scope, depth), " AS DATETIME)"],
            (Kind::Timestamp, 1) if self.taste.wide => sql!["(", self.leaf(kind, scope), " - INTERVAL 1 DAY)"],
            _ => self.leaf(kind, scope),
        }
    }

    fn json(&mut self, scope: &Scope<'_>, depth: usize) -> Node {
        if !self.postgres() {
            return self.leaf(Kind::Json, scope);
        }
        let a = self.expr(Kind::Json, scope, depth);
        match self.random.below(5) {
            0 => sql!["(", a, " -> 'a')"],
            1 => sql!["(", a, " -> 0)"],
            2 if self.taste.leaky => sql!["CAST(", self.leaf(Kind::Text, scope), " AS jsonb)"],
            3 if self.taste.wide => sql!["(", a, " #> ARRAY['a', 'b'])"],
            _ => a,
        }
    }

    fn array(&mut self, kind: Kind, scope: &Scope<'_>, depth: usize) -> Node {
        if !self.taste.wide {
            return self.leaf(kind, scope);
        }
        let element = if kind == Kind::Ints { Kind::Int } else { Kind::Text };
        let (a, b) = (self.expr(element, scope, depth), self.leaf(element, scope));
        sql!["ARRAY[", a, ", ", b, "]"]
    }

    /// An aggregate that yields the kind. Over an outer query's columns alone it would be that query's, and is refused.
    pub(super) fn aggregate(&mut self, kind: Kind, scope: &Scope<'_>, depth: usize) -> Node {
        let own = Scope { relations: scope.relations.clone(), outer: None };
        let scope = if self.random.percent(90) { &own } else { scope };
        let node = match (kind, self.random.below(6)) {
            (Kind::Int | Kind::BigInt, 0) => Node::from("count(*)"),
            (Kind::Int | Kind::BigInt, 1 | 2) => {
                let of = self.kind_in(scope);
                let distinct = if self.taste.wide { *self.random.one_of(&["", "DISTINCT "]) } else { "" };
                sql!["count(", distinct, self.column_or(of, scope, 0), ")"]
            }
            (Kind::BigInt | Kind::Decimal, 3) => sql!["sum(", self.column_or(Kind::Int, scope, 0), ")"],
            (Kind::Decimal, 4) => sql!["avg(", self.column_or(Kind::Int, scope, 0), ")"],
            (Kind::Float, 3) => sql!["sum(", self.column_or(kind, scope, 0), ")"],
            (Kind::Bool, 0..=2) if self.postgres() => {
                let function = *self.random.one_of(&["bool_and", "bool_or"]);
                sql![function, "(", self.expr(kind, scope, depth), ")"]
            }
            (Kind::Bool, _) => {
                let of = self.column_or(Kind::Int, scope, 0);
                return sql!["(max(", of, ") > 1)"].of(kind);
            }
            (Kind::Text, 0) if self.taste.wide && self.postgres() => {
                let of = self.column_or(Kind::Text, scope, 0);
                sql!["string_agg(", of.clone(), ", ',' ORDER BY ", of, ")"]
            }
            (Kind::Text, 0) if self.taste.wide && self.mariadb() => {
                let of = self.column_or(Kind::Text, scope, 0);
                sql!["group_concat(", of.clone(), " ORDER BY ", of, ")"]
            }
            (Kind::Text, 1) if self.taste.wide && self.postgres() => {
                sql!["mode() WITHIN GROUP (ORDER BY ", self.column_or(kind, scope, 0), ")"]
            }
            (Kind::Float, 4) if self.taste.wide && self.postgres() => {
                sql!["percentile_cont(0.5) WITHIN GROUP (ORDER BY ", self.column_or(Kind::Int, scope, 0), ")"]
            }
            (Kind::Json, _) if self.postgres() => {
                return sql!["CAST(max(CAST(", self.column_or(kind, scope, 0), " AS text)) AS jsonb)"].of(kind);
            }
            // MariaDB orders the least of some labels now by their places and now by their letters.
            (Kind::Mood, _) if self.mariadb() => sql!["max(CAST(", self.column_or(kind, scope, 0), " AS CHAR))"],
            _ => {
                let function = *self.random.one_of(&["min", "max"]);
                sql![function, "(", self.column_or(kind, scope, depth.min(1)), ")"]
            }
        };
        if self.random.percent(15) && !self.mariadb() {
            let condition = self.expr(Kind::Bool, scope, 1);
            return sql![node, sql![" FILTER (WHERE ", condition, ")"].maybe()].of(kind);
        }
        node.of(kind)
    }

    /// What may stand beside GROUP BY: a key, or an aggregate.
    pub(super) fn grouped_expr(&mut self, kind: Kind, keys: &[(Kind, Node)], scope: &Scope<'_>) -> Node {
        let of_kind: Vec<&Node> = keys.iter().filter(|(its, _)| *its == kind).map(|(_, key)| key).collect();
        if !of_kind.is_empty() && self.random.percent(75) {
            return (*self.random.one_of(&of_kind)).clone();
        }
        let aggregate = self.aggregate(kind, scope, 1);
        match (kind, self.random.below(5)) {
            (Kind::Bool, 0..=3) => {
                let of = *self.random.one_of(&[Kind::Int, Kind::Text, Kind::Date]);
                let left = self.aggregate(of, scope, 1);
                let right = self.constant(of);
                sql!["(", left, *self.random.one_of(&COMPARISONS), right, ")"].of(kind)
            }
            (_, 0) => sql!["coalesce(", aggregate, ", ", self.constant(kind), ")"].of(kind),
            _ => aggregate,
        }
    }
}
