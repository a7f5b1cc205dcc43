//! Why a text is not a statement we send. Every message is built from the caller's own text and from names that the caller
//! sees, so a hidden name and a missing one read the same.

use super::check::CheckError;
use super::keyset::KeysetError;
use crate::names::{Code, Refusal};

/// Why a statement or predicate was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// The text cannot be read.
    #[error("the SQL cannot be read: {detail}")]
    Syntax {
        /// What the parser expected, and where.
        detail: String,
    },
    /// Not exactly one SELECT.
    #[error("only one SELECT is allowed, found {found}")]
    NotOneSelect {
        /// What there was instead.
        found: String,
    },
    /// A construct outside the stated grammar.
    #[error("{construct} is not allowed{}", hint(*.instead))]
    Unsupported {
        /// The construct's name.
        construct: String,
        /// What to write instead, where that helps.
        instead: Option<&'static str>,
    },
    /// No such table, for this caller.
    #[error("unknown table {name}{}", did_you_mean(.suggestion.as_deref()))]
    UnknownTable {
        /// As written.
        name: String,
        /// A visible table of a similar name.
        suggestion: Option<String>,
    },
    /// No such column, for this caller.
    #[error("unknown column {name}{}", did_you_mean(.suggestion.as_deref()))]
    UnknownColumn {
        /// As written.
        name: String,
        /// A visible column of a similar name.
        suggestion: Option<String>,
    },
    /// A column that several relations have.
    #[error("column {name} is ambiguous; qualify it with its table's alias")]
    AmbiguousColumn {
        /// As written.
        name: String,
    },
    /// A column of a grouped query that is neither grouped by nor aggregated: of which row, nothing says.
    #[error("column {name} must stand in GROUP BY or inside an aggregate function")]
    Ungrouped {
        /// With its relation's alias.
        name: String,
    },
    /// A function that is not listed, or not called as listed.
    #[error("function {name} {problem}")]
    Function {
        /// As written.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A type that is not listed.
    #[error("type {name} is not allowed")]
    Type {
        /// As written.
        name: String,
    },
    /// Over one of `limits`.
    #[error("the SQL has too many {what}: at most {max} are allowed")]
    TooComplex {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// Two columns of one name where names must differ.
    #[error("{place} has two columns named {name}; give one of them an alias")]
    DuplicateColumn {
        /// The name.
        name: String,
        /// Whose columns.
        place: String,
    },
    /// A parameter or claim out of place.
    #[error("parameter {name} {problem}")]
    Parameter {
        /// With its colon.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A statement that a key cannot page.
    #[error("it cannot be paged by this key: {0}")]
    Keyset(#[from] KeysetError),
    /// A resolved statement that cannot be sent.
    #[error(transparent)]
    Check(#[from] CheckError),
}

impl From<super::restrict::RestrictError> for SqlError {
    fn from(error: super::restrict::RestrictError) -> Self {
        Self::Check(CheckError::Restrict(error))
    }
}

fn hint(instead: Option<&'static str>) -> String {
    instead.map_or_else(String::new, |text| format!("; {text}"))
}

fn did_you_mean(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(" (did you mean {name}?)"))
}

/// User input in backticks: at most 80 characters, control characters and backticks escaped.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::from("`");
    for (at, c) in text.chars().enumerate() {
        if at == 80 {
            out.push('…');
            break;
        }
        if c.is_control() || c == '`' { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out.push('`');
    out
}

impl SqlError {
    /// A text that the parser refused, in its words: at most 200 characters of them, control characters escaped.
    pub(crate) fn syntax(detail: &str) -> Self {
        let mut clean = String::new();
        // This one message holds the parser's own representation of a token.
        let detail = match (detail.starts_with("No infix parser"), detail.rsplit_once(" at Line")) {
            (true, Some((_, place))) => format!("an unexpected word or operator at Line{place}"),
            _ => detail.to_owned(),
        };
        for c in detail.chars().take(200) {
            if c.is_control() { clean.extend(c.escape_unicode()) } else { clean.push(c) }
        }
        Self::Syntax { detail: clean }
    }

    /// A construct outside the grammar.
    pub(crate) fn unsupported(construct: impl Into<String>) -> Self {
        Self::Unsupported { construct: construct.into(), instead: None }
    }

    /// A construct outside the grammar, and what to write instead.
    pub(crate) fn unsupported_use(construct: impl Into<String>, instead: &'static str) -> Self {
        Self::Unsupported { construct: construct.into(), instead: Some(instead) }
    }

    /// A function called in a way that is not listed.
    pub(crate) fn function(name: &str, problem: impl Into<String>) -> Self {
        Self::Function { name: shown(name), problem: problem.into() }
    }

    /// A parameter out of place; `name` with its colon.
    pub(crate) fn parameter(name: &str, problem: impl Into<String>) -> Self {
        Self::Parameter { name: shown(name), problem: problem.into() }
    }

    /// Its stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Syntax { .. } => Code::SQL_SYNTAX,
            Self::NotOneSelect { .. } => Code::SQL_NOT_ONE_SELECT,
            Self::Unsupported { .. } | Self::Keyset(_) => Code::SQL_UNSUPPORTED,
            Self::UnknownTable { .. } => Code::SQL_UNKNOWN_TABLE,
            Self::UnknownColumn { .. } => Code::SQL_UNKNOWN_COLUMN,
            Self::AmbiguousColumn { .. } => Code::SQL_AMBIGUOUS_COLUMN,
            Self::Ungrouped { .. } => Code::SQL_NOT_TAKEN,
            Self::Function { .. } => Code::SQL_FUNCTION,
            Self::Type { .. } => Code::SQL_TYPE,
            Self::TooComplex { .. } => Code::SQL_TOO_COMPLEX,
            Self::DuplicateColumn { .. } => Code::SQL_DUPLICATE_COLUMN,
            Self::Parameter { .. } => Code::SQL_PARAMETER,
            Self::Check(error) => error.code(),
        }
    }

    /// What the agent reads: all of it is the caller's own text and visible names.
    pub fn to_agent(&self) -> Refusal {
        let message = match self {
            // Ours to mend, and its words may hold names that are not the caller's to read.
            Self::Check(error) if error.is_internal() => "the statement cannot be sent".to_owned(),
            _ => self.to_string(),
        };
        Refusal::new(self.code(), message)
    }
}
