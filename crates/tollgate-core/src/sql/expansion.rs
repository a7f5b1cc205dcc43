//! How large a statement becomes where a database copies parts of it: a planner puts the expression of a subquery's column wherever
//! the column is used, and PostgreSQL writes the left side of BETWEEN twice. Nests of these double at each level, and nothing
//! interrupts a database that reads or plans. Weights are numbers of expressions.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::error::SqlError;
use super::limits::EXPANSION_MAX;
use super::tree::{Expr, OrderKey, Query, Relation, Select, SetExpr};
use super::walk;

/// Refuses a statement that a database would make too large.
pub(super) fn refuse(query: &Query) -> Result<(), SqlError> {
    let weight = of_query(query, Env::default()).weight;
    if weight > EXPANSION_MAX {
        let max = usize::try_from(EXPANSION_MAX).unwrap_or(usize::MAX);
        return Err(SqlError::TooComplex { what: "expressions once each stands wherever its column is used", max });
    }
    Ok(())
}

/// Columns that stand for more than one expression, by name.
type Columns<'t> = BTreeMap<Cow<'t, str>, u64>;

/// What a place of the statement sees.
#[derive(Clone, Copy, Default)]
struct Env<'s, 't> {
    names: Option<&'s Level<'s, 't>>,
    ctes: Option<&'s Level<'s, 't>>,
}

/// The relations of one FROM, or the common table expressions of one WITH, and what surrounds them.
struct Level<'s, 't> {
    parent: Option<&'s Level<'s, 't>>,
    list: &'s [(&'t str, Columns<'t>)],
}

impl<'s, 't> Level<'s, 't> {
    fn find(&self, name: &str) -> Option<&'s Columns<'t>> {
        let mut level = Some(self);
        while let Some(Level { parent, list }) = level {
            if let Some((_, columns)) = list.iter().rev().find(|(known, _)| *known == name) {
                return Some(columns);
            }
            level = *parent;
        }
        None
    }
}

/// A query's weight, and those of its columns in order.
struct Weighed {
    weight: u64,
    columns: Vec<u64>,
}

fn of_query<'t>(query: &'t Query, env: Env<'_, 't>) -> Weighed {
    let mut ctes: Vec<(&str, Columns<'_>)> = Vec::with_capacity(query.with.len());
    let mut weight = 0_u64;
    for cte in &query.with {
        let level = Level { parent: env.ctes, list: &ctes };
        let weighed = of_query(&cte.query, Env { ctes: Some(&level), ..env });
        weight = weight.saturating_add(weighed.weight);
        ctes.push((&cte.name, columns(cte.columns.iter().map(String::as_str), weighed.columns)));
    }
    let level = Level { parent: env.ctes, list: &ctes };
    let order = query.order_by.iter().filter_map(|key| match &key.key {
        OrderKey::Expr(expr) => Some(expr),
        OrderKey::Output(_) => None,
    });
    let body = of_body(&query.body, order.collect(), Env { ctes: Some(&level), ..env });
    Weighed { weight: weight.saturating_add(body.weight), columns: body.columns }
}

fn columns<'t>(names: impl Iterator<Item = &'t str>, weights: Vec<u64>) -> Columns<'t> {
    names.map(Cow::from).zip(weights).filter(|(_, weight)| *weight > 1).collect()
}

fn of_body<'t>(body: &'t SetExpr, order: Vec<&'t Expr>, env: Env<'_, 't>) -> Weighed {
    match body {
        SetExpr::Select(select) => of_select(select, order, env),
        SetExpr::Query(query) => of_query(query, env),
        SetExpr::SetOperation { op: _, quantifier: _, left, right } => {
            let (left, right) = (of_body(left, Vec::new(), env), of_body(right, Vec::new(), env));
            let columns = left.columns.into_iter().zip(right.columns).map(|(l, r)| l.max(r)).collect();
            Weighed { weight: left.weight.saturating_add(right.weight), columns }
        }
    }
}

fn of_select<'t>(select: &'t Select, order: Vec<&'t Expr>, env: Env<'_, 't>) -> Weighed {
    let mut names = Vec::new();
    let from = sum(select.from.iter().map(|relation| of_relation(relation, &mut names, env)));
    let level = Level { parent: env.names, list: &names };
    let inside = Env { names: Some(&level), ..env };
    // Each once: a nest of subqueries would double the work at each level here, too. The projection comes first.
    let mut weights = walk::clauses(select).into_iter().chain(order).map(|expr| of_expr(expr, inside));
    let columns: Vec<u64> = weights.by_ref().take(select.projection.len()).collect();
    let weight = from.saturating_add(sum(columns.iter().copied())).saturating_add(sum(weights));
    Weighed { weight, columns }
}

/// The weight of a relation, whose columns are added to the names.
fn of_relation<'t>(relation: &'t Relation, names: &mut Vec<(&'t str, Columns<'t>)>, env: Env<'_, 't>) -> u64 {
    match relation {
        Relation::Base { .. } | Relation::Restricted(_) | Relation::Recursion { .. } => 1,
        Relation::Cte { name, alias } => {
            let columns = env.ctes.and_then(|ctes| ctes.find(name)).cloned().unwrap_or_default();
            names.push((alias, columns));
            1
        }
        Relation::Derived { query, alias, lateral: _ } => {
            let level = Level { parent: env.names, list: names };
            let weighed = of_query(query, Env { names: Some(&level), ..env });
            let outputs = output_names(&query.body);
            names.push((alias, columns(outputs.into_iter(), weighed.columns)));
            weighed.weight
        }
        // One row of them stands wherever its columns are used, as a subquery does.
        Relation::Values { rows, alias } => {
            let level = Level { parent: env.names, list: names };
            let inside = Env { names: Some(&level), ..env };
            let mut weight = 0_u64;
            let mut heaviest = Columns::new();
            for row in rows {
                for (place, expr) in row.iter().enumerate() {
                    let own = of_expr(expr, inside);
                    weight = weight.saturating_add(own);
                    let column = heaviest.entry(Cow::from(format!("column{}", place + 1))).or_default();
                    *column = own.max(*column);
                }
            }
            names.push((alias, heaviest));
            weight
        }
        Relation::Function(function) => {
            let level = Level { parent: env.names, list: names };
            sum(function.args.iter().map(|expr| of_expr(expr, Env { names: Some(&level), ..env })))
        }
        Relation::Join { kind: _, left, right, on } => {
            let sides = of_relation(left, names, env).saturating_add(of_relation(right, names, env));
            let level = Level { parent: env.names, list: names };
            let on = on.as_ref().map_or(0, |on| of_expr(on, Env { names: Some(&level), ..env }));
            sides.saturating_add(on)
        }
    }
}

/// The names of a query's columns.
fn output_names(body: &SetExpr) -> Vec<&str> {
    match body {
        SetExpr::Select(select) => select.projection.iter().map(|item| item.name.as_str()).collect(),
        SetExpr::SetOperation { left, .. } => output_names(left),
        SetExpr::Query(query) => output_names(&query.body),
    }
}

fn of_expr<'t>(expr: &'t Expr, env: Env<'_, 't>) -> u64 {
    let copies = match expr {
        Expr::Column(column) => {
            let columns = env.names.and_then(|names| names.find(&column.relation));
            return columns.and_then(|columns| columns.get(column.name.as_str())).copied().unwrap_or(1);
        }
        Expr::Between { .. } => 2,
        // Beside each element that is no constant.
        Expr::InList { list, .. } => {
            list.iter().filter(|element| !matches!(element, Expr::Literal(_) | Expr::Slot(_))).count().max(1)
        }
        _ => 1,
    };
    let mut parts = walk::parts(expr).into_iter().map(|part| of_expr(part, env));
    let first = parts.next().unwrap_or(0).saturating_mul(u64::try_from(copies).unwrap_or(u64::MAX));
    let subquery = walk::subquery(expr).map_or(0, |query| of_query(query, env).weight);
    first.saturating_add(sum(parts)).saturating_add(subquery).saturating_add(1)
}

fn sum(weights: impl Iterator<Item = u64>) -> u64 {
    weights.fold(0, u64::saturating_add)
}
