//! The values that a table's CHECKs allow a column, where a CHECK is a plain list: `CHECK (status IN ('active', 'inactive'))`.
//! Anything else is not understood, and says nothing.

use std::collections::HashMap;

/// A word of a table's definition.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A keyword or an identifier, in lower case.
    Word(String),
    /// A quoted identifier, in lower case: never a keyword.
    Name(String),
    /// A string.
    Text(String),
    /// A whole number.
    Number(String),
    /// Any other character.
    Other(char),
}

/// The allowed values by column, its name in lower case. Two lists for one column allow what both do.
pub(super) fn check_lists(definition: &str) -> HashMap<String, Vec<String>> {
    let tokens = tokens(definition);
    let mut lists: HashMap<String, Vec<String>> = HashMap::new();
    for at in 0..tokens.len() {
        let Some((column, values)) = tokens.get(at..).and_then(list) else { continue };
        lists.entry(column).and_modify(|known| known.retain(|value| values.contains(value))).or_insert(values);
    }
    lists
}

/// Reads `CHECK ( column IN ( value, … ) )`, and nothing more or less.
fn list(tokens: &[Token]) -> Option<(String, Vec<String>)> {
    let is = |token: &Token, word: &str| matches!(token, Token::Word(found) if found == word);
    let [check, Token::Other('('), Token::Word(column) | Token::Name(column), r#in, Token::Other('('), rest @ ..] =
        tokens
    else {
        return None;
    };
    if !is(check, "check") || !is(r#in, "in") {
        return None;
    }
    let mut values = Vec::new();
    let mut rest = rest;
    loop {
        let [Token::Text(value) | Token::Number(value), separator, after @ ..] = rest else { return None };
        values.push(value.clone());
        rest = after;
        match separator {
            Token::Other(',') => {}
            Token::Other(')') => break,
            _ => return None,
        }
    }
    matches!(rest, [Token::Other(')'), ..]).then(|| (column.clone(), values))
}

fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            _ if first.is_whitespace() => first.len_utf8(),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '\'' => quoted(rest, '\'', &mut tokens, Token::Text),
            '"' | '`' => quoted(rest, first, &mut tokens, |name| Token::Name(name.to_lowercase())),
            '[' => quoted(rest, ']', &mut tokens, |name| Token::Name(name.to_lowercase())),
            _ if is_word(first) => {
                let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                let word = rest.get(..end).unwrap_or_default();
                let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
                tokens.push(if is_number { Token::Number(word.to_owned()) } else { Token::Word(word.to_lowercase()) });
                end
            }
            other => {
                tokens.push(Token::Other(other));
                other.len_utf8()
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    tokens
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}

/// Reads up to a closing quote (a doubled one stands for itself) and returns how much was read.
fn quoted(text: &str, close: char, tokens: &mut Vec<Token>, token: impl Fn(String) -> Token) -> usize {
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character != close {
            value.push(character);
        } else if close != ']' && characters.next_if(|(_, next)| *next == close).is_some() {
            value.push(close);
        } else {
            tokens.push(token(value));
            return at + close.len_utf8();
        }
    }
    text.len()
}
