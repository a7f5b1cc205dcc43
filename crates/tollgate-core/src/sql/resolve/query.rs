//! Queries: WITH, set operations, ordering and page.

use sqlparser::ast;

use super::Resolver;
use super::expr::Position;
use super::names::{Names, similar};
use super::output::{Output, body_columns, first_select_mut, unique};
use super::refused;
use crate::names::Dialect;
use crate::sql::error::{SqlError, shown};
use crate::sql::limits::ARMS_MAX;
use crate::sql::statement::OutputColumn;
use crate::sql::tokens::BoundName;
use crate::sql::tree::{self, Expr, Literal, OrderBy, OrderKey, Query, SetExpr, SetOperator, SetQuantifier, Slot};

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

/// The common table expressions of one WITH.
#[derive(Default)]
pub(super) struct Ctes<'p> {
    parent: Option<&'p Ctes<'p>>,
    list: Vec<CteShape>,
}

/// What a common table expression looks like from outside.
pub(super) struct CteShape {
    /// Its name.
    pub(super) name: String,
    /// Its columns.
    pub(super) columns: Vec<OutputColumn>,
}

impl Ctes<'_> {
    /// The common table expression of that name, from the inside out.
    pub(super) fn find(&self, dialect: Dialect, name: &str) -> Option<&CteShape> {
        let mut next = Some(self);
        while let Some(ctes) = next {
            if let Some(cte) = ctes.list.iter().find(|cte| dialect.same_name(&cte.name, name)) {
                return Some(cte);
            }
            next = ctes.parent;
        }
        None
    }
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
        let (list, written) = self.with(with.as_ref(), outer)?;
        let ctes = Ctes { parent: outer.ctes, list };
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

    /// WITH: each expression sees those before it.
    fn with(
        &mut self,
        with: Option<&ast::With>,
        outer: Outer<'_>,
    ) -> Result<(Vec<CteShape>, Vec<tree::Cte>), SqlError> {
        let mut ctes = Ctes { parent: outer.ctes, list: Vec::new() };
        let mut written = Vec::new();
        let Some(ast::With { with_token: _, recursive, cte_tables }) = with else { return Ok((ctes.list, written)) };
        refused::when(*recursive, "WITH RECURSIVE")?;
        for ast::Cte { alias, query, from, materialized, closing_paren_token: _ } in cte_tables {
            refused::when(from.is_some(), "FROM in a common table expression")?;
            refused::when(materialized.is_some(), "MATERIALIZED")?;
            let ast::TableAlias { explicit: _, name, columns, at } = alias;
            refused::when(at.is_some(), "AT in an alias")?;
            let name = self.alias(name)?;
            let taken = ctes.find(self.dialect, &name).is_some()
                || self.scope.visible.tables.keys().any(|t| self.dialect.same_name(&t.name, &name));
            if taken {
                let construct =
                    format!("a common table expression named like another or like a table, {}", shown(&name));
                return Err(SqlError::unsupported_use(construct, "give it a name of its own"));
            }
            let inside = Outer { names: outer.names, ctes: Some(&ctes), position: Position::Inside };
            let query = self.query(query, inside)?;
            let mut shape = body_columns(self.dialect, &query.body);
            self.rename(&mut shape, columns, &name)?;
            unique(self.dialect, shape.iter().map(|c| c.name.clone()), &shown(&name))?;
            let columns = shape.iter().map(|c| c.name.clone()).collect();
            written.push(tree::Cte { name: name.clone(), columns, query });
            ctes.list.push(CteShape { name, columns: shape });
        }
        Ok((ctes.list, written))
    }

    /// Applies `alias (a, b, …)` to a relation's columns.
    pub(super) fn rename(
        &self,
        shape: &mut [OutputColumn],
        columns: &[ast::TableAliasColumnDef],
        relation: &str,
    ) -> Result<(), SqlError> {
        if columns.is_empty() {
            return Ok(());
        }
        if columns.len() != shape.len() {
            let construct =
                format!("a list of {} names for the {} columns of {}", columns.len(), shape.len(), shown(relation));
            return Err(SqlError::unsupported(construct));
        }
        for (column, ast::TableAliasColumnDef { name, data_type }) in shape.iter_mut().zip(columns) {
            refused::when(data_type.is_some(), "a type in a column alias")?;
            column.name = self.alias(name)?;
        }
        Ok(())
    }

    /// A body with the ordering that belongs to it: over a SELECT it may name columns, over a set operation only the output.
    fn ordered_body(
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
        let outputs = body_columns(self.dialect, &body);
        let mut order_by = Vec::new();
        for key in ordering {
            let position = self.output_position(unparenthesised(&key.expr), &outputs)?;
            order_by.push(sort_key(key, OrderKey::Output(position))?);
        }
        Ok((body, order_by))
    }

    /// What yields rows, without an ordering of its own.
    fn set_expr(&mut self, body: &ast::SetExpr, outer: Outer<'_>) -> Result<SetExpr, SqlError> {
        self.deeper(|this| match body {
            ast::SetExpr::Select(select) => {
                this.select(select, &[], outer).map(|(select, _)| SetExpr::Select(Box::new(select)))
            }
            ast::SetExpr::Query(query) if is_bare(query) => this.set_expr(&query.body, outer),
            ast::SetExpr::Query(query) if this.dialect == Dialect::Postgres => {
                this.query(query, outer).map(|query| SetExpr::Query(Box::new(query)))
            }
            ast::SetExpr::Query(_) => Err(SqlError::unsupported_use(
                "an ordered or limited arm of a set operation",
                "write SELECT … FROM (SELECT …)",
            )),
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
        if arms(left) + arms(right) > ARMS_MAX {
            return Err(SqlError::TooComplex { what: "arms of a set operation", max: ARMS_MAX });
        }
        if self.dialect == Dialect::Sqlite {
            let all = quantifier == SetQuantifier::All && op != SetOperator::Union;
            refused::when(all, "INTERSECT ALL or EXCEPT ALL")?;
            // SQLite has no precedence among them and no parentheses: anything but a plain chain would change its meaning.
            let nested = matches!(right, ast::SetExpr::SetOperation { .. })
                || matches!(right, ast::SetExpr::Query(q) if matches!(*q.body, ast::SetExpr::SetOperation { .. }));
            refused::when(nested, "INTERSECT or parentheses on the right of a set operation")?;
        }
        // Emptiness of an arm may add rows, so a claim's list may not decide in here.
        let outer = Outer { position: Position::Inside, ..outer };
        let left = Box::new(self.set_expr(left, outer)?);
        let right = Box::new(self.set_expr(right, outer)?);
        let (a, b) = (body_columns(self.dialect, &left).len(), body_columns(self.dialect, &right).len());
        if a != b {
            return Err(SqlError::unsupported(format!("a set operation of {a} and {b} columns")));
        }
        Ok(SetExpr::SetOperation { op, quantifier, left, right })
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
            _ => Err(SqlError::unsupported_use(
                "an expression in ORDER BY of a set operation",
                "name an output column or its position",
            )),
        }
    }

    /// LIMIT, OFFSET and FETCH: constants or parameters.
    fn page(
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
            (limit, None) => limit.map(|e| self.bound(e)).transpose()?,
            (None, Some(ast::Fetch { with_ties: false, percent: false, quantity })) => match quantity {
                Some(quantity) => Some(self.bound(quantity)?),
                None => Some(Expr::Literal(Literal::Number("1".into()))),
            },
            _ => return Err(SqlError::unsupported_use("this form of FETCH", "write LIMIT")),
        };
        Ok((limit, offset.map(|e| self.bound(e)).transpose()?))
    }

    /// A number of rows.
    fn bound(&self, expr: &ast::Expr) -> Result<Expr, SqlError> {
        let refuse =
            || SqlError::unsupported_use("an expression as LIMIT or OFFSET", "write a whole number or a parameter");
        let ast::Expr::Value(value) = unparenthesised(expr) else { return Err(refuse()) };
        match &value.value {
            ast::Value::Number(text, false) if text.parse::<i64>().is_ok() => {
                Ok(Expr::Literal(Literal::Number(text.clone())))
            }
            ast::Value::Placeholder(text) => match BoundName::from_placeholder(text)? {
                BoundName::Param(name) => self.single_param(text, name),
                BoundName::Claim(_) => Err(SqlError::parameter(text, "may not be a number of rows")),
            },
            _ => Err(refuse()),
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
        ast::OrderByKind::Expressions(keys) => Ok(keys),
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

/// Whether a parenthesised query is nothing but its body.
fn is_bare(query: &ast::Query) -> bool {
    let ast::Query {
        with,
        body: _,
        order_by,
        limit_clause,
        fetch,
        locks,
        for_clause,
        settings,
        format_clause,
        pipe_operators,
    } = query;
    with.is_none()
        && order_by.is_none()
        && limit_clause.is_none()
        && fetch.is_none()
        && locks.is_empty()
        && for_clause.is_none()
        && settings.is_none()
        && format_clause.is_none()
        && pipe_operators.is_empty()
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
