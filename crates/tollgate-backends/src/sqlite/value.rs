//! Values into SQLite and out of it. What comes out is JSON of the type that the column declares: a value of another storage
//! class (SQLite lets any stand in any column) becomes a string, so that a result's schema is true of every row.

use rusqlite::types::{ToSqlOutput, Value as Stored, ValueRef};
use serde_json::Number;
use tollgate_core::{catalog::TypeKind, names::Value};

use crate::{BackendError, ErrorKind, json};

/// Integers up to here are exact as doubles.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Why a value cannot be bound. Says nothing of the value itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BindError {
    #[error("a text with a NUL character, which SQLite's functions would cut short")]
    Nul,
    #[error("a number that is not decimal text, or is beyond a double's range")]
    Number,
    #[error("an array, or JSON, inside an array")]
    Nested,
}

impl From<BindError> for BackendError {
    fn from(error: BindError) -> Self {
        BackendError::new(ErrorKind::Data, error)
    }
}

/// A value as SQLite stores it. Arrays become the JSON text that `json_each` reads.
pub(super) fn bind(value: &Value) -> Result<ToSqlOutput<'_>, BindError> {
    Ok(match value {
        Value::Null => ToSqlOutput::Owned(Stored::Null),
        Value::Bool(truth) => ToSqlOutput::Owned(Stored::Integer(i64::from(*truth))),
        Value::Integer(integer) => ToSqlOutput::Owned(Stored::Integer(*integer)),
        Value::Number(text) => ToSqlOutput::Owned(number(text)?),
        Value::Text(text) | Value::Json(text) => ToSqlOutput::Borrowed(ValueRef::Text(without_nul(text)?.as_bytes())),
        Value::Array(items) => ToSqlOutput::Owned(Stored::Text(array(items)?)),
    })
}

/// An integer where the number is one, so that it compares and divides as one; else the nearest double.
fn number(text: &str) -> Result<Stored, BindError> {
    if let Ok(integer) = text.parse::<i64>() {
        return Ok(Stored::Integer(integer));
    }
    if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E')) {
        return Err(BindError::Number);
    }
    let double = text.parse::<f64>().ok().filter(|double| double.is_finite()).ok_or(BindError::Number)?;
    if double.fract() == 0.0 && double.abs() <= EXACT_MAX {
        return Ok(Stored::Integer(double as i64));
    }
    Ok(Stored::Real(double))
}

fn without_nul(text: &str) -> Result<&str, BindError> {
    if text.contains('\0') { Err(BindError::Nul) } else { Ok(text) }
}

fn array(items: &[Value]) -> Result<String, BindError> {
    let items: Vec<serde_json::Value> = items.iter().map(item).collect::<Result<_, _>>()?;
    Ok(serde_json::Value::Array(items).to_string())
}

fn item(value: &Value) -> Result<serde_json::Value, BindError> {
    Ok(match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(truth) => i64::from(*truth).into(),
        Value::Integer(integer) => (*integer).into(),
        Value::Number(text) => match number(text)? {
            Stored::Integer(integer) => integer.into(),
            Stored::Real(double) => Number::from_f64(double).ok_or(BindError::Number)?.into(),
            Stored::Null | Stored::Text(_) | Stored::Blob(_) => return Err(BindError::Number),
        },
        Value::Text(text) => without_nul(text)?.into(),
        Value::Json(_) | Value::Array(_) => return Err(BindError::Nested),
    })
}

/// A value as it is bound, of its own storage class and exactly; `None` where there is no such form.
pub(super) fn exact(stored: ValueRef<'_>) -> Option<Value> {
    match stored {
        ValueRef::Integer(integer) => Some(Value::Integer(integer)),
        // The debug form is the shortest that reads back as the same double.
        ValueRef::Real(double) => Some(Value::Number(format!("{double:?}"))).filter(|_| double.is_finite()),
        ValueRef::Text(bytes) => {
            let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
            text.map(|text| Value::Text(text.to_owned()))
        }
        ValueRef::Null | ValueRef::Blob(_) => None,
    }
}

/// How a column's values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As its storage class says.
    Storage,
    /// Always a string.
    Text,
    /// A whole number, or a string.
    Integer,
    /// A number, or a string.
    Float,
    /// `true` and `false`.
    Bool,
    /// JSON where the text is a document, else a string.
    Json,
    /// Base64.
    Bytes,
}

impl From<&TypeKind> for Encoding {
    fn from(kind: &TypeKind) -> Self {
        match kind {
            TypeKind::Bool => Encoding::Bool,
            TypeKind::Int | TypeKind::BigInt => Encoding::Integer,
            TypeKind::Float => Encoding::Float,
            TypeKind::Json => Encoding::Json,
            TypeKind::Bytes => Encoding::Bytes,
            TypeKind::Text
            | TypeKind::Collated(_)
            | TypeKind::Date
            | TypeKind::Time
            | TypeKind::Timestamp
            | TypeKind::TimestampTz
            | TypeKind::Uuid
            | TypeKind::Decimal
            | TypeKind::Enum(_) => Encoding::Text,
            TypeKind::Array(_) | TypeKind::Any | TypeKind::Other => Encoding::Storage,
        }
    }
}

/// Writes one value.
pub(super) fn encode(out: &mut Vec<u8>, encoding: Encoding, value: ValueRef<'_>) {
    match (encoding, value) {
        (_, ValueRef::Null) => json::null(out),
        (Encoding::Bool, ValueRef::Integer(integer)) => json::boolean(out, integer != 0),
        (Encoding::Json, ValueRef::Text(text)) => json::document(out, &readable(text)),
        (Encoding::Bytes, ValueRef::Text(bytes)) | (_, ValueRef::Blob(bytes)) => json::bytes(out, bytes),
        (Encoding::Text | Encoding::Bytes, ValueRef::Integer(integer)) => json::plain(out, &integer.to_string()),
        (Encoding::Integer, ValueRef::Real(double)) if double.fract() == 0.0 && double.abs() <= EXACT_MAX => {
            json::integer(out, double as i64);
        }
        (Encoding::Text | Encoding::Bytes | Encoding::Integer | Encoding::Bool, ValueRef::Real(double))
            if double.is_finite() =>
        {
            json::plain(out, &format!("{double:?}"));
        }
        (_, ValueRef::Integer(integer)) => json::integer(out, integer),
        (_, ValueRef::Real(double)) => json::double(out, double),
        (_, ValueRef::Text(text)) => json::string(out, &readable(text)),
    }
}

/// A text of a SQLite file may be any bytes; what is not UTF-8 in it is shown as U+FFFD.
fn readable(text: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(text)
}
