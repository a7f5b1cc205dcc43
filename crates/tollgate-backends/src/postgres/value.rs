//! From the binary form of a column to JSON, without a value in between. It reads the common types; for every other type
//! the statement asks the database for its text.

use postgres_types::{FromSql, Kind, Type};
use tollgate_core::names::Value;

use super::{calendar, numeric, types};
use crate::json::{self, calendar::Zone};

/// A value as the server sent it; `None` for NULL.
pub(super) struct Raw<'a>(pub(super) Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A value that is not what its type's binary form may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a value from the server is malformed")]
pub(super) struct Malformed;

/// How a column's binary form becomes JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Text,
    Bytes,
    Uuid,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Json,
    Jsonb,
    Array(Box<Encoding>),
}

impl Encoding {
    /// The encoding of a type's binary form; `None` where only the database knows how the type reads.
    pub(super) fn of(ty: &Type) -> Option<Self> {
        let ty = types::base(ty);
        let encoding = match *ty {
            Type::BOOL => Self::Bool,
            Type::INT2 => Self::Int2,
            Type::INT4 => Self::Int4,
            Type::INT8 => Self::Int8,
            Type::FLOAT4 => Self::Float4,
            Type::FLOAT8 => Self::Float8,
            Type::NUMERIC => Self::Numeric,
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME => Self::Text,
            Type::BYTEA => Self::Bytes,
            Type::UUID => Self::Uuid,
            Type::DATE => Self::Date,
            Type::TIME => Self::Time,
            Type::TIMESTAMP => Self::Timestamp,
            Type::TIMESTAMPTZ => Self::TimestampTz,
            Type::JSON => Self::Json,
            Type::JSONB => Self::Jsonb,
            _ => match ty.kind() {
                Kind::Enum(_) => Self::Text,
                Kind::Array(element) if !matches!(types::base(element).kind(), Kind::Array(_)) => {
                    Self::Array(Box::new(Self::of(element)?))
                }
                _ => return None,
            },
        };
        Some(encoding)
    }

    /// A value as it is bound, exactly; `None` of NULL, and of what has no such form.
    pub(super) fn value(&self, raw: Option<&[u8]>) -> Result<Option<Value>, Malformed> {
        if matches!(self, Self::Float4 | Self::Float8 | Self::Json | Self::Jsonb | Self::Array(_)) {
            return Ok(None);
        }
        // What is written is what is read, bytes in base64 too. The text of a number is as good as the number.
        let mut written = Vec::new();
        self.write(&mut written, raw)?;
        Ok(match serde_json::from_slice(&written) {
            Ok(serde_json::Value::Bool(truth)) => Some(Value::Bool(truth)),
            Ok(serde_json::Value::Number(number)) => number.as_i64().map(Value::Integer),
            Ok(serde_json::Value::String(text)) => Some(Value::Text(text)),
            _ => None,
        })
    }

    /// How long a value of so many bytes is at least when it is written; zero where that does not follow.
    pub(super) fn written_min(&self, length: usize) -> usize {
        match self {
            Self::Text | Self::Bytes => length,
            // Each element has its length in four bytes before it, and two quotation marks and a comma as JSON.
            Self::Array(element) if matches!(**element, Self::Text | Self::Bytes) => length / 2,
            _ => 0,
        }
    }

    /// Writes a value as JSON.
    pub(super) fn write(&self, out: &mut Vec<u8>, raw: Option<&[u8]>) -> Result<(), Malformed> {
        let Some(raw) = raw else {
            json::null(out);
            return Ok(());
        };
        match self {
            Self::Bool => json::boolean(out, fixed::<1>(raw)? != [0]),
            Self::Int2 => json::integer(out, i16::from_be_bytes(fixed(raw)?).into()),
            Self::Int4 => json::integer(out, i32::from_be_bytes(fixed(raw)?).into()),
            Self::Int8 => json::integer(out, i64::from_be_bytes(fixed(raw)?)),
            Self::Float4 => json::float(out, f32::from_be_bytes(fixed(raw)?)),
            Self::Float8 => json::double(out, f64::from_be_bytes(fixed(raw)?)),
            Self::Numeric => numeric::write(out, raw)?,
            Self::Text => json::string(out, text(raw)?),
            Self::Bytes => json::bytes(out, raw),
            Self::Uuid => uuid(out, fixed(raw)?),
            Self::Date => calendar::date(out, i32::from_be_bytes(fixed(raw)?)),
            Self::Time => calendar::time(out, i64::from_be_bytes(fixed(raw)?)),
            Self::Timestamp => calendar::timestamp(out, i64::from_be_bytes(fixed(raw)?), Zone::None),
            Self::TimestampTz => calendar::timestamp(out, i64::from_be_bytes(fixed(raw)?), Zone::Utc),
            Self::Json => json::document(out, text(raw)?),
            Self::Jsonb => match raw {
                // The only version there is.
                [1, document @ ..] => json::document(out, text(document)?),
                _ => return Err(Malformed),
            },
            Self::Array(element) => array(out, element, raw)?,
        }
        Ok(())
    }
}

fn fixed<const N: usize>(raw: &[u8]) -> Result<[u8; N], Malformed> {
    raw.try_into().map_err(|_| Malformed)
}

fn text(raw: &[u8]) -> Result<&str, Malformed> {
    str::from_utf8(raw).map_err(|_| Malformed)
}

fn uuid(out: &mut Vec<u8>, bytes: [u8; 16]) {
    const HEX: [u8; 16] = *b"0123456789abcdef";
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
    out.push(b'"');
    for (index, byte) in bytes.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    out.push(b'"');
}

/// The most dimensions that PostgreSQL's arrays have.
const DIMENSIONS_MAX: usize = 6;

fn array(out: &mut Vec<u8>, element: &Encoding, raw: &[u8]) -> Result<(), Malformed> {
    let mut raw = Reader(raw);
    let dimensions = usize::try_from(raw.i32()?).map_err(|_| Malformed)?;
    let _has_nulls = raw.i32()?;
    let _element_type = raw.i32()?;
    if dimensions > DIMENSIONS_MAX {
        return Err(Malformed);
    }
    let mut lengths = [0; DIMENSIONS_MAX];
    for length in lengths.iter_mut().take(dimensions) {
        *length = u32::try_from(raw.i32()?).map_err(|_| Malformed)?;
        if *length == 0 {
            return Err(Malformed);
        }
        let _lower_bound = raw.i32()?;
    }
    match lengths.get(..dimensions) {
        Some([]) => out.extend_from_slice(b"[]"),
        Some(lengths) => dimension(out, element, lengths, &mut raw)?,
        None => return Err(Malformed),
    }
    raw.end()
}

fn dimension(out: &mut Vec<u8>, element: &Encoding, lengths: &[u32], raw: &mut Reader) -> Result<(), Malformed> {
    let Some((length, inner)) = lengths.split_first() else {
        return element.write(out, raw.value()?);
    };
    out.push(b'[');
    for index in 0..*length {
        if index > 0 {
            out.push(b',');
        }
        dimension(out, element, inner, raw)?;
    }
    out.push(b']');
    Ok(())
}

/// Reads a binary value from its front.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*head)
    }

    pub(super) fn i16(&mut self) -> Result<i16, Malformed> {
        self.take().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Result<i32, Malformed> {
        self.take().map(i32::from_be_bytes)
    }

    /// A value behind its length; -1 is NULL.
    fn value(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        let length = self.i32()?;
        if length == -1 {
            return Ok(None);
        }
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        let (value, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(Some(value))
    }

    fn end(self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}
