//! What can be wrong with a role as written, each with the key that it concerns. Read by operators only: it names hidden things freely.

use std::fmt;

use crate::names::Code;
use crate::sql::{Leak, SqlError};

/// A mistake, or a warning, and where it stands below the role's key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct PolicyError {
    /// The way to the key: `tables`, `shop.users`, `columns`, 3.
    pub path: Vec<PathPart>,
    /// What is wrong there.
    pub problem: Problem,
}

/// A step of the way to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPart {
    /// A key of a map.
    Key(String),
    /// A place in a list, from 0.
    Index(usize),
}

impl fmt::Display for PathPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PathPart::Key(key) => write!(f, "{key}"),
            PathPart::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A table that the database does not have.
    #[error("unknown table `{name}`{}", did_you_mean(.suggestion.as_deref()))]
    UnknownTable {
        /// As written.
        name: String,
        /// A table of a similar name.
        suggestion: Option<String>,
    },
    /// A table that stands under two keys.
    #[error("table `{0}` is granted twice")]
    DuplicateTable(String),
    /// A column that the table does not have.
    #[error("unknown column `{name}` of table `{table}`{}", did_you_mean(.suggestion.as_deref()))]
    UnknownColumn {
        /// As written.
        name: String,
        /// Its table.
        table: String,
        /// A column of a similar name.
        suggestion: Option<String>,
    },
    /// A column that is listed twice.
    #[error("column `{0}` is listed twice")]
    DuplicateColumn(String),
    /// A table of which nothing is granted.
    #[error("no column of table `{0}` is granted; leave the table out instead")]
    NoColumns(String),
    /// A mask that does not exist.
    #[error(
        "unknown mask `{name}`; masks are `null`, `redact`, `email`, `last4`, `hash`, `year` and `{{sql: …}}`{}",
        did_you_mean(.suggestion.as_deref())
    )]
    UnknownMask {
        /// As written.
        name: String,
        /// A mask of a similar name.
        suggestion: Option<String>,
    },
    /// A mask on a column that the role does not see.
    #[error("column `{0}` has a mask but is not among `columns`")]
    MaskOnHiddenColumn(String),
    /// A mask that cannot stand for values of the column's type.
    #[error("mask `{mask}` does not fit column `{column}` of type `{ty}`; use `null`")]
    MaskType {
        /// The mask.
        mask: &'static str,
        /// The column.
        column: String,
        /// Its type.
        ty: String,
    },
    /// A mask in SQL that cannot be used.
    #[error("the mask cannot be used: {0}")]
    MaskSql(SqlError),
    /// A mask in SQL that reads more than its row.
    #[error("the mask cannot be used: a mask is an expression over its own row, without a subquery")]
    MaskSubquery,
    /// A mask in SQL that can fail on a row's data. A warning.
    #[error("the mask holds {0}: every statement that uses the column is fenced")]
    LeakyMask(Leak),
    /// A hash without a key.
    #[error("the mask `hash` needs a key: set `mask_key` to a secret")]
    MaskKeyMissing,
    /// No row filter.
    #[error("`rows` is missing: write a condition, or `rows: all`")]
    RowsMissing,
    /// A list of row filters with nothing in it, or with `all` beside others.
    #[error("`rows` must be `all`, a condition, a list of conditions that all hold, or `{{sql: …, owner: […]}}`")]
    RowsForm,
    /// A row filter that is not a condition.
    #[error("the row filter is not a condition: it must be true or false")]
    NotACondition,
    /// A row filter that cannot be read.
    #[error("the row filter cannot be used: {0}")]
    Filter(SqlError),
    /// A row filter that reads a table the role does not have.
    #[error(
        "the row filter cannot be used: {0}; it may read only tables that the role is granted, as the role sees them"
    )]
    FilterTable(SqlError),
    /// A table that is to stand whole in a filter that does not read it.
    #[error("the row filter does not read `{0}`; leave it out of `owner`")]
    OwnerUnused(String),
    /// Row filters that need each other.
    #[error("the row filters of {0} depend on each other in a circle")]
    Cycle(String),
    /// A row filter that reads its own table.
    #[error("the row filter of table `{0}` reads the same table")]
    SelfReference(String),
    /// A row filter that lets more through the less the role sees of another table.
    #[error(
        "the row filter lets more rows through the less of `{0}` this role sees (NOT IN, NOT EXISTS, an outer join or a count): where it \
         sees nothing, every row; grant `{0}` with `rows: all` and unmasked, or say what is allowed instead of what is not"
    )]
    FilterOpens(String),
    /// A row filter that can fail on a row's data. A warning.
    #[error("the row filter holds {0}: a row that it hides can make statements fail")]
    LeakyFilter(Leak),
}

fn did_you_mean(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"))
}

impl Problem {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Problem::UnknownTable { .. } => Code::CONFIG_UNKNOWN_TABLE,
            Problem::DuplicateTable(_) | Problem::DuplicateColumn(_) => Code::CONFIG_DUPLICATE,
            Problem::UnknownColumn { .. } => Code::CONFIG_UNKNOWN_COLUMN,
            Problem::NoColumns(_) | Problem::RowsForm => Code::CONFIG_TYPE,
            Problem::UnknownMask { .. }
            | Problem::MaskOnHiddenColumn(_)
            | Problem::MaskType { .. }
            | Problem::MaskSql(_)
            | Problem::MaskSubquery
            | Problem::LeakyMask(_)
            | Problem::MaskKeyMissing => Code::CONFIG_MASK,
            Problem::RowsMissing
            | Problem::NotACondition
            | Problem::Filter(_)
            | Problem::FilterTable(_)
            | Problem::OwnerUnused(_)
            | Problem::FilterOpens(_)
            | Problem::LeakyFilter(_) => Code::CONFIG_ROW_FILTER,
            Problem::Cycle(_) | Problem::SelfReference(_) => Code::CONFIG_FILTER_CYCLE,
        }
    }
}
