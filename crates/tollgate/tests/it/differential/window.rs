//! Window functions at random.

use tollgate_core::names::Dialect;

use super::{
    kind::Kind,
    node::{Node, sql},
    query::{Generator, Scope, Taste},
    words::words,
};

impl Generator<'_> {
    /// A window function that yields the kind, whatever the order of equal rows.
    pub(super) fn window(&mut self, kind: Kind, scope: &Scope<'_>) -> Node {
        let ranking = matches!(kind, Kind::Int | Kind::BigInt) && self.random.percent(50);
        let function = if ranking {
            Node::from(*self.random.one_of(&["rank()", "dense_rank()"]))
        } else {
            let plain = Taste { wide: false, ..self.taste };
            let taste = std::mem::replace(&mut self.taste, plain);
            let aggregate = self.aggregate(kind, scope, 0);
            self.taste = taste;
            aggregate
        };
        if kind == Kind::Bool || kind == Kind::Json {
            return self.leaf(kind, scope);
        }
        let partition =
            if self.random.percent(50) { sql!["PARTITION BY ", self.window_key(scope), " "].maybe() } else { sql![] };
        let order = if ranking || self.random.percent(50) {
            let frame = if ranking { "" } else { *self.random.one_of(words(self.dialect).frames) };
            sql!["ORDER BY ", self.window_key(scope), Node::from(frame).maybe()].maybe()
        } else {
            sql![]
        };
        sql![function, " OVER (", partition, order, ")"].of(kind)
    }

    /// What a window is sorted by. MariaDB 10.11 mixes two windows up of which one is sorted by a constant, so there it is a column.
    fn window_key(&mut self, scope: &Scope<'_>) -> Node {
        let of = self.kind_in(scope);
        if self.dialect != Dialect::MariaDb {
            return self.column_or(of, scope, 0);
        }
        let relation = self.random.one_of(&scope.relations).clone();
        let own = Scope { relations: vec![relation], outer: None };
        let of = self.random.one_of(&own.relations[0].columns).1;
        self.column(of, &own, false).unwrap_or_else(|| Node::from("NULL")).of(of)
    }
}
