//! Types that may be cast to, and constants. Each type has one canonical spelling per dialect; of the database's own types only
//! the enumerations of visible columns are among them, and never a `reg*` type.

use sqlparser::ast::{self, ArrayElemTypeDef, CharacterLength, DataType, ExactNumberInfo, TimezoneInfo};

use super::expr::string;
use super::{Resolver, Scope};

use crate::catalog::{SqlType, TypeKind};
use crate::names::Dialect;
use crate::sql::error::{SqlError, shown};
use crate::sql::limits::{EXPONENT_MAX, NUMBER_CHARS_MAX};
use crate::sql::render::is_type_name;
use crate::sql::tree::{CastType, Literal};

/// The most characters or digits that a type's modifier may ask for.
const MODIFIER_MAX: u64 = 1_000;

impl Resolver<'_> {
    /// The canonical type; anything not listed is refused.
    pub(super) fn cast_type(&self, ty: &DataType) -> Result<CastType, SqlError> {
        let name = match self.dialect {
            Dialect::Postgres => postgres(ty).or_else(|| self.visible_enum(ty)),
            Dialect::Sqlite => sqlite(ty).map(str::to_owned),
            Dialect::MariaDb => mariadb(ty),
        };
        name.map(CastType).ok_or_else(|| SqlError::Type { name: shown(&ty.to_string()) })
    }

    /// An enumeration that a visible column has; there is no other to the caller.
    fn visible_enum(&self, ty: &DataType) -> Option<String> {
        let (element, brackets) = match ty {
            DataType::Array(ArrayElemTypeDef::SquareBracket(element, None)) => (&**element, "[]"),
            ty => (ty, ""),
        };
        let DataType::Custom(ast::ObjectName(parts), modifiers) = element else { return None };
        let mut path = Vec::with_capacity(2);
        for part in parts {
            let ast::ObjectNamePart::Identifier(ident) = part else { return None };
            path.push(self.folded(ident));
        }
        if path.len() == 1 {
            path.insert(0, self.scope.catalog.default_schema().to_owned());
        }
        let wanted = path.join(".");
        let Scope { catalog, visible, .. } = self.scope;
        let mut columns = visible.tables.iter().flat_map(|(id, restriction)| {
            let of_table = catalog.get(id).map_or(&[][..], |table| &table.columns);
            of_table.iter().filter(|column| restriction.columns.iter().any(|c| c.name == column.name))
        });
        let known = columns.any(|column| {
            matches!(column.ty.kind, TypeKind::Enum(_)) && column.ty.name == wanted && is_type_name(&column.ty.name)
        });
        (known && modifiers.is_empty()).then(|| format!("{wanted}{brackets}"))
    }

    /// `DATE '…'` and its like: PostgreSQL only.
    pub(super) fn typed_literal(&self, typed: &ast::TypedString) -> Result<Literal, SqlError> {
        let ast::TypedString { data_type, value, uses_odbc_syntax } = typed;
        if *uses_odbc_syntax {
            return Err(SqlError::unsupported("a literal in braces"));
        }
        let ty = self.cast_type(data_type)?;
        let Some(text) = string(&value.value) else {
            return Err(SqlError::unsupported("a typed literal that is not a string in single quotes"));
        };
        match self.dialect {
            Dialect::Postgres => Ok(Literal::Typed(ty, text.to_owned())),
            Dialect::MariaDb if is_of_its_type(ty.as_str(), text) => Ok(Literal::Typed(ty, text.to_owned())),
            Dialect::Sqlite | Dialect::MariaDb => {
                Err(SqlError::unsupported_use(format!("this {} literal", ty.as_str()), "write CAST('…' AS type)"))
            }
        }
    }
}

/// Whether a cast on MariaDB makes of a text what a literal of the type would be: `DATE '2024-01-31'`, `TIMESTAMP '2024-01-31 10:00:00'`.
fn is_of_its_type(ty: &str, text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    match ty {
        "date" => shape == "0000-00-00",
        "datetime" => shape == "0000-00-00 00:00:00",
        "time" => shape == "00:00:00",
        _ => false,
    }
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
        DataType::Time(precision, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            return seconds("time", *precision, "without time zone");
        }
        DataType::Timestamp(precision, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            return seconds("timestamp", *precision, "without time zone");
        }
        DataType::Timestamp(precision, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz) => {
            return seconds("timestamp", *precision, "with time zone");
        }
        DataType::Bytea => "bytea",
        DataType::Char(None) | DataType::Character(None) => "character(1)",
        DataType::Array(ArrayElemTypeDef::SquareBracket(element, None)) if !matches!(**element, DataType::Array(_)) => {
            return postgres(element).map(|element| format!("{element}[]"));
        }
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

/// A type with a number of digits after the seconds.
fn seconds(ty: &str, precision: Option<u64>, zone: &str) -> Option<String> {
    match precision {
        None => Some(format!("{ty} {zone}")),
        Some(digits @ 0..=6) => Some(format!("{ty}({digits}) {zone}")),
        Some(_) => None,
    }
}

fn sqlite(ty: &DataType) -> Option<&'static str> {
    match ty {
        DataType::Int(None)
        | DataType::Integer(None)
        | DataType::BigInt(None)
        | DataType::SmallInt(None)
        | DataType::TinyInt(None) => Some("INTEGER"),
        DataType::Real
        | DataType::DoublePrecision
        | DataType::Float(ExactNumberInfo::None)
        | DataType::Double(ExactNumberInfo::None) => Some("REAL"),
        DataType::Text
        | DataType::Varchar(_)
        | DataType::Char(_)
        | DataType::Character(_)
        | DataType::CharacterVarying(_)
        | DataType::Nvarchar(_) => Some("TEXT"),
        DataType::Numeric(info) | DataType::Decimal(info) => numeric(info).map(|_| "NUMERIC"),
        DataType::Blob(None) => Some("BLOB"),
        _ => None,
    }
}

/// What `CAST` takes on MariaDB and on MySQL 8 alike. It takes no names of columns' types.
fn mariadb(ty: &DataType) -> Option<String> {
    let plain = match ty {
        // INT and VARCHAR are MariaDB's own names of these two.
        DataType::Signed | DataType::SignedInteger | DataType::Int(None) | DataType::Integer(None) => "signed",
        DataType::Unsigned | DataType::UnsignedInteger => "unsigned",
        DataType::Double(ExactNumberInfo::None) | DataType::DoublePrecision => "double",
        DataType::Float(ExactNumberInfo::None) => "float",
        DataType::Binary(None) => "binary",
        DataType::Decimal(ExactNumberInfo::None) => "decimal(10,0)",
        DataType::Decimal(ExactNumberInfo::Precision(precision @ 1..=65)) => {
            return Some(format!("decimal({precision},0)"));
        }
        DataType::Date => "date",
        // The type of a literal; CAST has the other name alone.
        DataType::Datetime(None) | DataType::Timestamp(None, TimezoneInfo::None) => "datetime",
        DataType::Datetime(Some(digits @ 0..=6)) => return Some(format!("datetime({digits})")),
        DataType::Time(None, TimezoneInfo::None) => "time",
        DataType::Char(None) | DataType::Character(None) => "char",
        DataType::Char(Some(length)) | DataType::Character(Some(length)) | DataType::Varchar(Some(length)) => {
            return Some(format!("char({})", characters(length)?));
        }
        DataType::Decimal(ExactNumberInfo::PrecisionAndScale(precision @ 1..=65, scale)) => {
            let scale = u64::try_from(*scale).ok().filter(|scale| scale <= precision && *scale <= 38)?;
            return Some(format!("decimal({precision},{scale})"));
        }
        _ => return None,
    };
    Some(plain.to_owned())
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
    SqlType { name: ty.as_str().to_owned(), kind: kind(dialect, ty.as_str()) }
}

fn kind(dialect: Dialect, name: &str) -> TypeKind {
    if let Some(element) = name.strip_suffix("[]") {
        let element = SqlType { name: element.to_owned(), kind: kind(dialect, element) };
        return TypeKind::Array(Box::new(element));
    }
    let zoned = name.ends_with(" with time zone");
    let base = name.split(['(', ' ']).next().unwrap_or_default();
    match (dialect, base) {
        (_, "smallint" | "integer") => TypeKind::Int,
        (_, "bigint" | "INTEGER") | (Dialect::MariaDb, "signed" | "unsigned") => TypeKind::BigInt,
        (_, "real" | "double" | "REAL") | (Dialect::MariaDb, "float") => TypeKind::Float,
        (_, "text" | "character" | "TEXT") | (Dialect::MariaDb, "char") => TypeKind::Text,
        (_, "boolean") => TypeKind::Bool,
        (_, "date") => TypeKind::Date,
        (_, "time") if !zoned => TypeKind::Time,
        (_, "timestamp") if zoned => TypeKind::TimestampTz,
        (_, "timestamp") | (Dialect::MariaDb, "datetime") => TypeKind::Timestamp,
        (_, "uuid") => TypeKind::Uuid,
        (_, "json" | "jsonb") => TypeKind::Json,
        (_, "BLOB" | "bytea") | (Dialect::MariaDb, "binary") => TypeKind::Bytes,
        (Dialect::Postgres, "numeric") | (Dialect::MariaDb, "decimal") => TypeKind::Decimal,
        (Dialect::Sqlite, "NUMERIC") => TypeKind::Any,
        _ => TypeKind::Other,
    }
}

/// `INTERVAL '1 day'` and `INTERVAL '1' DAY`: PostgreSQL only.
pub(super) fn interval(dialect: Dialect, interval: &ast::Interval) -> Result<Literal, SqlError> {
    let ast::Interval { value, leading_field, leading_precision, last_field, fractional_seconds_precision } = interval;
    match dialect {
        Dialect::Postgres => {}
        Dialect::Sqlite => return Err(SqlError::unsupported_use("INTERVAL", "write date(x, '+1 day')")),
        Dialect::MariaDb => {
            let instead = "write it behind a date, as in d + INTERVAL 1 DAY";
            return Err(SqlError::unsupported_use("INTERVAL here", instead));
        }
    }
    let refuse = || SqlError::unsupported_use("this form of INTERVAL", "write INTERVAL '1 day'");
    if leading_precision.is_some() || last_field.is_some() || fractional_seconds_precision.is_some() {
        return Err(refuse());
    }
    let ast::Expr::Value(value) = value.as_ref() else { return Err(refuse()) };
    let text = string(&value.value).ok_or_else(refuse)?;
    let text = match leading_field {
        None => text.to_owned(),
        Some(field) => {
            let unit = interval_unit(field).ok_or_else(refuse)?;
            // With parts of a unit, or units of its own, the field would cut the value off.
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            let whole = !digits.is_empty() && digits.len() <= 9 && digits.bytes().all(|byte| byte.is_ascii_digit());
            if !whole {
                return Err(refuse());
            }
            format!("{text} {unit}")
        }
    };
    Ok(Literal::Typed(CastType("interval".into()), text))
}

/// The units that may stand behind an interval's string.
fn interval_unit(field: &ast::DateTimeField) -> Option<&'static str> {
    Some(match field {
        ast::DateTimeField::Year => "year",
        ast::DateTimeField::Month => "month",
        ast::DateTimeField::Day => "day",
        ast::DateTimeField::Hour => "hour",
        ast::DateTimeField::Minute => "minute",
        ast::DateTimeField::Second => "second",
        _ => return None,
    })
}

/// A number: digits, point, exponent, each within its limit.
pub(in crate::sql) fn number(text: &str) -> Result<Literal, SqlError> {
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
