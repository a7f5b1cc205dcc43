//! Patterns of string parameters: JSON Schema's dialect, always over the whole value.
//!
//! The pattern stands in the tool's `inputSchema`, where clients read it as ECMAScript does. What the two dialects would read
//! differently is translated (`\d`, `\w`, `.`) or refused (inline flags, `\A`, class operators), so that both accept the same.

use std::fmt::Write as _;

use regex::{Regex, RegexBuilder};

use super::error::Problem;

/// Characters of a pattern at most.
const LENGTH_MAX: usize = 1_000;
/// Bytes of a compiled pattern at most.
const COMPILED_MAX: usize = 1 << 20;
/// Groups inside groups at most.
const NESTING_MAX: u32 = 32;

/// A pattern that compiles within its limits.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    written: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles a pattern as written.
    pub(super) fn compile(written: &str) -> Result<Pattern, Problem> {
        if written.chars().count() > LENGTH_MAX {
            return Err(Problem::TooLarge { what: "pattern", max: LENGTH_MAX as u64 });
        }
        let translated = translate(written).map_err(|reason| Problem::Pattern { reason })?;
        // By itself first: `a)|(?:b` is balanced only inside the group that anchors it.
        build(&translated)?;
        let regex = build(&format!(r"\A(?:{translated})\z"))?;
        Ok(Pattern { written: written.to_owned(), regex })
    }

    /// Whether the whole text matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// As written, for messages.
    pub(super) fn written(&self) -> &str {
        &self.written
    }

    /// As the schema shows it: anchored, since JSON Schema's patterns are not.
    pub(super) fn anchored(&self) -> String {
        format!("^(?:{})$", self.written)
    }
}

fn build(pattern: &str) -> Result<Regex, Problem> {
    RegexBuilder::new(pattern).size_limit(COMPILED_MAX).nest_limit(NESTING_MAX).build().map_err(|error| {
        let reason = match error {
            regex::Error::CompiledTooBig(_) => "it is too large when compiled".to_owned(),
            // The parser's text draws the pattern over several lines; its last line says what is wrong.
            error => error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
        };
        Problem::Pattern { reason }
    })
}

/// The same pattern in the words of our engine, or what in it clients would read differently.
fn translate(written: &str) -> Result<String, String> {
    let mut translated = String::with_capacity(written.len());
    let mut characters = written.chars().peekable();
    let mut in_class = false;
    while let Some(character) = characters.next() {
        match (character, in_class) {
            ('\\', _) => match characters.next() {
                Some(escaped) => escape(escaped, in_class, &mut translated)?,
                None => return Err("it ends in a backslash".to_owned()),
            },
            ('[', true) => return Err(r"write `[` inside a class as `\[`".to_owned()),
            ('[', false) => {
                in_class = true;
                translated.push('[');
                if characters.next_if_eq(&'^').is_some() {
                    translated.push('^');
                }
                if characters.peek() == Some(&']') {
                    return Err("a class must not be empty".to_owned());
                }
            }
            (']', true) => {
                in_class = false;
                translated.push(']');
            }
            ('&' | '~' | '-', true) if characters.peek() == Some(&character) => {
                return Err(format!("`{character}{character}` inside a class is not portable"));
            }
            ('(', false) => {
                translated.push('(');
                if characters.next_if_eq(&'?').is_some() {
                    match characters.next() {
                        Some(':') => translated.push_str("?:"),
                        _ => return Err("of the groups that begin with `(?`, only `(?:…)` can be used".to_owned()),
                    }
                }
            }
            ('.', false) => translated.push_str(r"[^\n\r\u{2028}\u{2029}]"),
            (other, _) => translated.push(other),
        }
    }
    Ok(translated)
}

fn escape(escaped: char, in_class: bool, translated: &mut String) -> Result<(), String> {
    let class = match escaped {
        'd' => "0-9",
        'w' => "0-9A-Za-z_",
        's' => r"\t\n\x0B\f\r \u{A0}\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}",
        'D' if !in_class => {
            translated.push_str("[^0-9]");
            return Ok(());
        }
        'W' if !in_class => {
            translated.push_str("[^0-9A-Za-z_]");
            return Ok(());
        }
        'n' | 'r' | 't' | 'f' => {
            translated.push('\\');
            translated.push(escaped);
            return Ok(());
        }
        punctuation if r"^$\.*+?()[]{}|/-".contains(punctuation) => {
            // `\/` is ECMAScript's; our engine knows it as a plain character.
            if punctuation == '/' {
                translated.push('/');
            } else {
                translated.push('\\');
                translated.push(punctuation);
            }
            return Ok(());
        }
        other => return Err(format!(r"`\{}` cannot be used", super::arguments::echo(&other.to_string()))),
    };
    let written = if in_class { write!(translated, "{class}") } else { write!(translated, "[{class}]") };
    written.map_err(|_| "it cannot be translated".to_owned())
}
