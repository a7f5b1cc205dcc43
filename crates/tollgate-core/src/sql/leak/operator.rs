//! Which binary operators can fail on a row's data, by their sort and the kinds of their operands.

use super::arithmetic::{self, Operand};
use super::kind::{self, Kind};
use super::{Context, Leak, array, compared, like, merged};
use crate::catalog::TypeKind;
use crate::names::Dialect;
use crate::sql::tree::{BinaryOp, Elements, Expr, Literal, OpClass};

/// An operator between two operands, whatever can fail in these.
pub(super) fn binary(op: BinaryOp, left: &Expr, right: &Expr, cx: &Context) -> Option<Leak> {
    match op.class() {
        OpClass::Logic => None,
        OpClass::Comparison => beside(left, right, cx),
        OpClass::Arithmetic => {
            // SQLite turns an overflow into a float and a division by zero into NULL.
            let constant = arithmetic::is_constant(op, left, right);
            let total = constant
                || match cx.dialect {
                    Dialect::Sqlite => true,
                    Dialect::Postgres => total_arithmetic(op, left, right, cx),
                    // Of MariaDB's nothing has been reviewed that cannot overflow.
                    Dialect::MariaDb => false,
                };
            if total { None } else { Some(Leak::of("arithmetic that can fail")) }
        }
        OpClass::Bits => bits([kind::of(left, cx), kind::of(right, cx)], cx),
        // Texts of a row and of an operator's mask are never long enough together to fail.
        OpClass::Concat if !cx.is_callers() && is_text(left, cx) && is_text(right, cx) => None,
        // Both can end in `too big`, SQLite at a length that it is given, PostgreSQL at one gigabyte.
        OpClass::Concat
            if cx.dialect == Dialect::Postgres
                && cx.growths <= arithmetic::CONCATENATIONS_MAX
                && matches!(
                    kind::concatenated(&kind::of(left, cx), &kind::of(right, cx)),
                    Kind::Typed(TypeKind::Text | TypeKind::Collated(_))
                ) =>
        {
            None
        }
        OpClass::Concat => Some(Leak::of("a concatenation (`||`)")),
        OpClass::JsonPart if part_of_jsonb(op, left, right, cx) => None,
        OpClass::JsonPart => Some(Leak::of("a JSON operator")),
        OpClass::Containment if contained(op, left, right, cx) => None,
        OpClass::Containment => Some(Leak::of("an operator over documents, arrays or ranges")),
        OpClass::Pattern => pattern(op, right),
    }
}

fn is_text(expr: &Expr, cx: &Context) -> bool {
    cx.dialect == Dialect::Sqlite || matches!(kind::of(expr, cx), Kind::Constant(_) | Kind::Typed(TypeKind::Text))
}

fn total_arithmetic(op: BinaryOp, left: &Expr, right: &Expr, cx: &Context) -> bool {
    let operand = |expr| Operand { expr, kind: kind::of(expr, cx) };
    arithmetic::is_total(op, &operand(left), &operand(right), cx)
}

/// A comparison, of rows value by value.
pub(super) fn beside(left: &Expr, right: &Expr, cx: &Context) -> Option<Leak> {
    match (left, right) {
        (Expr::Row(left), Expr::Row(right)) => left.iter().zip(right).find_map(|(left, right)| beside(left, right, cx)),
        (left, right) => compared(&kind::of(left, cx), [kind::of(right, cx)], cx),
    }
}

/// A comparison with each value of a list. PostgreSQL makes one array of those that name no column of the query around them, a
/// column of a query further out being none: then all must be of one type, and of one collation, while rows are read.
pub(super) fn among(expr: &Expr, list: &[Expr], cx: &Context) -> Option<Leak> {
    let constant = |element: &Expr| matches!(element, Expr::Literal(_) | Expr::Slot(_) | Expr::Row(_));
    let each = list.iter().find_map(|element| beside(expr, element, cx));
    each.or_else(|| {
        let computed = !list.iter().all(constant);
        computed.then(|| merged("IN", std::iter::once(expr).chain(list).map(|expr| kind::of(expr, cx)), cx)).flatten()
    })
}

/// Operators over the bits of integers.
pub(super) fn bits(kinds: impl IntoIterator<Item = Kind>, cx: &Context) -> Option<Leak> {
    let whole = |kind: Kind| matches!(kind, Kind::Number | Kind::Typed(TypeKind::Int | TypeKind::BigInt));
    if cx.dialect == Dialect::Sqlite || kinds.into_iter().all(whole) {
        return None;
    }
    Some(Leak::of("an operator over bits of something that is not an integer"))
}

/// A comparison with several values. Elements of an array become one type before they are compared.
pub(super) fn quantified(expr: &Expr, op: BinaryOp, over: &Elements, cx: &Context) -> Option<Leak> {
    // The array that a list becomes is built first.
    if let (Elements::List(_), Some(leak)) = (over, array(over, cx)) {
        return Some(leak);
    }
    if op.class() == OpClass::Pattern {
        let Elements::List(patterns) = over else { return Some(Leak::of("patterns that are not constants")) };
        return match op {
            BinaryOp::Like | BinaryOp::ILike | BinaryOp::NotLike | BinaryOp::NotILike => {
                patterns.iter().find_map(|pattern| like(expr, pattern, None, cx))
            }
            _ => Some(Leak::of("a regular expression")),
        };
    }
    let clash = || Some(Leak::of("a comparison of types of which one must be converted"));
    let elements = match over {
        Elements::Query(query) => kind::first_column(&query.body, cx),
        Elements::Of(array) => match kind::of(array, cx) {
            Kind::Typed(TypeKind::Array(element)) => Kind::Typed(element.kind),
            constant @ Kind::Constant(_) => constant,
            _ => return clash(),
        },
        Elements::List(list) => match Kind::merge(list.iter().map(|element| kind::of(element, cx))) {
            Some(kind) => kind.computed(),
            None => return clash(),
        },
    };
    compared(&kind::of(expr, cx), [elements], cx)
}

/// A part of a `jsonb` by a key, a position or a path: NULL where there is none.
fn part_of_jsonb(op: BinaryOp, document: &Expr, part: &Expr, cx: &Context) -> bool {
    let part = kind::of(part, cx);
    let fits = match op {
        BinaryOp::JsonGet | BinaryOp::JsonGetText => {
            matches!(part, Kind::Constant(_) | Kind::Number | Kind::Typed(TypeKind::Text | TypeKind::Int))
        }
        BinaryOp::JsonPath | BinaryOp::JsonPathText => matches!(part, Kind::Constant(_)) || is_texts(&part),
        _ => false,
    };
    fits && kind::is_jsonb(document, cx)
}

fn is_texts(kind: &Kind) -> bool {
    matches!(kind, Kind::Typed(TypeKind::Array(element)) if element.kind == TypeKind::Text)
}

/// Whether one document or array holds another, or shares something with it, or has keys.
fn contained(op: BinaryOp, left: &Expr, right: &Expr, cx: &Context) -> bool {
    let (left_kind, right_kind) = (kind::of(left, cx), kind::of(right, cx));
    match op {
        BinaryOp::JsonHasKey => {
            kind::is_jsonb(left, cx) && matches!(right_kind, Kind::Constant(_) | Kind::Typed(TypeKind::Text))
        }
        BinaryOp::JsonHasAnyKey | BinaryOp::JsonHasAllKeys => {
            kind::is_jsonb(left, cx) && (matches!(right_kind, Kind::Constant(_)) || is_texts(&right_kind))
        }
        _ => {
            let documents = |expr: &Expr, kind: &Kind| kind::is_jsonb(expr, cx) || matches!(kind, Kind::Constant(_));
            let jsonb = (kind::is_jsonb(left, cx) || kind::is_jsonb(right, cx))
                && documents(left, &left_kind)
                && documents(right, &right_kind)
                && op != BinaryOp::Overlap;
            let arrays = match (&left_kind, &right_kind) {
                (Kind::Typed(TypeKind::Array(a)), Kind::Typed(TypeKind::Array(b))) => a.kind == b.kind,
                (Kind::Typed(TypeKind::Array(_)), Kind::Constant(_))
                | (Kind::Constant(_), Kind::Typed(TypeKind::Array(_))) => true,
                _ => false,
            };
            jsonb || (arrays && left_kind.compares_with(&right_kind))
        }
    }
}

fn pattern(op: BinaryOp, right: &Expr) -> Option<Leak> {
    match (op, right) {
        // SQLite refuses only patterns of tens of thousands of bytes.
        (BinaryOp::Glob, Expr::Literal(Literal::Text(text))) if text.len() <= super::pattern::BYTES_MAX => None,
        (BinaryOp::Glob, _) => Some(Leak::of("GLOB with a pattern that is not a short constant")),
        _ => Some(Leak::of("a regular expression or another pattern")),
    }
}
