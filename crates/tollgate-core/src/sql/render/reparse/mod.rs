//! Parses a printed text again and holds it to the tree that was printed: the same clauses, operators, names and values in the same
//! places, and nothing besides. Parentheses alone do not count, since what they group is what is compared.
//!
//! `reread` knows how an engine splits a text into tokens and nothing of grammar; this knows the grammar and leaves the tokens to the
//! parser. Neither reads with anything that wrote the text, and neither mends it: a text that reads in another way is not sent.

mod call;
mod expr;
mod from;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeMap;

use sqlparser::ast;

use super::RenderError;
use crate::names::Dialect;
use crate::sql::parse::parse_printed;
use crate::sql::tree::build::ALL_ROWS;
use crate::sql::tree::{
    Cte, Distinct, Expr, Materialized, OrderBy, OrderKey, Projection, Query, Select, SetExpr, SetOperator,
    SetQuantifier, Slot, UnaryOp,
};

/// Refuses a text that reads as another tree than the one it was printed from.
pub(super) fn check(text: &str, slots: &[Slot], meant: &Query, dialect: Dialect) -> Result<(), RenderError> {
    let read = parse_printed(dialect, text).map_err(|_| RenderError::Misread)?;
    if Reading::new(dialect, slots).query(&read, meant) { Ok(()) } else { Err(RenderError::Misread) }
}

/// What the text is read with.
struct Reading<'a> {
    dialect: Dialect,
    /// By their numbers, from 1.
    slots: &'a [Slot],
    /// What the types of casts are read as.
    types: RefCell<BTreeMap<String, Option<ast::DataType>>>,
}

/// Whether two lists agree, each element with the one in its place.
fn all<R, M>(read: &[R], meant: &[M], same: impl Fn(&R, &M) -> bool) -> bool {
    read.len() == meant.len() && read.iter().zip(meant).all(|(read, meant)| same(read, meant))
}

/// Whether both are there and agree, or neither is there.
fn both<R, M>(read: Option<R>, meant: Option<M>, same: impl FnOnce(R, M) -> bool) -> bool {
    match (read, meant) {
        (None, None) => true,
        (Some(read), Some(meant)) => same(read, meant),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// Whether an identifier is that name, in quotes.
fn named(ident: &ast::Ident, name: &str) -> bool {
    let ast::Ident { value, quote_style, span: _ } = ident;
    // In which quotes a dialect has names, `reread` knows.
    matches!(quote_style, Some('"' | '`')) && value == name
}

/// Whether a name consists of just these parts, in quotes.
fn path(name: &ast::ObjectName, parts: &[&str]) -> bool {
    let ast::ObjectName(read) = name;
    all(read, parts, |read, part| matches!(read, ast::ObjectNamePart::Identifier(ident) if named(ident, part)))
}

/// The clauses of a query that are ever printed; none where another one is there.
struct Clauses<'q> {
    with: Option<&'q ast::With>,
    body: &'q ast::SetExpr,
    order_by: &'q [ast::OrderByExpr],
    limit: Option<&'q ast::Expr>,
    offset: Option<&'q ast::Expr>,
}

impl<'q> Clauses<'q> {
    fn of(query: &'q ast::Query) -> Option<Self> {
        let ast::Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch: None,
            locks,
            for_clause: None,
            settings: None,
            format_clause: None,
            pipe_operators,
        } = query
        else {
            return None;
        };
        let order_by = match order_by {
            None => &[][..],
            Some(ast::OrderBy { kind: ast::OrderByKind::Expressions(keys), interpolate: None }) => keys,
            Some(_) => return None,
        };
        let (limit, offset) = match limit_clause {
            None => (None, None),
            Some(ast::LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => {
                let offset = match offset {
                    None => None,
                    Some(ast::Offset { value, rows: ast::OffsetRows::None }) => Some(value),
                    Some(_) => return None,
                };
                (limit.as_ref(), offset)
            }
            Some(_) => return None,
        };
        let only = locks.is_empty() && pipe_operators.is_empty();
        only.then_some(Self { with: with.as_ref(), body, order_by, limit, offset })
    }

    /// The body of a query that is nothing else.
    fn only_body(query: &'q ast::Query) -> Option<&'q ast::SetExpr> {
        let Self { with: None, body, order_by: [], limit: None, offset: None } = Self::of(query)? else { return None };
        Some(body)
    }
}

/// The clauses of a SELECT that are ever printed; none where another one is there.
struct Parts<'s> {
    distinct: Option<&'s ast::Distinct>,
    projection: &'s [ast::SelectItem],
    from: &'s [ast::TableWithJoins],
    filter: Option<&'s ast::Expr>,
    group_by: &'s [ast::Expr],
    having: Option<&'s ast::Expr>,
}

impl<'s> Parts<'s> {
    fn of(select: &'s ast::Select) -> Option<Self> {
        let ast::Select {
            select_token: _,
            optimizer_hints,
            distinct,
            select_modifiers: None,
            top: None,
            top_before_distinct: false,
            projection,
            exclude: None,
            into: None,
            from,
            lateral_views,
            prewhere: None,
            selection,
            connect_by,
            group_by: ast::GroupByExpr::Expressions(group_by, modifiers),
            cluster_by,
            distribute_by,
            sort_by,
            having,
            named_window,
            qualify: None,
            window_before_qualify: false,
            value_table_mode: None,
            flavor: ast::SelectFlavor::Standard,
        } = select
        else {
            return None;
        };
        let only = optimizer_hints.is_empty()
            && lateral_views.is_empty()
            && connect_by.is_empty()
            && modifiers.is_empty()
            && cluster_by.is_empty()
            && distribute_by.is_empty()
            && sort_by.is_empty()
            && named_window.is_empty();
        only.then_some(Self {
            distinct: distinct.as_ref(),
            projection,
            from,
            filter: selection.as_ref(),
            group_by,
            having: having.as_ref(),
        })
    }
}

impl<'a> Reading<'a> {
    fn new(dialect: Dialect, slots: &'a [Slot]) -> Self {
        Self { dialect, slots, types: RefCell::default() }
    }
}

impl Reading<'_> {
    fn query(&self, read: &ast::Query, meant: &Query) -> bool {
        let Some(read) = Clauses::of(read) else { return false };
        let Query { with, body, order_by, limit, offset } = meant;
        self.with(read.with, with)
            && self.body(read.body, body)
            && all(read.order_by, order_by, |read, meant| self.order_key(read, meant))
            && self.limit(read.limit, limit.as_ref(), offset.is_some())
            && both(read.offset, offset.as_ref(), |read, meant| self.expr(read, meant))
    }

    fn with(&self, read: Option<&ast::With>, meant: &[Cte]) -> bool {
        let Some(ast::With { with_token: _, recursive, cte_tables }) = read else { return meant.is_empty() };
        *recursive == meant.iter().any(|cte| cte.recursive)
            && all(cte_tables, meant, |read, meant| self.cte(read, meant))
    }

    fn cte(&self, read: &ast::Cte, meant: &Cte) -> bool {
        let ast::Cte { alias, query, from: None, materialized, closing_paren_token: _ } = read else { return false };
        let apart = match materialized {
            None => Materialized::Auto,
            Some(ast::CteAsMaterialized::Materialized) => Materialized::Always,
            Some(ast::CteAsMaterialized::NotMaterialized) => Materialized::Never,
        };
        let Cte { name, columns, materialized, recursive: _, query: meant } = meant;
        apart == *materialized && from::aliased(alias, name, columns) && self.query(query, meant)
    }

    /// SQLite and MariaDB know an OFFSET behind a LIMIT only.
    fn limit(&self, read: Option<&ast::Expr>, meant: Option<&Expr>, offset: bool) -> bool {
        match (read, meant, self.dialect) {
            (Some(read), None, Dialect::Sqlite) => offset && from::is_minus_one(read),
            (Some(read), None, Dialect::MariaDb) => offset && expr::is_number(read, ALL_ROWS),
            (Some(read), Some(Expr::Unary { op: UnaryOp::Minus, expr }), Dialect::Sqlite)
                if **expr == Expr::number(1) =>
            {
                from::is_minus_one(read)
            }
            (read, meant, _) => both(read, meant, |read, meant| self.expr(read, meant)),
        }
    }

    fn order_key(&self, read: &ast::OrderByExpr, meant: &OrderBy) -> bool {
        let OrderBy { key, descending, nulls_first } = meant;
        let Some(expr) = call::sorted(read, *descending, *nulls_first) else { return false };
        match key {
            OrderKey::Output(position) => expr::is_number(expr, &position.to_string()),
            // A bare number would be a position.
            OrderKey::Expr(meant) => !matches!(expr, ast::Expr::Value(_)) && self.expr(expr, meant),
        }
    }

    fn body(&self, read: &ast::SetExpr, meant: &SetExpr) -> bool {
        match (meant, read) {
            (SetExpr::Select(meant), ast::SetExpr::Select(read)) => self.select(read, meant),
            (SetExpr::Query(meant), read) => self.enclosed(read).is_some_and(|read| self.query(read, meant)),
            (
                SetExpr::SetOperation { op, quantifier, left, right },
                ast::SetExpr::SetOperation { left: read_left, op: read_op, set_quantifier, right: read_right },
            ) => {
                let operation = matches!(
                    (op, read_op),
                    (SetOperator::Union, ast::SetOperator::Union)
                        | (SetOperator::Intersect, ast::SetOperator::Intersect)
                        | (SetOperator::Except, ast::SetOperator::Except)
                );
                let duplicates = matches!(
                    (quantifier, set_quantifier),
                    (SetQuantifier::All, ast::SetQuantifier::All) | (SetQuantifier::Distinct, ast::SetQuantifier::None)
                );
                operation && duplicates && self.body(read_left, left) && self.body(read_right, right)
            }
            // An arm that is a set operation itself.
            (SetExpr::SetOperation { .. }, read) => {
                self.enclosed(read).and_then(Clauses::only_body).is_some_and(|read| self.body(read, meant))
            }
            (SetExpr::Select(_), _) => false,
        }
    }

    /// What stands in parentheses where a SELECT may stand; SQLite has these in FROM alone.
    fn enclosed<'q>(&self, read: &'q ast::SetExpr) -> Option<&'q ast::Query> {
        match (self.dialect, read) {
            (Dialect::Postgres | Dialect::MariaDb, ast::SetExpr::Query(query)) => Some(query),
            (Dialect::Sqlite, ast::SetExpr::Select(select)) => {
                let Parts { distinct: None, projection, from, filter: None, group_by: [], having: None } =
                    Parts::of(select)?
                else {
                    return None;
                };
                let ([ast::SelectItem::Wildcard(options)], [ast::TableWithJoins { relation, joins }]) =
                    (projection, from)
                else {
                    return None;
                };
                match relation {
                    ast::TableFactor::Derived { lateral: false, subquery, alias: None, sample: None }
                        if joins.is_empty() && *options == ast::WildcardAdditionalOptions::default() =>
                    {
                        Some(subquery)
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn select(&self, read: &ast::Select, meant: &Select) -> bool {
        let Some(read) = Parts::of(read) else { return false };
        let Select { distinct, projection, from, filter, group_by, grouping_sets, having } = meant;
        self.distinct(read.distinct, distinct)
            && all(read.projection, projection, |read, meant| self.output(read, meant))
            && all(read.from, from, |read, meant| self.joined(read, meant))
            && both(read.filter, filter.as_ref(), |read, meant| self.expr(read, meant))
            && self.group_by(read.group_by, group_by, grouping_sets)
            && both(read.having, having.as_ref(), |read, meant| self.expr(read, meant))
    }

    fn distinct(&self, read: Option<&ast::Distinct>, meant: &Distinct) -> bool {
        match (read, meant) {
            (None, Distinct::All) | (Some(ast::Distinct::Distinct), Distinct::Rows) => true,
            (Some(ast::Distinct::On(read)), Distinct::On(meant)) => self.exprs(read, meant),
            _ => false,
        }
    }

    fn output(&self, read: &ast::SelectItem, meant: &Projection) -> bool {
        match read {
            ast::SelectItem::ExprWithAlias { expr, alias } => named(alias, &meant.name) && self.expr(expr, &meant.expr),
            _ => false,
        }
    }

    fn group_by(&self, read: &[ast::Expr], meant: &[Expr], sets: &[Vec<usize>]) -> bool {
        match (read, sets) {
            (read, []) => self.exprs(read, meant),
            ([ast::Expr::GroupingSets(read)], sets) => all(read, sets, |read, set| {
                all(read, set, |read, place| meant.get(*place).is_some_and(|meant| self.expr(read, meant)))
            }),
            _ => false,
        }
    }

    fn exprs(&self, read: &[ast::Expr], meant: &[Expr]) -> bool {
        all(read, meant, |read, meant| self.expr(read, meant))
    }
}
