//! What a role may see of a table, as written: columns, masks, rows.

use std::{collections::BTreeMap, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// What a role may see of a table.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The columns that exist for the role.
    pub columns: Columns,
    /// Masks by column: every use of the column sees the masked value.
    #[serde(default)]
    pub masks: BTreeMap<String, Mask>,
    /// The rows that exist for the role: a SQL condition over the table's columns and `:claims.NAME`, a list of conditions that must
    /// all hold, `all`, or a condition that reads some tables whole.
    pub rows: Rows,
    /// The same as the role's, for this table; 1 shows its rows one by one.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub min_group_size: Option<u32>,
}

/// The columns that exist for a role.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Columns {
    /// These; all others do not exist.
    These(#[schemars(length(min = 1))] Vec<String>),
    /// All but some.
    AllExcept(AllExcept),
}

/// All columns but some: what a table gets later shows at once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllExcept {
    /// The columns that do not exist for the role; every other one does, new ones too.
    pub all_except: Vec<String>,
}

/// A mask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mask {
    /// One of the gate's own, by its name.
    Named(String),
    /// An expression over the row's own columns.
    Sql(String),
}

/// `{sql: …}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SqlMask {
    sql: String,
}

impl<'de> Deserialize<'de> for Mask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Mask;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mask")
            }
            // `ssn: null` is YAML's null, and plainly means the mask of that name.
            fn visit_unit<E>(self) -> Result<Mask, E> {
                Ok(Mask::Named("null".to_owned()))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Mask, E> {
                Ok(Mask::Named(text.to_owned()))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Mask, A::Error> {
                SqlMask::deserialize(de::value::MapAccessDeserializer::new(map)).map(|mask| Mask::Sql(mask.sql))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Mask {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Mask".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "What stands in the column's place: nothing, a fixed text, `j***@example.com`, `****1234`, a keyed hash, the \
                first day of the year, or an expression over the row's own columns.",
            "anyOf": [
                {
                    "type": "object",
                    "properties": {
                        "sql": { "description": "A SQL expression over the row's own columns, the hidden ones too.", "type": "string", "minLength": 1 },
                    },
                    "additionalProperties": false,
                    "required": ["sql"],
                },
                { "type": ["string", "null"], "enum": [null, "null", "redact", "email", "last4", "hash", "year"] },
            ],
        })
    }
}

/// A row filter as written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Rows {
    /// One condition, or `all`.
    One(String),
    /// Conditions that must all hold.
    All(Vec<String>),
    /// A condition that reads some tables whole.
    Owner(OwnerRows),
}

/// A row filter in whose subqueries some tables stand whole.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnerRows {
    /// The condition.
    #[schemars(length(min = 1))]
    pub sql: String,
    /// Tables that its subqueries read whole, unmasked and unfiltered, whatever the role sees of them.
    #[schemars(length(min = 1))]
    pub owner: Vec<String>,
}
