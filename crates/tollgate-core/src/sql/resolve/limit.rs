//! Arguments that a function takes as constants only, because a value at will would make it build something big, or fail on a row.

use crate::sql::error::SqlError;
use crate::sql::functions::{FunctionSpec, Limit};
use crate::sql::lengths::is_short;
use crate::sql::tree::{Expr, Literal};

/// Refuses a call whose constants are not within the limits of the list.
pub(super) fn within_limits(spec: &FunctionSpec, args: &[Expr]) -> Result<(), SqlError> {
    for (position, limit) in &spec.limits {
        if let Some(arg) = args.get(*position)
            && !is_within(*limit, arg)
        {
            let wanted = format!("takes {} as its {} argument", words(*limit), ordinal(*position));
            return Err(SqlError::function(spec.name, wanted));
        }
    }
    Ok(())
}

fn is_within(limit: Limit, arg: &Expr) -> bool {
    match (limit, arg) {
        (Limit::Whole(fewest, most), Expr::Literal(Literal::Number(text))) => {
            text.parse::<u32>().is_ok_and(|number| (fewest..=most).contains(&number))
        }
        (Limit::Fraction, Expr::Literal(Literal::Number(text))) => {
            text.parse::<f64>().is_ok_and(|number| (0.0..=1.0).contains(&number))
        }
        (Limit::Text(most), Expr::Literal(Literal::Text(text))) => text.len() <= most,
        (Limit::Short(most), expr) => is_short(expr, most),
        (Limit::Format, Expr::Literal(Literal::Text(text))) => is_short_format(text),
        (Limit::Unit, Expr::Literal(Literal::Unit(_))) => true,
        _ => false,
    }
}

/// Whether no conversion of a format asks for more than two digits of width or precision, or takes them from an argument.
fn is_short_format(format: &str) -> bool {
    format.split('%').skip(1).all(|conversion| {
        let digits = conversion.bytes().take_while(|byte| !byte.is_ascii_alphabetic());
        let (mut run, mut star) = (0, false);
        let mut longest = 0;
        for byte in digits {
            star |= byte == b'*';
            run = if byte.is_ascii_digit() { run + 1 } else { 0 };
            longest = longest.max(run);
        }
        longest <= 2 && !star
    })
}

fn words(limit: Limit) -> String {
    match limit {
        Limit::Whole(fewest, most) => format!("a constant whole number from {fewest} to {most}"),
        Limit::Short(most) => format!("no text that the statement makes longer than {most} bytes"),
        Limit::Fraction => "a constant number from 0 to 1".to_owned(),
        Limit::Text(most) => format!("a constant string of at most {most} bytes"),
        Limit::Unit => "a unit of time".to_owned(),
        Limit::Format => "a constant format, with widths of at most two digits,".to_owned(),
    }
}

fn ordinal(position: usize) -> &'static str {
    match position {
        0 => "first",
        1 => "second",
        _ => "last",
    }
}
