//! Reads the plain lists among CHECK constraints, in the form that the server prints them in: `status = ANY (ARRAY['a',
//! 'b'])` or `status = 'a'`. Of anything else it says nothing: a list that is not surely the whole truth is no list.

/// A column, or `VALUE` of a domain, and all that a CHECK lets it be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CheckList {
    pub(super) subject: String,
    pub(super) values: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    QuotedName(String),
    Literal(String),
    Symbol(char),
    Cast,
}

/// The list of a constraint's definition, `CHECK ((status = ANY (ARRAY['a'::text, 'b'::text])))`.
pub(super) fn parse(definition: &str) -> Option<CheckList> {
    let tokens = without_casts_and_parentheses(&tokens(definition)?)?;
    let (check, rest) = tokens.split_first()?;
    if !is_word(check, "CHECK") {
        return None;
    }
    let (subject, rest) = rest.split_first()?;
    let subject = match subject {
        Token::Word(name) | Token::QuotedName(name) => name.clone(),
        _ => return None,
    };
    let values = match rest {
        [Token::Symbol('='), Token::Literal(value)] => vec![value.clone()],
        [Token::Symbol('='), any, array, Token::Symbol('['), list @ .., Token::Symbol(']')]
            if is_word(any, "ANY") && is_word(array, "ARRAY") =>
        {
            literals(list)?
        }
        _ => return None,
    };
    Some(CheckList { subject, values })
}

fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found) if found == word)
}

fn literals(list: &[Token]) -> Option<Vec<String>> {
    list.split(|token| *token == Token::Symbol(','))
        .map(|item| match item {
            [Token::Literal(value)] => Some(value.clone()),
            _ => None,
        })
        .collect()
}

/// The types that the server casts list items and columns to, which change none of the values.
const CASTS: [&[&str]; 8] = [
    &["text"],
    &["character", "varying"],
    &["bpchar"],
    &["integer"],
    &["bigint"],
    &["smallint"],
    &["numeric"],
    &["name"],
];

/// Parentheses only group here: with a second operator in the expression, what is left is not of the form.
fn without_casts_and_parentheses(tokens: &[Token]) -> Option<Vec<Token>> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut rest = tokens;
    while let Some((token, after)) = rest.split_first() {
        rest = after;
        match token {
            Token::Symbol('(' | ')') => {}
            Token::Cast => rest = after_cast(after)?,
            token => kept.push(token.clone()),
        }
    }
    Some(kept)
}

fn after_cast(tokens: &[Token]) -> Option<&[Token]> {
    let starts = |words: &&&[&str]| {
        tokens.len() >= words.len() && words.iter().zip(tokens).all(|(word, token)| is_word(token, word))
    };
    let words = CASTS.iter().find(starts)?;
    let rest = tokens.get(words.len()..)?;
    Some(rest.strip_prefix(&[Token::Symbol('['), Token::Symbol(']')]).unwrap_or(rest))
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            ' ' => (None, rest.get(1..)?),
            '\'' => quoted(rest, '\'').map(|(value, after)| (Some(Token::Literal(value)), after))?,
            '"' => quoted(rest, '"').map(|(name, after)| (Some(Token::QuotedName(name)), after))?,
            ':' => (Some(Token::Cast), rest.strip_prefix("::")?),
            '(' | ')' | '[' | ']' | ',' | '=' => (Some(Token::Symbol(first)), rest.get(1..)?),
            _ => {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len());
                let (word, after) = rest.split_at_checked(end)?;
                // `E'…'` has escapes of its own and is not read; operators and signs are not of the form.
                if word.is_empty() || after.starts_with('\'') {
                    return None;
                }
                let number = word.starts_with(|c: char| c.is_ascii_digit());
                (Some(if number { Token::Literal(word.to_owned()) } else { Token::Word(word.to_owned()) }), after)
            }
        };
        tokens.extend(token);
        rest = after;
    }
    Some(tokens)
}

/// The content of a quoted piece at the front, doubled quotes undone, and what follows it.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut content = String::new();
    let mut rest = text.strip_prefix(quote)?;
    loop {
        let (piece, after) = rest.split_once(quote)?;
        content.push_str(piece);
        match after.strip_prefix(quote) {
            Some(after) => {
                content.push(quote);
                rest = after;
            }
            None => return Some((content, after)),
        }
    }
}
