//! Cases are files: `testdata/template` (a text; its clauses, and the variants with all of them and with none).

use super::Template;
use crate::names::Dialect;
use crate::sql::cases::check;

fn outcome(dialect: Dialect, text: &str) -> String {
    let template = match Template::parse(dialect, text) {
        Ok(template) => template,
        Err(error) => return error.to_agent().to_string(),
    };
    let names = |set: &std::collections::BTreeSet<_>| set.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let clauses: Vec<String> = template.clauses().iter().map(|clause| names(clause.params())).collect();
    format!(
        "params [{}] always [{}] clauses {clauses:?}\n=> all:  {}\n=> none: {}",
        names(template.params()),
        names(template.always()),
        template.variant(u32::MAX).replace('\n', "⏎"),
        template.variant(0).replace('\n', "⏎"),
    )
}

#[test]
fn templates() {
    check("template", outcome);
}

#[test]
fn variants_keep_the_clauses_of_their_bits() {
    let template = Template::parse(Dialect::Postgres, "a [[ :x ]] b [[ :y ]] c").unwrap();
    let words = |kept| template.variant(kept).split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
    assert_eq!(words(0b00), "a b c");
    assert_eq!(words(0b01), "a :x b c");
    assert_eq!(words(0b10), "a b :y c");
    assert_eq!(words(0b11), "a :x b :y c");
}
