//! The file reads back as what was written, whatever stands in names and texts, and changes say what they come to.

use super::*;

fn pins(entries: &[(&str, &str, &str)]) -> Pins {
    let mut pins = Pins::default();
    for (section, key, text) in entries {
        pins.0.entry((*section).to_owned()).or_default().insert((*key).to_owned(), value(text));
    }
    pins
}

#[test]
fn what_is_written_reads_back() {
    let odd = ["", "a: b", "two\nlines", "\"quoted\"", " space ", "right\u{202e}left", "back\\slash: \"x\""];
    let mut written = pins(&[("role a", "limit rows_max", "10"), ("tool t", "sql", "SELECT 1\n[[ AND x = :x ]]")]);
    for text in odd {
        let section = written.0.entry("role a".to_owned()).or_default();
        section.insert(format!("table shop {} column {}", quoted(text), quoted(text)), value(text));
    }
    let text = written.to_string();
    assert!(!text.contains('\u{202e}'));
    assert_eq!(Pins::parse(&text), Some(written));
    assert_eq!(Pins::parse("version: 2\n"), None);
    assert_eq!(Pins::parse("version: 1\nkey: without a section\n"), None);
    assert_eq!(Pins::parse("version: 1\n[role a]\nno value\n"), None);
    assert_eq!(Pins::parse(""), None);
}

#[test]
fn changes_say_what_they_come_to() {
    let was = pins(&[
        ("role a", "table shop users column id", "allow"),
        ("role a", "table shop users column email", "mask email"),
        ("role a", "table shop users rows", "region = 'eu'"),
        ("role a", "tool t description", "Old words"),
        ("role a", "tool t statement 0", "sha256:1"),
        ("role gone", "limit rows_max", "1"),
    ]);
    let now = pins(&[
        ("role a", "table shop users column id", "allow"),
        ("role a", "table shop users column email", "allow"),
        ("role a", "table shop users column ssn", "mask last4"),
        ("role a", "table shop users column note", "allow"),
        ("role a", "table shop users rows", "all"),
        ("role a", "tool t description", "New words"),
        ("role a", "tool t statement 0", "sha256:2"),
        ("role a", "tool u description", "Another"),
    ]);
    assert_eq!(
        report(&was.changes(&now)),
        "[role a]\n  \
         ~ table shop users column email: mask email → allow  (newly visible)\n  \
         + table shop users column note: allow  (newly visible)\n  \
         + table shop users column ssn: mask last4  (newly visible through a mask)\n  \
         ~ table shop users rows: region = 'eu' → all  (other rows)\n  \
         ~ tool t description: Old words → New words  (its description changed)\n  \
         ~ tool t statement 0: sha256:1 → sha256:2  (its meaning changed)\n  \
         + tool u description: Another  (newly callable)\n\
         [role gone]\n  \
         - limit rows_max: 1\n"
    );
    assert!(now.changes(&now).is_empty());
}
