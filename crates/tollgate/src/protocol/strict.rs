//! What JSON's grammar leaves open and Tollgate does not: duplicate keys, depth, halves of surrogate pairs.
//!
//! It looks at text that is already known to be JSON and never changes it, so that the text itself can go on to the
//! gateway, numbers digit by digit.

use std::{borrow::Cow, iter::Peekable, str::CharIndices};

/// Deeper nesting than any argument needs.
pub(super) const DEPTH_MAX: usize = 64;

/// What is wrong with a JSON text that its grammar allows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    /// Two members of one object have the same name once escapes are read.
    #[error("the key `{0}` stands twice in one object")]
    DuplicateKey(String),
    /// Nested deeper than [`DEPTH_MAX`].
    #[error("the JSON is nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    /// A `\ud800`-like escape without its other half, which is no Unicode text.
    #[error("a string holds half of a surrogate pair")]
    LoneSurrogate,
}

struct Level {
    /// Where this object's keys start in the shared list; `None` for an array.
    keys_from: Option<usize>,
    /// The next string at this level is a key.
    at_key: bool,
}

/// Reads a JSON text once for the three flaws.
pub(super) fn inspect(json: &str) -> Result<(), Flaw> {
    let mut levels: Vec<Level> = Vec::new();
    let mut keys: Vec<Cow<'_, str>> = Vec::new();
    let mut chars = json.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '{' | '[' => {
                if levels.len() == DEPTH_MAX {
                    return Err(Flaw::TooDeep);
                }
                let object = c == '{';
                levels.push(Level { keys_from: object.then_some(keys.len()), at_key: object });
            }
            '}' | ']' => {
                if let Some(Level { keys_from: Some(from), .. }) = levels.pop() {
                    refuse_duplicates(&mut keys, from)?;
                }
            }
            ',' => {
                if let Some(level) = levels.last_mut() {
                    level.at_key = level.keys_from.is_some();
                }
            }
            '"' => {
                let quoted = string(json, at, &mut chars)?;
                if let Some(level) = levels.last_mut().filter(|level| level.at_key) {
                    level.at_key = false;
                    keys.push(quoted.text()?);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Sorting finds duplicates without a hash table that chosen keys could slow down.
fn refuse_duplicates(keys: &mut Vec<Cow<'_, str>>, from: usize) -> Result<(), Flaw> {
    let mut own = keys.split_off(from);
    own.sort_unstable();
    let twice = own.windows(2).find_map(|pair| match pair {
        [a, b] if a == b => Some(a.chars().take(64).collect()),
        _ => None,
    });
    twice.map_or(Ok(()), |key| Err(Flaw::DuplicateKey(key)))
}

struct Quoted<'a> {
    /// With its quotation marks.
    raw: &'a str,
    escaped: bool,
}

impl<'a> Quoted<'a> {
    fn text(&self) -> Result<Cow<'a, str>, Flaw> {
        if self.escaped {
            return serde_json::from_str(self.raw).map(Cow::Owned).map_err(|_| Flaw::LoneSurrogate);
        }
        Ok(Cow::Borrowed(self.raw.get(1..self.raw.len().saturating_sub(1)).unwrap_or_default()))
    }
}

/// Reads on to the end of the string that opened at `start`.
fn string<'a>(json: &'a str, start: usize, chars: &mut Peekable<CharIndices<'a>>) -> Result<Quoted<'a>, Flaw> {
    let mut escaped = false;
    // The first half of a pair, seen in the escape just before.
    let mut high = false;
    while let Some((at, c)) = chars.next() {
        let half = match c {
            '"' if !high => return Ok(Quoted { raw: json.get(start..=at).unwrap_or_default(), escaped }),
            '\\' => {
                escaped = true;
                match chars.next() {
                    Some((_, 'u')) => hex(chars),
                    _ => None,
                }
            }
            _ => None,
        };
        let low = matches!(half, Some(0xDC00..=0xDFFF));
        if high != low {
            return Err(Flaw::LoneSurrogate);
        }
        high = matches!(half, Some(0xD800..=0xDBFF));
    }
    // The grammar was checked before, so a string always ends; a text that does not is refused all the same.
    Err(Flaw::LoneSurrogate)
}

fn hex(chars: &mut Peekable<CharIndices<'_>>) -> Option<u32> {
    (0..4).try_fold(0, |value, _| {
        let (_, digit) = chars.next_if(|(_, c)| c.is_ascii_hexdigit())?;
        Some(value * 16 + digit.to_digit(16)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicate_keys_are_seen_through_escapes_and_at_any_level() {
        let twice = |key: &str| Err(Flaw::DuplicateKey(key.to_owned()));
        assert_eq!(inspect(r#"{"a":1,"b":{"a":2}}"#), Ok(()));
        assert_eq!(inspect(r#"{"a":1,"a":2}"#), twice("a"));
        assert_eq!(inspect(r#"{"a":1,"\u0061":2}"#), twice("a"));
        assert_eq!(inspect(r#"[{"x":[{"k":1,"z":0,"k":1}]}]"#), twice("k"));
        assert_eq!(inspect(r#"{"a":"a","b":["a","a"],"c":"b"}"#), Ok(()));
        assert_eq!(inspect(r#"{"a\"":1,"a":2,"{":3,"}":4}"#), Ok(()));
        assert_eq!(inspect(r#"{"":1,"":2}"#), twice(""));
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(inspect(&nested(DEPTH_MAX)), Ok(()));
        assert_eq!(inspect(&nested(DEPTH_MAX + 1)), Err(Flaw::TooDeep));
        assert_eq!(inspect(r#"["[[[[","{{{{"]"#), Ok(()));
    }

    #[test]
    fn half_a_pair_is_no_text() {
        assert_eq!(inspect(r#""\ud83d\ude00""#), Ok(()));
        for half in [r#""\ud83d""#, r#""\ude00""#, r#""\ud83dx""#, r#""\ud83d\n""#, r#""\ud83d\ud83d""#] {
            assert_eq!(inspect(half), Err(Flaw::LoneSurrogate), "{half}");
        }
    }
}
