//! Constants under which a listed function cannot fail over any value of its other arguments. What is not known to be harmless is not.

use super::Context;
use super::kind::{self, Kind};
use crate::catalog::TypeKind;
use crate::sql::functions::Given;
use crate::sql::tree::{Expr, Literal};

/// Fields that a date has; those of the clock make PostgreSQL fail over a date.
const CALENDAR_FIELDS: [&str; 11] =
    ["century", "decade", "dow", "doy", "epoch", "isodow", "isoyear", "millennium", "month", "quarter", "year"];

/// Further fields of dates, and those of the clock.
const DAY_FIELDS: [&str; 2] = ["day", "week"];
const CLOCK_FIELDS: [&str; 5] = ["hour", "microseconds", "milliseconds", "minute", "second"];

/// Parts of a template for times, longest first where one begins another.
const TEMPLATE_PARTS: [&str; 33] = [
    "HH24", "HH12", "HH", "MI", "SSSS", "SS", "MS", "US", "AM", "PM", "am", "pm", "YYYY", "YYY", "YY", "IYYY", "MONTH",
    "Month", "month", "MON", "Mon", "mon", "MM", "DAY", "Day", "day", "DDD", "DD", "DY", "Dy", "dy", "IW", "WW",
];

/// Whether the constants of a call are such.
pub(super) fn holds(given: Given, args: &[Expr], cx: &Context) -> bool {
    match (given, args) {
        (Given::Field, [field, value]) => text(field).is_some_and(|field| is_field(field, &kind::of(value, cx))),
        (Given::Unit, [_, _]) => true,
        (Given::Template, [_, template]) => text(template).is_some_and(is_template),
        (Given::Numbers, [format, ..]) => text(format).is_some_and(converts_numbers),
        (Given::NoLonger, [_, from, to]) => text(from).zip(text(to)).is_some_and(|(from, to)| to.len() <= from.len()),
        (Given::Counts, [_, counts @ ..]) => {
            counts.iter().all(|count| matches!(count, Expr::Literal(Literal::Number(_))))
        }
        (Given::NonZero, [.., Expr::Literal(Literal::Number(number))]) => {
            number.split(['e', 'E']).next().is_some_and(|digits| digits.contains(|c: char| ('1'..='9').contains(&c)))
        }
        _ => false,
    }
}

fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(Literal::Text(text)) => Some(text),
        _ => None,
    }
}

fn is_field(field: &str, of: &Kind) -> bool {
    let of_date = CALENDAR_FIELDS.contains(&field) || DAY_FIELDS.contains(&field);
    match of {
        Kind::Typed(TypeKind::Date) => of_date,
        Kind::Typed(TypeKind::Timestamp | TypeKind::TimestampTz) => of_date || CLOCK_FIELDS.contains(&field),
        _ => false,
    }
}

/// Whether a template consists of known parts and of characters that stand for themselves.
fn is_template(template: &str) -> bool {
    let mut rest = template;
    while let Some(first) = rest.chars().next() {
        let part = TEMPLATE_PARTS.iter().find(|part| rest.starts_with(**part)).map(|part| part.len());
        let plain = matches!(first, ' ' | '-' | '/' | '.' | ',' | ':' | '_' | 'Q').then_some(1);
        let Some(tail) = part.or(plain).and_then(|length| rest.get(length..)) else {
            return false;
        };
        rest = tail;
    }
    true
}

/// Whether every conversion of a `printf` format is one to a number, which is short whatever the value.
fn converts_numbers(format: &str) -> bool {
    let mut rest = format;
    while let Some((_, conversion)) = rest.split_once('%') {
        let of_flags = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | ' ' | ',' | '!' | '#');
        let conversion = conversion.trim_start_matches(of_flags);
        let Some(tail) = conversion.strip_prefix(['d', 'i', 'u', 'f', 'e', 'E', 'g', 'G', 'x', 'X', 'o', '%']) else {
            return false;
        };
        rest = tail;
    }
    true
}
