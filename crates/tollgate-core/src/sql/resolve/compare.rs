//! Comparisons with several values: IN, ANY and ALL, rows, and patterns.

use sqlparser::ast;

use super::expr::{At, Position, string, subquery_outer};
use super::output::body_columns;
use super::query::unparenthesised;
use super::{ParamShape, Resolver, grouping, refused};
use crate::names::Dialect;
use crate::sql::error::SqlError;
use crate::sql::limits::{IN_LIST_MAX, ROW_MAX};
use crate::sql::statement::OutputColumn;
use crate::sql::tokens::BoundName;
use crate::sql::tree::{BinaryOp, ColumnRef, Elements, Expr, LikeKind, OpClass, Projection, Quantifier, Query, Slot};

impl Resolver<'_> {
    /// IN over a list. A bound list stands alone; a claim's never under a negation, where an empty list would open everything.
    pub(super) fn in_list(
        &mut self,
        expr: &ast::Expr,
        list: &[ast::Expr],
        negated: bool,
        at: At<'_>,
    ) -> Result<Expr, SqlError> {
        refused::when(list.is_empty(), "an empty IN list")?;
        if list.len() > IN_LIST_MAX {
            return Err(SqlError::TooComplex { what: "elements of an IN list", max: IN_LIST_MAX });
        }
        if let [only] = list
            && let Some(slot) = self.list_slot(only, negated, at.position)?
        {
            return Ok(Expr::InSlot { expr: self.boxed(expr, at.inside())?, slot, negated });
        }
        let at = at.inside();
        let (expr, width) = self.operand(expr, at)?;
        let mut elements = Vec::with_capacity(list.len());
        for element in list {
            let element = match element {
                ast::Expr::Tuple(values) if width > 1 => self.row(values, width, at)?,
                element if width > 1 => return Err(refused::expression(&ast::Expr::Tuple(vec![element.clone()]))),
                element => self.expr(element, at)?,
            };
            refused::when(
                matches!(element, Expr::Slot(Slot::Claim(_))),
                "a claim beside other elements of an IN list",
            )?;
            elements.push(element);
        }
        Ok(Expr::InList { expr: Box::new(expr), list: elements, negated })
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

    pub(super) fn in_subquery(
        &mut self,
        expr: &ast::Expr,
        subquery: &ast::Query,
        negated: bool,
        at: At<'_>,
    ) -> Result<Expr, SqlError> {
        let (expr, width) = self.operand(expr, at.inside())?;
        let query = self.query(subquery, subquery_outer(&at, negated))?;
        let columns = body_columns(self.dialect, &query.body).len();
        refused::when(columns != width, &format!("a subquery of {columns} columns beside {width} in IN"))?;
        Ok(Expr::InQuery { expr: Box::new(expr), query: Box::new(self.page_inside(query)), negated })
    }

    /// A subquery of IN, whose page MariaDB takes only one level further down.
    fn page_inside(&mut self, query: Query) -> Query {
        if self.dialect != Dialect::MariaDb || (query.limit.is_none() && query.offset.is_none()) {
            return query;
        }
        let alias = self.made_up_alias();
        let columns = body_columns(self.dialect, &query.body).into_iter().map(
            |OutputColumn { name, origin, ty, nullable, masked }| {
                let column = ColumnRef { relation: alias.clone(), name: name.clone(), origin, ty, masked, nullable };
                Projection { expr: Expr::Column(column), name }
            },
        );
        Query::plain(columns.collect(), vec![query.derived(&alias)], None)
    }

    /// What stands left of IN: a value, or a row of several, and how many.
    fn operand(&mut self, expr: &ast::Expr, at: At<'_>) -> Result<(Expr, usize), SqlError> {
        match expr {
            ast::Expr::Tuple(values) => Ok((self.row(values, values.len(), at)?, values.len())),
            expr => Ok((self.expr(expr, at)?, 1)),
        }
    }

    fn row(&mut self, values: &[ast::Expr], width: usize, at: At<'_>) -> Result<Expr, SqlError> {
        refused::when(values.len() != width, &format!("a row of {} values beside one of {width}", values.len()))?;
        if width > ROW_MAX {
            return Err(SqlError::TooComplex { what: "values of a row", max: ROW_MAX });
        }
        self.exprs(values, at).map(Expr::Row)
    }

    /// Two rows, value by value.
    pub(super) fn rows(
        &mut self,
        op: BinaryOp,
        left: &[ast::Expr],
        right: &[ast::Expr],
        at: At<'_>,
    ) -> Result<Expr, SqlError> {
        let periods = op == BinaryOp::Overlaps && left.len() == 2;
        refused::when(op.class() != OpClass::Comparison && !periods, "this operator between rows")?;
        let (left, right) = (self.row(left, left.len(), at)?, self.row(right, left.len(), at)?);
        Ok(Expr::Binary { op, left: Box::new(left), right: Box::new(right) })
    }

    /// `x = ANY (…)`, `x < ALL (…)`: over an array, a bound list, or the rows of a subquery.
    pub(super) fn quantified(&mut self, expr: &ast::Expr, at: At<'_>) -> Result<Expr, SqlError> {
        let (left, op, quantifier, right) = match expr {
            ast::Expr::AnyOp { left, compare_op, right, is_some: _ } => (left, compare_op, Quantifier::Any, right),
            ast::Expr::AllOp { left, compare_op, right } => (left, compare_op, Quantifier::All, right),
            other => return Err(refused::expression(other)),
        };
        let op = self.operator(op)?;
        let membership = match (op, quantifier) {
            (BinaryOp::Eq, Quantifier::Any) => Some(false),
            (BinaryOp::NotEq, Quantifier::All) => Some(true),
            _ => None,
        };
        if let Some(slot) = self.list_slot(right, membership != Some(false), at.position)? {
            return match membership {
                Some(negated) => Ok(Expr::InSlot { expr: self.boxed(left, at.inside())?, slot, negated }),
                None => Err(SqlError::unsupported_use("a list here", "write = ANY (:list) or <> ALL (:list)")),
            };
        }
        let at = at.inside();
        let expr = self.boxed(left, at)?;
        let over = self.elements(right, at)?;
        Ok(Expr::Quantified { expr, op, quantifier, over })
    }

    /// What ANY and ALL range over. The database takes a lone subquery for its rows, however many parentheses it has.
    fn elements(&mut self, over: &ast::Expr, at: At<'_>) -> Result<Elements, SqlError> {
        match unparenthesised(over) {
            ast::Expr::Subquery(query) => {
                let query = self.query(query, subquery_outer(&at, false))?;
                self.one_column(&query, "a subquery of ANY or ALL")?;
                Ok(Elements::Query(Box::new(query)))
            }
            // The parser reads on behind the subquery, inside the parentheses or outside them.
            other if matches!(grouping::leftmost(self.dialect, other), ast::Expr::Subquery(_)) => {
                Err(SqlError::unsupported_use("an operator behind a subquery of ANY or ALL", "put it in parentheses"))
            }
            ast::Expr::Array(array) => self.elements_of(array, at).map(Elements::List),
            ast::Expr::Tuple(_) => {
                Err(SqlError::unsupported_use("a list of values in ANY or ALL", "write ANY (ARRAY[…])"))
            }
            other => Ok(Elements::Of(self.boxed(other, at)?)),
        }
    }

    /// LIKE and its like. With ANY, the pattern is an array of patterns.
    pub(super) fn like(
        &mut self,
        (expr, pattern, escape): (&ast::Expr, &ast::Expr, Option<&ast::Expr>),
        (kind, any, negated): (LikeKind, bool, bool),
        at: At<'_>,
    ) -> Result<Expr, SqlError> {
        if any {
            refused::when(self.dialect != Dialect::Postgres, "LIKE ANY")?;
            refused::when(escape.is_some(), "ESCAPE behind LIKE ANY")?;
            let op = match (kind, negated) {
                (LikeKind::Like, false) => BinaryOp::Like,
                (LikeKind::Like, true) => BinaryOp::NotLike,
                (LikeKind::ILike, false) => BinaryOp::ILike,
                (LikeKind::ILike, true) => BinaryOp::NotILike,
                (LikeKind::SimilarTo, _) => return Err(SqlError::unsupported("SIMILAR TO ANY")),
            };
            let (expr, over) = (self.boxed(expr, at)?, self.elements(pattern, at)?);
            return Ok(Expr::Quantified { expr, op, quantifier: Quantifier::Any, over });
        }
        let escape = escape.map(one_character).transpose()?;
        let (expr, pattern) = (self.boxed(expr, at)?, self.boxed(pattern, at)?);
        Ok(Expr::Like { expr, pattern, escape, kind, negated })
    }
}

/// One character in quotes.
fn one_character(escape: &ast::Expr) -> Result<char, SqlError> {
    if let ast::Expr::Value(value) = escape
        && let Some(text) = string(&value.value)
    {
        let mut characters = text.chars();
        if let (Some(character), None) = (characters.next(), characters.next()) {
            return Ok(character);
        }
    }
    Err(SqlError::unsupported("an ESCAPE that is not one character in single quotes"))
}
