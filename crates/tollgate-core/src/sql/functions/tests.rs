//! The manual's tables of functions are these lists, row by row.

use super::{FunctionKind, Kinds, Leak, list, lookup};
use crate::names::Dialect;

fn manual() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/sql.md")).unwrap()
}

/// The kinds of a set as the manual names them.
fn words(kinds: Kinds) -> String {
    if kinds == Kinds::KNOWN {
        return "any listed type".to_owned();
    }
    let named = [
        (Kinds::BOOL, "booleans"),
        (Kinds::INT, "32-bit integers"),
        (Kinds::BIG_INT, "64-bit integers"),
        (Kinds::DECIMAL, "decimals"),
        (Kinds::FLOAT, "floats"),
        (Kinds::TEXT, "text"),
        (Kinds::BYTES, "bytes"),
        (Kinds::DATE_TIME, "dates and timestamps"),
        (Kinds::OTHER_KNOWN, "times, UUIDs, JSON and enums"),
        (Kinds::ANY, "untyped columns"),
    ];
    let found: Vec<&str> = named.iter().filter(|(kind, _)| kinds.0 & kind.0 != 0).map(|(_, word)| *word).collect();
    found.join(", ")
}

fn row(spec: &super::FunctionSpec) -> [String; 4] {
    let kind = match spec.kind {
        FunctionKind::Scalar => "",
        FunctionKind::Aggregate => "aggregate",
    };
    let arguments = match spec.arity {
        (fewest, most) if fewest == most => most.to_string(),
        (fewest, most) => format!("{fewest} to {most}"),
    };
    let total = match spec.leak {
        Leak::Total(_) if spec.arity == (0, 0) => "always".to_owned(),
        Leak::Total(over) => words(over),
        Leak::TotalGivenConstants { value: _, over } => format!("{}, the other arguments being constants", words(over)),
        Leak::Leaky => "never".to_owned(),
    };
    [format!("`{}`", spec.name), kind.to_owned(), arguments, total]
}

/// A table in Markdown, each column as wide as its widest cell.
fn table(dialect: Dialect) -> String {
    let head = ["function", "", "arguments", "cannot fail over"].map(str::to_owned);
    let rows: Vec<[String; 4]> = std::iter::once(head).chain(list(dialect).iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap();
    let widths: Vec<usize> = (0..4).map(width).collect();
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!(" {cell:<width$} ")).collect();
            format!("|{}|", cells.join("|"))
        })
        .collect();
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
    lines.insert(1, format!("|{}|", rule.join("|")));
    lines.join("\n")
}

#[test]
fn the_manual_lists_every_function() {
    let manual = manual();
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        let table = table(dialect);
        assert!(manual.contains(&table), "docs/sql.md should have for {}:\n\n{table}\n", dialect.name());
    }
}

#[test]
fn no_function_is_listed_twice() {
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        for spec in list(dialect) {
            assert_eq!(lookup(dialect, spec.name), Some(spec), "`{}` of {}", spec.name, dialect.name());
        }
    }
}
