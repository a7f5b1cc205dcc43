//! What the second reading notices: every text that is another tree's, and every change of a word or sign.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use super::super::{Rendered, render};
use super::{Reading, check};
use crate::names::Dialect;
use crate::sql::cases::{seeds, shop};
use crate::sql::parse::parse_printed;
use crate::sql::resolve::{ClaimUse, ParamShape, Scope, resolve_query};
use crate::sql::restrict::{Fence, restrict};
use crate::sql::tree::Query;

const BOTH: [Dialect; 2] = [Dialect::Postgres, Dialect::Sqlite];

/// The cases that can be printed: every table fenced, and one of them seen in groups.
fn printed(dialect: Dialect) -> Vec<(Query, Rendered)> {
    let (catalog, mut visible) = shop(dialect);
    for (table, restriction) in &mut visible.tables {
        restriction.hides_rows = true;
        restriction.min_group_size = (table.name == "items").then_some(NonZeroU32::MIN);
    }
    let single = ["region", "status", "n", "since", "pattern"].map(|name| (name.parse().unwrap(), ParamShape::Single));
    let list = ["ids", "regions"].map(|name| (name.parse().unwrap(), ParamShape::List));
    let params = single.into_iter().chain(list).collect();
    let scope = Scope { catalog: &catalog, visible: &visible, params: &params, claims: ClaimUse::Refused };
    let mut all = BTreeMap::new();
    for (place, text) in seeds().iter().enumerate() {
        let Ok(query) = resolve_query(text, &scope) else { continue };
        let fence = if place % 2 == 0 { Fence::Closed } else { Fence::Open };
        let query = restrict(query, &visible, fence, dialect).unwrap();
        let rendered = render(&query, dialect).unwrap_or_else(|error| panic!("{error}: {text}"));
        all.insert(rendered.text.clone(), (query, rendered));
    }
    assert!(all.len() > 100, "{dialect:?}: {}", all.len());
    all.into_values().collect()
}

/// A statement reads as itself and as no other.
#[test]
fn no_text_is_another_trees() {
    for dialect in BOTH {
        let all = printed(dialect);
        for (_, Rendered { text, slots: _ }) in &all {
            let read = parse_printed(dialect, text).unwrap();
            for (query, own) in &all {
                let same = Reading::new(dialect, &own.slots).query(&read, query);
                assert_eq!(same, *text == own.text, "{text}\nfor {}", own.text);
            }
        }
    }
}

/// A word or sign left out, written twice, or behind its neighbour: the text is refused, unless only parentheses changed.
#[test]
fn no_change_goes_unnoticed() {
    for dialect in BOTH {
        for (query, Rendered { text, slots }) in printed(dialect).into_iter().step_by(16) {
            let words: Vec<&str> = text.split_inclusive(' ').collect();
            for place in 0..words.len() {
                let (before, rest) = words.split_at(place);
                let (word, after) = rest.split_first().unwrap();
                let left_out = [before, after].concat().concat();
                let twice = [before, &[word, word], after].concat().concat();
                let exchanged =
                    after.split_first().map(|(next, after)| [before, &[next, word], after].concat().concat());
                for changed in [Some(left_out), Some(twice), exchanged].into_iter().flatten() {
                    let same = spelled_out(&changed) == spelled_out(&text);
                    assert!(same || check(&changed, &slots, &query, dialect).is_err(), "{changed}\nfor {text}");
                }
            }
        }
    }
}

/// A text without parentheses, and without the words that may be left out.
fn spelled_out(text: &str) -> String {
    let text = ["AS ", "INNER ", "ASC "].iter().fold(format!("{text} "), |text, word| text.replace(word, ""));
    text.replace("IS NOT NULL", "NOT NULL").replace(['(', ')', ' '], "")
}
