//! The rows of a table of which only groups of rows may be seen: rows that too few others are like are not there.
//!
//! Groups that are too small are left out, and that alone would tell of them: everything less what is shown. So where the rows left out
//! of a group of groups are too few themselves, its smallest group is left out with them. Builds a tree like any other's, and never
//! a row that the restricted table does not have.

use super::groups::{Alike, Groups};
use super::restrict::{Fence, RestrictedTable};
use super::tree::build::columns;
use super::tree::{
    BinaryOp, CallOrder, CastType, Expr, Function, FunctionArgs, IsTest, Projection, Query, Relation, Window,
};
use crate::names::Dialect;

/// The restricted table, inside.
pub(super) const ROWS: &str = "tg_rows";
/// Each of its rows, with the number of those that are like it.
const COUNTED: &str = "tg_counted";
/// The same, with what is known of the coarser groups around it.
const GROUPED: &str = "tg_grouped";
/// How many rows are like this one.
const ALIKE: &str = "tg_n";

/// How many rows of a coarser group are in groups that are too small.
fn hidden(number: usize) -> String {
    format!("tg_hidden_{number}")
}

/// The smallest group of a coarser one that is large enough.
fn smallest(number: usize) -> String {
    format!("tg_smallest_{number}")
}

/// The rows of a restricted table, called `ROWS`, in groups that are large enough.
pub(super) fn large_enough(rows: RestrictedTable, groups: &Groups, alias: &str, dialect: Dialect) -> Relation {
    let names: Vec<String> = rows.columns().iter().map(|column| column.name.clone()).collect();
    let fence = rows.fence();
    let least = || Expr::number(groups.least.get().into());
    let coarser = groups.coarser();
    let windows = Windows { groups, dialect };

    let mut counted = columns(ROWS, &names);
    let count = windows.over("count", FunctionArgs::Star, (ROWS, &groups.whole()));
    counted.push(Projection { expr: count, name: ALIKE.to_owned() });

    let alike = || Expr::made_up(COUNTED, ALIKE);
    let mut grouped = columns(COUNTED, &names);
    grouped.push(Projection { expr: alike(), name: ALIKE.to_owned() });
    for (place, kept) in coarser.iter().enumerate() {
        let small = case(Expr::binary(BinaryOp::Lt, alike(), least()), Expr::number(1), Some(Expr::number(0)));
        let sum = windows.over("sum", FunctionArgs::List(vec![small]), (COUNTED, kept));
        grouped.push(Projection { expr: sum, name: hidden(place) });
        let large = case(Expr::binary(BinaryOp::GtEq, alike(), least()), alike(), None);
        let min = windows.over("min", FunctionArgs::List(vec![large]), (COUNTED, kept));
        grouped.push(Projection { expr: min, name: smallest(place) });
    }

    let mut filter = Expr::binary(BinaryOp::GtEq, Expr::made_up(GROUPED, ALIKE), least());
    for place in 0..coarser.len() {
        let hidden = || Expr::made_up(GROUPED, &hidden(place));
        let none = Expr::binary(BinaryOp::Eq, hidden(), Expr::number(0));
        let enough = Expr::binary(BinaryOp::GtEq, hidden(), least());
        let not_the_smallest =
            Expr::binary(BinaryOp::Gt, Expr::made_up(GROUPED, ALIKE), Expr::made_up(GROUPED, &smallest(place)));
        let fine = Expr::binary(BinaryOp::Or, Expr::binary(BinaryOp::Or, none, enough), not_the_smallest);
        filter = Expr::binary(BinaryOp::And, filter, fine);
    }

    let rows = Relation::Restricted(Box::new(rows));
    let counted = Query::plain(counted, vec![rows], None).derived(COUNTED);
    let grouped = Query::plain(grouped, vec![counted], None).derived(GROUPED);
    let mut shown = Query::plain(columns(GROUPED, &names), vec![grouped], Some(filter));
    if fence == Fence::Closed {
        shown = shown.fenced(dialect);
    }
    shown.derived(alias)
}

/// Calls over the rows that agree in some of the columns.
struct Windows<'g> {
    groups: &'g Groups,
    dialect: Dialect,
}

impl Windows<'_> {
    fn over(&self, name: &'static str, args: FunctionArgs, (relation, kept): (&str, &[(usize, Alike)])) -> Expr {
        let keys = kept.iter().filter_map(|(place, alike)| Some((&self.groups.columns.get(*place)?.0, *alike)));
        let partition_by = keys.flat_map(|(name, alike)| self.key(Expr::made_up(relation, name), alike)).collect();
        let window = Window { partition_by, order_by: Vec::new(), frame: None };
        let order = CallOrder::None;
        Expr::Function(Function { name, args, distinct: false, order, filter: None, over: Some(Box::new(window)) })
    }

    /// What is the same for rows that agree in a column, and differs for all others: equal values need not be the same.
    fn key(&self, value: Expr, alike: Alike) -> Vec<Expr> {
        let boxed = Box::new;
        match (alike, self.dialect) {
            (Alike::Presence, _) => vec![Expr::Is { expr: boxed(value), test: IsTest::Null, negated: false }],
            (Alike::Value, Dialect::Postgres) => vec![value],
            (Alike::Text, Dialect::Postgres) => {
                let text = Expr::Cast { expr: boxed(value), ty: CastType("text".to_owned()) };
                vec![Expr::Collate { expr: boxed(text), collation: "C" }]
            }
            // Any column may hold 1 and 1.0, and texts under a collation of its own.
            (Alike::Value | Alike::Text, Dialect::Sqlite) => {
                let kind = Expr::Function(Function::plain("typeof", vec![value.clone()]));
                vec![Expr::Collate { expr: boxed(value), collation: "BINARY" }, kind]
            }
            // Windows compare the first `max_sort_length` bytes of a text alone, and the text of a FLOAT has six digits.
            (Alike::Value | Alike::Text, Dialect::MariaDb) => {
                let bytes = Expr::Cast { expr: boxed(value.clone()), ty: CastType("binary".to_owned()) };
                vec![value, Expr::Function(Function::plain("sha2", vec![bytes, Expr::number(256)]))]
            }
        }
    }
}

fn case(when: Expr, then: Expr, otherwise: Option<Expr>) -> Expr {
    Expr::Case { operand: None, branches: vec![(when, then)], otherwise: otherwise.map(Box::new) }
}
