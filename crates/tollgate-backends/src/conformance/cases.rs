//! Cases as text: SQL, values of parameters, and what must come of it.

use tollgate_core::names::Dialect;

/// One case of a `.cases` file.
#[derive(Clone, Debug, Default)]
pub(super) struct Case {
    pub(super) sql: String,
    pub(super) params: Vec<(String, serde_json::Value)>,
    pub(super) expected: Expected,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Rows(String),
    Error(String),
}

impl Default for Expected {
    fn default() -> Self {
        Expected::Rows(String::new())
    }
}

/// The cases of a file that are for a dialect, in order: all but those below a line that names others alone, `@ postgres sqlite`.
pub(super) fn parse(text: &str, dialect: Dialect) -> Vec<Case> {
    let dialect = format!("{dialect:?}").to_lowercase();
    let mut cases = Vec::new();
    let mut case = Case::default();
    let mut others_alone = false;
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let rows = line.strip_prefix("=> ").map(|rows| Expected::Rows(rows.to_owned()));
        let end = rows.or_else(|| line.strip_prefix("=! ").map(|kind| Expected::Error(kind.to_owned())));
        if let Some(expected) = end {
            let ended = Case { expected, ..std::mem::take(&mut case) };
            cases.extend(Some(ended).filter(|_| !std::mem::take(&mut others_alone)));
        } else if let Some(dialects) = line.strip_prefix("@ ") {
            others_alone = !dialects.split(' ').any(|one| one == dialect);
        } else if let Some((name, value)) = line.strip_prefix(':').and_then(|rest| rest.split_once(" = ")) {
            case.params.push((name.to_owned(), serde_json::from_str(value).unwrap()));
        } else {
            case.sql.push_str(line);
            case.sql.push('\n');
        }
    }
    cases
}
