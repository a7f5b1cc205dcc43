//! A parameter that makes sense by itself, and the reading of its argument. Knows nothing of the statement it stands in.

use serde_json::value::RawValue;

use super::{
    arguments::{self, quoted},
    declare::{ParamDeclaration, ParamType},
    error::{ArgumentError, Problem, ToolError},
    scalar::{Bound, Scalar},
};
use crate::names::{Dialect, ParamName, Value};

/// Items of an array where the declaration does not say.
pub(super) const ITEMS_MAX_DEFAULT: u64 = 1_000;
/// Items of an array at most, whatever the declaration says.
const ITEMS_MAX_MAX: u64 = 10_000;
/// Characters of a description at most.
const DESCRIPTION_MAX: usize = 2_048;

/// A parameter of a tool.
#[derive(Clone, Debug)]
pub struct Param {
    name: ParamName,
    description: Option<String>,
    pub(super) form: Form,
    presence: Presence,
    sensitive: bool,
}

/// One value or several.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// One value.
    One(Scalar),
    /// An array of them, without nulls.
    Many {
        /// What each item must be.
        items: Scalar,
        /// Items at most.
        items_max: u64,
    },
}

/// Whether an argument must be given.
#[derive(Clone, Debug, PartialEq)]
pub enum Presence {
    /// It must.
    Required,
    /// It may be absent; the clauses that hold it then drop.
    Optional,
    /// This value is in force when it is absent.
    Default {
        /// As written, for the schema.
        written: serde_json::Value,
        /// As bound.
        value: Value,
    },
}

impl Param {
    /// Reads a declared parameter. Every mistake is told, with its place below `place`.
    pub(super) fn declare(
        written: &ParamDeclaration,
        dialect: Dialect,
        place: &str,
        errors: &mut Vec<ToolError>,
    ) -> Option<Param> {
        let long = written.description.as_ref().is_some_and(|text| text.chars().count() > DESCRIPTION_MAX);
        if long {
            let problem = Problem::TooLarge { what: "description", max: DESCRIPTION_MAX as u64 };
            errors.push(ToolError::new(&format!("{place}.description"), problem));
        }
        let form = match written.constraints.ty {
            ParamType::Array => array_form(written, place, errors)?,
            _ => scalar_form(written, place, errors)?,
        };
        let mut param = Param {
            name: written.name.clone(),
            description: written.description.clone(),
            form,
            presence: Presence::Required,
            sensitive: written.sensitive,
        };
        param.presence = match (&written.default, written.required) {
            (None, None | Some(true)) => Presence::Required,
            (None, Some(false)) => Presence::Optional,
            (Some(_), Some(true)) => {
                errors.push(ToolError::new(&format!("{place}.required"), Problem::RequiredWithDefault));
                return None;
            }
            (Some(default), None | Some(false)) => match param.read_default(default, dialect) {
                Ok(value) => Presence::Default { written: default.clone(), value },
                Err(wanted) => {
                    errors.push(ToolError::new(&format!("{place}.default"), Problem::Default { wanted }));
                    return None;
                }
            },
        };
        Some(param)
    }

    /// Its name.
    pub fn name(&self) -> &ParamName {
        &self.name
    }

    /// What it means.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Whether it must be given.
    pub fn presence(&self) -> &Presence {
        &self.presence
    }

    /// Whether it is declared sensitive.
    pub fn sensitive(&self) -> bool {
        self.sensitive
    }

    /// Its type as the configuration says it.
    pub fn type_name(&self) -> String {
        match &self.form {
            Form::One(scalar) => scalar.ty().name().to_owned(),
            Form::Many { items, .. } => format!("array of {}", items.ty().name()),
        }
    }

    /// What one of its values must be: its own rules, or those of its items.
    pub(super) fn scalar(&self) -> &Scalar {
        match &self.form {
            Form::One(scalar) | Form::Many { items: scalar, .. } => scalar,
        }
    }

    /// Whether its absence drops clauses.
    pub(super) fn is_optional(&self) -> bool {
        matches!(self.presence, Presence::Optional)
    }

    /// Whether its argument is an array.
    pub(super) fn is_array(&self) -> bool {
        matches!(self.form, Form::Many { .. })
    }

    /// Marks it sensitive: by the operator's list, or because it is compared with a masked column.
    pub(super) fn mark_sensitive(&mut self) {
        self.sensitive = true;
    }

    /// Bounds it for a page: rows are counted from zero. False when it is no integer.
    pub(super) fn bound_page(&mut self) -> bool {
        let Form::One(Scalar::Integer(rules)) = &mut self.form else { return false };
        let zero = Bound::zero();
        if let Some(zero) = zero
            && rules.minimum.as_ref().is_none_or(|minimum| minimum.value < zero.value)
        {
            rules.minimum = Some(zero);
        }
        true
    }

    /// Reads its argument.
    pub(super) fn read(&self, raw: &RawValue, dialect: Dialect) -> Result<Value, ArgumentError> {
        match &self.form {
            Form::One(scalar) => {
                scalar.read(raw, dialect).map_err(|wanted| self.invalid(self.name.to_string(), wanted, raw))
            }
            Form::Many { items, items_max } => self.read_array(raw, items, *items_max, dialect),
        }
    }

    /// What it must be, for a message that it is missing.
    pub(super) fn wanted(&self) -> String {
        match &self.form {
            Form::One(scalar) => scalar.wanted(),
            Form::Many { items, items_max } => array_wanted(items, *items_max),
        }
    }

    fn read_array(
        &self,
        raw: &RawValue,
        items: &Scalar,
        items_max: u64,
        dialect: Dialect,
    ) -> Result<Value, ArgumentError> {
        let wanted = || array_wanted(items, items_max);
        if !raw.get().starts_with('[') {
            return Err(self.invalid(self.name.to_string(), wanted(), raw));
        }
        let Some(raws) = arguments::array(raw, usize::try_from(items_max).unwrap_or(usize::MAX)) else {
            return Err(ArgumentError::Invalid { name: self.name.to_string(), wanted: wanted(), got: None });
        };
        let mut values = Vec::with_capacity(raws.len());
        for (position, raw) in raws.into_iter().enumerate() {
            let read = items.read(raw, dialect);
            values.push(read.map_err(|wanted| self.invalid(format!("{}[{position}]", self.name), wanted, raw))?);
        }
        Ok(Value::Array(values))
    }

    fn invalid(&self, name: String, wanted: String, raw: &RawValue) -> ArgumentError {
        // Saying back an object or an array helps nobody; its kind does.
        let is_text = matches!(
            self.scalar().ty(),
            ParamType::String | ParamType::Date | ParamType::Timestamp | ParamType::Uuid | ParamType::Json
        );
        let got = match raw.get().bytes().next() {
            _ if self.sensitive => None,
            Some(b'{') => Some("an object".to_owned()),
            Some(b'[') => Some("an array".to_owned()),
            Some(b'"') => Some(match arguments::string(raw) {
                None => "text that is not Unicode".to_owned(),
                Some(text) if is_text => quoted(&text),
                Some(text) => format!("the string {}", quoted(&text)),
            }),
            Some(b'-' | b'0'..=b'9') if is_text => Some(format!("the number {}", quoted(raw.get()))),
            _ => Some(quoted(raw.get())),
        };
        ArgumentError::Invalid { name, wanted, got }
    }

    fn read_default(&self, default: &serde_json::Value, dialect: Dialect) -> Result<Value, String> {
        let raw = RawValue::from_string(default.to_string()).map_err(|_| self.wanted())?;
        self.read(&raw, dialect).map_err(|error| match error {
            ArgumentError::Invalid { wanted, .. } => wanted,
            _ => self.wanted(),
        })
    }
}

fn array_wanted(items: &Scalar, items_max: u64) -> String {
    let what = match items.ty() {
        ParamType::String => "strings",
        ParamType::Integer => "integers",
        ParamType::Number => "numbers",
        ParamType::Boolean => "booleans",
        ParamType::Date => "dates",
        ParamType::Timestamp => "timestamps",
        ParamType::Uuid => "UUIDs",
        ParamType::Json | ParamType::Array => "JSON values",
    };
    format!("must be an array of at most {items_max} {what}")
}

fn scalar_form(written: &ParamDeclaration, place: &str, errors: &mut Vec<ToolError>) -> Option<Form> {
    for (key, is_written) in [("items", written.items.is_some()), ("max_items", written.max_items.is_some())] {
        if is_written {
            let problem = Problem::KeyWithoutMeaning { key, ty: written.constraints.ty.name() };
            errors.push(ToolError::new(&format!("{place}.{key}"), problem));
        }
    }
    Scalar::declare(&written.constraints, place, errors).map(Form::One)
}

fn array_form(written: &ParamDeclaration, place: &str, errors: &mut Vec<ToolError>) -> Option<Form> {
    let keys = &written.constraints;
    let misplaced = [
        ("enum", keys.allowed.is_some()),
        ("minimum", keys.minimum.is_some()),
        ("maximum", keys.maximum.is_some()),
        ("min_length", keys.min_length.is_some()),
        ("max_length", keys.max_length.is_some()),
        ("pattern", keys.pattern.is_some()),
    ];
    for (key, is_written) in misplaced {
        if is_written {
            errors.push(ToolError::new(&format!("{place}.{key}"), Problem::KeyOfItems { key }));
        }
    }
    let items_max = written.max_items.unwrap_or(ITEMS_MAX_DEFAULT);
    if items_max == 0 || items_max > ITEMS_MAX_MAX {
        let problem = Problem::ItemsMax { max: ITEMS_MAX_MAX };
        errors.push(ToolError::new(&format!("{place}.max_items"), problem));
    }
    let Some(items) = &written.items else {
        errors.push(ToolError::new(place, Problem::ArrayWithoutItems));
        return None;
    };
    let items = Scalar::declare(items, &format!("{place}.items"), errors)?;
    Some(Form::Many { items, items_max })
}
