//! From a value of the binary protocol to JSON. A value that is not of the column's described type is an error and never guessed at.

use mysql_async::Value as Sent;
use tollgate_core::{
    catalog::{SqlType, TypeKind},
    names::Value,
};

use super::{calendar, geometry};
use crate::json::{
    self,
    calendar::{Clock, Day, Zone},
};

/// A value that is not what its column was described as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a value from the server is not of the type that its column was described as")]
pub(super) struct Malformed;

/// How a column's values become JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Bool,
    Integer,
    Float,
    Text,
    Bytes,
    Date,
    Time,
    Timestamp(Zone),
    Json,
    Geometry,
}

impl Encoding {
    /// The encoding of a described type; `None` where nobody knows how it reads.
    pub(super) fn of(ty: &SqlType) -> Option<Self> {
        Some(match &ty.kind {
            TypeKind::Bool => Self::Bool,
            TypeKind::Int | TypeKind::BigInt => Self::Integer,
            TypeKind::Float => Self::Float,
            // Of a decimal, the server's own digits.
            TypeKind::Decimal | TypeKind::Text | TypeKind::Collated(_) | TypeKind::Enum(_) | TypeKind::Uuid => {
                Self::Text
            }
            TypeKind::Bytes => Self::Bytes,
            TypeKind::Date => Self::Date,
            TypeKind::Time => Self::Time,
            TypeKind::Timestamp => Self::Timestamp(Zone::None),
            TypeKind::TimestampTz => Self::Timestamp(Zone::Utc),
            TypeKind::Json => Self::Json,
            TypeKind::Other if ty.name == "geometry" => Self::Geometry,
            TypeKind::Other | TypeKind::Any | TypeKind::Array(_) => return None,
        })
    }

    /// Writes a value as JSON.
    pub(super) fn write(self, out: &mut Vec<u8>, value: &Sent) -> Result<(), Malformed> {
        match (self, value) {
            (_, Sent::NULL) => json::null(out),
            (Self::Bool, Sent::Int(integer)) => json::boolean(out, *integer != 0),
            (Self::Bool, Sent::UInt(integer)) => json::boolean(out, *integer != 0),
            (Self::Integer, Sent::Int(integer)) => json::integer(out, *integer),
            (Self::Integer, Sent::UInt(integer)) => json::unsigned(out, *integer),
            (Self::Float, Sent::Float(float)) => json::float(out, *float),
            (Self::Float, Sent::Double(double)) => json::double(out, *double),
            (Self::Text, Sent::Bytes(bytes)) => json::string(out, text(bytes)?),
            (Self::Bytes, Sent::Bytes(bytes)) => json::bytes(out, bytes),
            (Self::Json, Sent::Bytes(bytes)) => json::document(out, text(bytes)?),
            (Self::Geometry, Sent::Bytes(bytes)) => json::string(out, &geometry::text(bytes).ok_or(Malformed)?),
            (Self::Date, Sent::Date(..)) => calendar::date(out, moment(value)?.0),
            (Self::Timestamp(zone), Sent::Date(..)) => {
                let (day, clock) = moment(value)?;
                calendar::timestamp(out, day, clock, zone);
            }
            (Self::Time, Sent::Time(negative, days, hours, minutes, seconds, micros)) => {
                let hours = days.checked_mul(24).and_then(|of_days| of_days.checked_add(u32::from(*hours)));
                let hours = hours.ok_or(Malformed)?;
                let span = Clock { hours, minutes: *minutes, seconds: *seconds, micros: *micros };
                calendar::time(out, *negative, span);
            }
            _ => return Err(Malformed),
        }
        Ok(())
    }

    /// A value as it is bound, exactly; `None` of NULL, and of what has no such form.
    pub(super) fn value(self, value: &Sent) -> Result<Option<Value>, Malformed> {
        Ok(match (self, value) {
            (Self::Integer | Self::Bool, Sent::Int(integer)) => Some(Value::Integer(*integer)),
            (Self::Integer | Self::Bool, Sent::UInt(integer)) => Some(match i64::try_from(*integer) {
                Ok(integer) => Value::Integer(integer),
                Err(_) => Value::Number(integer.to_string()),
            }),
            (Self::Text | Self::Bytes | Self::Date | Self::Time | Self::Timestamp(_), value) => {
                // What is written is what is read, bytes in base64 too, and a timestamp in UTC.
                let mut written = Vec::new();
                self.write(&mut written, value)?;
                match serde_json::from_slice(&written) {
                    Ok(serde_json::Value::String(text)) => Some(Value::Text(match self {
                        Self::Timestamp(_) => text.trim_end_matches('Z').replacen('T', " ", 1),
                        _ => text,
                    })),
                    _ => None,
                }
            }
            _ => None,
        })
    }
}

fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    str::from_utf8(bytes).map_err(|_| Malformed)
}

fn moment(value: &Sent) -> Result<(Day, Clock), Malformed> {
    let Sent::Date(year, month, day, hours, minutes, seconds, micros) = *value else { return Err(Malformed) };
    let clock = Clock { hours: u32::from(hours), minutes, seconds, micros };
    Ok((Day { year: u32::from(year), month, of_month: day }, clock))
}
