//! Bound values, each by the type of the column that it is compared with: to this server `'abc' = 0` is true, so that a text never
//! meets a number. A value never becomes part of a statement's text.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mysql_async::Value as Bound;
use tollgate_core::{catalog::TypeKind, names::Value, sql::SlotUse};

/// Significant digits that every comparison of a decimal holds: with a parameter it is made in double precision.
const DIGITS_MAX: usize = 15;

/// Why a value cannot be bound. It never repeats the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BindError {
    #[error("the statement takes {expected} values and {given} were given")]
    Count { expected: usize, given: usize },
    #[error("a number is not written as one")]
    NotANumber,
    #[error("a number has more than {DIGITS_MAX} digits, which the server does not compare exactly")]
    TooPrecise,
    #[error("a text holds the character NUL")]
    Nul,
    #[error("a byte string is not base64")]
    NotBase64,
    #[error("a list holds what no list may")]
    List,
}

/// Every value as its place takes it.
pub(super) fn bind(values: &[Value], slots: &[SlotUse]) -> Result<Vec<Bound>, BindError> {
    if values.len() != slots.len() {
        return Err(BindError::Count { expected: slots.len(), given: values.len() });
    }
    values.iter().zip(slots).map(|(value, slot)| one(value, slot.ty.as_ref().map(|ty| &ty.kind))).collect()
}

fn one(value: &Value, kind: Option<&TypeKind>) -> Result<Bound, BindError> {
    match value {
        Value::Null => Ok(Bound::NULL),
        Value::Bool(truth) => Ok(Bound::Int(i64::from(*truth))),
        Value::Integer(integer) => Ok(Bound::Int(*integer)),
        Value::Number(text) => number(text, kind),
        Value::Text(text) => match kind {
            Some(TypeKind::Bytes) => STANDARD.decode(text).map(Bound::Bytes).map_err(|_| BindError::NotBase64),
            Some(TypeKind::Bool | TypeKind::Int | TypeKind::BigInt | TypeKind::Decimal | TypeKind::Float) => {
                number(text, kind)
            }
            _ => plain(text),
        },
        Value::Json(text) => plain(text),
        Value::Array(items) => list(items, kind),
    }
}

/// A list as the JSON text that the statement spells out: each value is checked as one by itself would be, and written as a string, which
/// is read as the column's type without going through a float.
fn list(items: &[Value], kind: Option<&TypeKind>) -> Result<Bound, BindError> {
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        texts.push(match one(item, kind)? {
            Bound::Int(integer) => integer.to_string(),
            Bound::UInt(integer) => integer.to_string(),
            // The shortest text that reads back as the same double.
            Bound::Double(double) => format!("{double:?}"),
            Bound::Bytes(text) if kind != Some(&TypeKind::Bytes) => {
                String::from_utf8(text).map_err(|_| BindError::List)?
            }
            _ => return Err(BindError::List),
        });
    }
    Ok(Bound::Bytes(serde_json::Value::from(texts).to_string().into_bytes()))
}

fn plain(text: &str) -> Result<Bound, BindError> {
    if text.contains('\0') { Err(BindError::Nul) } else { Ok(Bound::Bytes(text.as_bytes().to_vec())) }
}

/// An integer where the number is one; a double beside a column of doubles; else the decimal's text, which the server reads as a
/// double and so must not have more digits than one holds.
fn number(text: &str, kind: Option<&TypeKind>) -> Result<Bound, BindError> {
    if let Ok(integer) = text.parse() {
        return Ok(Bound::Int(integer));
    }
    if let Ok(integer) = text.parse() {
        return Ok(Bound::UInt(integer));
    }
    if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E')) {
        return Err(BindError::NotANumber);
    }
    let double = text.parse::<f64>().ok().filter(|double| double.is_finite()).ok_or(BindError::NotANumber)?;
    if kind == Some(&TypeKind::Float) {
        return Ok(Bound::Double(double));
    }
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let trailing = if mantissa.contains('.') { digits.trim_end_matches('0') } else { &digits };
    if trailing.trim_start_matches('0').len() > DIGITS_MAX {
        return Err(BindError::TooPrecise);
    }
    Ok(Bound::Bytes(text.as_bytes().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_never_meets_a_number() {
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(one(&text("abc"), Some(&TypeKind::BigInt)), Err(BindError::NotANumber));
        assert_eq!(one(&text(""), Some(&TypeKind::Int)), Err(BindError::NotANumber));
        assert_eq!(one(&text("9007199254740993"), Some(&TypeKind::BigInt)), Ok(Bound::Int(9_007_199_254_740_993)));
        assert_eq!(one(&text("18446744073709551615"), Some(&TypeKind::BigInt)), Ok(Bound::UInt(u64::MAX)));
        assert_eq!(one(&text("abc"), Some(&TypeKind::Text)), Ok(Bound::Bytes(b"abc".to_vec())));
        assert_eq!(one(&text("a\0"), Some(&TypeKind::Text)), Err(BindError::Nul));
        assert_eq!(one(&text("/wD+"), Some(&TypeKind::Bytes)), Ok(Bound::Bytes(vec![0xff, 0, 0xfe])));
    }

    #[test]
    fn a_number_is_compared_exactly_or_not_at_all() {
        let number = |text: &str, kind: TypeKind| one(&Value::Number(text.to_owned()), Some(&kind));
        assert_eq!(number("1e3", TypeKind::Decimal), Ok(Bound::Bytes(b"1e3".to_vec())));
        assert_eq!(number("12.50", TypeKind::Decimal), Ok(Bound::Bytes(b"12.50".to_vec())));
        assert_eq!(number("0.1", TypeKind::Float), Ok(Bound::Double(0.1)));
        assert_eq!(number("1234567890.1234567", TypeKind::Decimal), Err(BindError::TooPrecise));
        assert_eq!(number("1e999", TypeKind::Float), Err(BindError::NotANumber));
        assert_eq!(number("NaN", TypeKind::Float), Err(BindError::NotANumber));
        assert_eq!(number("0x10", TypeKind::Decimal), Err(BindError::NotANumber));
    }
}
