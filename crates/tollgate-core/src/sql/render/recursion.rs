//! How a common table expression that reads itself is read: for so many rows, and never silently for fewer than it has.
//!
//! The rows are numbered as they come, and the number after the last is an error. Nothing outside can be evaluated before the
//! number is looked at, since no condition moves into a subquery that pages, and nothing can make the look superfluous. A reader that
//! wants fewer rows never comes that far.

use crate::names::Dialect;
use crate::sql::limits::{RECURSION_FUNCTION, RECURSION_ROWS_MAX};
use crate::sql::tree::build;
use crate::sql::tree::{
    BinaryOp, CallOrder, Expr, Function, FunctionArgs, Literal, Projection, Query, Relation, Window,
};

/// The expression, inside.
const ALL: &str = "tg_recursion";
/// Its rows with their numbers.
const NUMBERED: &str = "tg_numbered";

/// `(SELECT columns FROM (SELECT columns, row_number() OVER () AS n FROM name LIMIT max + 1) WHERE n is in bounds) AS alias`.
pub(super) fn bounded(name: &str, columns: &[String], alias: &str, dialect: Dialect) -> Relation {
    let number = row_number(columns);
    let window = Window { partition_by: Vec::new(), order_by: Vec::new(), frame: None };
    let counted = Function {
        name: "row_number",
        args: FunctionArgs::List(Vec::new()),
        distinct: false,
        order: CallOrder::None,
        filter: None,
        over: Some(Box::new(window)),
    };
    let mut projection = build::columns(ALL, columns);
    projection.push(Projection { expr: Expr::Function(counted), name: number.clone() });
    let all = Relation::Cte { name: name.to_owned(), alias: ALL.to_owned() };
    let numbered =
        Query { limit: Some(Expr::number(RECURSION_ROWS_MAX + 1)), ..Query::plain(projection, vec![all], None) };
    let in_bounds = in_bounds(&Expr::made_up(NUMBERED, &number), dialect);
    let kept = Query::plain(build::columns(NUMBERED, columns), vec![numbered.derived(NUMBERED)], Some(in_bounds));
    kept.fenced(dialect).derived(alias)
}

/// A condition that is true for every row, and an error for the one after the last.
fn in_bounds(number: &Expr, dialect: Dialect) -> Expr {
    match dialect {
        // A radius that is not positive has an error code of its own, and no listed function measures anything.
        Dialect::MariaDb => {
            let origin = || Expr::Function(Function::plain("point", vec![Expr::number(0), Expr::number(0)]));
            let radius = Expr::binary(BinaryOp::Subtract, Expr::number(RECURSION_ROWS_MAX + 1), number.clone());
            let distance = Function::plain("st_distance_sphere", vec![origin(), origin(), radius]);
            let few = Expr::binary(BinaryOp::LtEq, number.clone(), Expr::number(RECURSION_ROWS_MAX));
            Expr::binary(BinaryOp::Or, few, Expr::binary(BinaryOp::Eq, Expr::Function(distance), Expr::number(0)))
        }
        // A negative LIMIT has an error code of its own, and a caller's LIMIT is never negative. This one depends on the row, so it
        // is not computed while the statement is planned.
        Dialect::Postgres => {
            let left = Expr::binary(BinaryOp::Subtract, Expr::number(RECURSION_ROWS_MAX), number.clone());
            let fine = Projection { expr: Expr::Literal(Literal::Bool(true)), name: "tg_fine".to_owned() };
            let limited = Query { limit: Some(left), ..Query::plain(vec![fine], Vec::new(), None) };
            let few = Expr::binary(BinaryOp::LtEq, number.clone(), Expr::number(RECURSION_ROWS_MAX));
            Expr::binary(BinaryOp::Or, few, Expr::Scalar(Box::new(limited)))
        }
        Dialect::Sqlite => Expr::Function(Function::plain(RECURSION_FUNCTION, vec![number.clone()])),
    }
}

/// A name for the row's number that none of the columns has.
fn row_number(columns: &[String]) -> String {
    let mut name = "tg_number".to_owned();
    while columns.iter().any(|column| column.eq_ignore_ascii_case(&name)) {
        name.push('_');
    }
    name
}
