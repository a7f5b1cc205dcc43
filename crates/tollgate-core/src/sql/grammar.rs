//! The parser's grammar of a dialect, for one text: what can begin in one way only is begun at once, and the work is counted.
//!
//! The parser itself first reads every expression as a type that a string follows, and words an error where it is none. In some places
//! it tries one way and then another, inside of which it does the same, which takes twice as long at each level: after so many
//! expressions it stops, whatever the text is. Never makes another tree than the parser's own grammar would.

use std::any::TypeId;
use std::cell::Cell;

use sqlparser::ast;
use sqlparser::dialect::{Dialect as ParserDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// A grammar that stops.
#[derive(Debug)]
pub(super) struct Grammar {
    own: &'static dyn ParserDialect,
    /// Expressions that may still begin.
    left: Cell<usize>,
}

impl Grammar {
    pub(super) fn new(own: &'static dyn ParserDialect, expressions_max: usize) -> Self {
        Self { own, left: Cell::new(expressions_max) }
    }

    /// Whether it stopped.
    pub(super) fn is_spent(&self) -> bool {
        self.left.get() == 0
    }
}

/// Methods that are the dialect's own.
macro_rules! own {
    ($(fn $method:ident($($arg:ident: $ty:ty),*) $(-> $result:ty)?;)*) => {
        $(fn $method(&self, $($arg: $ty),*) $(-> $result)? {
            self.own.$method($($arg),*)
        })*
    };
}

/// Of the dialect's own methods, those that queries are parsed with. A test holds it to the same trees.
impl ParserDialect for Grammar {
    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<ast::Expr, ParserError>> {
        match self.left.get().checked_sub(1) {
            None | Some(0) => {
                self.left.set(0);
                Some(Err(ParserError::RecursionLimitExceeded))
            }
            Some(left) => {
                self.left.set(left);
                begun(parser)
            }
        }
    }

    own! {
        fn dialect() -> TypeId;
        fn is_identifier_start(ch: char) -> bool;
        fn is_identifier_part(ch: char) -> bool;
        fn is_reserved_for_identifier(keyword: Keyword) -> bool;
        fn is_table_alias(keyword: &Keyword, parser: &mut Parser<'_>) -> bool;
        fn is_table_factor_alias(explicit: bool, keyword: &Keyword, parser: &mut Parser<'_>) -> bool;
        fn get_next_precedence(parser: &Parser<'_>) -> Option<Result<u8, ParserError>>;
        fn prec_value(precedence: Precedence) -> u8;
        fn parse_infix(parser: &mut Parser<'_>, expr: &ast::Expr, precedence: u8) -> Option<Result<ast::Expr, ParserError>>;
        fn allow_extract_custom() -> bool;
        fn allow_extract_single_quotes() -> bool;
        fn require_interval_qualifier() -> bool;
        fn supports_aliased_function_args() -> bool;
        fn supports_array_typedef_with_brackets() -> bool;
        fn supports_binary_kw_as_cast() -> bool;
        fn supports_bitwise_shift_operators() -> bool;
        fn supports_comma_separated_trim() -> bool;
        fn supports_comment_optimizer_hint() -> bool;
        fn supports_double_ampersand_operator() -> bool;
        fn supports_empty_projections() -> bool;
        fn supports_factorial_operator() -> bool;
        fn supports_filter_during_aggregation() -> bool;
        fn supports_geometric_types() -> bool;
        fn supports_group_by_expr() -> bool;
        fn supports_group_by_with_modifier() -> bool;
        fn supports_in_empty_list() -> bool;
        fn supports_insert_table_alias() -> bool;
        fn supports_interval_options() -> bool;
        fn supports_left_associative_joins_without_parens() -> bool;
        fn supports_limit_comma() -> bool;
        fn supports_match_against() -> bool;
        fn supports_named_fn_args_with_colon_operator() -> bool;
        fn supports_named_fn_args_with_expr_name() -> bool;
        fn supports_notnull_operator() -> bool;
        fn supports_order_by_using_operator() -> bool;
        fn supports_select_modifiers() -> bool;
        fn supports_select_wildcard_with_alias() -> bool;
        fn supports_string_literal_concatenation() -> bool;
        fn supports_table_hints() -> bool;
        fn supports_xml_expressions() -> bool;
    }
}

/// An expression that begins with a constant, a parenthesis or a name.
fn begun(parser: &mut Parser<'_>) -> Option<Result<ast::Expr, ParserError>> {
    match &parser.peek_token_ref().token {
        Token::Number(..) | Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_) | Token::Placeholder(_) => {
            Some(parser.parse_value().map(ast::Expr::Value))
        }
        Token::LParen => Some(parenthesised(parser)),
        Token::Word(word) if word.keyword == Keyword::NoKeyword => named(parser),
        _ => None,
    }
}

fn parenthesised(parser: &mut Parser<'_>) -> Result<ast::Expr, ParserError> {
    parser.advance_token();
    let inside = match &parser.peek_token_ref().token {
        Token::Word(word) if matches!(word.keyword, Keyword::SELECT | Keyword::WITH) => {
            ast::Expr::Subquery(parser.parse_query()?)
        }
        _ => {
            let mut values = parser.parse_comma_separated(Parser::parse_expr)?;
            match (values.pop(), values.is_empty()) {
                (Some(only), true) => ast::Expr::Nested(Box::new(only)),
                (last, _) => {
                    values.extend(last);
                    ast::Expr::Tuple(values)
                }
            }
        }
    };
    parser.expect_token(&Token::RParen)?;
    Ok(inside)
}

/// A column or a call. What could be a type before a string is left to the parser.
fn named(parser: &mut Parser<'_>) -> Option<Result<ast::Expr, ParserError>> {
    let mut parts = vec![ident(parser.peek_token_ref())?];
    let mut plain = true;
    while parser.peek_nth_token_ref(2 * parts.len() - 1).token == Token::Period {
        let part = parser.peek_nth_token_ref(2 * parts.len());
        plain = matches!(&part.token, Token::Word(word) if word.keyword == Keyword::NoKeyword);
        parts.push(ident(part)?);
    }
    let tokens = 2 * parts.len() - 1;
    let call = match &parser.peek_nth_token_ref(tokens).token {
        Token::LParen if plain => true,
        Token::LParen
        | Token::LBracket
        | Token::SingleQuotedString(_)
        | Token::DoubleQuotedString(_)
        | Token::HexStringLiteral(_)
        | Token::EscapedStringLiteral(_) => return None,
        _ => false,
    };
    for _ in 0..tokens {
        parser.advance_token();
    }
    if call {
        return Some(parser.parse_function(ast::ObjectName::from(parts)));
    }
    Some(Ok(match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => ast::Expr::Identifier(only),
        (last, _) => {
            parts.extend(last);
            ast::Expr::CompoundIdentifier(parts)
        }
    }))
}

fn ident(token: &TokenWithSpan) -> Option<ast::Ident> {
    match &token.token {
        Token::Word(word) => Some(word.to_ident(token.span)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
