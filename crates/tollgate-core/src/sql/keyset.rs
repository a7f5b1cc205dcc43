//! Paging by a key: a statement in the order of a unique key, and the same from behind one of its rows on.
//!
//! It is for statements each of whose rows is one row of one table, and for keys that no two rows share and no row lacks: then the pages,
//! one after the other, are the whole, whatever comes and goes between them. Everything else is refused; nothing is guessed.

use super::fence;
use super::resolve::{has_aggregate, has_window};
use super::restriction::{Restriction, Restrictions};
use super::tree::{
    BinaryOp, ColumnRef, Distinct, Expr, JoinKind, Literal, OrderBy, OrderKey, Projection, Query, Relation, Select,
    SetExpr, Slot,
};
use crate::catalog::{Catalog, Column, ColumnId, SqlType, Table, TableId, TypeKind};
use crate::names::Dialect;

/// Why a statement cannot be paged by a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysetError {
    /// Rows of the result are no rows of a table.
    #[error("{0}; a statement that is paged by a key selects rows of one table, in their own form")]
    Rows(&'static str),
    /// A join that may make several rows of one.
    #[error("the join with `{0}` may repeat rows: join it by `=` on all columns of a unique key of it")]
    Join(String),
    /// A column that is not there, or not for everybody who is asked for.
    #[error("`{column}` is no column of `{table}`")]
    Column {
        /// As written.
        column: String,
        /// The table whose rows are paged.
        table: String,
    },
    /// A column that is seen in another form.
    #[error("`{0}` is masked, and rows cannot be told apart by a mask")]
    Masked(String),
    /// A column that a row may lack.
    #[error("`{0}` may be NULL, and a NULL comes neither before nor behind another value")]
    Nullable(String),
    /// A column whose values cannot be kept exactly, or have no order.
    #[error("`{column}` is of type `{ty}`, whose values cannot be carried exactly from one page to the next")]
    Type {
        /// Which.
        column: String,
        /// As the database calls it.
        ty: String,
    },
    /// Columns that several rows may share.
    #[error("`{columns}` holds no whole unique key of `{table}`, so rows may share it")]
    NotUnique {
        /// The columns.
        columns: String,
        /// The table whose rows are paged.
        table: String,
    },
    /// An order that is not the key's.
    #[error("ORDER BY must begin with the columns of the key, `{0}`, in this order, or be left out")]
    Order(String),
}

/// A statement in pages.
pub(super) struct Pages {
    /// The rows from the first one on.
    pub(super) first: Query,
    /// The rows behind that of the key in `Slot::After`.
    pub(super) next: Query,
    /// Where the columns of the key stand in a row.
    pub(super) places: Vec<usize>,
    /// How many columns at the end of a row are there for the key alone.
    pub(super) hidden: usize,
}

/// What a statement sees.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) restrictions: &'a Restrictions,
}

/// Pages a resolved query by columns of the table whose rows it selects.
pub(super) fn pages(mut query: Query, key: &[String], around: Around<'_>) -> Result<Pages, KeysetError> {
    let SetExpr::Select(select) = &query.body else {
        return Err(KeysetError::Rows("the statement is a set operation, or has parentheses around it"));
    };
    let root = root(select, around)?;
    refuse_other_rows(select, around.catalog.dialect())?;
    let key = columns(key, &root, around)?;
    let descending = directions(&query, &key)?;
    query.order_by = std::iter::zip(&key, &descending)
        .map(|(column, descending)| OrderBy {
            key: OrderKey::Expr(Expr::Column(column.clone())),
            descending: *descending,
            nulls_first: None,
        })
        .collect();
    let SetExpr::Select(select) = &mut query.body else {
        return Err(KeysetError::Rows("the statement is a set operation"));
    };
    let shown = select.projection.len();
    let places = key.iter().map(|column| place(column, &mut select.projection)).collect();
    let hidden = select.projection.len() - shown;
    let mut next = query.clone();
    if let SetExpr::Select(select) = &mut next.body {
        let behind = behind(&key, &descending);
        select.filter = Some(match select.filter.take() {
            Some(filter) => Expr::binary(BinaryOp::And, filter, behind),
            None => behind,
        });
    }
    Ok(Pages { first: query, next, places, hidden })
}

/// The table whose rows a SELECT puts out, each once at most.
struct Root<'a> {
    table: &'a Table,
    restriction: &'a Restriction,
    alias: &'a str,
}

fn root<'a>(select: &'a Select, around: Around<'a>) -> Result<Root<'a>, KeysetError> {
    let [from] = select.from.as_slice() else {
        return Err(KeysetError::Rows(
            "FROM names no table, or several with a comma between them, where JOIN and ON belong",
        ));
    };
    let mut relation = from;
    loop {
        match relation {
            Relation::Base { table, alias } => {
                let no_table = || KeysetError::Rows("FROM names something that is not there");
                let restriction = around.restrictions.tables.get(table).ok_or_else(no_table)?;
                return Ok(Root { table: around.catalog.get(table).ok_or_else(no_table)?, restriction, alias });
            }
            Relation::Join { kind: JoinKind::Inner | JoinKind::Left, left, right, on: Some(on) } => {
                one_row_at_most(right, on, around)?;
                relation = left;
            }
            Relation::Join { .. } => {
                return Err(KeysetError::Rows(
                    "a RIGHT, FULL or CROSS JOIN makes rows that its left table does not have",
                ));
            }
            Relation::Restricted(_)
            | Relation::Derived { .. }
            | Relation::Cte { .. }
            | Relation::Values { .. }
            | Relation::Recursion { .. }
            | Relation::Function(_) => return Err(KeysetError::Rows("FROM begins with something that is no table")),
        }
    }
}

/// Whether ON holds for one row of a table at most, whatever the row beside it.
fn one_row_at_most(relation: &Relation, on: &Expr, around: Around<'_>) -> Result<(), KeysetError> {
    let Relation::Base { table, alias } = relation else {
        return Err(KeysetError::Rows("something that is no table is joined"));
    };
    let repeats = || KeysetError::Join(table.name.clone());
    let known = around.catalog.get(table).ok_or_else(repeats)?;
    let mut conjuncts = Vec::new();
    fence::split(on, &mut conjuncts);
    let dialect = around.catalog.dialect();
    let fixed = |name: &String| conjuncts.iter().any(|conjunct| fixes(conjunct, (table, alias, name), dialect));
    keys(known).any(|key| key.iter().all(fixed)).then_some(()).ok_or_else(repeats)
}

fn keys(table: &Table) -> impl Iterator<Item = &Vec<String>> {
    std::iter::once(&table.primary_key).chain(&table.unique_keys).filter(|key| !key.is_empty())
}

/// Whether a condition leaves one value of a column at most, by the equality that its keys have too.
fn fixes(conjunct: &Expr, column: (&TableId, &str, &str), dialect: Dialect) -> bool {
    let Expr::Binary { op: BinaryOp::Eq, left, right } = conjunct else { return false };
    let beside = |own: &Expr, other: &Expr| match own {
        Expr::Column(own) => is_column(own, column) && has_one_value(other, own, column.1),
        _ => false,
    };
    // SQLite compares texts by the collation of what stands on the left.
    let of_right = || match (dialect, &**right) {
        (Dialect::Sqlite, Expr::Column(own)) => own.ty.as_ref().is_some_and(|ty| is_whole(&ty.kind)),
        // Of MariaDB's equality nothing has been reviewed.
        (Dialect::Sqlite | Dialect::MariaDb, _) => false,
        (Dialect::Postgres, _) => true,
    };
    beside(left, right) || (of_right() && beside(right, left))
}

fn is_column(own: &ColumnRef, (table, alias, name): (&TableId, &str, &str)) -> bool {
    let origin = own.origin.as_ref().is_some_and(|origin| origin.table == *table && origin.column == name);
    own.relation == alias && origin && !own.masked
}

/// Whether a value beside a column is of its type, so that neither is converted, and of no row of the column's own table.
fn has_one_value(other: &Expr, column: &ColumnRef, alias: &str) -> bool {
    let Some(kind) = column.ty.as_ref().map(|ty| &ty.kind) else { return false };
    match other {
        Expr::Column(other) if other.relation != alias => other.ty.as_ref().is_some_and(|ty| {
            let whole = is_whole(&ty.kind) && is_whole(kind);
            whole || (ty.kind == *kind && is_exact(kind))
        }),
        Expr::Slot(Slot::Param(_)) => is_exact(kind),
        Expr::Literal(Literal::Text(_)) => matches!(kind, TypeKind::Text | TypeKind::Collated(_)),
        Expr::Literal(Literal::Number(_)) => is_whole(kind),
        _ => false,
    }
}

fn is_whole(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Int | TypeKind::BigInt)
}

/// Whether equal values of a kind are the same value, and each can be written down exactly.
fn is_exact(kind: &TypeKind) -> bool {
    match kind {
        TypeKind::Bool
        | TypeKind::Int
        | TypeKind::BigInt
        | TypeKind::Decimal
        | TypeKind::Text
        | TypeKind::Collated(_)
        | TypeKind::Bytes
        | TypeKind::Date
        | TypeKind::Time
        | TypeKind::Timestamp
        | TypeKind::TimestampTz
        | TypeKind::Uuid
        | TypeKind::Enum(_) => true,
        TypeKind::Float | TypeKind::Json | TypeKind::Array(_) | TypeKind::Any | TypeKind::Other => false,
    }
}

/// Whether an engine takes a value of a type back as it gave it, and in its own order.
fn is_carried(ty: &SqlType, dialect: Dialect) -> bool {
    match dialect {
        Dialect::Postgres => true,
        // A statement's values have no bytes there.
        Dialect::Sqlite => ty.kind != TypeKind::Bytes,
        // Labels are sorted by their number and compared by their text, decimals compared with a parameter as doubles, and bits are seen
        // as the number that they are.
        Dialect::MariaDb => match ty.kind {
            TypeKind::Enum(_) => false,
            TypeKind::Decimal => is_within_a_double(&ty.name),
            _ => !ty.name.starts_with("bit"),
        },
    }
}

/// Whether a `decimal(p,s)` has no more digits than every double tells apart.
fn is_within_a_double(declaration: &str) -> bool {
    let digits = declaration.strip_prefix("decimal(").and_then(|rest| rest.split([',', ')']).next());
    digits.and_then(|digits| digits.parse::<u32>().ok()).is_some_and(|digits| digits <= f64::DIGITS)
}

/// Refuses a SELECT whose rows are groups, or know of one another: a page would be computed over the rows of the page alone.
fn refuse_other_rows(select: &Select, dialect: Dialect) -> Result<(), KeysetError> {
    let Select { distinct, projection, from: _, filter, group_by, grouping_sets, having } = select;
    if *distinct != Distinct::All {
        return Err(KeysetError::Rows("DISTINCT makes one row of several"));
    }
    if !group_by.is_empty() || !grouping_sets.is_empty() || having.is_some() {
        return Err(KeysetError::Rows("GROUP BY makes one row of several"));
    }
    for expr in projection.iter().map(|item| &item.expr).chain(filter) {
        if has_window(expr) {
            return Err(KeysetError::Rows("a window function is computed over other rows of the result"));
        }
        // One in a subquery is over the subquery's rows; `resolve` lets no other be there.
        if has_aggregate(dialect, expr) {
            return Err(KeysetError::Rows("an aggregate makes one row of all"));
        }
    }
    Ok(())
}

/// The columns of a key, if it is one for whoever sees the table in this form.
fn columns(key: &[String], root: &Root<'_>, around: Around<'_>) -> Result<Vec<ColumnRef>, KeysetError> {
    let columns = key.iter().map(|name| column(name, root, around)).collect::<Result<Vec<_>, _>>()?;
    let is_named = |name: &String| columns.iter().any(|column| column.name == *name);
    if !keys(root.table).any(|unique| unique.iter().all(is_named)) {
        return Err(KeysetError::NotUnique { columns: key.join("`, `"), table: root.table.id.name.clone() });
    }
    Ok(columns)
}

fn column(name: &str, root: &Root<'_>, around: Around<'_>) -> Result<ColumnRef, KeysetError> {
    let no_column = || KeysetError::Column { column: name.to_owned(), table: root.table.id.name.clone() };
    let column: &Column = around.catalog.column(root.table, name).ok_or_else(no_column)?;
    let visible = root.restriction.columns.iter().find(|visible| visible.name == column.name).ok_or_else(no_column)?;
    if visible.mask.is_some() {
        return Err(KeysetError::Masked(column.name.clone()));
    }
    if column.nullable {
        return Err(KeysetError::Nullable(column.name.clone()));
    }
    if !is_exact(&column.ty.kind) || !is_carried(&column.ty, around.catalog.dialect()) {
        return Err(KeysetError::Type { column: column.name.clone(), ty: column.ty.name.clone() });
    }
    Ok(ColumnRef {
        relation: root.alias.to_owned(),
        name: column.name.clone(),
        origin: Some(ColumnId { table: root.table.id.clone(), column: column.name.clone() }),
        ty: Some(column.ty.clone()),
        masked: false,
        nullable: false,
    })
}

/// Which columns of the key go down. What the order has behind the key decides nothing.
fn directions(query: &Query, key: &[ColumnRef]) -> Result<Vec<bool>, KeysetError> {
    if query.order_by.is_empty() {
        return Ok(vec![false; key.len()]);
    }
    let SetExpr::Select(select) = &query.body else { return Ok(Vec::new()) };
    let names = || key.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join("`, `");
    let mut written = query.order_by.iter();
    key.iter()
        .map(|column| {
            let by = written.next().filter(|by| sorts_by(by, column, select));
            by.map(|by| by.descending).ok_or_else(|| KeysetError::Order(names()))
        })
        .collect()
}

fn sorts_by(by: &OrderBy, column: &ColumnRef, select: &Select) -> bool {
    let expr = match &by.key {
        OrderKey::Expr(expr) => Some(expr),
        OrderKey::Output(position) => {
            position.checked_sub(1).and_then(|place| select.projection.get(place)).map(|item| &item.expr)
        }
    };
    expr.is_some_and(|expr| is_same(expr, column))
}

fn is_same(expr: &Expr, column: &ColumnRef) -> bool {
    matches!(expr, Expr::Column(other) if other.relation == column.relation && other.name == column.name)
}

/// Where a column stands in a row; where it does not, it is put at the end.
fn place(column: &ColumnRef, projection: &mut Vec<Projection>) -> usize {
    if let Some(place) = projection.iter().position(|item| is_same(&item.expr, column)) {
        return place;
    }
    let place = projection.len();
    let taken = |name: &str, all: &[Projection]| all.iter().any(|item| item.name.eq_ignore_ascii_case(name));
    let mut name = format!("tg_key_{place}");
    while taken(&name, projection) {
        name.push('_');
    }
    projection.push(Projection { expr: Expr::Column(column.clone()), name });
    place
}

/// The condition that a row comes behind the key in the slots.
fn behind(key: &[ColumnRef], descending: &[bool]) -> Expr {
    let pairs = key.iter().zip(descending).enumerate();
    let mut terms: Vec<Term> = pairs
        .map(|(place, (column, descending))| Term {
            column: Expr::Column(column.clone()),
            value: Expr::Slot(Slot::After(place)),
            descending: *descending,
        })
        .collect();
    let alike = descending.windows(2).all(|pair| pair.first() == pair.last());
    if alike && terms.len() > 1 {
        let op = op(descending.first() == Some(&true));
        let (columns, values) = terms.into_iter().map(|term| (term.column, term.value)).unzip();
        return Expr::binary(op, Expr::Row(columns), Expr::Row(values));
    }
    // `a > $1 OR (a = $1 AND (b < $2 OR …))`, from the last column to the first.
    let mut condition: Option<Expr> = None;
    let count = terms.len();
    while let Some(term) = terms.pop() {
        let is_first = terms.is_empty() && count > 1;
        let beyond = Expr::binary(op(term.descending), term.column.clone(), term.value.clone());
        let or_equal = if term.descending { BinaryOp::LtEq } else { BinaryOp::GtEq };
        condition = Some(match condition {
            None => beyond,
            Some(rest) => {
                let tie = Expr::binary(BinaryOp::Eq, term.column.clone(), term.value.clone());
                let either = Expr::binary(BinaryOp::Or, beyond, Expr::binary(BinaryOp::And, tie, rest));
                // Said once more for an index, which an OR is no help to.
                let bound = Expr::binary(or_equal, term.column, term.value);
                if is_first { Expr::binary(BinaryOp::And, bound, either) } else { either }
            }
        });
    }
    condition.unwrap_or(Expr::Literal(Literal::Bool(false)))
}

struct Term {
    column: Expr,
    value: Expr,
    descending: bool,
}

fn op(descending: bool) -> BinaryOp {
    if descending { BinaryOp::Lt } else { BinaryOp::Gt }
}

#[cfg(test)]
mod tests;
