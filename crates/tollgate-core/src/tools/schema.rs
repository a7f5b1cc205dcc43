//! The JSON Schemas of a tool, 2020-12: what it takes, from its declaration, and what it answers, from the database's description.
//! Nothing the database says but types and nullability goes in: labels and comments are data, and may not speak to a model.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    cursor,
    param::{Form, Param, Presence},
    scalar::{Bound, Scalar},
    tool::Tool,
    variants::Clauses,
};
use crate::{
    catalog::TypeKind,
    names::{Dialect, ResultForm, ToolName},
    sql::{CheckedStatement, Described},
};

/// A tool as `tools/list` shows it to the callers of one role.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Its name.
    pub name: ToolName,
    /// Its title for people.
    pub title: String,
    /// What it does, after a note when it is deprecated.
    pub description: String,
    /// What it takes.
    pub input_schema: Arc<Map<String, Value>>,
    /// What it answers.
    pub output_schema: Arc<Map<String, Value>>,
    /// Whether it only reads.
    pub read_only: bool,
    /// `_meta`, when there is something to say.
    pub meta: Option<Map<String, Value>>,
}

/// A statement and what the database says of it.
pub(super) type Columns<'a> = (&'a CheckedStatement, &'a Described);

/// The description, after a note when the tool is deprecated.
pub(super) fn description(tool: &Tool, replacement: Option<&ToolName>) -> String {
    match tool.deprecation() {
        Some(deprecation) => format!("{} {}", deprecation.note(replacement), tool.description()),
        None => tool.description().to_owned(),
    }
}

/// The schema of the arguments.
pub(super) fn input(params: &[Param], clauses: &Clauses, pageable: bool) -> Map<String, Value> {
    let mut properties = Map::new();
    for param in params {
        properties.insert(param.name().to_string(), Value::Object(param_schema(param, clauses)));
    }
    if pageable {
        properties.insert(
            cursor::ARGUMENT.to_owned(),
            json!({
                "type": "string",
                "maxLength": cursor::SEALED_MAX,
                "description": "The `next_cursor` of an earlier result, to continue it; all other arguments must stay the same."
            }),
        );
    }
    let required: Vec<&str> = params
        .iter()
        .filter(|param| *param.presence() == Presence::Required)
        .map(|param| param.name().as_str())
        .collect();
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema.insert("additionalProperties".to_owned(), json!(false));
    schema
}

fn param_schema(param: &Param, clauses: &Clauses) -> Map<String, Value> {
    let mut schema = match &param.form {
        Form::One(scalar) => scalar_schema(scalar),
        Form::Many { items, items_max } => Map::from_iter([
            ("type".to_owned(), json!("array")),
            ("items".to_owned(), Value::Object(scalar_schema(items))),
            ("maxItems".to_owned(), json!(items_max)),
        ]),
    };
    if let Presence::Default { written, .. } = param.presence() {
        schema.insert("default".to_owned(), written.clone());
    }
    // A clause drops when any of its parameters is absent: said where it could surprise.
    let companions = if param.is_optional() { clauses.companions(param.name()) } else { None };
    let together = companions.map(|names| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        format!("Has an effect only together with {}.", names.join(" and "))
    });
    let description = match (param.description().map(str::trim), together) {
        (None, together) => together,
        (Some(written), None) => Some(written.to_owned()),
        (Some(written), Some(together)) => Some(format!("{}. {together}", written.trim_end_matches('.'))),
    };
    if let Some(description) = description {
        schema.insert("description".to_owned(), json!(description));
    }
    schema
}

fn scalar_schema(scalar: &Scalar) -> Map<String, Value> {
    let mut schema = Map::new();
    let mut put = |key: &str, value: Value| {
        schema.insert(key.to_owned(), value);
    };
    match scalar {
        Scalar::String(rules) => {
            put("type", json!("string"));
            if let Some(allowed) = &rules.allowed {
                put("enum", json!(allowed));
            }
            for (key, length) in [("minLength", rules.min_length), ("maxLength", rules.max_length)] {
                if let Some(length) = length {
                    put(key, json!(length));
                }
            }
            if let Some(pattern) = &rules.pattern {
                put("pattern", json!(pattern.anchored()));
            }
        }
        Scalar::Integer(rules) | Scalar::Number(rules) => {
            put("type", json!(scalar.ty().name()));
            let number = |bound: &Bound| Value::Number(bound.written.clone());
            if let Some(allowed) = &rules.allowed {
                put("enum", allowed.iter().map(number).collect());
            }
            for (key, bound) in [("minimum", &rules.minimum), ("maximum", &rules.maximum)] {
                if let Some(bound) = bound {
                    put(key, number(bound));
                }
            }
        }
        Scalar::Boolean => put("type", json!("boolean")),
        Scalar::Date => return text_of_format("date"),
        Scalar::Timestamp => return text_of_format("date-time"),
        Scalar::Uuid => return text_of_format("uuid"),
        // Everything but null, which means that the argument is not given.
        Scalar::Json => put("type", json!(["object", "array", "string", "number", "boolean"])),
    }
    schema
}

fn text_of_format(format: &str) -> Map<String, Value> {
    Map::from_iter([("type".to_owned(), json!("string")), ("format".to_owned(), json!(format))])
}

/// The schema of the result. Where variants differ in their columns, only those that all have are required.
pub(super) fn output(dialect: Dialect, variants: &[Columns<'_>], form: ResultForm) -> Map<String, Value> {
    let mut properties: Map<String, Value> = Map::new();
    let mut seen: Vec<(String, usize)> = Vec::new();
    for (statement, described) in variants {
        for (column, (_, ty)) in statement.columns().iter().zip(&described.columns) {
            let schema = column_schema(&ty.kind, dialect, column.nullable);
            match properties.get_mut(&column.name) {
                Some(known) if *known == schema => {}
                Some(known) => *known = json!({ "anyOf": [known.take(), schema] }),
                None => {
                    properties.insert(column.name.clone(), schema);
                }
            }
            match seen.iter_mut().find(|(name, _)| *name == column.name) {
                Some((_, count)) => *count += 1,
                None => seen.push((column.name.clone(), 1)),
            }
        }
    }
    match form {
        ResultForm::Rows => {
            let in_all = seen.into_iter().filter(|(_, count)| *count == variants.len());
            let required: Vec<String> = in_all.map(|(name, _)| name).collect();
            rows_of(&json!({
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false
            }))
        }
        ResultForm::Table => {
            let names = |(statement, _): &Columns<'_>| -> Vec<String> {
                statement.columns().iter().map(|column| column.name.clone()).collect()
            };
            let first = variants.first().map(names).unwrap_or_default();
            if variants.iter().any(|variant| names(variant) != first) {
                return any_rows(form);
            }
            let values: Vec<&Value> = first.iter().filter_map(|name| properties.get(name)).collect();
            let row = json!({ "type": "array", "prefixItems": values, "items": false, "minItems": first.len() });
            table_of(&json!({ "const": first }), &row)
        }
    }
}

/// The schema of a result whose columns depend on the call.
pub(super) fn any_rows(form: ResultForm) -> Map<String, Value> {
    match form {
        ResultForm::Rows => rows_of(&json!({ "type": "object" })),
        ResultForm::Table => {
            table_of(&json!({ "type": "array", "items": { "type": "string" } }), &json!({ "type": "array" }))
        }
    }
}

/// The result object around rows of that schema.
fn rows_of(row: &Value) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert(
        "properties".to_owned(),
        json!({
            "rows": { "type": "array", "items": row },
            "row_count": { "type": "integer", "minimum": 0 },
            "truncated": { "type": "boolean" },
            "next_cursor": { "type": ["string", "null"] }
        }),
    );
    schema.insert("required".to_owned(), json!(["rows", "row_count", "truncated", "next_cursor"]));
    schema.insert("additionalProperties".to_owned(), json!(false));
    schema
}

/// The same with the names of the columns beside the rows.
fn table_of(columns: &Value, row: &Value) -> Map<String, Value> {
    let mut schema = rows_of(row);
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("columns".to_owned(), columns.clone());
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.insert(0, json!("columns"));
    }
    schema
}

fn column_schema(kind: &TypeKind, dialect: Dialect, nullable: bool) -> Value {
    let (mut types, annotation) = json_types(kind, dialect);
    if types.is_empty() {
        // JSON stays JSON: anything.
        return json!({});
    }
    if nullable {
        types.push("null");
    }
    let ty = match types.as_slice() {
        [one] => json!(one),
        several => json!(several),
    };
    let mut schema = Map::from_iter([("type".to_owned(), ty)]);
    if let Some((key, value)) = annotation {
        schema.insert(key.to_owned(), json!(value));
    }
    Value::Object(schema)
}

/// The JSON types of a column's values, and what more is known of its strings; no types where it may be anything.
type JsonTypes = (Vec<&'static str>, Option<(&'static str, &'static str)>);

/// What the backends write for a column of that kind. SQLite lets any value stand in any column; what does not fit the
/// declared type is written as a string there, so that the schema is true of every row.
fn json_types(kind: &TypeKind, dialect: Dialect) -> JsonTypes {
    let sqlite = dialect == Dialect::Sqlite;
    match kind {
        TypeKind::Bool if sqlite => (vec!["boolean", "string"], None),
        TypeKind::Bool => (vec!["boolean"], None),
        TypeKind::Int if !sqlite => (vec!["integer"], None),
        // Past 2^53 a JSON number would not survive most readers.
        TypeKind::Int | TypeKind::BigInt => (vec!["integer", "string"], None),
        // NaN and the infinities are strings.
        TypeKind::Float => (vec!["number", "string"], None),
        TypeKind::Bytes => (vec!["string"], Some(("contentEncoding", "base64"))),
        TypeKind::Uuid if !sqlite => (vec!["string"], Some(("format", "uuid"))),
        TypeKind::Date if !sqlite => (vec!["string"], Some(("format", "date"))),
        TypeKind::TimestampTz if !sqlite => (vec!["string"], Some(("format", "date-time"))),
        TypeKind::Array(_) | TypeKind::Any | TypeKind::Other if sqlite => (vec!["number", "string"], None),
        TypeKind::Decimal
        | TypeKind::Text
        | TypeKind::Collated(_)
        | TypeKind::Uuid
        | TypeKind::Date
        | TypeKind::Time
        | TypeKind::Timestamp
        | TypeKind::TimestampTz
        | TypeKind::Enum(_)
        | TypeKind::Other => (vec!["string"], None),
        TypeKind::Array(_) => (vec!["array"], None),
        TypeKind::Json | TypeKind::Any => (Vec::new(), None),
    }
}
