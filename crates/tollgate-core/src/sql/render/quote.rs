//! Identifiers, strings, numbers and bare words, written so that they cannot end early. Never passes a caller's spelling through.

use super::{Printed, Printer, RenderError};
use crate::names::Dialect;

impl Printer {
    /// A quoted identifier.
    pub(super) fn ident(&mut self, name: &str) -> Printed {
        refuse_nul(name)?;
        let quote = match self.dialect {
            Dialect::Postgres | Dialect::Sqlite => '"',
            Dialect::MariaDb => '`',
        };
        self.text.push(quote);
        self.doubling(name, |c| c == quote);
        self.text.push(quote);
        self.meant.name(name);
        Ok(())
    }

    /// A string literal.
    pub(super) fn string(&mut self, value: &str) -> Printed {
        refuse_nul(value)?;
        let backslashes = match self.dialect {
            // A backslash in '…' depends on `standard_conforming_strings`; in E'…' it does not.
            Dialect::Postgres if value.contains('\\') => {
                self.text.push('E');
                true
            }
            Dialect::Postgres | Dialect::Sqlite => false,
            // Backslashes in pairs: where NO_BACKSLASH_ESCAPES is set all the same, the string ends at the same place.
            Dialect::MariaDb => true,
        };
        self.text.push('\'');
        self.doubling(value, |c| c == '\'' || (backslashes && c == '\\'));
        self.text.push('\'');
        self.meant.string(value);
        Ok(())
    }

    /// A text in which some characters stand twice.
    fn doubling(&mut self, value: &str, doubled: impl Fn(char) -> bool) {
        for piece in value.split_inclusive(&doubled) {
            self.text.push_str(piece);
            self.text.extend(piece.chars().next_back().filter(|c| doubled(*c)));
        }
    }

    /// A number: digits, point, exponent.
    pub(super) fn number(&mut self, text: &str) -> Printed {
        if !is_number(text) {
            return Err(RenderError::Number(text.to_owned()));
        }
        self.put(text);
        Ok(())
    }

    /// Bytes: pairs of hexadecimal digits.
    pub(super) fn blob(&mut self, digits: &str) -> Printed {
        if !digits.len().is_multiple_of(2) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(RenderError::Number(digits.to_owned()));
        }
        self.text.push_str("X'");
        self.text.push_str(digits);
        self.text.push('\'');
        self.meant.blob(digits);
        Ok(())
    }

    /// A type name: words, a precision, array brackets.
    pub(super) fn type_name(&mut self, name: &str) -> Printed {
        if !is_type_name(name) {
            return Err(RenderError::Word(name.to_owned()));
        }
        self.put(name);
        Ok(())
    }

    /// A function name of the allow-list.
    pub(super) fn function_name(&mut self, name: &str) -> Printed {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(plain) {
            return Err(RenderError::Word(name.to_owned()));
        }
        match self.dialect {
            Dialect::Postgres if SYNTAX.contains(&name) => self.put(name),
            Dialect::Postgres => {
                self.put("pg_catalog.");
                self.ident(name)?;
            }
            // Without a default database no stored function answers to a bare name.
            Dialect::Sqlite | Dialect::MariaDb => self.put(name),
        }
        Ok(())
    }
}

/// PostgreSQL's functions that are syntax and have no schema.
const SYNTAX: [&str; 5] = ["coalesce", "nullif", "greatest", "least", "grouping"];

/// Whether a text can stand as a type: it starts with a letter, and nothing in it can end the cast around it.
pub(in crate::sql) fn is_type_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ' ' | '.' | ',' | '[' | ']');
    // A precision is digits in one pair of parentheses.
    let (head, tail) = match name.split_once('(') {
        Some((head, tail)) => match tail.split_once(')') {
            Some((inside, tail)) if inside.chars().all(|c| c.is_ascii_digit() || c == ',') => (head, tail),
            _ => return false,
        },
        None => (name, ""),
    };
    head.starts_with(|c: char| c.is_ascii_alphabetic()) && head.chars().chain(tail.chars()).all(plain)
}

fn refuse_nul(text: &str) -> Printed {
    if text.contains('\0') { Err(RenderError::Nul) } else { Ok(()) }
}

fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let exponent_ok = exponent.is_none_or(|exponent| {
        let bare = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !bare.is_empty() && digits(bare)
    });
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_ok
}
