//! Arithmetic of PostgreSQL that cannot fail: exact decimals, dates and times moved by a short constant, division by a constant.
//!
//! Left out of account are values at the very edge of their type. A caller must not bring them there, so what makes a value longer
//! may stand in a statement a few times only, and a moment is moved once.

use super::Context;
use super::kind::Kind;
use crate::catalog::TypeKind;
use crate::sql::tree::{BinaryOp, Expr, FunctionArgs, Literal, UnaryOp};

/// How often a statement may make numbers longer, each time by as much as they are long.
pub(super) const GROWTHS_MAX: usize = 8;
/// The same for text, of which some rows may hold much more.
pub(super) const CONCATENATIONS_MAX: usize = 5;

/// Digits behind the point that a division adds.
const QUOTIENT_DIGITS: usize = 20;
/// Digits that a constant may come to: far from where sums and products of it end.
const CONSTANT_DIGITS: usize = 1_000;

/// Whether an operation is over number literals only: the planner computes it once, whatever the data. What it comes to must not be
/// long, or adding it up would fail.
pub(super) fn is_constant(op: BinaryOp, left: &Expr, right: &Expr) -> bool {
    digits_of(op, left, right).is_some_and(|digits| digits <= CONSTANT_DIGITS)
}

/// Digits at most, on both sides of the point, of what number literals and operations over them come to.
fn digits(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Literal(Literal::Number(text)) => {
            let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
            Some(mantissa.len() + usize::try_from(exponent.parse::<i32>().ok()?.unsigned_abs()).ok()?)
        }
        Expr::Unary { op: UnaryOp::Minus | UnaryOp::Plus, expr } => digits(expr),
        Expr::Binary { op, left, right } => digits_of(*op, left, right),
        _ => None,
    }
}

fn digits_of(op: BinaryOp, left: &Expr, right: &Expr) -> Option<usize> {
    let (left, right) = (digits(left)?, digits(right)?);
    match op {
        BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Modulo => Some(left + right),
        BinaryOp::Multiply | BinaryOp::Divide => Some(left + right + QUOTIENT_DIGITS),
        _ => None,
    }
}

/// An operand with its kind, which is asked for once: a chain of operators is deep on its left.
pub(super) struct Operand<'e> {
    pub(super) expr: &'e Expr,
    pub(super) kind: Kind,
}

/// Whether an operation cannot fail.
pub(super) fn is_total(op: BinaryOp, left: &Operand<'_>, right: &Operand<'_>, cx: &Context) -> bool {
    if moved(op, left, right).is_some() {
        return true;
    }
    let numbers = kind(op, left, right);
    let decimal = numbers == Some(TypeKind::Decimal);
    let grows_little = !decimal || cx.growths <= GROWTHS_MAX;
    match op {
        BinaryOp::Add | BinaryOp::Subtract => decimal,
        BinaryOp::Multiply => decimal && grows_little,
        BinaryOp::Divide => {
            let defined = is_nonzero(right.expr) || (decimal && is_nullif_zero(right.expr));
            numbers.is_some() && defined && grows_little
        }
        BinaryOp::Modulo => numbers.is_some() && is_nonzero(right.expr),
        _ => false,
    }
}

/// The kind of what an operation yields, where that is known.
pub(super) fn kind(op: BinaryOp, left: &Operand<'_>, right: &Operand<'_>) -> Option<TypeKind> {
    if let Some(moment) = moved(op, left, right) {
        return Some(moment);
    }
    match (number(left)?, number(right)?) {
        _ if op == BinaryOp::Power => None,
        (TypeKind::Decimal, _) | (_, TypeKind::Decimal) => Some(TypeKind::Decimal),
        (TypeKind::BigInt, _) | (_, TypeKind::BigInt) => Some(TypeKind::BigInt),
        _ => Some(TypeKind::Int),
    }
}

/// The exact kind of a number; a literal's by its text. What merges kinds, as CASE does, says `Decimal` of a mix that the database
/// makes an integer, and integers overflow.
fn number(operand: &Operand<'_>) -> Option<TypeKind> {
    let exact = match operand.expr {
        Expr::Literal(Literal::Number(text)) => return Some(literal(text)),
        // A mask may make another type of a column.
        Expr::Column(column) => !column.masked,
        Expr::Cast { .. } | Expr::Binary { .. } => true,
        Expr::Function(function) => match (function.name, &function.args) {
            ("count", _) => true,
            ("nullif", FunctionArgs::List(args)) => {
                let Some(Expr::Column(column)) = args.first() else { return None };
                return column.ty.as_ref().map(|ty| ty.kind.clone()).filter(|kind| !column.masked && is_exact(kind));
            }
            _ => false,
        },
        _ => false,
    };
    match &operand.kind {
        Kind::Typed(kind) if exact && is_exact(kind) => Some(kind.clone()),
        _ => None,
    }
}

fn is_exact(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Int | TypeKind::BigInt | TypeKind::Decimal)
}

fn literal(text: &str) -> TypeKind {
    if text.parse::<i32>().is_ok() {
        TypeKind::Int
    } else if text.parse::<i64>().is_ok() {
        TypeKind::BigInt
    } else {
        TypeKind::Decimal
    }
}

/// A number literal other than zero.
fn is_nonzero(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(Literal::Number(text))
        if text.split(['e', 'E']).next().is_some_and(|digits| digits.contains(|c: char| ('1'..='9').contains(&c))))
}

/// `nullif(x, 0)`.
fn is_nullif_zero(expr: &Expr) -> bool {
    let Expr::Function(function) = expr else { return false };
    let FunctionArgs::List(args) = &function.args else { return false };
    let zero = |literal: &Expr| matches!(literal, Expr::Literal(Literal::Number(text)) if text == "0");
    function.name == "nullif" && args.get(1).is_some_and(zero)
}

/// What a date or a timestamp becomes that is moved once, by a short constant.
fn moved(op: BinaryOp, left: &Operand<'_>, right: &Operand<'_>) -> Option<TypeKind> {
    let (moment, by) = match op {
        BinaryOp::Add if is_short_interval(left.expr) => (right, left.expr),
        BinaryOp::Add | BinaryOp::Subtract => (left, right.expr),
        _ => return None,
    };
    let Kind::Typed(kind) = &moment.kind else { return None };
    if !is_given(moment.expr) {
        return None;
    }
    match (kind, by) {
        (TypeKind::Date, Expr::Literal(Literal::Number(days)))
            if days.len() <= 5 && days.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Some(TypeKind::Date)
        }
        (TypeKind::Date, by) if is_short_interval(by) => Some(TypeKind::Timestamp),
        (TypeKind::Timestamp | TypeKind::TimestampTz, by) if is_short_interval(by) => Some(kind.clone()),
        _ => None,
    }
}

/// A column or the clock, perhaps cut down: nothing that has been moved already.
fn is_given(moment: &Expr) -> bool {
    match moment {
        Expr::Column(column) => !column.masked && column.origin.is_some(),
        Expr::Cast { expr, ty: _ } => is_given(expr),
        Expr::Function(function) => match (function.name, &function.args) {
            ("now", _) => true,
            ("date_trunc", FunctionArgs::List(args)) => args.get(1).is_some_and(is_given),
            _ => false,
        },
        _ => false,
    }
}

/// An interval of a few units, each within some centuries.
fn is_short_interval(expr: &Expr) -> bool {
    let Expr::Literal(Literal::Typed(ty, text)) = expr else { return false };
    let words: Vec<&str> = text.split(' ').collect();
    ty.as_str() == "interval"
        && words.len() <= 8
        && words.len().is_multiple_of(2)
        && words.chunks(2).all(|pair| matches!(pair, [number, unit] if is_short(number, unit)))
}

/// The same as a number, perhaps with a sign, and a unit of MariaDB.
pub(super) fn is_short_move(amount: &Expr, unit: &str) -> bool {
    match amount {
        Expr::Unary { op: UnaryOp::Minus | UnaryOp::Plus, expr } => is_short_move(expr, unit),
        Expr::Literal(Literal::Number(number)) => is_short(number, &unit.to_ascii_lowercase()),
        _ => false,
    }
}

fn is_short(number: &str, unit: &str) -> bool {
    let digits = number.strip_prefix(['+', '-']).unwrap_or(number);
    let most = match unit.strip_suffix('s').unwrap_or(unit) {
        "year" => 3,
        "month" | "mon" | "quarter" => 4,
        "week" | "day" => 5,
        "hour" | "minute" | "min" | "second" | "sec" => 6,
        _ => return false,
    };
    (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}
