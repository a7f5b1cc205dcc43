//! Reads a printed text again, by the rules of the engine's own lexer, and holds it to what was meant: the same words, signs, names
//! and strings, in the same order, with no comment, no second statement and no other quoting in between. It shares no code with
//! what wrote the text, and never mends it: a text that reads in another way is not sent.

use std::iter::Peekable;
use std::str::Chars;

use super::RenderError;
use crate::names::Dialect;

/// What was meant, or what was read: tokens in one canonical form, each with its kind in front.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tokens(String);

/// The kinds of tokens. No value holds a NUL, which ends those that are quoted.
const WORD: char = '\u{1}';
const SIGN: char = '\u{2}';
const NAME: char = '\u{3}';
const STRING: char = '\u{4}';
const BLOB: char = '\u{5}';
const END: char = '\0';

impl Tokens {
    /// Words and signs, outside quotes.
    pub(super) fn plain(&mut self, text: &str) {
        let mut inside_word = false;
        for c in text.chars() {
            match c {
                ' ' => inside_word = false,
                c if is_word(c) => {
                    if !inside_word {
                        self.0.push(WORD);
                    }
                    inside_word = true;
                    self.0.push(c);
                }
                c => {
                    inside_word = false;
                    self.0.extend([SIGN, c]);
                }
            }
        }
    }

    /// A quoted name.
    pub(super) fn name(&mut self, value: &str) {
        self.quoted(NAME, value);
    }

    /// A string.
    pub(super) fn string(&mut self, value: &str) {
        self.quoted(STRING, value);
    }

    /// Bytes, by their digits.
    pub(super) fn blob(&mut self, digits: &str) {
        self.quoted(BLOB, digits);
    }

    fn quoted(&mut self, kind: char, value: &str) {
        self.0.push(kind);
        self.0.push_str(value);
        self.0.push(END);
    }

    /// What stands until the closing quote; two of them are one.
    fn read(&mut self, kind: char, rest: &mut Peekable<Chars<'_>>, quote: char, backslash: Backslash) -> Option<()> {
        self.0.push(kind);
        loop {
            match rest.next()? {
                c if c == quote => {
                    if rest.next_if_eq(&quote).is_none() {
                        self.0.push(END);
                        return Some(());
                    }
                    self.0.push(quote);
                }
                '\\' if backslash == Backslash::Escape => {
                    rest.next_if_eq(&'\\')?;
                    self.0.push('\\');
                }
                c => self.0.push(c),
            }
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Refuses a text that an engine would not read as what was meant.
pub(super) fn check(text: &str, meant: &Tokens, dialect: Dialect) -> Result<(), RenderError> {
    match read(text, dialect) {
        Some(read) if read == *meant => Ok(()),
        _ => Err(RenderError::Misread),
    }
}

/// The tokens of a text; `None` where it holds something that is never printed.
fn read(text: &str, dialect: Dialect) -> Option<Tokens> {
    let mut tokens = Tokens(String::with_capacity(text.len() + text.len() / 2));
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied();
        match (c, next) {
            (' ', _) => {}
            ('"', _) if dialect != Dialect::MariaDb => tokens.read(NAME, &mut rest, '"', Backslash::Plain)?,
            ('`', _) if dialect == Dialect::MariaDb => tokens.read(NAME, &mut rest, '`', Backslash::Plain)?,
            ('\'', _) => {
                let backslash = match dialect {
                    Dialect::Postgres | Dialect::Sqlite => Backslash::Plain,
                    Dialect::MariaDb => Backslash::Escape,
                };
                tokens.read(STRING, &mut rest, '\'', backslash)?;
            }
            // A comment, a variable, and a string that looks like a name.
            ('#' | '@' | '"', _) if dialect == Dialect::MariaDb => return None,
            // Comments, another statement, and the quotes of other dialects.
            ('-', Some('-')) | ('/', Some('*')) | (';' | '`' | '\\', _) => return None,
            ('[', _) if dialect == Dialect::Sqlite => return None,
            ('$', next) if !next.is_some_and(|c| c.is_ascii_digit()) => return None,
            (c, _) if is_word(c) => word(c, &mut rest, dialect, &mut tokens)?,
            (c, _) if c.is_ascii_graphic() => tokens.0.extend([SIGN, c]),
            _ => return None,
        }
    }
    Some(tokens)
}

/// A word, or a string that one stands before.
fn word(first: char, rest: &mut Peekable<Chars<'_>>, dialect: Dialect, tokens: &mut Tokens) -> Option<()> {
    let before = tokens.0.len();
    tokens.0.extend([WORD, first]);
    while let Some(c) = rest.next_if(|c| is_word(*c)) {
        tokens.0.push(c);
    }
    let word = tokens.0.get(before + WORD.len_utf8()..)?;
    let (kind, backslash) = match (dialect, word, rest.peek()) {
        (Dialect::Postgres, "E", Some('\'')) => (STRING, Backslash::Escape),
        (Dialect::Sqlite | Dialect::MariaDb, "X", Some('\'')) => (BLOB, Backslash::Plain),
        // `N'…'`, `U&'…'`, `$tag$` and their like.
        (_, _, Some('\'' | '"' | '$')) | (_, "u" | "U", Some('&')) => return None,
        _ => return Some(()),
    };
    tokens.0.truncate(before);
    rest.next();
    tokens.read(kind, rest, '\'', backslash)
}

/// What a backslash in a string is.
#[derive(Clone, Copy, PartialEq)]
enum Backslash {
    /// A character like any other.
    Plain,
    /// Half of a pair of them.
    Escape,
}
