//! What MariaDB has no words for, and what nobody has reviewed there yet: refused by name once a text is resolved. The match over the
//! tree says what is taken; a form that it does not name is refused.

use super::Resolver;
use super::output::{has_aggregate, has_window};
use crate::names::Dialect;
use crate::sql::bound_list;
use crate::sql::check::has_subquery;
use crate::sql::error::{SqlError, shown};
use crate::sql::outside;
use crate::sql::tree::{
    BinaryOp, CallOrder, Distinct, Expr, FrameUnits, Function, FunctionArgs, JoinKind, LikeKind, Literal, Materialized,
    OpClass, OrderBy, Query, Relation, Select, SetExpr, UnaryOp,
};
use crate::sql::walk::{self, Node};

/// What is refused, and what may be written instead.
type Lacking = (&'static str, Option<&'static str>);

impl Resolver<'_> {
    /// Refuses a query of which the dialect cannot say a part.
    pub(super) fn can_be_said(&self, query: Query) -> Result<Query, SqlError> {
        let mut found = Ok(());
        if self.dialect == Dialect::MariaDb {
            walk::each_in_query(&query, &mut |node| note(node, &mut found));
        }
        found.map(|()| query)
    }

    /// The same for an expression of the policy.
    pub(super) fn expr_can_be_said(&self, expr: Expr) -> Result<Expr, SqlError> {
        let mut found = Ok(());
        if self.dialect == Dialect::MariaDb {
            walk::each_in_expr(&expr, &mut |node| note(node, &mut found));
        }
        found.map(|()| expr)
    }
}

fn refuse(found: Option<Lacking>) -> Result<(), SqlError> {
    match found {
        None => Ok(()),
        Some((what, Some(instead))) => Err(SqlError::unsupported_use(what, instead)),
        Some((what, None)) => Err(SqlError::unsupported(what)),
    }
}

fn note(node: Node<'_>, found: &mut Result<(), SqlError>) {
    if found.is_err() {
        return;
    }
    *found = match node {
        Node::Query(query) => {
            let ordered = outside::select_of(query).map_or(Ok(()), |select| of_groups(select, &query.order_by));
            ordered.and_then(|()| refuse(in_query(query)))
        }
        Node::Select(select) => of_groups(select, &[]).and_then(|()| refuse(in_select(select))),
        Node::SetExpr(SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::SetOperation { .. }) => Ok(()),
        Node::Relation(relation) => refuse(in_relation(relation)),
        Node::Expr(expr) => refuse(in_expr(expr)),
    };
}

/// What may not be computed of groups. The server does not see for itself that a column of a derived table is not grouped by, and
/// gives that of some row; and 10.11 reads memory that it has freed where a column from around a subquery goes through a
/// temporary table beside an aggregate or a window function.
fn of_groups(select: &Select, order_by: &[OrderBy]) -> Result<(), SqlError> {
    let dialect = Dialect::MariaDb;
    let aggregated = |expr: &Expr| has_aggregate(dialect, expr);
    let one_group = select.group_by.is_empty();
    let grouped = !one_group || select.having.is_some() || outside::of_groups(select, order_by).any(aggregated);
    for expr in outside::of_groups(select, order_by) {
        if (has_window(expr) || aggregated(expr) && !one_group)
            && let Some(column) = outside::beside_aggregates(expr, select, dialect)
        {
            let name = shown(&format!("{}.{}", column.relation, column.name));
            let construct = format!("the outer {name} beside an aggregate or a window function of a subquery");
            return Err(SqlError::unsupported_use(construct, "put it outside of the subquery, or in its WHERE"));
        }
        if grouped && let Some(column) = outside::ungrouped(expr, select, dialect) {
            return Err(SqlError::Ungrouped { name: shown(&format!("{}.{}", column.relation, column.name)) });
        }
    }
    Ok(())
}

const NULLS: Lacking = ("NULLS FIRST or NULLS LAST", Some("order by `x IS NULL` first"));

const FROM_AROUND: Lacking =
    ("an outer query's column in a subquery in FROM or WITH", Some("select the column there, and compare it outside"));

fn in_query(query: &Query) -> Option<Lacking> {
    if query.with.iter().any(|cte| cte.materialized != Materialized::Auto) {
        return Some(("MATERIALIZED", None));
    }
    if query.with.iter().any(|cte| outside::of_query(&cte.query).is_some()) {
        return Some(FROM_AROUND);
    }
    query.order_by.iter().any(|OrderBy { nulls_first, .. }| nulls_first.is_some()).then_some(NULLS)
}

fn in_select(select: &Select) -> Option<Lacking> {
    match select.distinct {
        Distinct::All | Distinct::Rows => None,
        Distinct::On(_) => Some(("DISTINCT ON", Some("write GROUP BY with min or max"))),
    }
}

fn in_relation(relation: &Relation) -> Option<Lacking> {
    match relation {
        Relation::Base { .. }
        | Relation::Restricted(_)
        | Relation::Cte { .. }
        | Relation::Recursion { .. }
        | Relation::Join { kind: JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Cross, .. } => None,
        Relation::Derived { lateral: true, .. } => Some(("LATERAL", Some("write a subquery in the output, or a join"))),
        Relation::Derived { query, alias: _, lateral: false } => outside::of_query(query).map(|_| FROM_AROUND),
        Relation::Values { .. } => Some(("VALUES", Some("write SELECT 1 AS a UNION ALL SELECT 2"))),
        Relation::Function(_) => Some(("a function in FROM", None)),
        Relation::Join { kind: JoinKind::Full, .. } => {
            Some(("FULL JOIN", Some("join a LEFT and a RIGHT one by UNION")))
        }
    }
}

fn in_expr(expr: &Expr) -> Option<Lacking> {
    match expr {
        Expr::Column(_)
        | Expr::Literal(_)
        | Expr::Slot(_)
        | Expr::Unary { op: UnaryOp::Not | UnaryOp::Minus | UnaryOp::Plus, .. }
        | Expr::Is { .. }
        | Expr::Between { .. }
        | Expr::InList { .. }
        | Expr::InQuery { .. }
        | Expr::Exists { .. }
        | Expr::Scalar(_)
        | Expr::Like { kind: LikeKind::Like, .. }
        | Expr::Case { .. }
        | Expr::Cast { .. }
        | Expr::Collate { .. } => None,
        // 10.11 refuses such a row while it runs the statement, and ends at the next one.
        Expr::Row(values) => values
            .iter()
            .any(has_subquery)
            .then_some(("a subquery in a row of values", Some("join the subquery in FROM, and put its column there"))),
        Expr::Binary { op, .. } => in_operator(*op),
        Expr::Function(function) => in_call(function),
        Expr::InSlot { expr, .. } => {
            let instead = "compare it with a column of numbers, text, dates or timestamps";
            bound_list::value_type(expr).is_none().then_some(("a list beside that", Some(instead)))
        }
        Expr::Unary { op: UnaryOp::BitNot, .. } => Some(("the operator `~`", None)),
        Expr::Like { kind: LikeKind::ILike | LikeKind::SimilarTo, .. } => {
            Some(("ILIKE and SIMILAR TO", Some("write LIKE, which compares by the column's collation")))
        }
        Expr::Quantified { .. } => Some(("ANY and ALL", Some("write IN, EXISTS, or a comparison with min or max"))),
        Expr::Array(_) | Expr::Subscript { .. } => Some(("an array", None)),
        Expr::Added { .. } => Some(("a function with a schema", None)),
    }
}

fn in_operator(op: BinaryOp) -> Option<Lacking> {
    match op.class() {
        OpClass::Logic | OpClass::Comparison => None,
        OpClass::Arithmetic if op != BinaryOp::Power => None,
        OpClass::Bits if matches!(op, BinaryOp::BitAnd | BinaryOp::BitOr) => None,
        OpClass::Pattern if op == BinaryOp::Regex => None,
        OpClass::Arithmetic
        | OpClass::Bits
        | OpClass::Concat
        | OpClass::JsonPart
        | OpClass::Containment
        | OpClass::Pattern => Some(("this operator", None)),
    }
}

fn in_call(function: &Function) -> Option<Lacking> {
    let Function { name, args, distinct: _, order, filter, over } = function;
    if let FunctionArgs::List(args) = args
        && !paths(name, args).iter().all(is_plain_path)
    {
        let instead = "write the path out, as '$.a[0].b'";
        return Some(("a path into a document that is no string, or has `**` in it,", Some(instead)));
    }
    if filter.is_some() {
        return Some(("FILTER", Some("write CASE WHEN … THEN x END inside the aggregate")));
    }
    if matches!(order, CallOrder::WithinGroup(_)) {
        return Some(("WITHIN GROUP", None));
    }
    let window = over.as_deref();
    let keys = order.keys().iter().chain(window.into_iter().flat_map(|window| &window.order_by));
    if keys.into_iter().any(|key| key.nulls_first.is_some()) {
        return Some(NULLS);
    }
    window
        .and_then(|window| window.frame.as_ref())
        .is_some_and(|frame| frame.units == FrameUnits::Groups)
        .then_some(("GROUPS in a frame", None))
}

/// The arguments of a call that are paths into a document.
fn paths<'a>(name: &str, args: &'a [Expr]) -> &'a [Expr] {
    let first = match name {
        "json_extract" | "json_value" | "json_length" | "json_keys" => 1,
        "json_contains" | "json_contains_path" => 2,
        "json_search" => 4,
        _ => return &[],
    };
    args.get(first..).unwrap_or_default()
}

/// Whether a path is searched in about one look at a document: each `**` looks at all of it from each of its parts, and nothing
/// interrupts that.
fn is_plain_path(path: &Expr) -> bool {
    matches!(path, Expr::Literal(Literal::Text(path)) if !path.contains("**"))
}
