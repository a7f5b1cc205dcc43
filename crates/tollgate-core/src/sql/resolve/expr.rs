//! Expressions: names, constants, bound values, the listed operators, scalar subqueries and CASE.

use sqlparser::ast;

use super::names::Names;
use super::output::{body_columns, has_aggregate, has_window};
use super::query::Outer;
use super::types::{interval, number};
use super::with::Ctes;
use super::{ClaimUse, Resolver, grouping, refused};
use crate::names::Dialect;
use crate::sql::error::{SqlError, shown};
use crate::sql::limits::TERMS_MAX;
use crate::sql::tokens::BoundName;
use crate::sql::tree::{BinaryOp, Expr, IsTest, LikeKind, Literal, Slot, UnaryOp};

/// Where an expression stands.
#[derive(Clone, Copy)]
pub(super) struct At<'e> {
    /// What it can name.
    pub(super) names: &'e Names<'e>,
    /// The common table expressions that its subqueries can name.
    pub(super) ctes: Option<&'e Ctes<'e>>,
    /// Whether it is a conjunct of a predicate.
    pub(super) position: Position,
    /// Whether it may hold an aggregate or a window function.
    pub(super) aggregates: Aggregates,
}

/// Where in a predicate an expression stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Position {
    /// Under nothing but AND, OR, EXISTS and IN from the predicate's top: making it false never makes a row visible.
    Top,
    /// Anywhere else.
    #[default]
    Inside,
}

/// Whether aggregates and window functions may stand here.
#[derive(Clone, Copy, Debug)]
pub(super) enum Aggregates {
    /// Both: in the output and ORDER BY.
    Allowed,
    /// Aggregates alone: in HAVING and inside a window function; with the words for where this is.
    NoWindows(&'static str),
    /// Neither, anywhere else; with the words for where this is.
    Refused(&'static str),
}

impl At<'_> {
    pub(super) fn inside(self) -> Self {
        Self { position: Position::Inside, ..self }
    }
}

impl Resolver<'_> {
    /// An expression at any depth.
    pub(super) fn expr(&mut self, expr: &ast::Expr, at: At<'_>) -> Result<Expr, SqlError> {
        grouping::agreed(self.dialect, expr)?;
        self.count_nodes(1)?;
        self.deeper(|this| match expr {
            ast::Expr::Nested(inner) => this.expr(inner, at),
            ast::Expr::BinaryOp { left, op, right } => this.binary(expr, (left, op, right), at),
            ast::Expr::Exists { subquery, negated } => this.exists(subquery, *negated, at),
            ast::Expr::InSubquery { expr, subquery, negated } => this.in_subquery(expr, subquery, *negated, at),
            ast::Expr::InList { expr, list, negated } => this.in_list(expr, list, *negated, at),
            ast::Expr::AnyOp { .. } | ast::Expr::AllOp { .. } if this.dialect == Dialect::Postgres => {
                this.quantified(expr, at)
            }
            other => this.inner_expr(other, at.inside()),
        })
    }

    pub(super) fn boxed(&mut self, expr: &ast::Expr, at: At<'_>) -> Result<Box<Expr>, SqlError> {
        self.expr(expr, at).map(Box::new)
    }

    /// Expressions, one after the other.
    pub(super) fn exprs(&mut self, list: &[ast::Expr], at: At<'_>) -> Result<Vec<Expr>, SqlError> {
        list.iter().map(|expr| self.expr(expr, at)).collect()
    }

    /// An expression that is not a conjunct.
    fn inner_expr(&mut self, expr: &ast::Expr, at: At<'_>) -> Result<Expr, SqlError> {
        match expr {
            ast::Expr::Identifier(ident) => self.identifier(ident, at),
            ast::Expr::CompoundIdentifier(parts) => self.qualified(parts, at),
            ast::Expr::Value(value) => self.value(&value.value),
            ast::Expr::TypedString(typed) => self.typed_literal(typed).map(Expr::Literal),
            ast::Expr::Interval(written) => interval(self.dialect, written).map(Expr::Literal),
            ast::Expr::RLike { negated, expr, pattern, regexp: _ } if self.dialect == Dialect::MariaDb => {
                self.matches((expr, pattern), *negated, at)
            }
            ast::Expr::Convert { .. } if self.dialect == Dialect::MariaDb => self.convert(expr, at),
            ast::Expr::UnaryOp { op, expr } => self.unary(*op, expr, at),
            ast::Expr::Between { expr, negated, low, high } => {
                let (expr, low, high) = (self.boxed(expr, at)?, self.boxed(low, at)?, self.boxed(high, at)?);
                Ok(Expr::Between { expr, low, high, negated: *negated })
            }
            ast::Expr::Like { negated, any, expr, pattern, escape_char } => {
                self.like((expr, pattern, escape_char.as_deref()), (LikeKind::Like, *any, *negated), at)
            }
            ast::Expr::ILike { negated, any, expr, pattern, escape_char } => {
                refused::when(self.dialect == Dialect::Sqlite, "ILIKE (LIKE ignores the case of ASCII letters here)")?;
                refused::when(
                    self.dialect == Dialect::MariaDb,
                    "ILIKE (LIKE compares by the column's collation here)",
                )?;
                self.like((expr, pattern, escape_char.as_deref()), (LikeKind::ILike, *any, *negated), at)
            }
            ast::Expr::SimilarTo { negated, expr, pattern, escape_char } if self.dialect == Dialect::Postgres => {
                self.like((expr, pattern, escape_char.as_deref()), (LikeKind::SimilarTo, false, *negated), at)
            }
            ast::Expr::Case { case_token: _, end_token: _, operand, conditions, else_result } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), at)
            }
            ast::Expr::Cast { kind, expr, data_type, format } => {
                self.cast((kind, expr, data_type), format.is_some(), at)
            }
            ast::Expr::Subquery(query) => self.scalar(query, at),
            ast::Expr::Array(array) if self.dialect == Dialect::Postgres => self.array(array, at),
            ast::Expr::CompoundFieldAccess { root, access_chain } => self.subscript(root, access_chain, at),
            ast::Expr::Collate { expr, collation } => self.collate(expr, collation, at),
            ast::Expr::IsNull(_)
            | ast::Expr::IsNotNull(_)
            | ast::Expr::IsTrue(_)
            | ast::Expr::IsNotTrue(_)
            | ast::Expr::IsFalse(_)
            | ast::Expr::IsNotFalse(_)
            | ast::Expr::IsUnknown(_)
            | ast::Expr::IsNotUnknown(_)
            | ast::Expr::IsDistinctFrom(..)
            | ast::Expr::IsNotDistinctFrom(..) => self.is(expr, at),
            other => self.call_like(other, at),
        }
    }

    fn identifier(&mut self, ident: &ast::Ident, at: At<'_>) -> Result<Expr, SqlError> {
        let expr = at.names.unqualified(self.dialect, &self.folded(ident))?;
        self.count_copy(&expr)?;
        match at.aggregates {
            // An alias of the output stands for its expression.
            Aggregates::Refused(place) if has_aggregate(self.dialect, &expr) => {
                Err(SqlError::unsupported(format!("an aggregate {place}")))
            }
            Aggregates::Refused(place) | Aggregates::NoWindows(place) if has_window(&expr) => {
                Err(SqlError::unsupported_use(format!("a window function {place}"), "compute it in a subquery"))
            }
            Aggregates::Refused(_) | Aggregates::NoWindows(_) | Aggregates::Allowed => Ok(expr),
        }
    }

    pub(super) fn qualified(&self, parts: &[ast::Ident], at: At<'_>) -> Result<Expr, SqlError> {
        let path: Vec<String> = parts.iter().map(|part| self.folded(part)).collect();
        match path.as_slice() {
            [relation, column] => at.names.qualified(self.dialect, relation, column),
            [schema, table, column] => at.names.fully_qualified(self.dialect, (schema, table), column),
            _ => Err(SqlError::unsupported_use("a name of this many parts", "write table.column")),
        }
    }

    fn value(&self, value: &ast::Value) -> Result<Expr, SqlError> {
        let literal = match value {
            ast::Value::Number(text, false) => number(text)?,
            ast::Value::Boolean(truth) => Literal::Bool(*truth),
            ast::Value::Null => Literal::Null,
            ast::Value::Placeholder(text) => return self.placeholder(text),
            ast::Value::HexStringLiteral(digits) if self.dialect != Dialect::Postgres => {
                let hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                refused::when(!hexadecimal, "a blob with other characters than hexadecimal digits")?;
                refused::when(!digits.len().is_multiple_of(2), "a blob of an odd number of digits")?;
                Literal::Blob(digits.clone())
            }
            other => match string(other) {
                Some(text) => Literal::Text(text.to_owned()),
                None => {
                    return Err(SqlError::unsupported_use("this form of literal", "write the string in single quotes"));
                }
            },
        };
        Ok(Expr::Literal(literal))
    }

    fn placeholder(&self, text: &str) -> Result<Expr, SqlError> {
        match BoundName::from_placeholder(text)? {
            BoundName::Param(name) => self.single_param(text, name),
            BoundName::Claim(name) => {
                self.claims_allowed(text)?;
                Ok(Expr::Slot(Slot::Claim(name)))
            }
        }
    }

    pub(super) fn claims_allowed(&self, text: &str) -> Result<(), SqlError> {
        match self.scope.claims {
            ClaimUse::Allowed => Ok(()),
            ClaimUse::Refused => Err(SqlError::parameter(text, "may stand only in the policy's row filters")),
        }
    }

    fn unary(&mut self, op: ast::UnaryOperator, operand: &ast::Expr, at: At<'_>) -> Result<Expr, SqlError> {
        let op = match op {
            ast::UnaryOperator::Not => UnaryOp::Not,
            ast::UnaryOperator::Minus => UnaryOp::Minus,
            ast::UnaryOperator::Plus => UnaryOp::Plus,
            ast::UnaryOperator::BitwiseNot => UnaryOp::BitNot,
            other => return Err(SqlError::unsupported(format!("the operator {}", shown(&other.to_string())))),
        };
        let expr = self.boxed(operand, at)?;
        // Of `NOT column` beside AND, in a subquery that is run for each row of a merged table, MariaDB 10.11 makes another condition
        // when the statement is prepared. The same as a comparison stays what it is.
        if let (Dialect::MariaDb, UnaryOp::Not, Expr::Column(_)) = (self.dialect, op, &*expr) {
            let right = Box::new(Expr::Literal(Literal::Bool(false)));
            return Ok(Expr::Binary { op: BinaryOp::Eq, left: expr, right });
        }
        Ok(Expr::Unary { op, expr })
    }

    /// A binary operator. Chains of AND and OR keep their position and are resolved without recursion on their length.
    fn binary(
        &mut self,
        whole: &ast::Expr,
        (left, op, right): (&ast::Expr, &ast::BinaryOperator, &ast::Expr),
        at: At<'_>,
    ) -> Result<Expr, SqlError> {
        if matches!(op, ast::BinaryOperator::And | ast::BinaryOperator::Or) {
            return self.chain(whole, op, at);
        }
        if self.dialect == Dialect::MariaDb
            && let Some(lowered) = self.of_mariadb((left, op, right), at.inside())?
        {
            return Ok(lowered);
        }
        let (op, at) = (self.operator(op)?, at.inside());
        if let (ast::Expr::Tuple(left), ast::Expr::Tuple(right)) = (left, right) {
            return self.rows(op, left, right, at);
        }
        let (left, right) = (self.boxed(left, at)?, self.boxed(right, at)?);
        // The operator itself, without the escape that LIKE may name.
        let (kind, negated) = match op {
            BinaryOp::Like => (LikeKind::Like, false),
            BinaryOp::ILike => (LikeKind::ILike, false),
            BinaryOp::NotLike => (LikeKind::Like, true),
            BinaryOp::NotILike => (LikeKind::ILike, true),
            BinaryOp::Overlaps => return Err(SqlError::unsupported("OVERLAPS of anything but rows of two")),
            op => return Ok(Expr::Binary { op, left, right }),
        };
        Ok(Expr::Like { expr: left, pattern: right, escape: None, kind, negated })
    }

    /// A listed operator of the dialect.
    pub(super) fn operator(&self, op: &ast::BinaryOperator) -> Result<BinaryOp, SqlError> {
        // OR or a join, as the server is set up.
        if self.dialect == Dialect::MariaDb && *op == ast::BinaryOperator::StringConcat {
            return Err(SqlError::unsupported_use("the operator `||`", "write concat(a, b), or OR"));
        }
        operator(self.dialect, op)
            .ok_or_else(|| SqlError::unsupported(format!("the operator {}", shown(&op.to_string()))))
    }

    fn chain(&mut self, whole: &ast::Expr, wanted: &ast::BinaryOperator, at: At<'_>) -> Result<Expr, SqlError> {
        let mut terms = Vec::new();
        let mut rest = whole;
        while let ast::Expr::BinaryOp { left, op, right } = rest
            && op == wanted
        {
            terms.push(right.as_ref());
            rest = left.as_ref();
            if terms.len() == TERMS_MAX {
                return Err(SqlError::TooComplex { what: "terms of one AND or OR", max: TERMS_MAX });
            }
        }
        terms.push(rest);
        let op = if *wanted == ast::BinaryOperator::And { BinaryOp::And } else { BinaryOp::Or };
        let mut lowered = Vec::with_capacity(terms.len());
        for term in terms.into_iter().rev() {
            lowered.push(self.expr(term, at)?);
        }
        balanced(op, lowered).ok_or_else(|| SqlError::unsupported("an empty condition"))
    }

    fn is(&mut self, expr: &ast::Expr, at: At<'_>) -> Result<Expr, SqlError> {
        let (expr, test, negated) = match expr {
            ast::Expr::IsNull(expr) | ast::Expr::IsUnknown(expr) => (expr, IsTest::Null, false),
            ast::Expr::IsNotNull(expr) | ast::Expr::IsNotUnknown(expr) => (expr, IsTest::Null, true),
            ast::Expr::IsTrue(expr) => (expr, IsTest::True, false),
            ast::Expr::IsNotTrue(expr) => (expr, IsTest::True, true),
            ast::Expr::IsFalse(expr) => (expr, IsTest::False, false),
            ast::Expr::IsNotFalse(expr) => (expr, IsTest::False, true),
            ast::Expr::IsDistinctFrom(left, right) => return self.distinct(left, BinaryOp::IsDistinctFrom, right, at),
            ast::Expr::IsNotDistinctFrom(left, right) => {
                return self.distinct(left, BinaryOp::IsNotDistinctFrom, right, at);
            }
            other => return Err(refused::expression(other)),
        };
        Ok(Expr::Is { expr: self.boxed(expr, at)?, test, negated })
    }

    fn distinct(&mut self, left: &ast::Expr, op: BinaryOp, right: &ast::Expr, at: At<'_>) -> Result<Expr, SqlError> {
        if let (ast::Expr::Tuple(left), ast::Expr::Tuple(right)) = (left, right) {
            return self.rows(op, left, right, at);
        }
        Ok(Expr::Binary { op, left: self.boxed(left, at)?, right: self.boxed(right, at)? })
    }

    fn exists(&mut self, subquery: &ast::Query, negated: bool, at: At<'_>) -> Result<Expr, SqlError> {
        let query = self.query(subquery, subquery_outer(&at, negated))?;
        Ok(Expr::Exists { query: Box::new(query), negated })
    }

    fn scalar(&mut self, subquery: &ast::Query, at: At<'_>) -> Result<Expr, SqlError> {
        let query = self.query(subquery, subquery_outer(&at.inside(), false))?;
        self.one_column(&query, "a subquery as a value")?;
        Ok(Expr::Scalar(Box::new(query)))
    }

    pub(super) fn one_column(&self, query: &crate::sql::tree::Query, what: &str) -> Result<(), SqlError> {
        let columns = body_columns(self.dialect, &query.body).len();
        refused::when(columns != 1, &format!("{what} of {columns} columns"))
    }

    fn case(
        &mut self,
        operand: Option<&ast::Expr>,
        conditions: &[ast::CaseWhen],
        otherwise: Option<&ast::Expr>,
        at: At<'_>,
    ) -> Result<Expr, SqlError> {
        let operand = operand.map(|e| self.boxed(e, at)).transpose()?;
        let mut branches = Vec::with_capacity(conditions.len());
        for ast::CaseWhen { condition, result } in conditions {
            branches.push((self.expr(condition, at)?, self.expr(result, at)?));
        }
        let otherwise = otherwise.map(|e| self.boxed(e, at)).transpose()?;
        Ok(Expr::Case { operand, branches, otherwise })
    }

    fn cast(
        &mut self,
        (kind, expr, data_type): (&ast::CastKind, &ast::Expr, &ast::DataType),
        formatted: bool,
        at: At<'_>,
    ) -> Result<Expr, SqlError> {
        refused::when(formatted, "FORMAT in a cast")?;
        match kind {
            ast::CastKind::Cast => {}
            ast::CastKind::DoubleColon if self.dialect == Dialect::Postgres => {}
            ast::CastKind::DoubleColon => return Err(SqlError::unsupported_use("`::`", "write CAST(x AS type)")),
            ast::CastKind::TryCast | ast::CastKind::SafeCast => {
                return Err(SqlError::unsupported_use("TRY_CAST or SAFE_CAST", "write CAST(x AS type)"));
            }
        }
        let ty = self.cast_type(data_type)?;
        Ok(Expr::Cast { expr: self.boxed(expr, at)?, ty })
    }
}

/// What surrounds a subquery of an expression: its WHERE hides rows as long as nothing negates it.
pub(super) fn subquery_outer<'e>(at: &At<'e>, negated: bool) -> Outer<'e> {
    let position = if negated { Position::Inside } else { at.position };
    Outer { names: Some(at.names), ctes: at.ctes, position }
}

/// What the parser's operator is on our list.
pub(in crate::sql) fn operator(dialect: Dialect, op: &ast::BinaryOperator) -> Option<BinaryOp> {
    use ast::BinaryOperator as B;
    let postgres = dialect == Dialect::Postgres;
    Some(match op {
        B::Eq => BinaryOp::Eq,
        B::NotEq => BinaryOp::NotEq,
        B::Lt => BinaryOp::Lt,
        B::LtEq => BinaryOp::LtEq,
        B::Gt => BinaryOp::Gt,
        B::GtEq => BinaryOp::GtEq,
        B::Plus => BinaryOp::Add,
        B::Minus => BinaryOp::Subtract,
        B::Multiply => BinaryOp::Multiply,
        B::Divide => BinaryOp::Divide,
        B::Modulo => BinaryOp::Modulo,
        B::MyIntegerDivide if dialect == Dialect::MariaDb => BinaryOp::IntDivide,
        B::Spaceship if dialect == Dialect::MariaDb => BinaryOp::IsNotDistinctFrom,
        B::StringConcat if dialect != Dialect::MariaDb => BinaryOp::Concat,
        B::Arrow if dialect != Dialect::MariaDb => BinaryOp::JsonGet,
        B::LongArrow if dialect != Dialect::MariaDb => BinaryOp::JsonGetText,
        B::BitwiseAnd => BinaryOp::BitAnd,
        B::BitwiseOr => BinaryOp::BitOr,
        B::Glob if dialect == Dialect::Sqlite => BinaryOp::Glob,
        B::PGBitwiseXor if postgres => BinaryOp::BitXor,
        B::PGBitwiseShiftLeft if postgres => BinaryOp::ShiftLeft,
        B::PGBitwiseShiftRight if postgres => BinaryOp::ShiftRight,
        B::PGExp if postgres => BinaryOp::Power,
        B::HashArrow if postgres => BinaryOp::JsonPath,
        B::HashLongArrow if postgres => BinaryOp::JsonPathText,
        B::HashMinus if postgres => BinaryOp::JsonRemove,
        B::Question if postgres => BinaryOp::JsonHasKey,
        B::QuestionPipe if postgres => BinaryOp::JsonHasAnyKey,
        B::QuestionAnd if postgres => BinaryOp::JsonHasAllKeys,
        B::AtQuestion if postgres => BinaryOp::JsonPathExists,
        B::AtAt if postgres => BinaryOp::Matches,
        B::AtArrow if postgres => BinaryOp::Contains,
        B::ArrowAt if postgres => BinaryOp::ContainedBy,
        B::PGOverlap if postgres => BinaryOp::Overlap,
        B::PGRegexMatch if postgres => BinaryOp::Regex,
        B::PGRegexIMatch if postgres => BinaryOp::RegexI,
        B::PGRegexNotMatch if postgres => BinaryOp::NotRegex,
        B::PGRegexNotIMatch if postgres => BinaryOp::NotRegexI,
        B::PGLikeMatch if postgres => BinaryOp::Like,
        B::PGILikeMatch if postgres => BinaryOp::ILike,
        B::PGNotLikeMatch if postgres => BinaryOp::NotLike,
        B::PGNotILikeMatch if postgres => BinaryOp::NotILike,
        B::Overlaps if postgres => BinaryOp::Overlaps,
        _ => return None,
    })
}

/// The value of a string, however it is quoted: the tokenizer has undone the escapes.
pub(in crate::sql) fn string(value: &ast::Value) -> Option<&str> {
    match value {
        ast::Value::SingleQuotedString(text) | ast::Value::EscapedStringLiteral(text) => Some(text),
        ast::Value::DollarQuotedString(ast::DollarQuotedString { value, tag: _ }) => Some(value),
        _ => None,
    }
}

/// Joins terms by an associative operator: a plain chain where it is short, halves where the tree would get deep.
pub(super) fn balanced(op: BinaryOp, mut terms: Vec<Expr>) -> Option<Expr> {
    let join = |left: Expr, right: Expr| Expr::Binary { op, left: Box::new(left), right: Box::new(right) };
    if terms.len() <= 16 {
        return terms.into_iter().reduce(join);
    }
    let right = terms.split_off(terms.len() / 2);
    Some(join(balanced(op, terms)?, balanced(op, right)?))
}
