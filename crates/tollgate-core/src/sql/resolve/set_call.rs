//! A function that yields rows, called in a SELECT's output: PostgreSQL repeats the row for each row of the function. It becomes a
//! relation of FROM that no name of the text reaches, and the call a column of it. What PostgreSQL computes between the rows and the
//! call (a window function, a second such function beside it) is refused.

use sqlparser::ast;

use super::Resolver;
use super::from::Left;
use super::output::has_window;
use super::query::Outer;
use super::refused;
use crate::names::Dialect;
use crate::sql::error::SqlError;
use crate::sql::functions::{FunctionKind, FunctionSpec, lookup};
use crate::sql::tree::{ColumnRef, Expr, OrderBy, OrderKey, Projection, Relation};

/// The call as written, and the column that it is.
#[derive(Clone, Debug)]
pub(super) struct SetCall {
    pub(super) call: ast::Function,
    pub(super) column: ColumnRef,
}

/// The relation of a call.
pub(super) struct SetRelation {
    relation: Relation,
    /// Where a row stands among the function's, which is how PostgreSQL leaves equal sort keys.
    place: Option<ColumnRef>,
}

impl Resolver<'_> {
    /// The call in a SELECT's output, if there is one. `ordered` is whether its rows are sorted as they are.
    pub(super) fn set_call(
        &mut self,
        items: &[ast::SelectItem],
        ordered: bool,
        before: &Left<'_>,
        outer: Outer<'_>,
    ) -> Result<Option<(SetCall, SetRelation)>, SqlError> {
        if self.dialect != Dialect::Postgres {
            return Ok(None);
        }
        let mut calls = Vec::new();
        for item in items {
            if let ast::SelectItem::UnnamedExpr(expr) | ast::SelectItem::ExprWithAlias { expr, alias: _ } = item {
                self.find_calls(expr, &mut calls);
            }
        }
        let Some((call, rest)) = calls.split_first() else { return Ok(None) };
        if rest.iter().any(|other| other != call) {
            return Err(SqlError::unsupported_use(
                "several functions that yield rows in one output",
                "put them into FROM",
            ));
        }
        let ast::FunctionArguments::List(list) = &call.args else { return Ok(None) };
        let ast::FunctionArgumentList { duplicate_treatment: None, args, clauses } = list else { return Ok(None) };
        if !clauses.is_empty() {
            return Ok(None);
        }
        let (relation, columns) = self.hidden_relation((&call.name, args, ordered), before, outer)?;
        let mut columns = columns.into_iter();
        let Some(column) = columns.next() else { return Ok(None) };
        let call = SetCall { call: (*call).clone(), column };
        Ok(Some((call, SetRelation { relation, place: columns.next() })))
    }

    /// The calls in the places that PostgreSQL computes for each row: not in an arm that it may skip, nor in an aggregate.
    fn find_calls<'e>(&self, expr: &'e ast::Expr, found: &mut Vec<&'e ast::Function>) {
        match expr {
            ast::Expr::Nested(inner) | ast::Expr::Cast { expr: inner, .. } => self.find_calls(inner, found),
            ast::Expr::BinaryOp { left, op, right }
                if !matches!(op, ast::BinaryOperator::And | ast::BinaryOperator::Or) =>
            {
                self.find_calls(left, found);
                self.find_calls(right, found);
            }
            ast::Expr::Function(function) => match self.called(function) {
                Some(spec) if spec.kind == FunctionKind::Set => found.push(function),
                Some(spec) if spec.kind == FunctionKind::Scalar && spec.name != "coalesce" => {
                    let ast::FunctionArguments::List(list) = &function.args else { return };
                    for arg in &list.args {
                        if let ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) = arg {
                            self.find_calls(expr, found);
                        }
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// The listed function of a plain call.
    fn called(&self, function: &ast::Function) -> Option<&'static FunctionSpec> {
        let ast::ObjectName(parts) = &function.name;
        let [ast::ObjectNamePart::Identifier(ident)] = parts.as_slice() else { return None };
        let plain = function.over.is_none() && function.filter.is_none() && function.within_group.is_empty();
        lookup(self.dialect, &self.folded(ident)).filter(|_| plain)
    }
}

impl SetRelation {
    /// Puts the relation behind all others, and its order behind all other keys.
    pub(super) fn join(
        self,
        from: &mut Vec<Relation>,
        projection: &[Projection],
        order_by: &mut Vec<OrderBy>,
    ) -> Result<(), SqlError> {
        let keys = order_by.iter().filter_map(|key| match &key.key {
            OrderKey::Expr(expr) => Some(expr),
            OrderKey::Output(_) => None,
        });
        let windows = projection.iter().map(|output| &output.expr).chain(keys).any(has_window);
        refused::when(windows, "a window function beside a function that yields rows")?;
        from.push(self.relation);
        let key = |place| OrderKey::Expr(Expr::Column(place));
        order_by.extend(self.place.map(|place| OrderBy { key: key(place), descending: false, nulls_first: None }));
        Ok(())
    }
}
