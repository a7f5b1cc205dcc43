//! One value of a type: what it must satisfy, and how its JSON text becomes a bound value.

use serde_json::value::RawValue;

use super::{
    arguments::{self, quoted},
    datetime,
    decimal::Decimal,
    declare::{ConstraintDeclaration, ParamType},
    document,
    error::{Problem, ToolError},
    pattern::Pattern,
};
use crate::names::{Dialect, Value};

/// Bytes of a string at most, whatever its `max_length` says.
pub(super) const TEXT_BYTES_MAX: usize = 65_536;
/// Values of an enumeration at most.
const ENUM_MAX: usize = 1_000;
/// Values of an enumeration that a refusal lists.
const ENUM_LISTED_MAX: usize = 20;

/// What an integer past 64 bits is told.
const INTEGER_RANGE: &str = "must be an integer from -9223372036854775808 to 9223372036854775807";

/// What a value must be.
#[derive(Clone, Debug)]
pub(super) enum Scalar {
    /// Text.
    String(StringRules),
    /// A 64-bit integer.
    Integer(NumberRules),
    /// An exact decimal number.
    Number(NumberRules),
    /// A truth value.
    Boolean,
    /// A calendar date.
    Date,
    /// A moment.
    Timestamp,
    /// A UUID.
    Uuid,
    /// A JSON document.
    Json,
}

/// What a string must satisfy.
#[derive(Clone, Debug, Default)]
pub(super) struct StringRules {
    pub(super) allowed: Option<Vec<String>>,
    pub(super) min_length: Option<u64>,
    pub(super) max_length: Option<u64>,
    pub(super) pattern: Option<Pattern>,
}

/// What a number must satisfy. Each bound keeps the text it was written in, for messages and for the schema.
#[derive(Clone, Debug, Default)]
pub(super) struct NumberRules {
    pub(super) allowed: Option<Vec<Bound>>,
    pub(super) minimum: Option<Bound>,
    pub(super) maximum: Option<Bound>,
}

/// A number as written and as compared.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) written: serde_json::Number,
    pub(super) value: Decimal,
}

impl PartialEq for Bound {
    /// `1` and `1.0` are one value.
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Bound {
    fn new(written: &serde_json::Number) -> Option<Bound> {
        Some(Bound { written: written.clone(), value: Decimal::parse(&written.to_string())? })
    }

    /// Zero: what a page begins at.
    pub(super) fn zero() -> Option<Bound> {
        Bound::new(&serde_json::Number::from(0))
    }
}

impl Scalar {
    /// Reads a type and its constraints. Every mistake is told, with its place below `place`.
    pub(super) fn declare(written: &ConstraintDeclaration, place: &str, errors: &mut Vec<ToolError>) -> Option<Scalar> {
        let before = errors.len();
        refuse_keys_without_meaning(written, place, errors);
        let scalar = match written.ty {
            ParamType::String => Scalar::String(string_rules(written, place, errors)),
            ParamType::Integer => Scalar::Integer(number_rules(written, place, errors)),
            ParamType::Number => Scalar::Number(number_rules(written, place, errors)),
            ParamType::Boolean => Scalar::Boolean,
            ParamType::Date => Scalar::Date,
            ParamType::Timestamp => Scalar::Timestamp,
            ParamType::Uuid => Scalar::Uuid,
            ParamType::Json => Scalar::Json,
            ParamType::Array => {
                errors.push(ToolError::new(place, Problem::NestedArray));
                return None;
            }
        };
        (errors.len() == before).then_some(scalar)
    }

    /// The type it was declared with.
    pub(super) fn ty(&self) -> ParamType {
        match self {
            Scalar::String(_) => ParamType::String,
            Scalar::Integer(_) => ParamType::Integer,
            Scalar::Number(_) => ParamType::Number,
            Scalar::Boolean => ParamType::Boolean,
            Scalar::Date => ParamType::Date,
            Scalar::Timestamp => ParamType::Timestamp,
            Scalar::Uuid => ParamType::Uuid,
            Scalar::Json => ParamType::Json,
        }
    }

    /// The values of its enumeration, where it has one of strings.
    pub(super) fn allowed_texts(&self) -> Option<&[String]> {
        match self {
            Scalar::String(rules) => rules.allowed.as_deref(),
            _ => None,
        }
    }

    /// Reads a value from its JSON text, or says what it must be: `must be an integer`.
    pub(super) fn read(&self, raw: &RawValue, dialect: Dialect) -> Result<Value, String> {
        match self {
            Scalar::String(rules) => rules.read(raw),
            Scalar::Integer(rules) => {
                let integer = Decimal::parse(raw.get()).ok_or_else(|| self.wanted())?;
                rules.check(&integer, &self.wanted())?;
                integer
                    .to_integer()
                    .map(Value::Integer)
                    .ok_or_else(|| if integer.is_integral() { INTEGER_RANGE.to_owned() } else { self.wanted() })
            }
            Scalar::Number(rules) => {
                let number = Decimal::parse(raw.get()).ok_or_else(|| self.wanted())?;
                rules.check(&number, &self.wanted())?;
                Ok(Value::Number(raw.get().to_owned()))
            }
            Scalar::Boolean => match raw.get() {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                _ => Err(self.wanted()),
            },
            Scalar::Date | Scalar::Timestamp | Scalar::Uuid => {
                let text = arguments::string(raw).ok_or_else(|| self.wanted())?;
                self.normalise(&text, dialect).map(Value::Text).ok_or_else(|| self.wanted())
            }
            Scalar::Json if raw.get() == "null" => Err(self.wanted()),
            Scalar::Json => document::document(raw).map(Value::Json),
        }
    }

    /// What it must be, in one phrase: `must be an integer from 1 to 100`.
    pub(super) fn wanted(&self) -> String {
        match self {
            Scalar::String(rules) => rules.wanted(),
            Scalar::Integer(rules) => rules.wanted("an integer"),
            Scalar::Number(rules) => rules.wanted("a number"),
            Scalar::Boolean => "must be `true` or `false`".to_owned(),
            Scalar::Date => "must be a date such as `2026-01-31`".to_owned(),
            Scalar::Timestamp => "must be a timestamp with its offset, such as `2026-01-31T09:30:00Z`".to_owned(),
            Scalar::Uuid => "must be a UUID such as `123e4567-e89b-42d3-a456-426614174000`".to_owned(),
            Scalar::Json => "must be a JSON value other than null".to_owned(),
        }
    }

    fn normalise(&self, text: &str, dialect: Dialect) -> Option<String> {
        match self {
            Scalar::Date => datetime::date(text).map(|_| text.to_owned()),
            Scalar::Timestamp => datetime::timestamp(text, dialect),
            Scalar::Uuid => datetime::uuid(text),
            _ => None,
        }
    }
}

impl StringRules {
    fn read(&self, raw: &RawValue) -> Result<Value, String> {
        let text = arguments::string(raw).ok_or_else(|| self.wanted())?;
        // Characters as JSON Schema counts them: code points.
        let length = text.chars().count() as u64;
        if text.len() > TEXT_BYTES_MAX {
            return Err(format!("must be at most {TEXT_BYTES_MAX} bytes of text"));
        }
        if text.contains('\0') {
            return Err("must not hold the character U+0000".to_owned());
        }
        let fits = self.allowed.as_ref().is_none_or(|allowed| allowed.iter().any(|value| *value == text))
            && self.min_length.is_none_or(|min| length >= min)
            && self.max_length.is_none_or(|max| length <= max)
            && self.pattern.as_ref().is_none_or(|pattern| pattern.matches(&text));
        if fits { Ok(Value::Text(text.into_owned())) } else { Err(self.wanted()) }
    }

    fn wanted(&self) -> String {
        if let Some(allowed) = &self.allowed {
            return one_of(allowed.iter().map(String::as_str));
        }
        let length = match (self.min_length, self.max_length) {
            (Some(min), Some(max)) if min == max => format!(" of exactly {min} characters"),
            (Some(min), Some(max)) => format!(" of {min} to {max} characters"),
            (Some(min), None) => format!(" of at least {min} characters"),
            (None, Some(max)) => format!(" of at most {max} characters"),
            (None, None) => String::new(),
        };
        match &self.pattern {
            Some(pattern) => format!("must be a string{length} that matches `{}`", pattern.written()),
            None => format!("must be a string{length}"),
        }
    }
}

impl NumberRules {
    fn check(&self, number: &Decimal, wanted: &str) -> Result<(), String> {
        let fits = self.allowed.as_ref().is_none_or(|allowed| allowed.iter().any(|bound| bound.value == *number))
            && self.minimum.as_ref().is_none_or(|bound| *number >= bound.value)
            && self.maximum.as_ref().is_none_or(|bound| *number <= bound.value);
        if fits { Ok(()) } else { Err(wanted.to_owned()) }
    }

    fn wanted(&self, what: &str) -> String {
        if let Some(allowed) = &self.allowed {
            let texts: Vec<String> = allowed.iter().map(|bound| bound.written.to_string()).collect();
            return one_of(texts.iter().map(String::as_str));
        }
        match (&self.minimum, &self.maximum) {
            (Some(min), Some(max)) => format!("must be {what} from {} to {}", min.written, max.written),
            (Some(min), None) => format!("must be {what} of at least {}", min.written),
            (None, Some(max)) => format!("must be {what} of at most {}", max.written),
            (None, None) => format!("must be {what}"),
        }
    }
}

fn one_of<'v>(values: impl ExactSizeIterator<Item = &'v str>) -> String {
    let count = values.len();
    if count > ENUM_LISTED_MAX {
        return format!("must be one of the {count} values that the tool's input schema lists");
    }
    let values: Vec<String> = values.map(quoted).collect();
    format!("{} {}", if count == 1 { "must be" } else { "must be one of" }, values.join(", "))
}

/// No key is read and ignored: one that means nothing for the type is a mistake.
fn refuse_keys_without_meaning(written: &ConstraintDeclaration, place: &str, errors: &mut Vec<ToolError>) {
    let text = written.ty == ParamType::String;
    let number = matches!(written.ty, ParamType::Integer | ParamType::Number);
    let keys = [
        ("enum", written.allowed.is_some(), text || number),
        ("minimum", written.minimum.is_some(), number),
        ("maximum", written.maximum.is_some(), number),
        ("min_length", written.min_length.is_some(), text),
        ("max_length", written.max_length.is_some(), text),
        ("pattern", written.pattern.is_some(), text),
    ];
    for (key, is_written, has_meaning) in keys {
        if is_written && !has_meaning {
            let problem = Problem::KeyWithoutMeaning { key, ty: written.ty.name() };
            errors.push(ToolError::new(&format!("{place}.{key}"), problem));
        }
    }
}

fn string_rules(written: &ConstraintDeclaration, place: &str, errors: &mut Vec<ToolError>) -> StringRules {
    let allowed = enumeration(written, place, errors, |value| value.as_str().map(str::to_owned), "a string");
    let pattern = written.pattern.as_ref().and_then(|pattern| match Pattern::compile(pattern) {
        Ok(pattern) => Some(pattern),
        Err(problem) => {
            errors.push(ToolError::new(&format!("{place}.pattern"), problem));
            None
        }
    });
    for (key, length) in [("min_length", written.min_length), ("max_length", written.max_length)] {
        if length.is_some_and(|length| length > TEXT_BYTES_MAX as u64) {
            let problem = Problem::TooLarge { what: key, max: TEXT_BYTES_MAX as u64 };
            errors.push(ToolError::new(&format!("{place}.{key}"), problem));
        }
    }
    if let (Some(min), Some(max)) = (written.min_length, written.max_length)
        && min > max
    {
        let problem = Problem::EmptyRange { low: "min_length", high: "max_length" };
        errors.push(ToolError::new(&format!("{place}.min_length"), problem));
    }
    let rules = StringRules { allowed: None, min_length: written.min_length, max_length: written.max_length, pattern };
    for (position, value) in &allowed {
        let json = serde_json::Value::from(value.as_str()).to_string();
        let read = RawValue::from_string(json).map_err(|_| "a string".to_owned()).and_then(|raw| rules.read(&raw));
        if let Err(wanted) = read {
            let problem = Problem::EnumUnfit { wanted };
            errors.push(ToolError::new(&format!("{place}.enum[{position}]"), problem));
        }
    }
    StringRules { allowed: written.allowed.as_ref().map(|_| values_of(allowed)), ..rules }
}

fn number_rules(written: &ConstraintDeclaration, place: &str, errors: &mut Vec<ToolError>) -> NumberRules {
    let integer = written.ty == ParamType::Integer;
    let wanted = if integer { "an integer of 64 bits" } else { "a number of at most 100 digits" };
    let bound =
        |number: &serde_json::Number| Bound::new(number).filter(|bound| !integer || bound.value.to_integer().is_some());
    let mut limit = |key: &'static str, number: &Option<serde_json::Number>| {
        let number = number.as_ref()?;
        let bound = bound(number);
        if bound.is_none() {
            let problem = Problem::Constraint { key, wanted: wanted.to_owned() };
            errors.push(ToolError::new(&format!("{place}.{key}"), problem));
        }
        bound
    };
    let (minimum, maximum) = (limit("minimum", &written.minimum), limit("maximum", &written.maximum));
    if let (Some(min), Some(max)) = (&minimum, &maximum)
        && min.value > max.value
    {
        let problem = Problem::EmptyRange { low: "minimum", high: "maximum" };
        errors.push(ToolError::new(&format!("{place}.minimum"), problem));
    }
    let allowed = enumeration(written, place, errors, |value| value.as_number().and_then(bound), wanted);
    let rules = NumberRules { allowed: None, minimum, maximum };
    for (position, value) in &allowed {
        if let Err(wanted) = rules.check(&value.value, &rules.wanted(if integer { "an integer" } else { "a number" })) {
            let problem = Problem::EnumUnfit { wanted };
            errors.push(ToolError::new(&format!("{place}.enum[{position}]"), problem));
        }
    }
    NumberRules { allowed: written.allowed.as_ref().map(|_| values_of(allowed)), ..rules }
}

fn values_of<T>(allowed: Vec<(usize, T)>) -> Vec<T> {
    allowed.into_iter().map(|(_, value)| value).collect()
}

/// The values of an enumeration with their positions, each of the parameter's type and none twice.
fn enumeration<T: PartialEq>(
    written: &ConstraintDeclaration,
    place: &str,
    errors: &mut Vec<ToolError>,
    read: impl Fn(&serde_json::Value) -> Option<T>,
    wanted: &str,
) -> Vec<(usize, T)> {
    let Some(values) = &written.allowed else { return Vec::new() };
    let at = format!("{place}.enum");
    if values.is_empty() {
        errors.push(ToolError::new(&at, Problem::EmptyEnum));
    }
    if values.len() > ENUM_MAX {
        errors.push(ToolError::new(&at, Problem::TooLarge { what: "enumeration", max: ENUM_MAX as u64 }));
    }
    let mut allowed: Vec<(usize, T)> = Vec::new();
    for (position, value) in values.iter().take(ENUM_MAX).enumerate() {
        let at = format!("{place}.enum[{position}]");
        match read(value) {
            None => {
                let problem = Problem::EnumType { value: quoted(&value.to_string()), wanted: wanted.to_owned() };
                errors.push(ToolError::new(&at, problem));
            }
            Some(read) if allowed.iter().any(|(_, known)| *known == read) => {
                errors.push(ToolError::new(&at, Problem::DuplicateEnum { value: quoted(&value.to_string()) }));
            }
            Some(read) => allowed.push((position, read)),
        }
    }
    allowed
}
