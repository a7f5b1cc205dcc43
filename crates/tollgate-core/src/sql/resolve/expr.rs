//! Expressions: names, constants, bound values, the listed operators, subqueries and CASE.

use sqlparser::ast;

use super::names::Names;
use super::output::{body_columns, has_aggregate};
use super::query::{Outer, unparenthesised};
use super::types::{cast_type, interval, number, typed_literal};
use super::with::Ctes;
use super::{ClaimUse, ParamShape, Resolver, refused};
use crate::names::Dialect;
use crate::sql::error::{SqlError, shown};
use crate::sql::limits::{IN_LIST_MAX, TERMS_MAX};
use crate::sql::tokens::BoundName;
use crate::sql::tree::{BinaryOp, Expr, IsTest, Literal, Slot, UnaryOp};

/// Where an expression stands.
#[derive(Clone, Copy)]
pub(super) struct At<'e> {
    /// What it can name.
    pub(super) names: &'e Names<'e>,
    /// The common table expressions that its subqueries can name.
    pub(super) ctes: Option<&'e Ctes<'e>>,
    /// Whether it is a conjunct of a predicate.
    pub(super) position: Position,
    /// Whether it may hold an aggregate.
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

/// Whether aggregates may stand here.
#[derive(Clone, Copy, Debug)]
pub(super) enum Aggregates {
    /// In the output, HAVING and ORDER BY.
    Allowed,
    /// Nowhere else; with the words for where this is.
    Refused(&'static str),
}

impl At<'_> {
    fn inside(self) -> Self {
        Self { position: Position::Inside, ..self }
    }
}

impl Resolver<'_> {
    /// An expression at any depth.
    pub(super) fn expr(&mut self, expr: &ast::Expr, at: At<'_>) -> Result<Expr, SqlError> {
        self.deeper(|this| match expr {
            ast::Expr::Nested(inner) => this.expr(inner, at),
            ast::Expr::BinaryOp { left, op, right } => this.binary(expr, (left, op, right), at),
            ast::Expr::Exists { subquery, negated } => this.exists(subquery, *negated, at),
            ast::Expr::InSubquery { expr, subquery, negated } => this.in_subquery(expr, subquery, *negated, at),
            ast::Expr::InList { expr, list, negated } => this.in_list(expr, list, *negated, at),
            other => this.inner_expr(other, at.inside()),
        })
    }

    fn boxed(&mut self, expr: &ast::Expr, at: At<'_>) -> Result<Box<Expr>, SqlError> {
        self.expr(expr, at).map(Box::new)
    }

    /// An expression that is not a conjunct.
    fn inner_expr(&mut self, expr: &ast::Expr, at: At<'_>) -> Result<Expr, SqlError> {
        match expr {
            ast::Expr::Identifier(ident) => self.identifier(ident, at),
            ast::Expr::CompoundIdentifier(parts) => self.qualified(parts, at),
            ast::Expr::Value(value) => self.value(&value.value),
            ast::Expr::TypedString(typed) => typed_literal(self.dialect, typed).map(Expr::Literal),
            ast::Expr::Interval(written) => interval(self.dialect, written).map(Expr::Literal),
            ast::Expr::UnaryOp { op, expr } => self.unary(*op, expr, at),
            ast::Expr::Between { expr, negated, low, high } => {
                loose(expr)?;
                let (expr, low, high) = (self.boxed(expr, at)?, self.boxed(low, at)?, self.boxed(high, at)?);
                Ok(Expr::Between { expr, low, high, negated: *negated })
            }
            ast::Expr::Like { negated, any, expr, pattern, escape_char } => {
                refused::when(*any, "LIKE ANY")?;
                self.like((expr, pattern, escape_char.as_deref()), false, *negated, at)
            }
            ast::Expr::ILike { negated, any, expr, pattern, escape_char } => {
                refused::when(*any, "ILIKE ANY")?;
                refused::when(self.dialect == Dialect::Sqlite, "ILIKE (LIKE ignores the case of ASCII letters here)")?;
                self.like((expr, pattern, escape_char.as_deref()), true, *negated, at)
            }
            ast::Expr::Case { case_token: _, end_token: _, operand, conditions, else_result } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), at)
            }
            ast::Expr::Cast { kind, expr, data_type, format } => {
                self.cast((kind, expr, data_type), format.is_some(), at)
            }
            ast::Expr::Subquery(query) => self.scalar(query, at),
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

    fn identifier(&self, ident: &ast::Ident, at: At<'_>) -> Result<Expr, SqlError> {
        let expr = at.names.unqualified(self.dialect, &self.folded(ident))?;
        match at.aggregates {
            // An alias of the output stands for its expression.
            Aggregates::Refused(place) if has_aggregate(self.dialect, &expr) => {
                Err(SqlError::unsupported(format!("an aggregate {place}")))
            }
            Aggregates::Refused(_) | Aggregates::Allowed => Ok(expr),
        }
    }

    fn qualified(&self, parts: &[ast::Ident], at: At<'_>) -> Result<Expr, SqlError> {
        let path: Vec<String> = parts.iter().map(|part| self.folded(part)).collect();
        match path.as_slice() {
            [relation, column] => at.names.qualified(self.dialect, relation, column),
            [schema, table, column] => at.names.fully_qualified(self.dialect, (schema, table), column),
            _ => Err(SqlError::unsupported_use("a name of this many parts", "write table.column")),
        }
    }

    fn value(&self, value: &ast::Value) -> Result<Expr, SqlError> {
        match value {
            ast::Value::Number(text, false) => number(text).map(Expr::Literal),
            ast::Value::SingleQuotedString(text) => Ok(Expr::Literal(Literal::Text(text.clone()))),
            ast::Value::Boolean(truth) => Ok(Expr::Literal(Literal::Bool(*truth))),
            ast::Value::Null => Ok(Expr::Literal(Literal::Null)),
            ast::Value::Placeholder(text) => self.placeholder(text),
            _ => Err(SqlError::unsupported_use("this form of literal", "write the string in single quotes")),
        }
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

    fn claims_allowed(&self, text: &str) -> Result<(), SqlError> {
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
            other => return Err(SqlError::unsupported(format!("the operator {}", shown(&other.to_string())))),
        };
        Ok(Expr::Unary { op, expr: self.boxed(operand, at)? })
    }

    /// A binary operator. Chains of AND and OR keep their position and are resolved without recursion on their length.
    fn binary(
        &mut self,
        whole: &ast::Expr,
        (left, op, right): (&ast::Expr, &ast::BinaryOperator, &ast::Expr),
        at: At<'_>,
    ) -> Result<Expr, SqlError> {
        let lowered = match op {
            ast::BinaryOperator::And | ast::BinaryOperator::Or => return self.chain(whole, op, at),
            ast::BinaryOperator::Eq => BinaryOp::Eq,
            ast::BinaryOperator::NotEq => BinaryOp::NotEq,
            ast::BinaryOperator::Lt => BinaryOp::Lt,
            ast::BinaryOperator::LtEq => BinaryOp::LtEq,
            ast::BinaryOperator::Gt => BinaryOp::Gt,
            ast::BinaryOperator::GtEq => BinaryOp::GtEq,
            ast::BinaryOperator::Plus => BinaryOp::Add,
            ast::BinaryOperator::Minus => BinaryOp::Subtract,
            ast::BinaryOperator::Multiply => BinaryOp::Multiply,
            ast::BinaryOperator::Divide => BinaryOp::Divide,
            ast::BinaryOperator::Modulo => BinaryOp::Modulo,
            ast::BinaryOperator::StringConcat => BinaryOp::Concat,
            ast::BinaryOperator::Arrow => BinaryOp::JsonGet,
            ast::BinaryOperator::LongArrow => BinaryOp::JsonGetText,
            other => return Err(SqlError::unsupported(format!("the operator {}", shown(&other.to_string())))),
        };
        let at = at.inside();
        for operand in [left, right] {
            if binding(operand).is_some_and(|inner| !inner.nests_in(Binding::of(lowered))) {
                return Err(SqlError::unsupported_use(
                    "a mix of operators that databases group differently",
                    "put parentheses around the inner one",
                ));
            }
        }
        Ok(Expr::Binary { op: lowered, left: self.boxed(left, at)?, right: self.boxed(right, at)? })
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
        loose(left)?;
        loose(right)?;
        Ok(Expr::Binary { op, left: self.boxed(left, at)?, right: self.boxed(right, at)? })
    }

    /// IN over a list. A bound list stands alone; a claim's never under a negation, where an empty list would open everything.
    fn in_list(&mut self, expr: &ast::Expr, list: &[ast::Expr], negated: bool, at: At<'_>) -> Result<Expr, SqlError> {
        loose(expr)?;
        refused::when(list.is_empty(), "an empty IN list")?;
        if list.len() > IN_LIST_MAX {
            return Err(SqlError::TooComplex { what: "elements of an IN list", max: IN_LIST_MAX });
        }
        if let [only] = list
            && let Some(slot) = self.list_slot(only, negated, at.position)?
        {
            return Ok(Expr::InSlot { expr: self.boxed(expr, at.inside())?, slot, negated });
        }
        let expr = self.boxed(expr, at.inside())?;
        let mut elements = Vec::with_capacity(list.len());
        for element in list {
            let element = self.expr(element, at.inside())?;
            refused::when(
                matches!(element, Expr::Slot(Slot::Claim(_))),
                "a claim beside other elements of an IN list",
            )?;
            elements.push(element);
        }
        Ok(Expr::InList { expr, list: elements, negated })
    }

    /// The bound list that an IN's only element names, if it names one.
    fn list_slot(&self, only: &ast::Expr, negated: bool, position: Position) -> Result<Option<Slot>, SqlError> {
        let ast::Expr::Value(value) = unparenthesised(only) else { return Ok(None) };
        let ast::Value::Placeholder(text) = &value.value else { return Ok(None) };
        match BoundName::from_placeholder(text)? {
            BoundName::Param(name) if self.scope.params.get(&name) == Some(&ParamShape::List) => {
                Ok(Some(Slot::ParamList(name)))
            }
            BoundName::Param(_) => Ok(None),
            BoundName::Claim(name) => {
                self.claims_allowed(text)?;
                if negated || position == Position::Inside {
                    let problem =
                        "as a list may stand only under AND and OR: its empty list must hide rows, never show them";
                    return Err(SqlError::parameter(text, problem));
                }
                Ok(Some(Slot::ClaimList(name)))
            }
        }
    }

    fn in_subquery(
        &mut self,
        expr: &ast::Expr,
        subquery: &ast::Query,
        negated: bool,
        at: At<'_>,
    ) -> Result<Expr, SqlError> {
        loose(expr)?;
        let expr = self.boxed(expr, at.inside())?;
        let query = self.query(subquery, subquery_outer(&at, negated))?;
        self.one_column(&query, "a subquery of IN")?;
        Ok(Expr::InQuery { expr, query: Box::new(query), negated })
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

    fn one_column(&self, query: &crate::sql::tree::Query, what: &str) -> Result<(), SqlError> {
        let columns = body_columns(self.dialect, &query.body).len();
        refused::when(columns != 1, &format!("{what} of {columns} columns"))
    }

    fn like(
        &mut self,
        (expr, pattern, escape): (&ast::Expr, &ast::Expr, Option<&ast::Expr>),
        case_insensitive: bool,
        negated: bool,
        at: At<'_>,
    ) -> Result<Expr, SqlError> {
        loose(expr)?;
        loose(pattern)?;
        let escape = escape.map(one_character).transpose()?;
        let (expr, pattern) = (self.boxed(expr, at)?, self.boxed(pattern, at)?);
        Ok(Expr::Like { expr, pattern, escape, case_insensitive, negated })
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
        let ty = cast_type(self.dialect, data_type)?;
        Ok(Expr::Cast { expr: self.boxed(expr, at)?, ty })
    }
}

/// What surrounds a subquery of an expression: its WHERE hides rows as long as nothing negates it.
fn subquery_outer<'e>(at: &At<'e>, negated: bool) -> Outer<'e> {
    let position = if negated { Position::Inside } else { at.position };
    Outer { names: Some(at.names), ctes: at.ctes, position }
}

/// One character in single quotes.
fn one_character(escape: &ast::Expr) -> Result<char, SqlError> {
    if let ast::Expr::Value(value) = escape
        && let ast::Value::SingleQuotedString(text) = &value.value
    {
        let mut characters = text.chars();
        if let (Some(character), None) = (characters.next(), characters.next()) {
            return Ok(character);
        }
    }
    Err(SqlError::unsupported("an ESCAPE that is not one character in single quotes"))
}

/// Joins terms by an associative operator: a plain chain where it is short, halves where the tree would get deep.
fn balanced(op: BinaryOp, mut terms: Vec<Expr>) -> Option<Expr> {
    let join = |left: Expr, right: Expr| Expr::Binary { op, left: Box::new(left), right: Box::new(right) };
    if terms.len() <= 16 {
        return terms.into_iter().reduce(join);
    }
    let right = terms.split_off(terms.len() / 2);
    Some(join(balanced(op, terms)?, balanced(op, right)?))
}

/// How tightly an operator binds, in the rows whose order differs between the databases and the parser.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Binding {
    Arithmetic,
    Concat,
    Json,
    /// Comparison, LIKE, IN, BETWEEN, IS and NOT.
    Predicate,
}

impl Binding {
    fn of(op: BinaryOp) -> Self {
        match op {
            BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo => {
                Self::Arithmetic
            }
            BinaryOp::Concat => Self::Concat,
            BinaryOp::JsonGet | BinaryOp::JsonGetText => Self::Json,
            BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::Eq
            | BinaryOp::NotEq
            | BinaryOp::Lt
            | BinaryOp::LtEq
            | BinaryOp::Gt
            | BinaryOp::GtEq
            | BinaryOp::IsDistinctFrom
            | BinaryOp::IsNotDistinctFrom => Self::Predicate,
        }
    }

    /// Whether an operand of this binding, without parentheses, means the same to everyone under an operator of `outer`.
    fn nests_in(self, outer: Self) -> bool {
        match outer {
            Self::Predicate => self != Self::Predicate,
            Self::Arithmetic | Self::Concat | Self::Json => self == outer,
        }
    }
}

/// The binding of an expression without parentheses; `None` where it is a unit.
fn binding(expr: &ast::Expr) -> Option<Binding> {
    use ast::BinaryOperator as B;
    match expr {
        ast::Expr::BinaryOp { op, .. } => Some(match op {
            B::Plus | B::Minus | B::Multiply | B::Divide | B::Modulo => Binding::Arithmetic,
            B::StringConcat => Binding::Concat,
            B::Arrow | B::LongArrow => Binding::Json,
            _ => Binding::Predicate,
        }),
        ast::Expr::Like { .. }
        | ast::Expr::ILike { .. }
        | ast::Expr::InList { .. }
        | ast::Expr::InSubquery { .. }
        | ast::Expr::Between { .. }
        | ast::Expr::IsNull(_)
        | ast::Expr::IsNotNull(_)
        | ast::Expr::IsTrue(_)
        | ast::Expr::IsNotTrue(_)
        | ast::Expr::IsFalse(_)
        | ast::Expr::IsNotFalse(_)
        | ast::Expr::IsUnknown(_)
        | ast::Expr::IsNotUnknown(_)
        | ast::Expr::IsDistinctFrom(..)
        | ast::Expr::IsNotDistinctFrom(..)
        | ast::Expr::UnaryOp { op: ast::UnaryOperator::Not, .. } => Some(Binding::Predicate),
        _ => None,
    }
}

/// Refuses a predicate without parentheses as an operand of another.
fn loose(operand: &ast::Expr) -> Result<(), SqlError> {
    match binding(operand) {
        Some(Binding::Predicate) => Err(SqlError::unsupported_use(
            "a mix of operators that databases group differently",
            "put parentheses around the inner one",
        )),
        _ => Ok(()),
    }
}
