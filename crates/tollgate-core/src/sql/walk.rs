//! Walking the tree: the direct parts of an expression, and every node of a query. Never changes what a node means.

use super::tree::{
    Distinct, Elements, Expr, Function, FunctionArgs, OrderKey, Query, Relation, Select, SetExpr, Subscript,
};

/// A node met on the way.
#[derive(Clone, Copy)]
pub(super) enum Node<'a> {
    /// A query, before its parts.
    Query(&'a Query),
    /// A SELECT, before its parts.
    Select(&'a Select),
    /// A set operation or what stands in one, before its parts.
    SetExpr(&'a SetExpr),
    /// A relation, before its parts.
    Relation(&'a Relation),
    /// An expression, before its parts.
    Expr(&'a Expr),
}

/// Meets every node of a query, parents first, subqueries and restricted tables included.
pub(super) fn each_in_query<'a>(query: &'a Query, meet: &mut dyn FnMut(Node<'a>)) {
    meet(Node::Query(query));
    for cte in &query.with {
        each_in_query(&cte.query, meet);
    }
    each_in_set_expr(&query.body, meet);
    for key in &query.order_by {
        if let OrderKey::Expr(expr) = &key.key {
            each_in_expr(expr, meet);
        }
    }
    for bound in query.limit.iter().chain(&query.offset) {
        each_in_expr(bound, meet);
    }
}

/// Meets every node of an expression, itself first.
pub(super) fn each_in_expr<'a>(expr: &'a Expr, meet: &mut dyn FnMut(Node<'a>)) {
    meet(Node::Expr(expr));
    each_part(expr, &mut |part| each_in_expr(part, meet));
    if let Some(query) = subquery(expr) {
        each_in_query(query, meet);
    }
}

/// Meets every node of a set operation or what stands in one, itself first.
pub(super) fn each_in_set_expr<'a>(body: &'a SetExpr, meet: &mut dyn FnMut(Node<'a>)) {
    meet(Node::SetExpr(body));
    match body {
        SetExpr::Select(select) => each_in_select(select, meet),
        SetExpr::SetOperation { op: _, quantifier: _, left, right } => {
            each_in_set_expr(left, meet);
            each_in_set_expr(right, meet);
        }
        SetExpr::Query(query) => each_in_query(query, meet),
    }
}

/// Meets every node of a SELECT, itself first.
pub(super) fn each_in_select<'a>(select: &'a Select, meet: &mut dyn FnMut(Node<'a>)) {
    meet(Node::Select(select));
    for expr in clauses(select) {
        each_in_expr(expr, meet);
    }
    for from in &select.from {
        each_in_relation(from, meet);
    }
}

/// Meets every node of a relation, itself first.
pub(super) fn each_in_relation<'a>(node: &'a Relation, meet: &mut dyn FnMut(Node<'a>)) {
    meet(Node::Relation(node));
    match node {
        Relation::Base { .. } | Relation::Cte { .. } | Relation::Recursion { .. } => {}
        Relation::Function(function) => {
            for arg in &function.args {
                each_in_expr(arg, meet);
            }
        }
        Relation::Values { rows, alias: _ } => {
            for expr in rows.iter().flatten() {
                each_in_expr(expr, meet);
            }
        }
        Relation::Restricted(table) => {
            for column in table.columns() {
                each_in_expr(&column.expr, meet);
            }
            for condition in table.conditions() {
                each_in_expr(condition, meet);
            }
        }
        Relation::Derived { query, alias: _, lateral: _ } => each_in_query(query, meet),
        Relation::Join { kind: _, left, right, on } => {
            each_in_relation(left, meet);
            each_in_relation(right, meet);
            if let Some(on) = on {
                each_in_expr(on, meet);
            }
        }
    }
}

/// The expressions of a SELECT's own clauses: all but those in FROM.
pub(super) fn clauses(select: &Select) -> Vec<&Expr> {
    let Select { distinct, projection, from: _, filter, group_by, grouping_sets: _, having } = select;
    let on = match distinct {
        Distinct::All | Distinct::Rows => [].iter(),
        Distinct::On(keys) => keys.iter(),
    };
    projection.iter().map(|item| &item.expr).chain(on).chain(filter).chain(group_by).chain(having).collect()
}

/// The same, to be changed.
pub(super) fn clauses_mut(select: &mut Select) -> Vec<&mut Expr> {
    let Select { distinct, projection, from: _, filter, group_by, grouping_sets: _, having } = select;
    let on = match distinct {
        Distinct::All | Distinct::Rows => [].iter_mut(),
        Distinct::On(keys) => keys.iter_mut(),
    };
    projection.iter_mut().map(|item| &mut item.expr).chain(on).chain(filter).chain(group_by).chain(having).collect()
}

/// The direct subexpressions of an expression, left to right. A subquery is not among them.
pub(super) fn parts(expr: &Expr) -> Vec<&Expr> {
    let mut all = Vec::new();
    each_part(expr, &mut |part| all.push(part));
    all
}

/// Meets the same.
pub(super) fn each_part<'a>(expr: &'a Expr, meet: &mut dyn FnMut(&'a Expr)) {
    match expr {
        Expr::Column(_)
        | Expr::Literal(_)
        | Expr::Slot(_)
        | Expr::Exists { .. }
        | Expr::Scalar(_)
        | Expr::Array(Elements::Query(_)) => {}
        Expr::Unary { op: _, expr }
        | Expr::Is { expr, test: _, negated: _ }
        | Expr::InSlot { expr, slot: _, negated: _ }
        | Expr::InQuery { expr, query: _, negated: _ }
        | Expr::Cast { expr, ty: _ }
        | Expr::Collate { expr, collation: _ }
        | Expr::Array(Elements::Of(expr)) => meet(expr),
        Expr::Binary { op: _, left, right } => {
            meet(left);
            meet(right);
        }
        Expr::Between { expr, low, high, negated: _ } => [expr, low, high].into_iter().for_each(|part| meet(part)),
        Expr::InList { expr, list, negated: _ } => {
            meet(expr);
            list.iter().for_each(meet);
        }
        Expr::Like { expr, pattern, escape: _, kind: _, negated: _ } => {
            meet(expr);
            meet(pattern);
        }
        Expr::Case { operand, branches, otherwise } => {
            if let Some(part) = operand {
                meet(part);
            }
            for (when, then) in branches {
                meet(when);
                meet(then);
            }
            if let Some(part) = otherwise {
                meet(part);
            }
        }
        Expr::Row(list) | Expr::Array(Elements::List(list)) | Expr::Added { function: _, args: list } => {
            list.iter().for_each(meet);
        }
        Expr::Quantified { expr, op: _, quantifier: _, over } => {
            meet(expr);
            match over {
                Elements::Of(array) => meet(array),
                Elements::List(list) => list.iter().for_each(meet),
                Elements::Query(_) => {}
            }
        }
        Expr::Subscript { expr, part } => {
            meet(expr);
            let (first, last) = match part {
                Subscript::Index(index) => (Some(index), None),
                Subscript::Slice { from, to } => (from.as_ref(), to.as_ref()),
            };
            first.into_iter().chain(last).for_each(|part| meet(part));
        }
        Expr::Function(function) => each_of_call(function, meet),
    }
}

fn each_of_call<'a>(function: &'a Function, meet: &mut dyn FnMut(&'a Expr)) {
    let Function { name: _, args, distinct: _, order, filter, over } = function;
    if let FunctionArgs::List(args) = args {
        args.iter().for_each(&mut *meet);
    }
    order.keys().iter().for_each(|key| meet(&key.expr));
    if let Some(part) = filter {
        meet(part);
    }
    if let Some(window) = over {
        window.partition_by.iter().for_each(&mut *meet);
        window.order_by.iter().for_each(|key| meet(&key.expr));
    }
}

/// The same, to be changed.
pub(super) fn parts_mut(expr: &mut Expr) -> Vec<&mut Expr> {
    match expr {
        Expr::Column(_)
        | Expr::Literal(_)
        | Expr::Slot(_)
        | Expr::Exists { .. }
        | Expr::Scalar(_)
        | Expr::Array(Elements::Query(_)) => Vec::new(),
        Expr::Unary { op: _, expr }
        | Expr::Is { expr, test: _, negated: _ }
        | Expr::InSlot { expr, slot: _, negated: _ }
        | Expr::InQuery { expr, query: _, negated: _ }
        | Expr::Cast { expr, ty: _ }
        | Expr::Collate { expr, collation: _ }
        | Expr::Array(Elements::Of(expr)) => vec![expr],
        Expr::Binary { op: _, left, right } => vec![left, right],
        Expr::Between { expr, low, high, negated: _ } => vec![expr, low, high],
        Expr::InList { expr, list, negated: _ } => std::iter::once(&mut **expr).chain(list).collect(),
        Expr::Like { expr, pattern, escape: _, kind: _, negated: _ } => vec![expr, pattern],
        Expr::Case { operand, branches, otherwise } => operand
            .as_deref_mut()
            .into_iter()
            .chain(branches.iter_mut().flat_map(|(when, then)| [when, then]))
            .chain(otherwise.as_deref_mut())
            .collect(),
        Expr::Row(list) | Expr::Array(Elements::List(list)) | Expr::Added { function: _, args: list } => {
            list.iter_mut().collect()
        }
        Expr::Quantified { expr, op: _, quantifier: _, over } => {
            let over = match over {
                Elements::Of(array) => std::slice::from_mut(&mut **array),
                Elements::List(list) => list,
                Elements::Query(_) => &mut [],
            };
            std::iter::once(&mut **expr).chain(over).collect()
        }
        Expr::Subscript { expr, part } => {
            let (first, last) = match part {
                Subscript::Index(index) => (Some(index), None),
                Subscript::Slice { from, to } => (from.as_mut(), to.as_mut()),
            };
            std::iter::once(&mut **expr).chain(first.map(|e| &mut **e)).chain(last.map(|e| &mut **e)).collect()
        }
        Expr::Function(function) => call_parts_mut(function),
    }
}

fn call_parts_mut(function: &mut Function) -> Vec<&mut Expr> {
    let mut all: Vec<&mut Expr> = match &mut function.args {
        FunctionArgs::Star => Vec::new(),
        FunctionArgs::List(args) => args.iter_mut().collect(),
    };
    all.extend(function.order.keys_mut().iter_mut().map(|key| &mut key.expr));
    all.extend(function.filter.as_deref_mut());
    if let Some(window) = &mut function.over {
        all.extend(&mut window.partition_by);
        all.extend(window.order_by.iter_mut().map(|key| &mut key.expr));
    }
    all
}

/// The subquery that stands directly in an expression.
pub(super) fn subquery(expr: &Expr) -> Option<&Query> {
    match expr {
        Expr::InQuery { query, .. }
        | Expr::Exists { query, .. }
        | Expr::Scalar(query)
        | Expr::Array(Elements::Query(query))
        | Expr::Quantified { over: Elements::Query(query), .. } => Some(query),
        _ => None,
    }
}

/// The same, to be changed.
pub(super) fn subquery_mut(expr: &mut Expr) -> Option<&mut Query> {
    match expr {
        Expr::InQuery { query, .. }
        | Expr::Exists { query, .. }
        | Expr::Scalar(query)
        | Expr::Array(Elements::Query(query))
        | Expr::Quantified { over: Elements::Query(query), .. } => Some(query),
        _ => None,
    }
}
