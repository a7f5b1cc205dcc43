//! Cases as text: SQL, values of parameters, and what must come of it.

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

/// The cases of a file, in order.
pub(super) fn parse(text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = Case::default();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(rows) = line.strip_prefix("=> ") {
            case.expected = Expected::Rows(rows.to_owned());
            cases.push(std::mem::take(&mut case));
        } else if let Some(kind) = line.strip_prefix("=! ") {
            case.expected = Expected::Error(kind.to_owned());
            cases.push(std::mem::take(&mut case));
        } else if let Some((name, value)) = line.strip_prefix(':').and_then(|rest| rest.split_once(" = ")) {
            case.params.push((name.to_owned(), serde_json::from_str(value).unwrap()));
        } else {
            case.sql.push_str(line);
            case.sql.push('\n');
        }
    }
    cases
}
