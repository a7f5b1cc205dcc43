//! How long a generated series is, judged before it is made: only between constants, or between times on this side of a constant
//! distance from now. Never guesses low.

use crate::sql::error::SqlError;
use crate::sql::tree::{BinaryOp, Expr, Literal, UnaryOp};

/// The most values of one series.
const VALUES_MAX: i128 = 10_000;
/// The seconds of a day.
const DAY: i128 = 86_400;

/// A constant that a series can start from, end at or step by.
#[derive(Clone, Copy)]
enum Constant {
    /// A whole number.
    Number(i128),
    /// A time, in seconds.
    Time(Seconds),
    /// A time, in seconds from now.
    FromNow(Seconds),
    /// A length of time.
    Span(Seconds),
}

/// The fewest and the most seconds that something can be: months differ in length.
#[derive(Clone, Copy)]
struct Seconds(i128, i128);

impl Seconds {
    fn add(self, other: Self) -> Option<Self> {
        Some(Self(self.0.checked_add(other.0)?, self.1.checked_add(other.1)?))
    }

    fn less(self, other: Self) -> Option<Self> {
        Some(Self(self.0.checked_sub(other.1)?, self.1.checked_sub(other.0)?))
    }
}

/// Refuses `generate_series` whose length is not known, or is too long.
pub(super) fn bounded(args: &[Expr]) -> Result<(), SqlError> {
    let constants: Option<Vec<Constant>> = args.iter().map(constant).collect();
    let length = constants.as_deref().and_then(length);
    match length {
        Some(length) if length <= VALUES_MAX => Ok(()),
        Some(_) => Err(SqlError::TooComplex { what: "values in a generated series", max: 10_000 }),
        None => Err(SqlError::function(
            "generate_series",
            "takes constants: whole numbers, or dates and times with a positive INTERVAL such as '1 day'",
        )),
    }
}

fn length(constants: &[Constant]) -> Option<i128> {
    let (distance, step) = match constants {
        [Constant::Number(start), Constant::Number(end)] => (end.checked_sub(*start)?, 1),
        [Constant::Number(start), Constant::Number(end), Constant::Number(step)] => (end.checked_sub(*start)?, *step),
        [Constant::Time(start), Constant::Time(end), Constant::Span(step)]
        | [Constant::FromNow(start), Constant::FromNow(end), Constant::Span(step)] => {
            // The time of a day, what a cast to a date cuts off, and time zones lie within four days.
            (end.1.checked_sub(start.0)?.checked_add(4 * DAY)?, step.0)
        }
        _ => return None,
    };
    if step == 0 {
        return None;
    }
    Some((distance / step).max(0) + 1)
}

fn constant(expr: &Expr) -> Option<Constant> {
    match expr {
        Expr::Literal(Literal::Number(text)) => text.parse().ok().map(Constant::Number),
        Expr::Literal(Literal::Typed(ty, text)) => typed(ty.as_str(), text),
        Expr::Cast { expr, ty } => match (&**expr, ty.as_str()) {
            (Expr::Literal(Literal::Text(text)), ty) => typed(ty, text),
            (inner, "date" | "timestamp without time zone" | "timestamp with time zone") => match constant(inner)? {
                time @ (Constant::Time(_) | Constant::FromNow(_)) => Some(time),
                Constant::Number(_) | Constant::Span(_) => None,
            },
            _ => None,
        },
        Expr::Function(function) if function.name == "now" => Some(Constant::FromNow(Seconds(0, 0))),
        Expr::Unary { op: UnaryOp::Minus, expr } => match constant(expr)? {
            Constant::Number(number) => Some(Constant::Number(-number)),
            _ => None,
        },
        Expr::Binary { op: BinaryOp::Add, left, right } => moved(constant(left)?, constant(right)?, Seconds::add),
        Expr::Binary { op: BinaryOp::Subtract, left, right } => moved(constant(left)?, constant(right)?, Seconds::less),
        _ => None,
    }
}

/// A time moved by a length of time, or a date by days.
fn moved(time: Constant, by: Constant, to: fn(Seconds, Seconds) -> Option<Seconds>) -> Option<Constant> {
    let by = match by {
        Constant::Span(seconds) => seconds,
        Constant::Number(days) => Seconds(days.checked_mul(DAY)?, days.checked_mul(DAY)?),
        Constant::Time(_) | Constant::FromNow(_) => return None,
    };
    match time {
        Constant::Time(start) => to(start, by).map(Constant::Time),
        Constant::FromNow(start) => to(start, by).map(Constant::FromNow),
        Constant::Number(_) | Constant::Span(_) => None,
    }
}

fn typed(ty: &str, text: &str) -> Option<Constant> {
    match ty {
        "date" | "timestamp without time zone" | "timestamp with time zone" => {
            date(text).map(|at| Constant::Time(Seconds(at, at)))
        }
        "interval" => span(text).map(Constant::Span),
        "smallint" | "integer" | "bigint" => text.trim().parse().ok().map(Constant::Number),
        _ => None,
    }
}

/// The date of `2024-01-31`, with or without a time behind it, in seconds.
fn date(text: &str) -> Option<i128> {
    let mut parts = text.split(['T', ' ']).next()?.split('-');
    let (year, month, day): (i128, i128, i128) =
        (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    if parts.next().is_some() || !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March end with the day that comes and goes.
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    Some(days * DAY)
}

/// The seconds that `3 months` or `1 hour` can be.
fn span(text: &str) -> Option<Seconds> {
    let mut words = text.split_ascii_whitespace();
    let count: i128 = words.next()?.parse().ok()?;
    let Seconds(least, most) = match words.next()?.trim_end_matches('s') {
        "second" | "sec" => Seconds(1, 1),
        "minute" | "min" => Seconds(60, 60),
        "hour" => Seconds(3_600, 3_600),
        "day" => Seconds(DAY, DAY),
        "week" => Seconds(7 * DAY, 7 * DAY),
        "month" | "mon" => Seconds(28 * DAY, 31 * DAY),
        "year" => Seconds(365 * DAY, 366 * DAY),
        _ => return None,
    };
    (words.next().is_none() && (1..=100_000).contains(&count)).then(|| Seconds(count * least, count * most))
}
