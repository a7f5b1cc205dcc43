//! Types that may be cast to, and constants. Each type has one canonical spelling per dialect; `reg*` types, arrays and the
//! database's own types are not among them.

use sqlparser::ast::{self, CharacterLength, DataType, ExactNumberInfo, TimezoneInfo};

use crate::catalog::{SqlType, TypeKind};
use crate::names::Dialect;
use crate::sql::error::{SqlError, shown};
use crate::sql::limits::{EXPONENT_MAX, NUMBER_CHARS_MAX};
use crate::sql::tree::{CastType, Literal};

/// The most characters or digits that a type's modifier may ask for.
const MODIFIER_MAX: u64 = 1_000;

/// The canonical type; anything not listed is refused.
pub(super) fn cast_type(dialect: Dialect, ty: &DataType) -> Result<CastType, SqlError> {
    let name = match dialect {
        Dialect::Postgres => postgres(ty),
        Dialect::Sqlite => sqlite(ty).map(str::to_owned),
    };
    name.map(CastType).ok_or_else(|| SqlError::Type { name: shown(&ty.to_string()) })
}

fn postgres(ty: &DataType) -> Option<String> {
    let plain = match ty {
        DataType::SmallInt(None) | DataType::Int2(None) => "smallint",
        DataType::Int(None) | DataType::Integer(None) | DataType::Int4(None) => "integer",
        DataType::BigInt(None) | DataType::Int8(None) => "bigint",
        DataType::Real | DataType::Float4 => "real",
        DataType::DoublePrecision | DataType::Float8 | DataType::Float(ExactNumberInfo::None) => "double precision",
        DataType::Text => "text",
        DataType::Bool | DataType::Boolean => "boolean",
        DataType::Date => "date",
        DataType::Time(None, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => "time without time zone",
        DataType::Timestamp(None, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => "timestamp without time zone",
        DataType::Timestamp(None, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz) => "timestamp with time zone",
        DataType::Interval { fields: None, precision: None } => "interval",
        DataType::Uuid => "uuid",
        DataType::JSON => "json",
        DataType::JSONB => "jsonb",
        DataType::Numeric(info) | DataType::Decimal(info) | DataType::Dec(info) => return numeric(info),
        DataType::Varchar(length) | DataType::CharacterVarying(length) | DataType::CharVarying(length) => {
            return match length {
                None => Some("character varying".into()),
                Some(length) => Some(format!("character varying({})", characters(length)?)),
            };
        }
        DataType::Char(Some(length)) | DataType::Character(Some(length)) => {
            return Some(format!("character({})", characters(length)?));
        }
        _ => return None,
    };
    Some(plain.to_owned())
}

fn sqlite(ty: &DataType) -> Option<&'static str> {
    match ty {
        DataType::Int(None) | DataType::Integer(None) | DataType::BigInt(None) => Some("INTEGER"),
        DataType::Real
        | DataType::DoublePrecision
        | DataType::Float(ExactNumberInfo::None)
        | DataType::Double(ExactNumberInfo::None) => Some("REAL"),
        DataType::Text | DataType::Varchar(None) => Some("TEXT"),
        DataType::Numeric(info) | DataType::Decimal(info) => numeric(info).map(|_| "NUMERIC"),
        DataType::Blob(None) => Some("BLOB"),
        _ => None,
    }
}

fn numeric(info: &ExactNumberInfo) -> Option<String> {
    match info {
        ExactNumberInfo::None => Some("numeric".into()),
        ExactNumberInfo::Precision(precision) => {
            (1..=MODIFIER_MAX).contains(precision).then(|| format!("numeric({precision})"))
        }
        ExactNumberInfo::PrecisionAndScale(precision, scale) => {
            let fits = (1..=MODIFIER_MAX).contains(precision) && u64::try_from(*scale).is_ok_and(|s| s <= *precision);
            fits.then(|| format!("numeric({precision},{scale})"))
        }
    }
}

fn characters(length: &CharacterLength) -> Option<u64> {
    match length {
        CharacterLength::IntegerLength { length, unit: None } => (1..=MODIFIER_MAX).contains(length).then_some(*length),
        CharacterLength::IntegerLength { length: _, unit: Some(_) } | CharacterLength::Max => None,
    }
}

/// What kind of values a listed type has.
pub(super) fn sql_type(dialect: Dialect, ty: &CastType) -> SqlType {
    let base = ty.as_str().split('(').next().unwrap_or_default();
    let kind = match (dialect, base) {
        (_, "smallint" | "integer") => TypeKind::Int,
        (_, "bigint" | "INTEGER") => TypeKind::BigInt,
        (_, "real" | "double precision" | "REAL") => TypeKind::Float,
        (_, "text" | "character varying" | "character" | "TEXT") => TypeKind::Text,
        (_, "boolean") => TypeKind::Bool,
        (_, "date") => TypeKind::Date,
        (_, "time without time zone") => TypeKind::Time,
        (_, "timestamp without time zone") => TypeKind::Timestamp,
        (_, "timestamp with time zone") => TypeKind::TimestampTz,
        (_, "uuid") => TypeKind::Uuid,
        (_, "json" | "jsonb") => TypeKind::Json,
        (_, "BLOB") => TypeKind::Bytes,
        (Dialect::Postgres, "numeric") => TypeKind::Decimal,
        (Dialect::Sqlite, "NUMERIC") => TypeKind::Any,
        _ => TypeKind::Other,
    };
    SqlType { name: ty.as_str().to_owned(), kind }
}

/// `DATE '…'` and its like: PostgreSQL only.
pub(super) fn typed_literal(dialect: Dialect, typed: &ast::TypedString) -> Result<Literal, SqlError> {
    let ast::TypedString { data_type, value, uses_odbc_syntax } = typed;
    if *uses_odbc_syntax {
        return Err(SqlError::unsupported("a literal in braces"));
    }
    let ty = cast_type(dialect, data_type)?;
    let listed = ["date", "time without time zone", "timestamp without time zone", "timestamp with time zone"];
    let ast::Value::SingleQuotedString(text) = &value.value else {
        return Err(SqlError::unsupported("a typed literal that is not a string in single quotes"));
    };
    if dialect != Dialect::Postgres || !listed.contains(&ty.as_str()) {
        return Err(SqlError::unsupported_use(format!("a {} literal", ty.as_str()), "write CAST('…' AS type)"));
    }
    Ok(Literal::Typed(ty, text.clone()))
}

/// `INTERVAL '…'`: PostgreSQL only, with its unit inside the string.
pub(super) fn interval(dialect: Dialect, interval: &ast::Interval) -> Result<Literal, SqlError> {
    let ast::Interval { value, leading_field, leading_precision, last_field, fractional_seconds_precision } = interval;
    let bare = leading_field.is_none() && leading_precision.is_none() && last_field.is_none();
    if dialect == Dialect::Postgres
        && bare
        && fractional_seconds_precision.is_none()
        && let ast::Expr::Value(value) = value.as_ref()
        && let ast::Value::SingleQuotedString(text) = &value.value
    {
        return Ok(Literal::Typed(CastType("interval".into()), text.clone()));
    }
    Err(match dialect {
        Dialect::Postgres => SqlError::unsupported_use("this form of INTERVAL", "write INTERVAL '1 day'"),
        Dialect::Sqlite => SqlError::unsupported_use("INTERVAL", "write date(x, '+1 day')"),
    })
}

/// A number: digits, point, exponent, each within its limit.
pub(super) fn number(text: &str) -> Result<Literal, SqlError> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let well_formed = digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    let bounded = exponent.is_none_or(|e| {
        let magnitude = e.strip_prefix(['+', '-']).unwrap_or(e);
        !magnitude.is_empty() && digits(magnitude) && magnitude.parse::<u32>().is_ok_and(|m| m <= EXPONENT_MAX)
    });
    if well_formed && bounded && text.len() <= NUMBER_CHARS_MAX {
        return Ok(Literal::Number(text.to_owned()));
    }
    Err(SqlError::unsupported(format!("the number {}", shown(text))))
}
