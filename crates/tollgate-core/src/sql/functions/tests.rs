//! The lists can be read, and the manual's tables are these lists, row by row. `UPDATE_CASES=1` writes them anew.

use std::collections::BTreeMap;

use super::{FunctionKind, FunctionSpec, Given, Kinds, Leak, Limit, data, left_out, list, lookup};
use crate::names::Dialect;

const MANUAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/functions.md");
const DIALECTS: [Dialect; 3] = [Dialect::Postgres, Dialect::Sqlite, Dialect::MariaDb];

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

fn limit((position, limit): &(usize, Limit)) -> String {
    let argument = position + 1;
    match limit {
        Limit::Whole(fewest, most) => format!("; argument {argument} is a constant from {fewest} to {most}"),
        Limit::Fraction => format!("; argument {argument} is a constant from 0 to 1"),
        Limit::Text(most) => format!("; argument {argument} is a constant of at most {most} bytes"),
        Limit::Short(most) => {
            format!("; argument {argument} is no text that the statement makes longer than {most} bytes")
        }
        Limit::Unit => format!("; argument {argument} is a unit of time"),
        Limit::Format => format!("; argument {argument} is a constant with widths of at most two digits"),
    }
}

fn given(given: Given) -> &'static str {
    match given {
        Given::Field => ", for a constant field that the type has",
        Given::Unit => ", without a time zone",
        Given::Template => ", for a template of plain parts",
        Given::Numbers => ", for a format with conversions to numbers only",
        Given::NoLonger => ", for a replacement that is no longer",
        Given::Counts => ", for counts written as numbers",
        Given::NonZero => ", for a last argument other than zero",
    }
}

fn row(spec: &FunctionSpec) -> [String; 4] {
    let kind = match spec.kind {
        FunctionKind::Scalar => "",
        FunctionKind::Aggregate => "aggregate",
        FunctionKind::Window => "window",
        FunctionKind::OrderedSet => "ordered set",
        FunctionKind::Set => "relation",
    };
    let mut arguments = match spec.arity {
        (fewest, most) if fewest == most => most.to_string(),
        (fewest, most) => format!("{fewest} to {most}"),
    };
    arguments.extend(spec.limits.iter().map(limit));
    let mut total = match spec.leak {
        Leak::Total(_) if spec.arity == (0, 0) && spec.kind != FunctionKind::OrderedSet => "always".to_owned(),
        Leak::Total(over) => words(over),
        Leak::TotalGivenConstants { value: _, over } => format!("{}, the other arguments being constants", words(over)),
        Leak::Leaky => "never".to_owned(),
    };
    total.push_str(spec.given.map_or("", given));
    [format!("`{}`", spec.name), kind.to_owned(), arguments, total]
}

/// A table in Markdown, each column as wide as its widest cell.
fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap();
    let widths: Vec<usize> = (0..N).map(width).collect();
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

fn listed(dialect: Dialect) -> String {
    table(["function", "", "arguments", "cannot fail over"], list(dialect).iter().map(row))
}

fn reasons(dialect: Dialect) -> String {
    let mut by_reason: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, reason) in left_out(dialect) {
        by_reason.entry(reason).or_default().push(format!("`{name}`"));
    }
    let rows = by_reason.into_iter().map(|(reason, names)| [reason.to_owned(), names.join(" ")]);
    table(["left out", "functions"], rows)
}

/// The manual with its tables replaced, in their order.
fn with_tables(manual: &str, tables: &[String]) -> String {
    let (mut lines, mut at, mut inside) = (Vec::new(), 0, false);
    for line in manual.lines() {
        let is_row = line.starts_with('|');
        if is_row && !inside {
            lines.push(tables[at].as_str());
            at += 1;
        }
        inside = is_row;
        if !is_row {
            lines.push(line);
        }
    }
    assert_eq!(at, tables.len(), "tables of the manual");
    lines.join("\n") + "\n"
}

#[test]
fn the_manual_lists_every_function() {
    let manual = std::fs::read_to_string(MANUAL).unwrap();
    let tables: Vec<String> = DIALECTS.into_iter().flat_map(|dialect| [listed(dialect), reasons(dialect)]).collect();
    let expected = with_tables(&manual, &tables);
    if std::env::var_os("UPDATE_CASES").is_some() {
        std::fs::write(MANUAL, expected).unwrap();
    } else {
        assert!(manual == expected, "docs/functions.md is not what the lists say: UPDATE_CASES=1 writes it");
    }
}

#[test]
fn every_row_can_be_read() {
    let rows = [include_str!("postgres.tsv"), include_str!("sqlite.tsv"), include_str!("mariadb.tsv")];
    for (dialect, rows) in DIALECTS.into_iter().zip(rows) {
        let unread: Vec<&str> = rows.lines().skip(1).filter(|row| data::function(row).is_none()).collect();
        assert!(unread.is_empty(), "{unread:#?}");
        assert_eq!(list(dialect).len(), rows.lines().count() - 1);
    }
}

#[test]
fn rows_that_say_something_else_are_no_functions() {
    for row in [
        "",
        "lower",
        "lower\tscalar\t1\ttext\t-\t-",
        "Lower\tscalar\t1\ttext\t-\t-\ttext",
        "lower\tprocedure\t1\ttext\t-\t-\ttext",
        "lower\tscalar\t2-1\ttext\t-\t-\ttext",
        "lower\tscalar\t1\tstring\t-\t-\ttext",
        "lower\tscalar\t1\ttext @0\t-\t-\ttext",
        "lower\tscalar\t1\ttext\tluck\t-\ttext",
        "lower\tscalar\t1\ttext\t-\t1:long\ttext",
        "lower\tscalar\t1\ttext\t-\t-\tstring",
        "lower\tscalar\t1\ttext\t-\t-\ttext\tnote\tmore",
    ] {
        assert_eq!(data::function(row), None, "{row}");
    }
}

#[test]
fn no_function_is_listed_twice() {
    for dialect in DIALECTS {
        for spec in list(dialect) {
            assert_eq!(lookup(dialect, spec.name), Some(spec), "`{}` of {}", spec.name, dialect.name());
            assert_eq!(lookup(dialect, &spec.name.to_ascii_uppercase()), Some(spec));
        }
        assert_eq!(lookup(dialect, ""), None);
        for (name, _) in left_out(dialect) {
            assert_eq!(lookup(dialect, name), None, "`{name}` is listed and left out");
        }
    }
}
