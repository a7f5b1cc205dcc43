//! Bound values in PostgreSQL's text format, which every type reads. What can be seen to be unusable is refused before
//! anything is sent; a value never becomes part of a statement's text.

use std::{
    error::Error,
    fmt::{self, Write as _},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::{BufMut as _, BytesMut};
use postgres_types::{Format, IsNull, Kind, ToSql, Type};
use tollgate_core::names::Value;

use super::types;

/// Why a value cannot be bound. It never repeats the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BindError {
    #[error("the statement takes {expected} values and {given} were given")]
    Count { expected: usize, given: usize },
    #[error("an integer is out of its type's range")]
    IntegerRange,
    #[error("a number is not written as one")]
    NotANumber,
    #[error("a text holds the character NUL, which PostgreSQL cannot store")]
    Nul,
    #[error("a byte string is not base64")]
    NotBase64,
    #[error("an array was given where one value belongs")]
    UnexpectedArray,
    #[error("one value was given where an array belongs")]
    ExpectedArray,
}

/// A value ready to be sent; `None` for NULL. Its text is never shown, since arguments are data.
pub(super) struct Bound(Option<String>);

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Bound" } else { "NULL" })
    }
}

impl ToSql for Bound {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let Some(text) = &self.0 else { return Ok(IsNull::Yes) };
        out.put_slice(text.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.to_sql(ty, out)
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }
}

/// Every value as its parameter's type reads it.
pub(super) fn bind(values: &[Value], types: &[Type]) -> Result<Vec<Bound>, BindError> {
    if values.len() != types.len() {
        return Err(BindError::Count { expected: types.len(), given: values.len() });
    }
    values.iter().zip(types).map(|(value, ty)| one(value, types::base(ty))).collect()
}

fn one(value: &Value, ty: &Type) -> Result<Bound, BindError> {
    let text = match (value, ty.kind()) {
        (Value::Null, _) => return Ok(Bound(None)),
        (Value::Array(elements), Kind::Array(element)) => array(elements, types::base(element))?,
        (Value::Array(_), _) => return Err(BindError::UnexpectedArray),
        (_, Kind::Array(_)) => return Err(BindError::ExpectedArray),
        (value, _) => scalar(value, ty)?,
    };
    Ok(Bound(Some(text)))
}

fn scalar(value: &Value, ty: &Type) -> Result<String, BindError> {
    match value {
        Value::Bool(value) => Ok(value.to_string()),
        Value::Integer(value) => integer(*value, ty),
        Value::Number(text) => number(text),
        Value::Text(text) if *ty == Type::BYTEA => hex(text),
        Value::Text(text) | Value::Json(text) if text.contains('\0') => Err(BindError::Nul),
        Value::Text(text) | Value::Json(text) => Ok(text.clone()),
        // An array inside an array, or a NULL inside one: no slot asks for either.
        Value::Array(_) | Value::Null => Err(BindError::UnexpectedArray),
    }
}

fn integer(value: i64, ty: &Type) -> Result<String, BindError> {
    let fits = match *ty {
        Type::INT2 => i16::try_from(value).is_ok(),
        Type::INT4 => i32::try_from(value).is_ok(),
        _ => true,
    };
    if fits { Ok(value.to_string()) } else { Err(BindError::IntegerRange) }
}

/// A decimal number, and nothing that PostgreSQL would read as one beside it, such as `NaN` or `0x10`.
fn number(text: &str) -> Result<String, BindError> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    if plain && text.bytes().any(|b| b.is_ascii_digit()) { Ok(text.to_owned()) } else { Err(BindError::NotANumber) }
}

/// Bytes travel as base64 in both directions.
fn hex(base64: &str) -> Result<String, BindError> {
    let bytes = STANDARD.decode(base64).map_err(|_| BindError::NotBase64)?;
    let mut hex = String::with_capacity(2 + bytes.len() * 2);
    hex.push_str("\\x");
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(hex)
}

fn array(elements: &[Value], element_type: &Type) -> Result<String, BindError> {
    let mut text = String::from("{");
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        // Quoted without exception, so that no element can be read as NULL, a brace or a separator.
        text.push('"');
        for character in scalar(element, element_type)?.chars() {
            if matches!(character, '"' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
        text.push('"');
    }
    text.push('}');
    Ok(text)
}
