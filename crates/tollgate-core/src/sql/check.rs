//! From a request to a checked statement: the one place that makes one.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::error::SqlError;
use super::groups;
use super::keyset::{self, Around};
use super::leak::{self, Context, Leak};
use super::limits::STACK_BYTES;
use super::render::{self, RenderError};
use super::resolve::{ClaimUse, ParamShape, Scope, output_columns, resolve_query, unique_output_names};
use super::restrict::{self, Fence, RestrictError};
use super::restriction::{ColumnMask, Restrictions};
use super::statement::{Author, CheckedStatement, Cost, OutputColumn, Page, PageBound, RowKey};
use super::tree::{BinaryOp, Elements, Expr, LikeKind, Literal, Query, Relation, Slot};
use super::uses;
use super::walk::{self, Node};
use crate::catalog::{Catalog, Column, SqlType, TableId, TypeKind};
use crate::names::{Code, Dialect, ParamName};

/// A statement to be checked: its text, and what it may see.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// One SELECT; parameters are `:name`.
    pub sql: &'a str,
    /// The database's schema.
    pub catalog: &'a Catalog,
    /// The tables that exist for it, and in which form.
    pub restrictions: &'a Restrictions,
    /// The parameters that it may name.
    pub params: &'a BTreeMap<ParamName, ParamShape>,
}

/// Why a resolved statement could not be made into a checked one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// A pattern that an engine may refuse while it compares.
    #[error("the LIKE pattern `{0}` ends in an escape character that escapes nothing")]
    Pattern(String),
    /// LIMIT or OFFSET that is not a number of rows.
    #[error("{0} must be a whole number or a parameter")]
    Bound(&'static str),
    /// A statement over groups that are single rows.
    #[error(
        "`{columns}` tells single rows apart, and only groups of rows may be seen: count, sum or average it, or leave it out"
    )]
    SingleRows {
        /// The columns of a key.
        columns: String,
    },
    /// A table that `resolve` should not have let through.
    #[error(transparent)]
    Restrict(#[from] RestrictError),
    /// A tree that cannot be printed.
    #[error(transparent)]
    Render(#[from] RenderError),
}

impl CheckError {
    /// Its stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Pattern(_) | Self::Bound(_) => Code::SQL_UNSUPPORTED,
            Self::SingleRows { .. } => Code::SQL_SINGLE_ROWS,
            Self::Restrict(_) | Self::Render(_) => Code::INTERNAL,
        }
    }

    /// Whether an earlier stage should have refused: the statement is not sent, and the operator alone reads why.
    pub(super) fn is_internal(&self) -> bool {
        self.code() == Code::INTERNAL
    }
}

/// Parses, resolves, restricts, fences, pages and renders a statement.
pub fn check(request: &Request<'_>) -> Result<CheckedStatement, SqlError> {
    stacker::maybe_grow(STACK_BYTES, STACK_BYTES, || check_here(request))
}

fn check_here(request: &Request<'_>) -> Result<CheckedStatement, SqlError> {
    let scope = Scope {
        catalog: request.catalog,
        visible: request.restrictions,
        params: request.params,
        claims: ClaimUse::Refused,
    };
    let query = resolve_query(request.sql, &scope)?;
    groups::refuse(&query, request.restrictions, request.catalog)?;
    check_query(query, request.catalog.dialect(), request.restrictions, OutputNames::Unique, Cost::Unbounded)
}

/// A statement in pages by a key.
#[derive(Clone, Debug)]
pub struct Keyset {
    /// Its rows from the first one on.
    pub first: CheckedStatement,
    /// Its rows behind the one whose key is in `Slot::After`.
    pub next: CheckedStatement,
}

/// The same for a statement that is paged by a key: columns, by name, of the table whose rows it selects.
pub fn check_keyset(request: &Request<'_>, key: &[String]) -> Result<Keyset, SqlError> {
    let Request { sql, catalog, restrictions, params } = *request;
    let scope = Scope { catalog, visible: restrictions, params, claims: ClaimUse::Refused };
    let query = resolve_query(sql, &scope)?;
    let pages = keyset::pages(query, key, Around { catalog, restrictions })?;
    let row_key = RowKey { places: pages.places, hidden: pages.hidden };
    let checked = |query: Query| {
        groups::refuse(&query, restrictions, catalog)?;
        let mut statement = check_query(query, catalog.dialect(), restrictions, OutputNames::Unique, Cost::Unbounded)?;
        statement.columns.truncate(statement.columns.len().saturating_sub(row_key.hidden));
        Ok::<_, SqlError>(CheckedStatement { key: Some(row_key.clone()), ..statement })
    };
    Ok(Keyset { first: checked(pages.first)?, next: checked(pages.next)? })
}

/// The same for a statement that a caller wrote. It has no parameters, and result columns of one name are numbered.
pub fn check_own(
    sql: &str,
    catalog: &Catalog,
    restrictions: &Restrictions,
    cost: Cost,
) -> Result<CheckedStatement, SqlError> {
    stacker::maybe_grow(STACK_BYTES, STACK_BYTES, || check_own_here(sql, catalog, restrictions, cost))
}

fn check_own_here(
    sql: &str,
    catalog: &Catalog,
    restrictions: &Restrictions,
    cost: Cost,
) -> Result<CheckedStatement, SqlError> {
    let params = BTreeMap::new();
    let scope = Scope { catalog, visible: restrictions, params: &params, claims: ClaimUse::Refused };
    let query = resolve_query(sql, &scope)?;
    groups::refuse(&query, restrictions, catalog)?;
    let compares_masked = uses::compares_masked_with_literal(&query);
    let statement = check_query(query, catalog.dialect(), restrictions, OutputNames::Numbered, cost)?;
    Ok(CheckedStatement { author: Author::Caller { compares_masked }, ..statement })
}

/// All that is seen of a table, for the database to describe. It never runs, so it may tell rows apart by more than a statement may.
pub fn check_whole_table(
    table: &TableId,
    catalog: &Catalog,
    restrictions: &Restrictions,
) -> Result<CheckedStatement, SqlError> {
    let quote = match catalog.dialect() {
        Dialect::Postgres | Dialect::Sqlite => '"',
        Dialect::MariaDb => '`',
    };
    let quoted = |name: &str| format!("{quote}{}{quote}", name.replace(quote, &format!("{quote}{quote}")));
    let text = format!("SELECT * FROM {}.{}", quoted(&table.schema), quoted(&table.name));
    let params = BTreeMap::new();
    let scope = Scope { catalog, visible: restrictions, params: &params, claims: ClaimUse::Refused };
    let query = resolve_query(&text, &scope)?;
    let statement = check_query(query, catalog.dialect(), restrictions, OutputNames::Unique, Cost::Unbounded)?;
    Ok(CheckedStatement { author: Author::Caller { compares_masked: false }, ..statement })
}

/// What becomes of result columns of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OutputNames {
    /// They are refused.
    Unique,
    /// They are numbered, `id`, `id_2`.
    Numbered,
}

/// The same for a resolved query.
fn check_query(
    mut query: Query,
    dialect: Dialect,
    restrictions: &Restrictions,
    names: OutputNames,
    cost: Cost,
) -> Result<CheckedStatement, SqlError> {
    refuse_patterns(&query, dialect)?;
    let mut columns = output_columns(dialect, &query);
    match names {
        OutputNames::Unique => unique_output_names(dialect, &columns)?,
        // The text keeps the names as they are: an order goes by position, and rows are read by position.
        OutputNames::Numbered => number_output_names(dialect, &mut columns),
    }
    let fence = leak::in_query(&query, &Context::of_query(&query, restrictions, dialect))
        .filter(|_| names_hidden_rows(&query, restrictions));
    let page = page(&mut query)?;
    let closed = if fence.is_some() { Fence::Closed } else { Fence::Open };
    let query = restrict::restrict(query, restrictions, closed, dialect).map_err(CheckError::from)?;
    let rendered = render::render(&query, dialect).map_err(CheckError::from)?;
    let estimate = match (cost, dialect) {
        (Cost::Unbounded, _) | (Cost::Bounded, Dialect::Sqlite | Dialect::MariaDb) => None,
        (Cost::Bounded, Dialect::Postgres) => Some(render::estimate(&query, dialect).map_err(CheckError::from)?),
    };
    let slots = uses::slots(&query, &rendered.slots, dialect);
    let footprint = uses::footprint(&query, dialect);
    let fingerprint = Sha256::digest(&rendered.text).into();
    let author = Author::Operator;
    let mask_key = restrictions.mask_key.clone();
    let text = rendered.text;
    Ok(CheckedStatement {
        dialect,
        author,
        text,
        slots,
        columns,
        footprint,
        page,
        fence,
        fingerprint,
        mask_key,
        key: None,
        estimate,
    })
}

/// Numbers the columns whose name an earlier one has: `id`, `id_2`. A number that is part of another column's name is passed over.
fn number_output_names(dialect: Dialect, columns: &mut [OutputColumn]) {
    let key = |name: &str| match dialect {
        Dialect::Postgres => name.to_owned(),
        Dialect::Sqlite | Dialect::MariaDb => name.to_ascii_lowercase(),
    };
    let written: BTreeSet<String> = columns.iter().map(|column| key(&column.name)).collect();
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    for column in columns {
        let count = used.entry(key(&column.name)).or_insert(0);
        *count += 1;
        if *count == 1 {
            continue;
        }
        let mut name = format!("{}_{count}", column.name);
        while written.contains(&key(&name)) {
            *count += 1;
            name = format!("{}_{count}", column.name);
        }
        column.name = name;
    }
}

/// The first operation of a resolved row filter that can fail on a row's data: it may fail for rows that it hides, so the
/// operator should know.
pub fn leak_of_predicate(predicate: &Expr, visible: &Restrictions, dialect: Dialect) -> Option<Leak> {
    leak::in_expr(predicate, &Context::of_expr(predicate, visible, dialect))
}

/// A resolved expression over a table's own columns as a mask of `column`: its type where it is known here, and what in it can fail.
pub fn mask_of_expression(expr: Expr, column: &Column, dialect: Dialect) -> ColumnMask {
    let context = Context::of_mask(&expr, dialect);
    let ty = match leak::type_of(&expr, &context) {
        Some(kind) if kind == column.ty.kind => Some(column.ty.clone()),
        Some(kind @ (TypeKind::Text | TypeKind::Collated(_))) => Some(SqlType { kind, ..SqlType::text() }),
        // The database's name for it is not known.
        Some(kind) => Some(SqlType { name: "unknown".to_owned(), kind }),
        None => None,
    };
    ColumnMask { leak: leak::in_expr(&expr, &context), ty, expr }
}

/// Whether an expression is true, false or NULL, as far as can be known here. SQLite would take anything for a condition.
pub fn is_condition(predicate: &Expr, dialect: Dialect) -> bool {
    leak::may_be_condition(predicate, &Context::of_expr(predicate, &Restrictions::default(), dialect))
}

/// Whether a resolved expression reads anything beside its own row.
pub fn has_subquery(expr: &Expr) -> bool {
    let mut found = false;
    walk::each_in_expr(expr, &mut |node| found |= matches!(node, Node::Query(_)));
    found
}

/// The base tables that a resolved predicate's subqueries name.
pub fn tables_of_predicate(predicate: &Expr) -> BTreeSet<TableId> {
    let mut tables = BTreeSet::new();
    walk::each_in_expr(predicate, &mut |node| {
        if let Node::Relation(Relation::Base { table, alias: _ }) = node {
            tables.insert(table.clone());
        }
    });
    tables
}

fn names_hidden_rows(query: &Query, restrictions: &Restrictions) -> bool {
    let mut any = false;
    walk::each_in_query(query, &mut |node| {
        if let Node::Relation(Relation::Base { table, alias: _ }) = node {
            any |= restrictions.tables.get(table).is_none_or(|r| r.hides_rows || r.min_group_size.is_some());
        }
    });
    any
}

/// A constant pattern is refused here, so that no engine gets to refuse it when a value matches that far.
fn refuse_patterns(query: &Query, dialect: Dialect) -> Result<(), CheckError> {
    let mut refused = None;
    walk::each_in_query(query, &mut |node| {
        let Node::Expr(expr) = node else { return };
        let (patterns, escape) = match expr {
            Expr::Like { kind: LikeKind::Like | LikeKind::ILike, pattern, escape, .. } => {
                (std::slice::from_ref(&**pattern), *escape)
            }
            Expr::Quantified {
                op: BinaryOp::Like | BinaryOp::ILike | BinaryOp::NotLike | BinaryOp::NotILike,
                over: Elements::List(patterns),
                ..
            } => (patterns.as_slice(), None),
            _ => return,
        };
        for pattern in patterns {
            if let Expr::Literal(Literal::Text(text)) = pattern
                && leak::unfinished(text, escape, dialect)
            {
                refused.get_or_insert_with(|| text.chars().take(64).collect());
            }
        }
    });
    refused.map_or(Ok(()), |text| Err(CheckError::Pattern(text)))
}

/// Takes the statement's own page out of it and puts the bound one in.
fn page(query: &mut Query) -> Result<Page, CheckError> {
    let limit = query.limit.replace(Expr::Slot(Slot::Limit));
    let offset = query.offset.replace(Expr::Slot(Slot::Offset));
    Ok(Page {
        limit: limit.map(|expr| bound(&expr, "LIMIT")).transpose()?,
        offset: offset.map(|expr| bound(&expr, "OFFSET")).transpose()?,
        ordered: !query.order_by.is_empty(),
    })
}

fn bound(expr: &Expr, clause: &'static str) -> Result<PageBound, CheckError> {
    match expr {
        Expr::Literal(Literal::Number(text)) => {
            text.parse().map(PageBound::Constant).map_err(|_| CheckError::Bound(clause))
        }
        Expr::Slot(Slot::Param(name)) => Ok(PageBound::Param(name.clone())),
        _ => Err(CheckError::Bound(clause)),
    }
}
