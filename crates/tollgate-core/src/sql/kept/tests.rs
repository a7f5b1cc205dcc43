//! What is kept stays within its limits, whatever is sent.

use super::*;
use crate::{
    names::Dialect,
    sql::{cases::shop, check::check_own, statement::Cost},
};

/// Checks a statement and keeps it; the bytes that are held then.
fn keep(kept: &KeptStatements, sql: &str) -> usize {
    let (catalog, visible) = shop(Dialect::Postgres);
    let statement = check_own(sql, &catalog, &visible, Cost::Bounded).unwrap_or_else(|error| panic!("{sql}: {error}"));
    kept.insert(sql, &Arc::new(statement));
    let recent = kept.recent();
    let sum: usize = recent.by_text.values().map(|kept| kept.bytes).sum();
    assert_eq!(recent.bytes, sum);
    assert!(recent.bytes <= KEPT_BYTES_MAX && recent.by_text.len() <= KEPT_STATEMENTS_MAX);
    recent.bytes
}

#[test]
fn few_long_statements_are_kept() {
    let kept = KeptStatements::default();
    // Long as it was written, long as it is sent, and both.
    for at in 0..40 {
        keep(&kept, &format!("SELECT id FROM users -- {at} {}", "x".repeat(60_000)));
    }
    assert!(kept.recent().by_text.len() < 35);
    for at in 0..40 {
        keep(&kept, &format!("SELECT id FROM users WHERE name = '{at} {}'", "x".repeat(60_000)));
    }
    assert!(kept.recent().by_text.len() < 18);
    let arms = vec!["SELECT * FROM users"; 50].join(" UNION ALL ");
    assert!(kept.get("SELECT id FROM users").is_none());
    for at in 1..4 {
        keep(&kept, &format!("{arms} ORDER BY {at}"));
    }
}

#[test]
fn one_that_would_replace_most_others_is_not_kept() {
    let kept = KeptStatements::default();
    let bytes = keep(&kept, "SELECT id FROM users");
    let arm = format!("SELECT {} FROM users", vec!["name || 'x'"; 200].join(", "));
    assert_eq!(keep(&kept, &vec![arm; 19].join(" UNION ALL ")), bytes);
    assert!(kept.get("SELECT id FROM users").is_some());
}

#[test]
fn what_nobody_asks_for_goes_first() {
    let kept = KeptStatements::default();
    let sql = |at: usize| format!("SELECT id FROM users WHERE id = {at}");
    for at in 0..KEPT_STATEMENTS_MAX {
        keep(&kept, &sql(at));
        assert!(kept.get(&sql(0)).is_some());
    }
    keep(&kept, &sql(KEPT_STATEMENTS_MAX));
    assert_eq!(kept.recent().by_text.len(), KEPT_STATEMENTS_MAX);
    assert!(kept.get(&sql(0)).is_some() && kept.get(&sql(1)).is_none() && kept.get(&sql(2)).is_some());
    // The same once more takes no other's place.
    keep(&kept, &sql(5));
    assert_eq!(kept.recent().by_text.len(), KEPT_STATEMENTS_MAX);
}

#[test]
fn what_is_printed_of_it_holds_no_text() {
    let kept = KeptStatements::default();
    keep(&kept, "SELECT id FROM users WHERE name = 'Ada'");
    assert!(!format!("{kept:?}").contains("Ada"));
}
