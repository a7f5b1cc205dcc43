//! A JSON document as an argument: checked, and otherwise passed on as it was written. Its numbers are never read.

use serde_json::value::RawValue;

use super::arguments::{self, ENTRIES_MAX, ObjectError};

/// Bytes of a document at most.
pub(super) const BYTES_MAX: usize = 65_536;
/// Levels of nesting at most.
pub(super) const DEPTH_MAX: usize = 64;

/// The document's text without insignificant white space, or what it must be instead.
pub(super) fn document(raw: &RawValue) -> Result<String, String> {
    if raw.get().len() > BYTES_MAX {
        return Err(format!("must be at most {BYTES_MAX} bytes of JSON"));
    }
    check(raw, DEPTH_MAX)?;
    Ok(compact(raw.get()))
}

/// Each level is read anew from its text; depth and size are bounded, so the work is too.
fn check(raw: &RawValue, depth_max: usize) -> Result<(), String> {
    let first = raw.get().bytes().next();
    if matches!(first, Some(b'{' | b'[')) && depth_max == 0 {
        return Err(format!("must be nested at most {DEPTH_MAX} deep"));
    }
    match first {
        Some(b'{') => {
            let entries = arguments::object(raw, ENTRIES_MAX).map_err(|error| match error {
                ObjectError::Malformed => "must hold valid Unicode text only".to_owned(),
                ObjectError::Duplicate(_) => "must not hold an object with the same key twice".to_owned(),
                ObjectError::TooMany => format!("must hold at most {ENTRIES_MAX} entries in one object"),
            })?;
            for (key, value) in entries {
                text(&key)?;
                check(value, depth_max - 1)?;
            }
            Ok(())
        }
        Some(b'[') => {
            // The document's size bounds the number of items already.
            let items = arguments::array(raw, BYTES_MAX).ok_or("must be valid JSON")?;
            items.into_iter().try_for_each(|item| check(item, depth_max - 1))
        }
        Some(b'"') => text(&arguments::string(raw).ok_or("must hold valid Unicode text only")?),
        _ => Ok(()),
    }
}

fn text(text: &str) -> Result<(), String> {
    // PostgreSQL's jsonb cannot hold it, and SQLite's text functions end at it.
    if text.contains('\0') { Err("must not hold the character U+0000".to_owned()) } else { Ok(()) }
}

/// White space between tokens carries no meaning; a cursor is bound to the document, not to its layout.
fn compact(json: &str) -> String {
    let mut compacted = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for character in json.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else if character == '"' {
            in_string = true;
        } else if character.is_ascii_whitespace() {
            continue;
        }
        compacted.push(character);
    }
    compacted
}
