//! The manual's list of codes is this one.

use std::collections::BTreeSet;

use super::Code;

fn manual() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors.md")).unwrap()
}

/// Code and meaning of each row of the manual's tables.
fn rows(manual: &str) -> Vec<(&str, &str)> {
    manual
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `TG")?.split('|').map(str::trim);
            Some((cells.next()?.trim_end_matches('`'), cells.next()?))
        })
        .collect()
}

#[test]
fn the_manual_has_every_code_with_its_title() {
    let manual = manual();
    let rows = rows(&manual);
    for code in Code::ALL {
        let number = code.number().to_string();
        let meaning = rows.iter().find(|(listed, _)| *listed == number).map(|(_, meaning)| *meaning);
        assert_eq!(meaning, Some(code.title()), "docs/errors.md, {code}");
    }
    assert_eq!(rows.len(), Code::ALL.len(), "docs/errors.md has a code that does not exist, or one twice");
}

#[test]
fn no_number_stands_for_two_codes() {
    let numbers: BTreeSet<u16> = Code::ALL.iter().map(|code| code.number()).collect();
    assert_eq!(numbers.len(), Code::ALL.len());
}
