//! Strings in JSON. Whatever a reader of the text could not see is escaped, so that data cannot hide words from a person
//! that a model would read: a JSON reader gets the same characters either way.

use std::io::Write as _;

use tollgate_core::names::is_invisible;

/// Writes a JSON string.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escape(out, text, Quoting::String);
    out.push(b'"');
}

/// Writes the text of a JSON document that is known to be valid, the invisible characters of its strings escaped.
pub(super) fn valid_document(out: &mut Vec<u8>, text: &str) {
    escape(out, text, Quoting::Document);
}

/// What the quotes, backslashes and control characters of a text are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoting {
    /// Characters of a string.
    String,
    /// JSON's own: quotes and escapes stand where they must, and control characters are white space between tokens.
    Document,
}

fn escape(out: &mut Vec<u8>, text: &str, quoting: Quoting) {
    let mut clean_from = 0;
    for (at, _) in text.bytes().enumerate().filter(|(_, byte)| may_need_escape(*byte)) {
        let Some(character) = text.get(at..).and_then(|rest| rest.chars().next()) else { continue };
        let escaped = match character {
            '"' | '\\' | '\0'..='\u{1f}' => quoting == Quoting::String,
            other => is_invisible(other),
        };
        if escaped {
            out.extend_from_slice(text.get(clean_from..at).unwrap_or_default().as_bytes());
            clean_from = at + character.len_utf8();
            write_escape(out, character);
        }
    }
    out.extend_from_slice(text.get(clean_from..).unwrap_or_default().as_bytes());
}

/// Whether a byte is, or begins, a character that may have to be escaped: the quick look at every byte.
fn may_need_escape(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..=0x1f | 0x7f | 0xc2 | 0xcd | 0xd8 | 0xe1 | 0xe2 | 0xe3 | 0xef | 0xf0 | 0xf3)
}

fn write_escape(out: &mut Vec<u8>, character: char) {
    let short = match character {
        '"' => Some(b"\\\""),
        '\\' => Some(b"\\\\"),
        '\n' => Some(b"\\n"),
        '\r' => Some(b"\\r"),
        '\t' => Some(b"\\t"),
        _ => None,
    };
    if let Some(short) = short {
        out.extend_from_slice(short);
        return;
    }
    let mut units = [0; 2];
    for unit in character.encode_utf16(&mut units) {
        // Writing to a Vec cannot fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}
