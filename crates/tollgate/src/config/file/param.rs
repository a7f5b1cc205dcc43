//! A tool's input as written: its type, and what its value must satisfy.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::scalar::JsonText;

/// A parameter of a tool.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// Its type.
    #[serde(rename = "type")]
    pub ty: ParamType,
    /// What it means, for the model.
    pub description: Option<String>,
    /// Whether it must be given; true by default, unless there is a default.
    pub required: Option<bool>,
    /// The value when it is not given.
    pub default: Option<JsonText>,
    /// Whether its values are stored only as keyed hashes in the audit log.
    #[serde(default)]
    pub sensitive: bool,
    /// The values it may have.
    #[serde(rename = "enum")]
    pub values: Option<Vec<JsonText>>,
    /// The smallest value.
    #[schemars(with = "Option<f64>")]
    pub minimum: Option<JsonText>,
    /// The largest value.
    #[schemars(with = "Option<f64>")]
    pub maximum: Option<JsonText>,
    /// Characters at least.
    pub min_length: Option<u32>,
    /// Characters at most.
    pub max_length: Option<u32>,
    /// A regular expression that the whole value must match.
    pub pattern: Option<String>,
    /// What an array holds.
    pub items: Option<Items>,
    /// Values of an array at most.
    pub max_items: Option<u32>,
}

impl Param {
    /// What is said of the value itself, in the form in which it is said of an array's items.
    pub fn constraints(&self) -> Items {
        Items {
            ty: self.ty,
            values: self.values.clone(),
            minimum: self.minimum.clone(),
            maximum: self.maximum.clone(),
            min_length: self.min_length,
            max_length: self.max_length,
            pattern: self.pattern.clone(),
        }
    }
}

/// What an array holds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Items {
    /// The type of each value.
    #[serde(rename = "type")]
    pub ty: ParamType,
    /// The values it may have.
    #[serde(rename = "enum")]
    pub values: Option<Vec<JsonText>>,
    /// The smallest value.
    #[schemars(with = "Option<f64>")]
    pub minimum: Option<JsonText>,
    /// The largest value.
    #[schemars(with = "Option<f64>")]
    pub maximum: Option<JsonText>,
    /// Characters at least.
    pub min_length: Option<u32>,
    /// Characters at most.
    pub max_length: Option<u32>,
    /// A regular expression that the whole value must match.
    pub pattern: Option<String>,
}

/// The types of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ParamType {
    /// Text.
    String,
    /// A whole number of 64 bits.
    Integer,
    /// A decimal number, never through a float.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A calendar date, `2026-01-31`.
    Date,
    /// A moment with its offset, `2026-01-31T12:00:00Z`.
    Timestamp,
    /// A UUID.
    Uuid,
    /// Any JSON value.
    Json,
    /// Several values of one type.
    Array,
}
