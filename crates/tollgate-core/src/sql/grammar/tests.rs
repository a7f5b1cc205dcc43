//! A grammar that stops reads what the parser's own does, and stops.

use sqlparser::ast;
use sqlparser::dialect::Dialect as ParserDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::Grammar;
use crate::names::Dialect;
use crate::sql::cases::seeds;
use crate::sql::limits::STACK_BYTES;
use crate::sql::parse::own_grammar;
use crate::sql::tokens::for_parser;

const DIALECTS: [Dialect; 3] = [Dialect::Postgres, Dialect::Sqlite, Dialect::MariaDb];

/// The tree by the parser's own grammar, and the one by ours.
fn trees(dialect: Dialect, tokens: &[TokenWithSpan]) -> [Result<Box<ast::Query>, ParserError>; 2] {
    let ours = Grammar::new(own_grammar(dialect), usize::MAX);
    [own_grammar(dialect), &ours].map(|grammar| read(grammar, tokens))
}

fn read(grammar: &dyn ParserDialect, tokens: &[TokenWithSpan]) -> Result<Box<ast::Query>, ParserError> {
    let mut parser = Parser::new(grammar).with_tokens_with_locations(tokens.to_vec());
    stacker::grow(STACK_BYTES, || {
        parser.parse_query().and_then(|query| parser.expect_token(&Token::EOF).map(|_| query))
    })
}

#[test]
fn it_makes_the_same_trees() {
    let mut read = 0;
    for seed in seeds() {
        for dialect in DIALECTS {
            let Ok(tokens) = for_parser(dialect, &seed) else { continue };
            let gaps = (0..tokens.len()).step_by(41).map(Some);
            for gap in gaps.chain([None]) {
                let mut tokens = tokens.clone();
                if let Some(at) = gap {
                    tokens.remove(at);
                }
                let [own, ours] = trees(dialect, &tokens);
                assert_eq!(own.is_ok(), ours.is_ok(), "{}: {seed} without {gap:?}: {ours:?}", dialect.name());
                if let (Ok(own), Ok(ours)) = (own, ours) {
                    assert!(own == ours, "{}: {seed} without {gap:?}:\n{own:?}\n{ours:?}", dialect.name());
                    read += 1;
                }
            }
        }
    }
    assert!(read > 1_000, "{read}");
}

#[test]
fn it_stops() {
    // Each call is tried as `position(… IN …)` first.
    let text = format!("SELECT {}'a', 'b'{}", "position(".repeat(30), ")".repeat(30));
    for dialect in DIALECTS {
        let tokens = for_parser(dialect, &text).unwrap();
        let grammar = Grammar::new(own_grammar(dialect), 1_000);
        assert_eq!(read(&grammar, &tokens), Err(ParserError::RecursionLimitExceeded), "{}", dialect.name());
        assert!(grammar.is_spent());
    }
}
