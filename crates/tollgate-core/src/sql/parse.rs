//! From tokens to the parser's tree: exactly one SELECT, or exactly one expression. The tree is raw material for `resolve` and
//! goes nowhere else.

use sqlparser::ast;
use sqlparser::dialect::{Dialect as ParserDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, Tokenizer, Whitespace};

use super::error::{SqlError, shown};
use super::grammar::Grammar;
use super::limits::{NESTING_MAX, PARSED_MAX};
use super::tokens::{MariaDbGrammar, for_parser};
use crate::names::Dialect;

/// What the parser may recurse: several levels of its own for each one of the text.
const RECURSION_MAX: usize = 10 * NESTING_MAX;

/// The same for a printed text, in which every expression has its parentheses and filters have theirs.
const PRINTED_RECURSION_MAX: usize = 10 * RECURSION_MAX;

/// One SELECT and nothing after it but a semicolon.
pub(super) fn parse_query(dialect: Dialect, sql: &str) -> Result<ast::Query, SqlError> {
    let tokens = for_parser(dialect, sql)?;
    match tokens.first().map(|t| &t.token) {
        None => return Err(SqlError::Syntax { detail: "it is empty".into() }),
        Some(Token::LParen) => {}
        Some(Token::Word(word)) if matches!(word.keyword, Keyword::SELECT | Keyword::WITH | Keyword::VALUES) => {}
        Some(other) => return Err(SqlError::NotOneSelect { found: shown(&other.to_string()) }),
    }
    let grammar = Grammar::new(own_grammar(dialect), PARSED_MAX);
    let mut parser = Parser::new(&grammar).with_recursion_limit(RECURSION_MAX).with_tokens_with_locations(tokens);
    let query = parser.parse_query().map_err(|error| syntax(error, &grammar))?;
    if parser.consume_token(&Token::SemiColon) && parser.peek_token_ref().token != Token::EOF {
        return Err(SqlError::NotOneSelect { found: "a second statement".into() });
    }
    at_end(&parser)?;
    Ok(*query)
}

/// One expression and nothing after it.
pub(super) fn parse_predicate(dialect: Dialect, sql: &str) -> Result<ast::Expr, SqlError> {
    let tokens = for_parser(dialect, sql)?;
    let grammar = Grammar::new(own_grammar(dialect), PARSED_MAX);
    let mut parser = Parser::new(&grammar).with_recursion_limit(RECURSION_MAX).with_tokens_with_locations(tokens);
    let expr = parser.parse_expr().map_err(|error| syntax(error, &grammar))?;
    at_end(&parser)?;
    Ok(expr)
}

/// What a printed text reads as: a query and nothing after it. Its placeholders are those of the database.
pub(super) fn parse_printed(dialect: Dialect, text: &str) -> Result<ast::Query, ParserError> {
    printed(dialect, text, |parser| parser.parse_query().map(|query| *query))
}

/// What a printed type reads as.
#[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself is one of a single lifetime")]
pub(super) fn parse_printed_type(dialect: Dialect, text: &str) -> Result<ast::DataType, ParserError> {
    printed(dialect, text, |parser| parser.parse_data_type())
}

fn printed<T>(
    dialect: Dialect,
    text: &str,
    parse: impl FnOnce(&mut Parser<'_>) -> Result<T, ParserError>,
) -> Result<T, ParserError> {
    let mut tokens = Tokenizer::new(own_grammar(dialect), text).tokenize_with_location()?;
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(Whitespace::Space)));
    if dialect == Dialect::MariaDb {
        // Its placeholders have no numbers: they are counted.
        let placeholders =
            tokens.iter_mut().filter(|token| matches!(&token.token, Token::Placeholder(it) if it == "?"));
        for (place, token) in placeholders.enumerate() {
            token.token = Token::Placeholder(format!("?{}", place + 1));
        }
    }
    // Nothing in it can be read in two ways.
    let grammar = Grammar::new(own_grammar(dialect), 2 * tokens.len() + 1);
    let mut parser =
        Parser::new(&grammar).with_recursion_limit(PRINTED_RECURSION_MAX).with_tokens_with_locations(tokens);
    let read = parse(&mut parser)?;
    parser.expect_token(&Token::EOF)?;
    Ok(read)
}

/// The parser's grammar of a dialect, as it is.
pub(super) fn own_grammar(dialect: Dialect) -> &'static dyn ParserDialect {
    match dialect {
        Dialect::Postgres => &PostgreSqlDialect {},
        Dialect::Sqlite => &SQLiteDialect {},
        Dialect::MariaDb => &MariaDbGrammar,
    }
}

fn at_end(parser: &Parser<'_>) -> Result<(), SqlError> {
    let next = parser.peek_token_ref();
    if next.token == Token::EOF {
        return Ok(());
    }
    let place = next.span.start;
    Err(SqlError::Syntax {
        detail: format!(
            "unexpected {} at line {}, column {}",
            shown(&next.token.to_string()),
            place.line,
            place.column
        ),
    })
}

fn syntax(error: ParserError, grammar: &Grammar) -> SqlError {
    match error {
        _ if grammar.is_spent() => {
            SqlError::TooComplex { what: "expressions, each counted as often as it is tried", max: PARSED_MAX }
        }
        ParserError::TokenizerError(detail) | ParserError::ParserError(detail) => SqlError::syntax(&detail),
        ParserError::RecursionLimitExceeded => SqlError::TooComplex { what: "levels of nesting", max: NESTING_MAX },
    }
}
