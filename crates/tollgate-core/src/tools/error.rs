//! What can be wrong with a declared tool, for its operator, and with a call of it, for the agent that made it.
//! Nothing here quotes a value of a sensitive parameter, or more than a little of any value.

use crate::{
    names::{ClaimName, Code, DatabaseName, ParamName, Refusal, ToolName},
    sql::SqlError,
};

/// A mistake in a tool's declaration, and where it stands.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{problem}")]
pub struct ToolError {
    /// The key below the tool's own, `params.region.enum[2]`; empty for the tool as a whole.
    pub at: String,
    /// What is wrong.
    #[source]
    pub problem: Problem,
}

impl ToolError {
    pub(super) fn new(at: &str, problem: Problem) -> Self {
        Self { at: at.to_owned(), problem }
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.problem.code()
    }
}

/// What can be wrong with a declared tool.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's text says what it is")]
pub enum Problem {
    #[error("a tool needs a description: it is what a model chooses it by")]
    EmptyDescription,
    #[error("the title is empty; leave it out to have it derived from the name")]
    EmptyTitle,
    #[error("the declaration cannot be written as JSON")]
    NotSerializable,
    #[error("the {what} is over its limit of {max}")]
    TooLarge { what: &'static str, max: u64 },
    #[error("`rows_max` must be from 1 to {max}")]
    RowsMax { max: u32 },
    #[error("a tool that runs without row filters shows groups of at least 2 rows")]
    GroupOfOne,
    #[error("the key needs from 1 to {max} columns, each named once")]
    PageKey { max: usize },

    #[error("`{name}` is reserved for the cursor that continues a result")]
    ReservedParam { name: ParamName },
    #[error("parameter `{name}` is declared twice")]
    DuplicateParam { name: ParamName },
    #[error("parameter `{name}` is declared but the statement does not use it")]
    UnusedParam { name: ParamName },
    #[error("the statement uses `:{name}`, which is not declared{}", did_you_mean(.near.as_deref()))]
    UndeclaredParam { name: ParamName, near: Option<String> },
    #[error(
        "parameter `{name}` may be absent but stands outside `[[ … ]]`: make it required, give it a default, or put what needs it in a clause"
    )]
    OptionalOutsideClause { name: ParamName },
    #[error("`{key}` means nothing for a parameter of type `{ty}`")]
    KeyWithoutMeaning { key: &'static str, ty: &'static str },
    #[error("`{key}` belongs below `items`, which says what each item must be")]
    KeyOfItems { key: &'static str },
    #[error("`max_items` must be from 1 to {max}")]
    ItemsMax { max: u64 },
    #[error("an array needs `items`, which says what each item must be")]
    ArrayWithoutItems,
    #[error("the items of an array cannot be arrays")]
    NestedArray,
    #[error("`{key}` is not {wanted}")]
    Constraint { key: &'static str, wanted: String },
    #[error("`{low}` is greater than `{high}`")]
    EmptyRange { low: &'static str, high: &'static str },
    #[error("`enum` is empty: no value could ever be given")]
    EmptyEnum,
    #[error("{value} of `enum` is not {wanted}")]
    EnumType { value: String, wanted: String },
    #[error("this value of `enum` can never be given: it {wanted}")]
    EnumUnfit { wanted: String },
    #[error("`enum` lists {value} twice")]
    DuplicateEnum { value: String },
    #[error("the pattern cannot be used: {reason}")]
    Pattern { reason: String },
    #[error("a parameter with a default is not required; drop `required: true` or the default")]
    RequiredWithDefault,
    #[error("the default does not fit the parameter: it {wanted}")]
    Default { wanted: String },

    #[error("the statement cannot be used: {0}")]
    Sql(SqlError),
    #[error("the optional clauses make more than {max} variants")]
    Variants { max: usize },
    #[error("`:{name}` bounds the page and must be of type `integer`")]
    PageParam { name: ParamName },
    #[error("parameter `{name}` is of type `{ty}`, but the statement compares it with `{database}`{hint}")]
    Type { name: ParamName, ty: String, database: String, hint: &'static str },
    #[error("the database has no value {value} for `{column}`{}", did_you_mean(.near.as_deref()))]
    EnumValue { value: String, column: String, near: Option<String> },
    #[error("parameter `{name}` is compared with `{database}`, an enumeration: list its values in `enum`")]
    EnumMissing { name: ParamName, database: String },
    #[error("a claim cannot be bound as `{database}`, which the statement compares `:claims.{name}` with")]
    ClaimType { name: ClaimName, database: String },
    #[error(
        "MariaDB takes a text that is no number for 0, so a claim stands beside columns or constants of one kind alone, and \
         `:claims.{name}` does not"
    )]
    ClaimUntyped { name: ClaimName },
    #[error("the database describes {described} result columns where the statement has {checked}")]
    ColumnCount { described: usize, checked: usize },
    #[error("the database names result column {position} `{described}` where the statement has `{checked}`")]
    ColumnName { position: usize, described: String, checked: String },
    #[error("the database describes {described} parameters where the statement has {checked}")]
    SlotCount { described: usize, checked: usize },
    #[error("the database describes {described} variants where the tool has {checked}")]
    VariantCount { described: usize, checked: usize },

    #[error("a tool cannot be its own replacement")]
    ReplacesItself,
    #[error("`{name}` is not a declared tool{}", did_you_mean(.near.as_deref()))]
    UnknownReplacement { name: ToolName, near: Option<String> },
    #[error("`{key}` is not a date such as `2027-06-01`")]
    DeprecationDate { key: &'static str },
    #[error("`sunset` comes before `since`")]
    SunsetBeforeSince,
}

impl Problem {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Problem::EmptyDescription | Problem::EmptyTitle | Problem::NotSerializable => Code::CONFIG_TYPE,
            Problem::TooLarge { .. }
            | Problem::RowsMax { .. }
            | Problem::GroupOfOne
            | Problem::PageKey { .. }
            | Problem::ItemsMax { .. } => Code::CONFIG_LIMIT,
            Problem::Sql(error) => match error.code() {
                Code::SQL_NOT_ONE_SELECT => Code::CONFIG_TOOL_WRITES,
                Code::SQL_PARAMETER => Code::CONFIG_TOOL_PARAM,
                _ => Code::CONFIG_TOOL_SQL,
            },
            Problem::Variants { .. }
            | Problem::ColumnCount { .. }
            | Problem::ColumnName { .. }
            | Problem::SlotCount { .. }
            | Problem::VariantCount { .. } => Code::CONFIG_TOOL_SQL,
            Problem::EnumValue { .. } | Problem::EnumMissing { .. } => Code::CONFIG_TOOL_ENUM,
            Problem::ReplacesItself
            | Problem::UnknownReplacement { .. }
            | Problem::DeprecationDate { .. }
            | Problem::SunsetBeforeSince => Code::CONFIG_TOOL_VERSION,
            Problem::ReservedParam { .. }
            | Problem::DuplicateParam { .. }
            | Problem::UnusedParam { .. }
            | Problem::UndeclaredParam { .. }
            | Problem::OptionalOutsideClause { .. }
            | Problem::KeyWithoutMeaning { .. }
            | Problem::KeyOfItems { .. }
            | Problem::ArrayWithoutItems
            | Problem::NestedArray
            | Problem::Constraint { .. }
            | Problem::EmptyRange { .. }
            | Problem::EmptyEnum
            | Problem::EnumType { .. }
            | Problem::EnumUnfit { .. }
            | Problem::DuplicateEnum { .. }
            | Problem::Pattern { .. }
            | Problem::RequiredWithDefault
            | Problem::Default { .. }
            | Problem::PageParam { .. }
            | Problem::Type { .. }
            | Problem::ClaimUntyped { .. }
            | Problem::ClaimType { .. } => Code::CONFIG_TOOL_PARAM,
        }
    }
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

/// One argument that cannot be bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// It is not given, and must be.
    #[error("`{name}` is missing: it {wanted}")]
    Missing {
        /// Which.
        name: String,
        /// What it must be.
        wanted: String,
    },
    /// The tool has no such argument.
    #[error("there is no argument `{name}`{}{}", did_you_mean(.near.as_deref()), .takes.as_ref().map(|takes| format!("; {takes}")).unwrap_or_default())]
    Unknown {
        /// Which, shortened and escaped.
        name: String,
        /// The argument that was probably meant.
        near: Option<String>,
        /// What the tool takes, said once in a refusal.
        takes: Option<String>,
    },
    /// Its value does not fit.
    #[error("`{name}` {wanted}{}", .got.as_ref().map(|got| format!(", not {got}")).unwrap_or_default())]
    Invalid {
        /// Which, with the position inside an array: `ids[3]`.
        name: String,
        /// What it must be.
        wanted: String,
        /// What came instead, shortened and escaped; never for a sensitive parameter.
        got: Option<String>,
    },
    /// It is given twice.
    #[error("`{name}` is given twice")]
    Duplicate {
        /// Which, shortened and escaped.
        name: String,
    },
    /// The arguments are not one object.
    #[error("the arguments must be one JSON object")]
    NotAnObject,
    /// More arguments than any tool has.
    #[error("there are more than {max} arguments")]
    TooMany {
        /// The limit.
        max: usize,
    },
}

impl ArgumentError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            ArgumentError::Missing { .. } => Code::MISSING_ARGUMENT,
            ArgumentError::Unknown { .. } | ArgumentError::TooMany { .. } => Code::UNKNOWN_ARGUMENT,
            ArgumentError::Invalid { .. } | ArgumentError::Duplicate { .. } | ArgumentError::NotAnObject => {
                Code::INVALID_ARGUMENT
            }
        }
    }
}

/// A claim of the caller that cannot be bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// The caller does not have it.
    #[error("the policy needs the claim `{name}`, which these credentials do not carry")]
    Missing {
        /// Which.
        name: ClaimName,
    },
    /// It is of another type or shape than the policy needs.
    #[error("the claim `{name}` of these credentials is not what the policy needs")]
    Unfit {
        /// Which.
        name: ClaimName,
    },
}

/// Why a call was not bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// Arguments that do not fit: all of them, up to a bound.
    #[error("{}", sentences(.0))]
    Arguments(Vec<ArgumentError>),
    /// A claim that is missing or does not fit.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// A cursor that was not made for this call.
    #[error("the cursor is expired, altered, or of another call: send the same arguments again without it")]
    Cursor,
    /// A caller's own statement that is refused.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The database that a caller chose did not answer when the configuration was compiled.
    #[error("the database `{0}` is not available right now; try again shortly")]
    Unavailable(DatabaseName),
    /// A tool past its sunset.
    #[error("`{tool}` is no longer served since {sunset}{}", .replacement.as_ref().map(|name| format!("; use `{name}`")).unwrap_or_default())]
    Sunset {
        /// The tool.
        tool: ToolName,
        /// The date it ended on.
        sunset: jiff::civil::Date,
        /// What replaces it, where this caller may call that.
        replacement: Option<ToolName>,
    },
    /// The plan has no place for what it needs: a fault of ours, never of the call.
    #[error("an internal error: {0}")]
    Internal(&'static str),
}

impl BindError {
    /// The stable code: of several arguments, the first one's.
    pub fn code(&self) -> Code {
        match self {
            BindError::Arguments(errors) => errors.first().map_or(Code::INVALID_ARGUMENT, ArgumentError::code),
            BindError::Claim(_) => Code::MISSING_CLAIM,
            BindError::Cursor => Code::INVALID_CURSOR,
            BindError::Sql(error) => error.code(),
            BindError::Unavailable(_) => Code::DB_UNAVAILABLE,
            BindError::Sunset { .. } => Code::TOOL_SUNSET,
            BindError::Internal(_) => Code::INTERNAL,
        }
    }

    /// The sentence an agent reads. Every part of it comes from the tool's declaration, from the call itself, or from here.
    pub fn to_agent(&self) -> Refusal {
        match self {
            BindError::Sql(error) => error.to_agent(),
            BindError::Unavailable(_) => Refusal::new(self.code(), self.to_string()).retry_after_ms(1_000),
            BindError::Internal(_) => Refusal::new(self.code(), "an internal error; the operator's log says more"),
            _ => Refusal::new(self.code(), self.to_string()),
        }
    }
}

fn sentences(errors: &[ArgumentError]) -> String {
    let sentences: Vec<String> = errors.iter().map(ToString::to_string).collect();
    sentences.join("; ")
}
