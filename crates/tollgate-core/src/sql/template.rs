//! Optional clauses: `[[ AND status = :status ]]` is dropped when a parameter inside it is not given. It cuts text at tokens
//! and judges nothing else: every variant is parsed and checked as a statement of its own.

use std::collections::BTreeSet;
use std::ops::Range;

use sqlparser::tokenizer::Token;

use super::error::SqlError;
use super::limits::CLAUSES_MAX;
use super::tokens::{BoundName, Lexeme, lex};
use crate::names::{Dialect, ParamName};

#[cfg(test)]
mod tests;

/// A statement's text with its optional clauses found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    clauses: Vec<Clause>,
    params: BTreeSet<ParamName>,
    always: BTreeSet<ParamName>,
}

/// One optional clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// The clause with its brackets.
    outer: Range<usize>,
    /// What stands between them.
    inner: Range<usize>,
    params: BTreeSet<ParamName>,
}

impl Clause {
    /// The parameters in it, at least one.
    pub fn params(&self) -> &BTreeSet<ParamName> {
        &self.params
    }
}

impl Template {
    /// Finds the optional clauses of a text. A `[[` opens one only after white space, and only if a parameter stands before its
    /// `]]`; inside strings, comments and quoted names it is text.
    pub fn parse(dialect: Dialect, text: &str) -> Result<Self, SqlError> {
        let lexemes = lex(dialect, text)?;
        let clauses = find_clauses(&lexemes)?;
        let (mut params, mut always) = (BTreeSet::new(), BTreeSet::new());
        for lexeme in &lexemes {
            let Some(BoundName::Param(name)) = &lexeme.name else { continue };
            params.insert(name.clone());
            if !clauses.iter().any(|clause| clause.outer.contains(&lexeme.bytes.start)) {
                always.insert(name.clone());
            }
        }
        Ok(Self { text: text.to_owned(), clauses, params, always })
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The optional clauses, in order.
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// Every parameter of the text.
    pub fn params(&self) -> &BTreeSet<ParamName> {
        &self.params
    }

    /// The parameters that stand outside the clauses, and so in every variant.
    pub fn always(&self) -> &BTreeSet<ParamName> {
        &self.always
    }

    /// The statement with exactly the clauses whose bit is set in `kept` (the first clause is bit 0).
    pub fn variant(&self, kept: u32) -> String {
        let mut out = String::with_capacity(self.text.len());
        let mut at = 0;
        let copy = |out: &mut String, range: Range<usize>| {
            out.push_str(self.text.get(range).unwrap_or_default());
            // What stood on the two sides of a bracket must not grow together.
            out.push(' ');
        };
        for (index, clause) in self.clauses.iter().enumerate() {
            copy(&mut out, at..clause.outer.start);
            if kept >> index & 1 == 1 {
                copy(&mut out, clause.inner.clone());
            }
            at = clause.outer.end;
        }
        out.push_str(self.text.get(at..).unwrap_or_default());
        out
    }
}

fn find_clauses(lexemes: &[Lexeme]) -> Result<Vec<Clause>, SqlError> {
    let mut clauses = Vec::new();
    let mut at = 0;
    while at < lexemes.len() {
        let after_space = at == 0 || lexemes.get(at - 1).is_some_and(|l| matches!(l.token.token, Token::Whitespace(_)));
        if !(after_space && is_pair(lexemes, at, &Token::LBracket)) {
            at += 1;
            continue;
        }
        match find_end(lexemes, at)? {
            Some((next, clause)) => {
                if clauses.len() == CLAUSES_MAX {
                    return Err(SqlError::TooComplex { what: "optional clauses", max: CLAUSES_MAX });
                }
                clauses.push(clause);
                at = next;
            }
            None => at += 2,
        }
    }
    Ok(clauses)
}

/// The clause that opens at `open`, and the position after it; `None` where no parameter stands in it.
fn find_end(lexemes: &[Lexeme], open: usize) -> Result<Option<(usize, Clause)>, SqlError> {
    let mut params = BTreeSet::new();
    let mut subscripts = 0_usize;
    let mut at = open + 2;
    while let Some(lexeme) = lexemes.get(at) {
        match (&lexeme.token.token, &lexeme.name) {
            (Token::RBracket, _) if subscripts > 0 => subscripts -= 1,
            (Token::RBracket, _) if is_pair(lexemes, at, &Token::RBracket) => {
                let (Some(first), Some(last)) = (lexemes.get(open), lexemes.get(at + 1)) else { break };
                let outer = first.bytes.start..last.bytes.end;
                let inner = outer.start + 2..lexeme.bytes.start;
                let clause = Clause { outer, inner, params };
                return Ok((!clause.params.is_empty()).then_some((at + 2, clause)));
            }
            (Token::LBracket, _) if is_pair(lexemes, at, &Token::LBracket) => {
                return Err(SqlError::unsupported("an optional clause `[[ … ]]` inside another"));
            }
            (Token::LBracket, _) => subscripts += 1,
            (_, Some(BoundName::Param(name))) => {
                params.insert(name.clone());
            }
            _ => {}
        }
        at += 1;
    }
    Err(SqlError::Syntax { detail: "an optional clause `[[` has no `]]`".into() })
}

/// Whether `wanted` stands at `at` twice, without white space between.
fn is_pair(lexemes: &[Lexeme], at: usize, wanted: &Token) -> bool {
    let (Some(first), Some(second)) = (lexemes.get(at), lexemes.get(at + 1)) else { return false };
    first.token.token == *wanted && second.token.token == *wanted && first.bytes.end == second.bytes.start
}
