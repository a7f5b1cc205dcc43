//! A call's arguments from their own JSON text: no value is built before its limit is known, no number passes through a float.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer as _,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::error::ArgumentError;

/// Entries of an object at most, arguments and documents inside a `json` argument alike.
pub(super) const ENTRIES_MAX: usize = 4_096;
/// Arguments of a call at most: no tool has as many.
const ARGUMENTS_MAX: usize = 256;
/// Characters of what the caller sent that are said back to it.
const ECHO_MAX: usize = 64;

/// The arguments by name, in the caller's order; none twice.
pub(super) type Entries<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// Splits the arguments' object. Absent arguments and `null` are an empty object.
pub(super) fn entries(arguments: Option<&RawValue>) -> Result<Entries<'_>, ArgumentError> {
    let Some(raw) = arguments.filter(|raw| raw.get() != "null") else { return Ok(Vec::new()) };
    match object(raw, ARGUMENTS_MAX) {
        Ok(entries) => Ok(entries),
        Err(ObjectError::Malformed) => Err(ArgumentError::NotAnObject),
        Err(ObjectError::Duplicate(name)) => Err(ArgumentError::Duplicate { name: echo(&name) }),
        Err(ObjectError::TooMany) => Err(ArgumentError::TooMany { max: ARGUMENTS_MAX }),
    }
}

/// Why a text is not an object of ours.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ObjectError {
    /// Not an object, or a key that is no text (a lone surrogate).
    Malformed,
    /// A key given twice.
    Duplicate(String),
    /// More entries than may be.
    TooMany,
}

/// The entries of a JSON object, values unread.
pub(super) fn object(raw: &RawValue, entries_max: usize) -> Result<Entries<'_>, ObjectError> {
    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
    deserializer.deserialize_map(ObjectVisitor { entries_max }).unwrap_or(Err(ObjectError::Malformed))
}

/// The items of a JSON array, unread; `None` when there are more than that many (the rest is not looked at).
pub(super) fn array(raw: &RawValue, items_max: usize) -> Option<Vec<&RawValue>> {
    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
    deserializer.deserialize_seq(ArrayVisitor { items_max }).ok()
}

/// A JSON string's value; `None` for anything else, and for a string that is no text (a lone surrogate).
pub(super) fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    if !raw.get().starts_with('"') {
        return None;
    }
    serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|text| text.0)
}

/// What the caller sent, shortened and with control and invisible characters escaped, in backticks.
pub(super) fn quoted(text: &str) -> String {
    format!("`{}`", echo(text))
}

/// The same without backticks.
pub(super) fn echo(text: &str) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == ECHO_MAX {
            shown.push('…');
            break;
        }
        if is_plain(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_unicode());
        }
    }
    shown
}

/// Whether a character is shown as it is. A backtick would end the quotation, and invisible text could speak to a model
/// behind its reader's back: so what is not known to be visible is escaped.
fn is_plain(character: char) -> bool {
    match character {
        '`' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{ad}' => false,
        ' '..='~'
        | '\u{a1}'..='\u{bf}'
        | '\u{2010}'..='\u{2027}'
        | '\u{2030}'..='\u{205e}'
        | '\u{20a0}'..='\u{20cf}' => true,
        other => other.is_alphanumeric(),
    }
}

/// The name that was probably meant. A text longer than any name is not compared: that would cost its square.
pub(super) fn nearest<'n>(name: &str, among: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let name = if name.len() <= ECHO_MAX { name.to_lowercase() } else { return None };
    among
        .map(|candidate| (strsim::jaro_winkler(&name, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor).map(Text)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

struct ObjectVisitor {
    entries_max: usize,
}

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Result<Entries<'de>, ObjectError>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        let mut seen = HashSet::new();
        let mut error = None;
        while let Some(Text(name)) = map.next_key()? {
            if error.is_some() {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = map.next_value::<&RawValue>()?;
            if !seen.insert(name.clone()) {
                error = Some(ObjectError::Duplicate(name.into_owned()));
            } else if entries.len() == self.entries_max {
                error = Some(ObjectError::TooMany);
            } else {
                entries.push((name, value));
            }
        }
        Ok(error.map_or(Ok(entries), Err))
    }
}

struct ArrayVisitor {
    items_max: usize,
}

impl<'de> Visitor<'de> for ArrayVisitor {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element::<&RawValue>()? {
            if items.len() == self.items_max {
                return Err(serde::de::Error::custom("too many items"));
            }
            items.push(item);
        }
        Ok(items)
    }
}
