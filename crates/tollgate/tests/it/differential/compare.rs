//! Whether two answers are one.

use super::engine::{Outcome, Phase};

/// How two sides differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Difference {
    /// Other rows.
    Rows,
    /// The same rows in another order, though the order is total.
    Order,
    /// The engine does not take the rewritten text, and takes the original.
    Broken,
    /// The engine does not take the original text, and takes the rewritten one.
    Lax,
    /// Only the rewritten text failed on a value: allowed, as engines choose what to compute first, unless hidden data decides it.
    Failed,
    /// Only the original text failed on a value.
    Spared,
    /// One side failed on a value, as some plan over nothing but what is seen does: an engine plans by sizes and statistics.
    Planned,
}

/// Whether letters in another case are others, and a text with spaces behind it. Where a column is compared without, any of two equal
/// values may stand for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Kept,
    Folded,
}

pub(super) fn difference(original: &Outcome, rewritten: &Outcome, ordered: bool, case: Case) -> Option<Difference> {
    match (original, rewritten) {
        (Outcome::TooLong, _) | (_, Outcome::TooLong) => None,
        (Outcome::Rows(expected), Outcome::Rows(found)) => rows(expected, found, ordered, case),
        (Outcome::Failed(one), Outcome::Failed(other)) => match (one.phase, other.phase) {
            (Phase::Text, Phase::Data) => Some(Difference::Lax),
            (Phase::Data, Phase::Text) => Some(Difference::Broken),
            _ => None,
        },
        (Outcome::Rows(_), Outcome::Failed(failure)) => Some(match failure.phase {
            Phase::Text => Difference::Broken,
            Phase::Data | Phase::Typing => Difference::Failed,
        }),
        (Outcome::Failed(failure), Outcome::Rows(_)) => Some(match failure.phase {
            Phase::Text => Difference::Lax,
            Phase::Data | Phase::Typing => Difference::Spared,
        }),
    }
}

pub(super) type Rows = [Vec<Option<String>>];

pub(super) fn rows(expected: &Rows, found: &Rows, ordered: bool, case: Case) -> Option<Difference> {
    let mut expected: Vec<_> = expected.iter().map(|row| canonical(row, case)).collect();
    let mut found: Vec<_> = found.iter().map(|row| canonical(row, case)).collect();
    if expected == found {
        return None;
    }
    expected.sort();
    found.sort();
    if expected != found {
        return Some(Difference::Rows);
    }
    ordered.then_some(Difference::Order)
}

/// Numbers as they compare: `1.50` is `1.5`, and a sum of doubles is not sure of its last digits.
fn canonical(row: &[Option<String>], case: Case) -> Vec<Option<String>> {
    let cell = |text: &String| match text.parse::<f64>() {
        Ok(number) if text.contains(['.', 'e']) && number.is_finite() => {
            let rounded = format!("{number:.9e}");
            rounded.parse::<f64>().map_or(rounded, |number| number.to_string())
        }
        _ if case == Case::Folded => text.trim_end().to_ascii_lowercase(),
        _ => text.clone(),
    };
    row.iter().map(|cell_text| cell_text.as_ref().map(cell)).collect()
}
