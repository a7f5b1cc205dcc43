//! Queries: set operations, ordering and page.

use sqlparser::ast;

use super::Resolver;
use super::expr::{Aggregates, At, Position};
use super::from::source;
use super::group::few_keys;
use super::names::{Names, similar};
use super::output::{Naming, Output, body_columns, first_select_mut, unique, width};
use super::refused;
use super::with::Ctes;
use crate::names::Dialect;
use crate::sql::error::{SqlError, shown};
use crate::sql::limits::ARMS_MAX;
use crate::sql::statement::OutputColumn;
use crate::sql::tokens::BoundName;
use crate::sql::tree::{
    self, Distinct, Expr, Literal, OrderBy, OrderKey, Projection, Query, Relation, Select, SetExpr, SetOperator,
    SetQuantifier, Slot,
};

/// What surrounds a query.
#[derive(Clone, Copy, Default)]
pub(super) struct Outer<'p> {
    /// The enclosing SELECT's relations.
    pub(super) names: Option<&'p Names<'p>>,
    /// The common table expressions in scope.
    pub(super) ctes: Option<&'p Ctes<'p>>,
    /// Whether the query's own WHERE is a conjunct of a predicate.
    pub(super) position: Position,
}

/// How a query is ordered, as written.
type Ordering<'q> = &'q [ast::OrderByExpr];

impl Resolver<'_> {
    /// A query at any level.
    pub(super) fn query(&mut self, query: &ast::Query, outer: Outer<'_>) -> Result<Query, SqlError> {
        self.deeper(|this| this.query_here(query, outer))
    }

    fn query_here(&mut self, query: &ast::Query, outer: Outer<'_>) -> Result<Query, SqlError> {
        let ast::Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        refused::when(!locks.is_empty(), "FOR UPDATE or FOR SHARE")?;
        refused::when(for_clause.is_some(), "FOR XML, JSON or BROWSE")?;
        refused::when(settings.is_some(), "SETTINGS")?;
        refused::when(format_clause.is_some(), "FORMAT")?;
        refused::when(!pipe_operators.is_empty(), "a pipe operator `|>`")?;
        let (ctes, written) = self.with(with.as_ref(), outer)?;
        let inside = Outer { ctes: Some(&ctes), ..outer };
        let ordering = ordering(order_by.as_ref())?;
        let (limit, offset) = self.page(limit_clause.as_ref(), fetch.as_ref())?;
        if let ast::SetExpr::Query(inner) = body.as_ref() {
            // `(SELECT …)` alone is what stands in it; two orderings or pages for one query are nobody's intention.
            let bare = written.is_empty() && ordering.is_empty() && limit.is_none() && offset.is_none();
            if bare {
                return self.query(inner, inside);
            }
            refused::when(!is_bare(inner), "a parenthesised query with an ordering or page under another one")?;
            let (body, order_by) = self.ordered_body(&inner.body, ordering, inside)?;
            return Ok(Query { with: written, body, order_by, limit, offset });
        }
        let (body, order_by) = self.ordered_body(body, ordering, inside)?;
        Ok(Query { with: written, body, order_by, limit, offset })
    }

    /// A body with the ordering that belongs to it: over a SELECT it may name columns, over a set operation only the output.
    pub(super) fn ordered_body(
        &mut self,
        body: &ast::SetExpr,
        ordering: Ordering<'_>,
        outer: Outer<'_>,
    ) -> Result<(SetExpr, Vec<OrderBy>), SqlError> {
        if let ast::SetExpr::Select(select) = body {
            let (select, order_by) = self.select(select, ordering, outer)?;
            return Ok((SetExpr::Select(Box::new(select)), order_by));
        }
        let body = self.set_expr(body, outer)?;
        let columns = body_columns(self.dialect, &body);
        if !ordering.iter().all(|key| names_an_output(&key.expr)) {
            return self.ordered_around(body, &columns, ordering, outer);
        }
        let mut order_by = Vec::new();
        for key in ordering {
            let position = self.output_position(unparenthesised(&key.expr), &columns)?;
            order_by.push(sort_key(key, OrderKey::Output(position))?);
        }
        Ok((body, order_by))
    }

    /// A set operation ordered by expressions over its output, which databases want in a subquery.
    fn ordered_around(
        &mut self,
        body: SetExpr,
        columns: &[OutputColumn],
        ordering: Ordering<'_>,
        outer: Outer<'_>,
    ) -> Result<(SetExpr, Vec<OrderBy>), SqlError> {
        unique(self.dialect, columns.iter().map(|c| c.name.clone()), "the set operation")?;
        let alias = self.made_up_alias();
        let source = source(alias.clone(), columns);
        let output = |c: &tree::ColumnRef| Output {
            name: c.name.clone(),
            expr: Expr::Column(c.clone()),
            naming: Naming::Column,
        };
        let outputs: Vec<Output> = source.columns.iter().map(output).collect();
        let names = Names { parent: outer.names, columns: source.visible(), sources: vec![source], ..Names::default() };
        let aggregates = Aggregates::Refused("in ORDER BY of a set operation");
        let at = At { names: &names, ctes: outer.ctes, position: Position::Inside, aggregates };
        let mut order_by = Vec::with_capacity(ordering.len());
        for key in ordering {
            let lowered = self.order_key(&key.expr, &outputs, &Distinct::All, at)?;
            order_by.push(sort_key(key, lowered)?);
        }
        let query = Query { with: Vec::new(), body, order_by: Vec::new(), limit: None, offset: None };
        let select = Select {
            distinct: Distinct::All,
            projection: outputs.into_iter().map(|o| Projection { expr: o.expr, name: o.name }).collect(),
            from: vec![Relation::Derived { query: Box::new(query), alias, lateral: false }],
            filter: None,
            group_by: Vec::new(),
            grouping_sets: Vec::new(),
            having: None,
        };
        Ok((SetExpr::Select(Box::new(select)), order_by))
    }

    /// What yields rows, without an ordering of its own.
    pub(super) fn set_expr(&mut self, body: &ast::SetExpr, outer: Outer<'_>) -> Result<SetExpr, SqlError> {
        self.deeper(|this| match body {
            ast::SetExpr::Select(select) => {
                this.select(select, &[], outer).map(|(select, _)| SetExpr::Select(Box::new(select)))
            }
            ast::SetExpr::Query(query) if is_bare(query) => this.set_expr(&query.body, outer),
            ast::SetExpr::Query(query) => this.query(query, outer).map(|query| SetExpr::Query(Box::new(query))),
            ast::SetExpr::Values(values) => this.values(values, outer).map(|select| SetExpr::Select(Box::new(select))),
            ast::SetExpr::SetOperation { left, op, set_quantifier, right } => {
                this.set_operation((left, right), *op, *set_quantifier, outer)
            }
            other => Err(refused::body(other)),
        })
    }

    fn set_operation(
        &mut self,
        (left, right): (&ast::SetExpr, &ast::SetExpr),
        op: ast::SetOperator,
        quantifier: ast::SetQuantifier,
        outer: Outer<'_>,
    ) -> Result<SetExpr, SqlError> {
        few_arms(left, right)?;
        // SQLite reads a chain from the left, whatever stands in it; the parser lets INTERSECT bind first.
        if let (Dialect::Sqlite, ast::SetExpr::SetOperation { left: next, op: last, set_quantifier, right }) =
            (self.dialect, right)
        {
            let first = self.set_operation((left, next), op, quantifier, outer)?;
            return self.combined(first, self.set_operator(*last, *set_quantifier)?, right, outer);
        }
        let (op, quantifier) = self.set_operator(op, quantifier)?;
        let inside = Outer { position: Position::Inside, ..outer };
        let left = self.set_expr(left, inside)?;
        self.combined(left, (op, quantifier), right, outer)
    }

    /// A set operation whose left arm is resolved.
    fn combined(
        &mut self,
        left: SetExpr,
        (op, quantifier): (SetOperator, SetQuantifier),
        right: &ast::SetExpr,
        outer: Outer<'_>,
    ) -> Result<SetExpr, SqlError> {
        // Emptiness of an arm may add rows, so a claim's list may not decide in here.
        let right = self.set_expr(right, Outer { position: Position::Inside, ..outer })?;
        Self::same_width(&left, &right)?;
        Ok(SetExpr::SetOperation { op, quantifier, left: Box::new(left), right: Box::new(right) })
    }

    /// Refuses arms that do not fit together.
    pub(super) fn same_width(left: &SetExpr, right: &SetExpr) -> Result<(), SqlError> {
        let (a, b) = (width(left), width(right));
        refused::when(a != b, &format!("a set operation of {a} and {b} columns"))
    }

    /// Which set operation it is.
    pub(super) fn set_operator(
        &self,
        op: ast::SetOperator,
        quantifier: ast::SetQuantifier,
    ) -> Result<(SetOperator, SetQuantifier), SqlError> {
        let op = match op {
            ast::SetOperator::Union => SetOperator::Union,
            ast::SetOperator::Intersect => SetOperator::Intersect,
            ast::SetOperator::Except => SetOperator::Except,
            ast::SetOperator::Minus => return Err(SqlError::unsupported_use("MINUS", "write EXCEPT")),
        };
        let quantifier = match quantifier {
            ast::SetQuantifier::None | ast::SetQuantifier::Distinct => SetQuantifier::Distinct,
            ast::SetQuantifier::All => SetQuantifier::All,
            ast::SetQuantifier::ByName | ast::SetQuantifier::AllByName | ast::SetQuantifier::DistinctByName => {
                return Err(SqlError::unsupported("BY NAME in a set operation"));
            }
        };
        let all = quantifier == SetQuantifier::All && op != SetOperator::Union;
        // MariaDB 10.11 goes round for ever in some of them, whatever its time limit, and KILL, say.
        refused::when(self.dialect != Dialect::Postgres && all, "INTERSECT ALL or EXCEPT ALL")?;
        Ok((op, quantifier))
    }

    /// The position from 1 of the output column that a sort key over a set operation names.
    fn output_position(&self, key: &ast::Expr, outputs: &[OutputColumn]) -> Result<usize, SqlError> {
        match key {
            ast::Expr::Identifier(ident) => {
                let name = self.folded(ident);
                let position = outputs.iter().position(|o| self.dialect.same_name(&o.name, &name));
                position.map(|at| at + 1).ok_or_else(|| SqlError::UnknownColumn {
                    suggestion: similar(&name, outputs.iter().map(|o| o.name.as_str())),
                    name: shown(&name),
                })
            }
            ast::Expr::Value(value) if matches!(value.value, ast::Value::Number(..)) => {
                ordinal(&value.value, outputs.len(), "ORDER BY")
            }
            _ => Err(SqlError::unsupported("this key in ORDER BY of a set operation")),
        }
    }

    /// LIMIT, OFFSET and FETCH: constants or parameters.
    pub(super) fn page(
        &self,
        limit_clause: Option<&ast::LimitClause>,
        fetch: Option<&ast::Fetch>,
    ) -> Result<(Option<Expr>, Option<Expr>), SqlError> {
        let (limit, offset) = match limit_clause {
            None => (None, None),
            Some(ast::LimitClause::LimitOffset { limit, offset, limit_by }) => {
                refused::when(!limit_by.is_empty(), "LIMIT BY")?;
                let offset = offset.as_ref().map(|ast::Offset { value, rows: _ }| value);
                (limit.as_ref(), offset)
            }
            Some(ast::LimitClause::OffsetCommaLimit { offset, limit }) => (Some(limit), Some(offset)),
        };
        let limit = match (limit, fetch) {
            (limit, None) => limit.map(|e| self.bound(e)).transpose()?.flatten(),
            (None, Some(ast::Fetch { with_ties: false, percent: false, quantity })) => match quantity {
                Some(quantity) => self.bound(quantity)?,
                None => Some(Expr::Literal(Literal::Number("1".into()))),
            },
            _ => return Err(SqlError::unsupported_use("this form of FETCH", "write LIMIT")),
        };
        Ok((limit, offset.map(|e| self.bound(e)).transpose()?.flatten()))
    }

    /// A number of rows; NULL is none.
    fn bound(&self, expr: &ast::Expr) -> Result<Option<Expr>, SqlError> {
        if let ast::Expr::Value(value) = unparenthesised(expr) {
            match &value.value {
                ast::Value::Null => return Ok(None),
                ast::Value::Placeholder(text) => {
                    return match BoundName::from_placeholder(text)? {
                        BoundName::Param(name) => self.single_param(text, name).map(Some),
                        BoundName::Claim(_) => Err(SqlError::parameter(text, "may not be a number of rows")),
                    };
                }
                _ => {}
            }
        }
        match constant(expr).filter(|rows| *rows >= 0) {
            Some(rows) => Ok(Some(Expr::Literal(Literal::Number(rows.to_string())))),
            None => Err(SqlError::unsupported_use(
                "an expression as LIMIT or OFFSET",
                "write a whole number or a parameter",
            )),
        }
    }

    /// A declared parameter of one value.
    pub(super) fn single_param(&self, text: &str, name: crate::names::ParamName) -> Result<Expr, SqlError> {
        match self.scope.params.get(&name) {
            None => Err(SqlError::parameter(text, "is not declared")),
            Some(super::ParamShape::List) => {
                Err(SqlError::parameter(text, "is a list, which may stand only as `x IN (:name)`"))
            }
            Some(super::ParamShape::Single) => Ok(Expr::Slot(Slot::Param(name))),
        }
    }

    /// The outputs of a SELECT that ORDER BY may name.
    pub(super) fn matching_outputs(&self, name: &str, outputs: &[Output]) -> Vec<usize> {
        let matches = |o: &Output| self.dialect.same_name(&o.name, name);
        outputs.iter().enumerate().filter(|(_, o)| matches(o)).map(|(at, _)| at).collect()
    }
}

/// Gives the columns of a query other names.
pub(super) fn rename_outputs(query: &mut Query, columns: &[OutputColumn]) {
    let select = first_select_mut(&mut query.body);
    for (projection, column) in select.projection.iter_mut().zip(columns) {
        projection.name.clone_from(&column.name);
    }
}

/// The sort keys of an ORDER BY.
fn ordering(order_by: Option<&ast::OrderBy>) -> Result<Ordering<'_>, SqlError> {
    let Some(ast::OrderBy { kind, interpolate }) = order_by else { return Ok(&[]) };
    refused::when(interpolate.is_some(), "INTERPOLATE")?;
    match kind {
        ast::OrderByKind::Expressions(keys) => {
            few_keys(keys.len(), "keys of one ORDER BY")?;
            Ok(keys)
        }
        ast::OrderByKind::All(_) => Err(SqlError::unsupported("ORDER BY ALL")),
    }
}

/// Direction and place of NULLs.
pub(super) fn sort_key(key: &ast::OrderByExpr, lowered: OrderKey) -> Result<OrderBy, SqlError> {
    let ast::OrderByExpr { expr: _, options, with_fill } = key;
    let ast::OrderByOptions { sort, nulls_first } = options;
    refused::when(with_fill.is_some(), "WITH FILL")?;
    let descending = match sort {
        None | Some(ast::OrderBySort::Asc) => false,
        Some(ast::OrderBySort::Desc) => true,
        Some(ast::OrderBySort::Using(_)) => {
            return Err(SqlError::unsupported_use("ORDER BY … USING", "write ASC or DESC"));
        }
    };
    Ok(OrderBy { key: lowered, descending, nulls_first: *nulls_first })
}

/// A position in the output, from 1.
pub(super) fn ordinal(value: &ast::Value, outputs: usize, clause: &str) -> Result<usize, SqlError> {
    if let ast::Value::Number(text, false) = value
        && let Ok(position) = text.parse::<usize>()
        && (1..=outputs).contains(&position)
    {
        return Ok(position);
    }
    Err(SqlError::unsupported(format!("a position outside 1 to {outputs} in {clause}")))
}

/// The expression without the parentheses around it.
pub(super) fn unparenthesised(expr: &ast::Expr) -> &ast::Expr {
    let mut expr = expr;
    while let ast::Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}

/// Whether a sort key is a name or a position.
fn names_an_output(key: &ast::Expr) -> bool {
    match unparenthesised(key) {
        ast::Expr::Identifier(_) => true,
        ast::Expr::Value(value) => matches!(value.value, ast::Value::Number(..)),
        _ => false,
    }
}

/// The value of whole numbers under `+`, `-` and `*`.
fn constant(expr: &ast::Expr) -> Option<i64> {
    match unparenthesised(expr) {
        ast::Expr::Value(value) => match &value.value {
            ast::Value::Number(text, false) => text.parse().ok(),
            _ => None,
        },
        ast::Expr::BinaryOp { left, op, right } => {
            let (left, right) = (constant(left)?, constant(right)?);
            match op {
                ast::BinaryOperator::Plus => left.checked_add(right),
                ast::BinaryOperator::Minus => left.checked_sub(right),
                ast::BinaryOperator::Multiply => left.checked_mul(right),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether a parenthesised query is nothing but its body.
fn is_bare(query: &ast::Query) -> bool {
    is_only_paged(query) && query.limit_clause.is_none()
}

/// Whether a query is nothing but its body, a LIMIT and an OFFSET.
pub(super) fn is_only_paged(query: &ast::Query) -> bool {
    let ast::Query {
        with,
        body: _,
        order_by,
        limit_clause: _,
        fetch,
        locks,
        for_clause,
        settings,
        format_clause,
        pipe_operators,
    } = query;
    with.is_none()
        && order_by.is_none()
        && fetch.is_none()
        && locks.is_empty()
        && for_clause.is_none()
        && settings.is_none()
        && format_clause.is_none()
        && pipe_operators.is_empty()
}

/// Refuses a set operation of too many arms.
pub(super) fn few_arms(left: &ast::SetExpr, right: &ast::SetExpr) -> Result<(), SqlError> {
    if arms(left) + arms(right) > ARMS_MAX {
        return Err(SqlError::TooComplex { what: "arms of a set operation", max: ARMS_MAX });
    }
    Ok(())
}

/// How many SELECTs a set operation joins. The parser's tree leans to the left; a deep right side is bounded by its own limit.
fn arms(body: &ast::SetExpr) -> usize {
    let mut count = 1;
    let mut body = body;
    while let ast::SetExpr::SetOperation { left, .. } = body {
        count += 1;
        body = left;
    }
    count
}
