//! How far a constant reaches: whether a caller could bring a value to the edge of its type with it, where functions fail that fail
//! over nothing else. What is not known to be ordinary is not.

use super::kind;
use crate::catalog::TypeKind;
use crate::sql::resolve::number;
use crate::sql::tree::CastType;

/// Digits of year, month and day without anything between them; with one more the year is one that nobody means.
const DATE_DIGITS: usize = 8;

/// What a constant may be read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// A moment of the years 1 to 9999, a number as it could be written without quotes, or a text that is neither.
    Ordinary,
    /// Perhaps a moment or a number at the edge of its type: `5874897-12-31`, `1e131071`; digits alone may be either, `58748971231`.
    Edge,
}

impl Reach {
    /// That of a string literal.
    pub(super) fn of(text: &str) -> Self {
        let lower = text.to_ascii_lowercase();
        let names_nothing = !text.contains(|c: char| c.is_numeric()) && !lower.contains("inf");
        if names_nothing || is_number(text) || is_moment(text) {
            return Self::Ordinary;
        }
        Self::Edge
    }

    /// That of a literal or a cast that says its type: only numbers and moments have edges that functions fail at.
    pub(super) fn of_typed(ty: &CastType, text: &str) -> Self {
        match kind::named(ty.as_str()) {
            kind::Kind::Typed(kind) if has_edge(&kind) => Self::of(text),
            _ => Self::Ordinary,
        }
    }
}

/// Whether a type has values at its edge over which a function can fail that fails over no other.
pub(super) fn has_edge(kind: &TypeKind) -> bool {
    match kind {
        TypeKind::Int
        | TypeKind::BigInt
        | TypeKind::Decimal
        | TypeKind::Float
        | TypeKind::Date
        | TypeKind::Timestamp
        | TypeKind::TimestampTz
        | TypeKind::Other
        | TypeKind::Any => true,
        TypeKind::Array(element) => has_edge(&element.kind),
        TypeKind::Bool
        | TypeKind::Text
        | TypeKind::Bytes
        | TypeKind::Time
        | TypeKind::Uuid
        | TypeKind::Json
        | TypeKind::Enum(_)
        | TypeKind::Collated(_) => false,
    }
}

/// A number as it could be written without quotes, which read as a date, `20240131`, has a year of four digits at most.
fn is_number(text: &str) -> bool {
    let unsigned = text.trim().trim_start_matches(['+', '-']);
    let whole = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    whole <= DATE_DIGITS && number(unsigned).is_ok()
}

/// `2024-01-31`, perhaps with a time of day and an offset behind it: a year of four digits and nothing that could add to it.
fn is_moment(text: &str) -> bool {
    let Some((date, time)) = text.split_at_checked(10) else { return false };
    let year_month_day = date.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let clock = |c: char| c.is_ascii_digit() || matches!(c, ':' | '.' | '+' | '-' | 'Z');
    year_month_day && !date.starts_with("0000") && (time.is_empty() || is_clock(time, clock))
}

fn is_clock(time: &str, clock: impl Fn(char) -> bool) -> bool {
    time.len() <= 24 && time.strip_prefix([' ', 'T']).is_some_and(|time| time.chars().all(clock))
}
