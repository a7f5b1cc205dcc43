//! The text as tokens, with their places and with `:name` recognised. It decides what may stand in a text at all: quoting
//! forms that the dialect does not have (`E''`, `$$…$$`, `[x]`, `?`) never reach the parser.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::ops::Range;

use sqlparser::ast::{BinaryOperator, Expr};
use sqlparser::dialect::{Dialect as ParserDialect, MySqlDialect, PostgreSqlDialect, Precedence};
use sqlparser::keywords::{Keyword, RESERVED_FOR_TABLE_ALIAS};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Whitespace};

use super::error::{SqlError, shown};
use super::limits::{CHAIN_MAX, NESTING_MAX, TEXT_BYTES_MAX, TOKENS_MAX};
use crate::names::{ClaimName, Dialect, ParamName};

/// One token and where it stands in the text.
#[derive(Debug)]
pub(super) struct Lexeme {
    /// The token; `Token::Placeholder` only where `name` is given.
    pub(super) token: TokenWithSpan,
    /// Its bytes in the text.
    pub(super) bytes: Range<usize>,
    /// The bound value it names, if it is one.
    pub(super) name: Option<BoundName>,
}

/// What a placeholder names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BoundName {
    /// `:name`
    Param(ParamName),
    /// `:claims.name`
    Claim(ClaimName),
}

impl BoundName {
    /// Reads the text that `lex` gave a placeholder.
    pub(super) fn from_placeholder(text: &str) -> Result<Self, SqlError> {
        let invalid = |e: crate::names::InvalidName| SqlError::parameter(text, format!("is not a name: {e}"));
        match text.strip_prefix(":claims.") {
            Some(claim) => claim.parse().map(BoundName::Claim).map_err(invalid),
            None if text == ":claims" => Err(SqlError::parameter(text, "must say which claim: `:claims.name`")),
            None => text.trim_start_matches(':').parse().map(BoundName::Param).map_err(invalid),
        }
    }
}

/// SQLite's tokens without `[x]`, which would swallow `[[ … ]]`.
#[derive(Debug)]
struct SqliteTokens;

impl ParserDialect for SqliteTokens {
    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '"' || ch == '`'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_ascii_alphabetic() || ch == '_' || !ch.is_ascii()
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        self.is_identifier_start(ch) || ch.is_ascii_digit()
    }

    fn supports_dollar_placeholder(&self) -> bool {
        true
    }
}

/// MariaDB's tokens without what is refused anyway (`@` in names, names that start with digits, `#` for comments), and as much of its
/// grammar as is taken or refused by name. Its joins group from the left, which the parser's own MySQL does not know, and `&&` is AND in
/// every way, which the parser takes for an operator over bits.
#[derive(Debug)]
pub(super) struct MariaDbGrammar;

impl ParserDialect for MariaDbGrammar {
    /// In the few places where the parser asks which it is: SEPARATOR, PARTITION, bit strings.
    fn dialect(&self) -> TypeId {
        TypeId::of::<MySqlDialect>()
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '`'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_ascii_alphabetic() || ch == '_' || !ch.is_ascii()
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        self.is_identifier_start(ch) || ch.is_ascii_digit()
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }

    fn ignores_wildcard_escapes(&self) -> bool {
        true
    }

    fn requires_single_line_comment_whitespace(&self) -> bool {
        true
    }

    fn supports_string_literal_concatenation(&self) -> bool {
        true
    }

    fn require_interval_qualifier(&self) -> bool {
        true
    }

    fn supports_limit_comma(&self) -> bool {
        true
    }

    fn supports_table_hints(&self) -> bool {
        true
    }

    fn supports_select_modifiers(&self) -> bool {
        true
    }

    fn supports_match_against(&self) -> bool {
        true
    }

    fn supports_double_ampersand_operator(&self) -> bool {
        true
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        match &parser.peek_token_ref().token {
            Token::Overlap => Some(Ok(self.prec_value(Precedence::And))),
            Token::Arrow | Token::LongArrow => Some(Ok(self.prec_value(Precedence::DoubleColon))),
            Token::Word(word) if word.keyword == Keyword::MOD => Some(Ok(self.prec_value(Precedence::MulDivModOp))),
            _ => None,
        }
    }

    fn parse_infix(&self, parser: &mut Parser<'_>, left: &Expr, precedence: u8) -> Option<Result<Expr, ParserError>> {
        let op = match &parser.peek_token_ref().token {
            Token::Word(word) if word.keyword == Keyword::DIV => BinaryOperator::MyIntegerDivide,
            Token::Word(word) if word.keyword == Keyword::MOD => BinaryOperator::Modulo,
            _ => return None,
        };
        parser.advance_token();
        let left = Box::new(left.clone());
        Some(parser.parse_subexpr(precedence).map(|right| Expr::BinaryOp { left, op, right: Box::new(right) }))
    }

    fn supports_group_by_with_modifier(&self) -> bool {
        true
    }

    fn is_table_factor_alias(&self, explicit: bool, keyword: &Keyword, _: &mut Parser<'_>) -> bool {
        let hint = matches!(keyword, Keyword::USE | Keyword::IGNORE | Keyword::FORCE | Keyword::STRAIGHT_JOIN);
        explicit || !(hint || RESERVED_FOR_TABLE_ALIAS.contains(keyword))
    }
}

/// The text's tokens, white space included, `:name` and `:claims.name` each as one placeholder.
pub(super) fn lex(dialect: Dialect, text: &str) -> Result<Vec<Lexeme>, SqlError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(SqlError::TooComplex { what: "bytes", max: TEXT_BYTES_MAX });
    }
    if text.contains('\0') {
        return Err(SqlError::Syntax { detail: "it holds a NUL character".into() });
    }
    let tokenized = match dialect {
        Dialect::Postgres => Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location(),
        Dialect::Sqlite => Tokenizer::new(&SqliteTokens, text).tokenize_with_location(),
        Dialect::MariaDb => Tokenizer::new(&MariaDbGrammar, text).tokenize_with_location(),
    };
    let tokens = tokenized.map_err(|e| SqlError::syntax(&e.to_string()))?;
    let lexemes = locate(text, tokens);
    name_placeholders(text, lexemes)
}

/// Adds byte ranges. The tokenizer counts lines by `\n` and columns by characters.
fn locate(text: &str, tokens: Vec<TokenWithSpan>) -> Vec<Lexeme> {
    let mut chars = text.char_indices();
    let (mut offset, mut line, mut column) = (0, 1, 1);
    let mut advance_to = |to: Location| {
        while (line, column) < (to.line, to.column) {
            let Some((at, c)) = chars.next() else { break };
            offset = at + c.len_utf8();
            if c == '\n' {
                line += 1;
                column = 1;
            } else {
                column += 1;
            }
        }
        offset
    };
    let mut lexemes = Vec::with_capacity(tokens.len());
    for token in tokens {
        let start = advance_to(token.span.start);
        let end = advance_to(token.span.end);
        lexemes.push(Lexeme { token, bytes: start..end, name: None });
    }
    lexemes
}

/// Joins `:` and the word that follows at once into a placeholder. A placeholder of the text's own is refused.
fn name_placeholders(text: &str, lexemes: Vec<Lexeme>) -> Result<Vec<Lexeme>, SqlError> {
    let operators = key_operators(&lexemes);
    let mut brackets = 0_usize;
    let mut out: Vec<Lexeme> = Vec::with_capacity(lexemes.len());
    let mut rest = lexemes.into_iter().peekable();
    while let Some(mut lexeme) = rest.next() {
        match &lexeme.token.token {
            Token::Placeholder(own) => return Err(SqlError::parameter(own, "is not named; write it as `:name`")),
            Token::Question if !operators.contains(&lexeme.bytes.start) => {
                return Err(SqlError::parameter("?", "is not named; write it as `:name`"));
            }
            // The middle of a slice, `a[1:2]`.
            Token::Colon if brackets > 0 && !rest.peek().is_some_and(|next| is_plain_word(&next.token.token)) => {
                out.push(lexeme);
                continue;
            }
            Token::Colon => {}
            token => {
                match token {
                    Token::LBracket => brackets += 1,
                    Token::RBracket => brackets = brackets.saturating_sub(1),
                    _ => {}
                }
                out.push(lexeme);
                continue;
            }
        }
        let mut follows = |end: usize, wanted: fn(&Token) -> bool| {
            rest.next_if(|next| next.bytes.start == end && wanted(&next.token.token)).map(|next| next.bytes.end)
        };
        let Some(mut end) = follows(lexeme.bytes.end, is_plain_word) else {
            return Err(SqlError::Syntax { detail: "a `:` must be followed by a parameter's name".into() });
        };
        if text.get(lexeme.bytes.start..end) == Some(":claims")
            && let Some(after_period) = follows(end, |t| matches!(t, Token::Period))
        {
            end = follows(after_period, is_plain_word).unwrap_or(after_period);
        }
        let placeholder = text.get(lexeme.bytes.start..end).unwrap_or_default();
        lexeme.name = Some(BoundName::from_placeholder(placeholder)?);
        lexeme.token.token = Token::Placeholder(placeholder.to_owned());
        lexeme.bytes.end = end;
        out.push(lexeme);
    }
    Ok(out)
}

/// Where a `?` asks a JSON document for a key: an operand follows, which none does behind a placeholder.
fn key_operators(lexemes: &[Lexeme]) -> BTreeSet<usize> {
    let mut operators = BTreeSet::new();
    let mut question = None;
    for lexeme in lexemes {
        match &lexeme.token.token {
            Token::Whitespace(_) => {}
            Token::Question => question = Some(lexeme.bytes.start),
            token => {
                let operand = matches!(
                    token,
                    Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_) | Token::LParen | Token::Colon
                );
                operators.extend(question.take().filter(|_| operand));
            }
        }
    }
    operators
}

fn is_plain_word(token: &Token) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none())
}

/// The tokens for the parser: without white space, only those of the grammar, within the limits on number and depth.
pub(super) fn for_parser(dialect: Dialect, text: &str) -> Result<Vec<TokenWithSpan>, SqlError> {
    let mut depth = Depth::default();
    let mut out = Vec::new();
    let mut number_end = None;
    for lexeme in lex(dialect, text)? {
        if let Token::Whitespace(white) = &lexeme.token.token {
            if matches!(white, Whitespace::Space) && !is_space(text.get(lexeme.bytes).unwrap_or_default()) {
                return Err(SqlError::Syntax { detail: "it holds a character that only looks like a space".into() });
            }
            if let (Dialect::MariaDb, Whitespace::MultiLineComment(comment)) = (dialect, white)
                && ["!", "M!", "+"].iter().any(|head| comment.starts_with(head))
            {
                return Err(SqlError::unsupported("a comment that the server would execute"));
            }
            if matches!(white, Whitespace::SingleLineComment { prefix, comment: _ } if prefix == "#") {
                return Err(SqlError::unsupported(shown("#")));
            }
            continue;
        }
        if out.len() == TOKENS_MAX {
            return Err(SqlError::TooComplex { what: "tokens", max: TOKENS_MAX });
        }
        allowed(dialect, &lexeme.token.token, text.get(lexeme.bytes.clone()).unwrap_or_default())?;
        // `1e` and `123abc` are a number and its alias to the parser, and an error or another number to an engine.
        if number_end == Some(lexeme.bytes.start) && is_plain_word(&lexeme.token.token) {
            return Err(SqlError::Syntax { detail: "a number runs into a name".into() });
        }
        number_end = matches!(lexeme.token.token, Token::Number(..)).then_some(lexeme.bytes.end);
        depth.count(&lexeme.token.token)?;
        out.push(lexeme.token);
    }
    Ok(out)
}

/// Whether it is white space to every engine. The tokenizer takes all that Unicode calls so, which engines do not.
fn is_space(text: &str) -> bool {
    matches!(text, " " | "\t" | "\n" | "\r" | "\u{c}")
}

/// The tokens of the grammar; everything else is refused by name.
fn allowed(dialect: Dialect, token: &Token, text: &str) -> Result<(), SqlError> {
    let plain_string = "write the string in single quotes";
    match token {
        Token::SingleQuotedString(_) if dialect == Dialect::MariaDb => escapes_agree(text),
        Token::DoubleQuotedString(_) => {
            Err(SqlError::unsupported_use("double quotes", "write a name in backticks, a string in single quotes"))
        }
        Token::Spaceship | Token::Overlap if dialect == Dialect::MariaDb => Ok(()),
        Token::Word(_)
        | Token::Number(_, false)
        | Token::SingleQuotedString(_)
        | Token::Placeholder(_)
        | Token::Comma
        | Token::Period
        | Token::LParen
        | Token::RParen
        | Token::SemiColon
        | Token::DoubleColon
        | Token::Eq
        | Token::DoubleEq
        | Token::Neq
        | Token::Lt
        | Token::Gt
        | Token::LtEq
        | Token::GtEq
        | Token::Plus
        | Token::Minus
        | Token::Mul
        | Token::Div
        | Token::Mod
        | Token::StringConcat
        | Token::Arrow
        | Token::LongArrow
        | Token::Ampersand
        | Token::Pipe
        | Token::Tilde => Ok(()),
        token if dialect == Dialect::Postgres && is_of_postgres(token) => Ok(()),
        Token::HexStringLiteral(_) if text.starts_with('0') => {
            Err(SqlError::unsupported_use("a hexadecimal number", "write it with decimal digits"))
        }
        Token::HexStringLiteral(_) if dialect != Dialect::Postgres => Ok(()),
        Token::HexStringLiteral(_) => {
            Err(SqlError::unsupported_use("a bit string", "write bytes as CAST('\\x…' AS bytea)"))
        }
        Token::DollarQuotedString(_) => Err(SqlError::unsupported_use("a dollar-quoted string", plain_string)),
        Token::EscapedStringLiteral(_) => Err(SqlError::unsupported_use("an E'…' string", plain_string)),
        Token::UnicodeStringLiteral(_) => Err(SqlError::unsupported_use("a U&'…' string", plain_string)),
        Token::NationalStringLiteral(_) => Err(SqlError::unsupported_use("an N'…' string", plain_string)),
        Token::SingleQuotedByteStringLiteral(_) => Err(SqlError::unsupported("a bit string")),
        Token::LBracket | Token::RBracket => Err(SqlError::unsupported_use(
            "a `[name]` (an optional clause needs a parameter in it)",
            "write it in double quotes",
        )),
        _ => Err(SqlError::unsupported(shown(text))),
    }
}

/// Whether every backslash of a string means to MariaDB what it means to the tokenizer.
fn escapes_agree(text: &str) -> Result<(), SqlError> {
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c == '\\' && !matches!(rest.next(), Some('\'' | '"' | '\\' | 'b' | 'n' | 'r' | 't' | 'Z' | '%' | '_')) {
            return Err(SqlError::unsupported_use(
                "this backslash in a string",
                "write `\\\\` for one, and `''` for a quote",
            ));
        }
    }
    Ok(())
}

/// Whether a token is of the grammar on PostgreSQL alone.
fn is_of_postgres(token: &Token) -> bool {
    matches!(
        token,
        Token::LBracket
            | Token::RBracket
            | Token::Colon
            | Token::Sharp
            | Token::Caret
            | Token::ShiftLeft
            | Token::ShiftRight
            | Token::RArrow
            | Token::HashArrow
            | Token::HashLongArrow
            | Token::HashMinus
            | Token::Question
            | Token::QuestionPipe
            | Token::QuestionAnd
            | Token::AtArrow
            | Token::ArrowAt
            | Token::AtQuestion
            | Token::AtAt
            | Token::Overlap
            | Token::TildeAsterisk
            | Token::ExclamationMarkTilde
            | Token::ExclamationMarkTildeAsterisk
            | Token::DoubleTilde
            | Token::DoubleTildeAsterisk
            | Token::ExclamationMarkDoubleTilde
            | Token::ExclamationMarkDoubleTildeAsterisk
            | Token::DollarQuotedString(_)
            | Token::EscapedStringLiteral(_)
    )
}

/// How deep a tree the tokens can make, judged without parsing: the parser's own tree is dropped by recursion.
#[derive(Default)]
struct Depth {
    /// Tokens since the last comma, for each open parenthesis or CASE.
    open: Vec<usize>,
    /// The same outside all of them.
    chain: usize,
    /// The sum of `open` and `chain`.
    total: usize,
}

impl Depth {
    fn count(&mut self, token: &Token) -> Result<(), SqlError> {
        match token {
            Token::Comma => {
                self.total -= self.chain;
                self.chain = 0;
            }
            Token::LParen | Token::LBracket => self.push()?,
            Token::RParen | Token::RBracket => self.pop(),
            Token::Word(word) if word.keyword == Keyword::CASE => self.push()?,
            Token::Word(word) if word.keyword == Keyword::END => self.pop(),
            // The parser copies all that stands before one of these, by recursion.
            Token::Word(word)
                if matches!(
                    word.keyword,
                    Keyword::GLOB | Keyword::REGEXP | Keyword::MATCH | Keyword::DIV | Keyword::MOD
                ) =>
            {
                self.add(30);
            }
            // It reads `a JOIN b JOIN c ON … ON …` by recursion.
            Token::Word(word) if word.keyword == Keyword::JOIN => self.add(20),
            _ => self.add(1),
        }
        if self.total > CHAIN_MAX {
            return Err(SqlError::TooComplex { what: "terms without a comma", max: CHAIN_MAX });
        }
        Ok(())
    }

    fn add(&mut self, levels: usize) {
        self.chain += levels;
        self.total += levels;
    }

    fn push(&mut self) -> Result<(), SqlError> {
        self.open.push(std::mem::take(&mut self.chain));
        if self.open.len() > NESTING_MAX {
            return Err(SqlError::TooComplex { what: "levels of nesting", max: NESTING_MAX });
        }
        Ok(())
    }

    /// A closing token without its opening one changes nothing: the parser refuses it.
    fn pop(&mut self) {
        if let Some(outer) = self.open.pop() {
            self.total -= self.chain;
            self.chain = outer + 1;
            self.total += 1;
        }
    }
}
