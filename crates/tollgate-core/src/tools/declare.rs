//! A tool as the configuration declares it: plain data, nothing checked yet.

use serde::Serialize;
use serde_json::Number;

use crate::{
    names::{DatabaseName, ParamName, ResultForm, ToolName},
    policy::DefinerGrant,
};

/// A tool as written.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct Declaration {
    /// Its name, `query_users_by_region_v2`.
    pub name: ToolName,
    /// Its title for people; derived from the name where absent.
    #[cfg_attr(test, serde(default))]
    pub title: Option<String>,
    /// What it does, for the model that chooses it.
    pub description: String,
    /// The database it asks.
    pub database: DatabaseName,
    /// Its parameters, in the order that the schema shows them in.
    #[cfg_attr(test, serde(default))]
    pub params: Vec<ParamDeclaration>,
    /// Its statement, with `:name` parameters and `[[ optional clauses ]]`.
    pub sql: String,
    /// Rows at most; the role's own limit may be smaller.
    #[cfg_attr(test, serde(default))]
    pub rows_max: Option<u32>,
    /// How a cut result is continued, where not by counting rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, serde(default))]
    pub page: Option<PageDeclaration>,
    /// What it reads without its caller's row filters, where it runs so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, serde(default))]
    pub definer: Option<DefinerGrant>,
    /// The form of its result, where it is not the role's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, serde(default))]
    pub result: Option<ResultForm>,
    /// Whether its result is marked as data, where that is not the role's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, serde(default))]
    pub fence: Option<bool>,
    /// Set when another tool replaces it.
    #[cfg_attr(test, serde(default))]
    pub deprecated: Option<DeprecationDeclaration>,
}

/// `page: {key}` as written.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct PageDeclaration {
    /// The columns that a page ends at and the next one begins behind.
    pub key: Vec<String>,
}

/// `deprecated: {use, since, sunset}` as written.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct DeprecationDeclaration {
    /// The tool to use instead.
    #[serde(rename = "use")]
    pub replacement: ToolName,
    /// The date it was deprecated on, `2026-01-31`.
    #[cfg_attr(test, serde(default))]
    pub since: Option<String>,
    /// The date from whose 00:00 UTC it is refused.
    #[cfg_attr(test, serde(default))]
    pub sunset: Option<String>,
}

/// One parameter as written.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub struct ParamDeclaration {
    /// Its name, `:name` in the statement.
    pub name: ParamName,
    /// Its type and, for a scalar, what its value must satisfy.
    #[cfg_attr(test, serde(flatten))]
    pub constraints: ConstraintDeclaration,
    /// For an array: what each item must be.
    #[cfg_attr(test, serde(default))]
    pub items: Option<ConstraintDeclaration>,
    /// For an array: items at most.
    #[cfg_attr(test, serde(default))]
    pub max_items: Option<u64>,
    /// The value in force when none is given; makes the parameter optional.
    #[cfg_attr(test, serde(default))]
    pub default: Option<serde_json::Value>,
    /// Whether it must be given; yes, unless it has a default.
    #[cfg_attr(test, serde(default))]
    pub required: Option<bool>,
    /// What it means, for the model that fills it in.
    #[cfg_attr(test, serde(default))]
    pub description: Option<String>,
    /// Whether the audit log keeps only a keyed hash of its values.
    #[cfg_attr(test, serde(default))]
    pub sensitive: bool,
}

/// A type and its constraints as written. The names mean what JSON Schema means by them.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub struct ConstraintDeclaration {
    /// The type.
    #[serde(rename = "type")]
    pub ty: ParamType,
    /// The only values allowed: strings, integers or numbers.
    #[serde(rename = "enum")]
    #[cfg_attr(test, serde(default))]
    pub allowed: Option<Vec<serde_json::Value>>,
    /// The smallest integer or number.
    #[cfg_attr(test, serde(default))]
    pub minimum: Option<Number>,
    /// The largest integer or number.
    #[cfg_attr(test, serde(default))]
    pub maximum: Option<Number>,
    /// Characters of a string at least.
    #[cfg_attr(test, serde(default))]
    pub min_length: Option<u64>,
    /// Characters of a string at most.
    #[cfg_attr(test, serde(default))]
    pub max_length: Option<u64>,
    /// A regular expression that the whole string must match.
    #[cfg_attr(test, serde(default))]
    pub pattern: Option<String>,
}

/// The types of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[serde(rename_all = "lowercase")]
pub enum ParamType {
    /// Text.
    String,
    /// A whole number of 64 bits.
    Integer,
    /// A decimal number, exact.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A calendar date, `2026-01-31`.
    Date,
    /// A moment: RFC 3339 with an offset.
    Timestamp,
    /// A UUID.
    Uuid,
    /// A JSON document.
    Json,
    /// An array of one of the others.
    Array,
}

impl ParamType {
    /// Every type, in the manual's order.
    pub const ALL: &'static [ParamType] = &[
        ParamType::String,
        ParamType::Integer,
        ParamType::Number,
        ParamType::Boolean,
        ParamType::Date,
        ParamType::Timestamp,
        ParamType::Uuid,
        ParamType::Json,
        ParamType::Array,
    ];

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            ParamType::String => "string",
            ParamType::Integer => "integer",
            ParamType::Number => "number",
            ParamType::Boolean => "boolean",
            ParamType::Date => "date",
            ParamType::Timestamp => "timestamp",
            ParamType::Uuid => "uuid",
            ParamType::Json => "json",
            ParamType::Array => "array",
        }
    }
}
