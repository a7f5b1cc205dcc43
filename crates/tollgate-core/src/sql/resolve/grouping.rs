//! Whether the database would group operators as the parser did. Where it would not, the text must have parentheses; what the
//! parser made of it never runs in place of what its author meant.
//!
//! The parser's tree is right for a table of precedences if each operator binds tighter than the one above it, along the edge
//! at which the two meet. An operator meets those at the right edge of its left operand and at the left edge of its right one; what
//! stands in parentheses of its own, in a call or in CASE meets nothing.

use sqlparser::ast::{self, BinaryOperator as B, Expr, UnaryOperator as U};

use crate::names::Dialect;
use crate::sql::error::SqlError;

/// An operator with its operands that are not closed off.
struct Shape<'e> {
    left: Option<&'e Expr>,
    right: Option<&'e Expr>,
    level: Level,
}

/// How tightly the database lets an operator bind: more is tighter.
type Level = u8;

const OR: Level = 1;
const AND: Level = 2;
const NOT: Level = 3;
/// PostgreSQL alone has IS apart from equality.
const IS: Level = 4;
const EQUALITY: Level = 5;
const ORDER: Level = 6;
/// LIKE, IN and BETWEEN: with equality on SQLite. MariaDB has IS and all comparisons in one row below them.
const MATCH: Level = 7;
/// PostgreSQL's row of all other operators.
const OTHER: Level = 8;
/// The bits of SQLite and MariaDB.
const BITS: Level = 8;
const SUM: Level = 9;
const PRODUCT: Level = 10;
/// SQLite's `||` and JSON arrows; PostgreSQL's are among the others.
const JOINED: Level = 11;
const POWER: Level = 11;
const ZONE: Level = 12;
const COLLATE: Level = 13;
const SIGN: Level = 14;
const SUBSCRIPT: Level = 15;
const CAST: Level = 16;

/// Which of two equal neighbours comes first.
#[derive(PartialEq, Eq)]
enum Associativity {
    Left,
    Right,
    Neither,
}

fn associativity(dialect: Dialect, level: Level) -> Associativity {
    match (dialect, level) {
        (_, NOT | SIGN) => Associativity::Right,
        // MariaDB has rows of their own for `&` and `|`, but nobody remembers which comes first.
        (Dialect::Postgres, IS | EQUALITY | ORDER | MATCH) | (Dialect::MariaDb, MATCH | BITS) => Associativity::Neither,
        (Dialect::Postgres | Dialect::Sqlite | Dialect::MariaDb, _) => Associativity::Left,
    }
}

/// Refuses an operator whose operands the database would group in another way.
pub(super) fn agreed(dialect: Dialect, expr: &Expr) -> Result<(), SqlError> {
    let Some(Shape { left, right, level }) = shape(dialect, expr) else { return Ok(()) };
    let mut fine = true;
    let mut edge = left;
    while let Some(inner) = edge.and_then(|e| shape(dialect, e)) {
        edge = inner.right;
        let first = inner.level == level && associativity(dialect, level) == Associativity::Left;
        fine &= edge.is_none() || inner.level > level || first;
    }
    let mut edge = right;
    while let Some(inner) = edge.and_then(|e| shape(dialect, e)) {
        edge = inner.left;
        let first = inner.level == level && associativity(dialect, level) == Associativity::Right;
        fine &= edge.is_none() || inner.level > level || first;
    }
    if fine {
        return Ok(());
    }
    Err(SqlError::unsupported_use(
        "a mix of operators that the database may group in another way",
        "put parentheses around the inner one",
    ))
}

/// The expression at the left edge.
pub(super) fn leftmost(dialect: Dialect, expr: &Expr) -> &Expr {
    let mut at = expr;
    while let Some(left) = shape(dialect, at).and_then(|shape| shape.left) {
        at = left;
    }
    at
}

fn shape(dialect: Dialect, expr: &Expr) -> Option<Shape<'_>> {
    let postfix = |left, level| Some(Shape { left: Some(left), right: None, level });
    let prefix = |right, level| Some(Shape { left: None, right: Some(right), level });
    let infix = |left, right, level| Some(Shape { left: Some(left), right: Some(right), level });
    let (is, matching) = match dialect {
        Dialect::Postgres => (IS, MATCH),
        Dialect::Sqlite => (EQUALITY, EQUALITY),
        Dialect::MariaDb => (EQUALITY, MATCH),
    };
    match expr {
        Expr::BinaryOp { left, op, right } => infix(left, right, binary(dialect, op)),
        Expr::AnyOp { left, compare_op, right: _, is_some: _ } | Expr::AllOp { left, compare_op, right: _ } => {
            postfix(left, binary(dialect, compare_op))
        }
        Expr::UnaryOp { op: U::Not, expr } => prefix(expr, NOT),
        Expr::UnaryOp { op: U::Minus | U::Plus, expr } => prefix(expr, SIGN),
        Expr::UnaryOp { op: U::BitwiseNot, expr } if dialect == Dialect::Sqlite => prefix(expr, SIGN),
        Expr::UnaryOp { op: _, expr } => prefix(expr, OTHER),
        Expr::IsNull(expr)
        | Expr::IsNotNull(expr)
        | Expr::IsTrue(expr)
        | Expr::IsNotTrue(expr)
        | Expr::IsFalse(expr)
        | Expr::IsNotFalse(expr)
        | Expr::IsUnknown(expr)
        | Expr::IsNotUnknown(expr) => postfix(expr, is),
        Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => infix(left, right, is),
        Expr::InList { expr, .. } | Expr::InSubquery { expr, .. } => postfix(expr, matching),
        Expr::Between { expr, high, .. } => infix(expr, high, matching),
        Expr::Like { expr, pattern, escape_char, .. }
        | Expr::ILike { expr, pattern, escape_char, .. }
        | Expr::SimilarTo { expr, pattern, escape_char, .. } => match escape_char {
            None => infix(expr, pattern, matching),
            Some(_) => postfix(expr, matching),
        },
        Expr::AtTimeZone { timestamp, time_zone } => infix(timestamp, time_zone, ZONE),
        // MariaDB's comes before a sign.
        Expr::Collate { expr, collation: _ } if dialect == Dialect::MariaDb => postfix(expr, SUBSCRIPT),
        Expr::Collate { expr, collation: _ } => postfix(expr, COLLATE),
        Expr::RLike { expr, pattern, negated: _, regexp: _ } => infix(expr, pattern, matching),
        Expr::CompoundFieldAccess { root, access_chain: _ } => postfix(root, SUBSCRIPT),
        Expr::Cast { kind: ast::CastKind::DoubleColon, expr, .. } => postfix(expr, CAST),
        _ => None,
    }
}

fn binary(dialect: Dialect, op: &B) -> Level {
    let sqlite = dialect == Dialect::Sqlite;
    match op {
        B::Or => OR,
        B::And => AND,
        B::Spaceship | B::Lt | B::LtEq | B::Gt | B::GtEq if dialect == Dialect::MariaDb => EQUALITY,
        B::BitwiseAnd | B::BitwiseOr if dialect == Dialect::MariaDb => BITS,
        B::Lt | B::LtEq | B::Gt | B::GtEq if sqlite => ORDER,
        B::Eq | B::NotEq | B::Lt | B::LtEq | B::Gt | B::GtEq | B::Glob | B::Match | B::Regexp => EQUALITY,
        B::Overlaps => MATCH,
        B::Plus | B::Minus => SUM,
        B::Multiply | B::Divide | B::MyIntegerDivide | B::Modulo => PRODUCT,
        // What stands on both sides of these closes itself off.
        B::Arrow | B::LongArrow if dialect == Dialect::MariaDb => SUBSCRIPT,
        B::PGExp => POWER,
        B::StringConcat | B::Arrow | B::LongArrow if sqlite => JOINED,
        B::BitwiseAnd | B::BitwiseOr if sqlite => BITS,
        _ => OTHER,
    }
}
