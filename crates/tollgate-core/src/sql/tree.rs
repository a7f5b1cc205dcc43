//! Our own small tree of a statement: it can only say what we allow, every name in it is resolved, and only this is printed.

pub(super) mod build;
mod call;
mod expr;
mod op;

pub use call::{CallOrder, Frame, FrameBound, FrameUnits, Function, FunctionArgs, SortKey, Window};
pub use expr::{CastType, ColumnRef, Elements, Expr, Literal, Subscript};
pub use op::{BinaryOp, IsTest, LikeKind, OpClass, Quantifier, UnaryOp};

use super::restrict::RestrictedTable;
use crate::catalog::TableId;
use crate::names::{ClaimName, ParamName};

/// A query with its WITH list, ordering and page.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Common table expressions, each visible to those after it.
    pub with: Vec<Cte>,
    /// What yields the rows.
    pub body: SetExpr,
    /// The ordering, over output columns or expressions.
    pub order_by: Vec<OrderBy>,
    /// LIMIT: a literal or a slot.
    pub limit: Option<Expr>,
    /// OFFSET: a literal or a slot.
    pub offset: Option<Expr>,
}

impl Query {
    /// `SELECT projection FROM from WHERE filter`.
    pub(super) fn plain(projection: Vec<Projection>, from: Vec<Relation>, filter: Option<Expr>) -> Self {
        let select = Select {
            distinct: Distinct::All,
            projection,
            from,
            filter,
            group_by: Vec::new(),
            grouping_sets: Vec::new(),
            having: None,
        };
        let body = SetExpr::Select(Box::new(select));
        Self { with: Vec::new(), body, order_by: Vec::new(), limit: None, offset: None }
    }
}

/// One common table expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Cte {
    /// Its name: made up, so that it is no table's and no other one's.
    pub name: String,
    /// The names of its columns, always spelled out.
    pub columns: Vec<String>,
    /// What the text says of computing it apart.
    pub materialized: Materialized,
    /// Whether it reads itself.
    pub recursive: bool,
    /// Its query.
    pub query: Query,
}

/// Whether a common table expression is computed apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Materialized {
    /// As the engine likes.
    Auto,
    /// MATERIALIZED
    Always,
    /// NOT MATERIALIZED
    Never,
}

/// What yields rows.
#[derive(Clone, Debug, PartialEq)]
pub enum SetExpr {
    /// SELECT.
    Select(Box<Select>),
    /// UNION, INTERSECT, EXCEPT.
    SetOperation {
        /// Which.
        op: SetOperator,
        /// Whether duplicates stay (`ALL`).
        quantifier: SetQuantifier,
        /// Left arm.
        left: Box<SetExpr>,
        /// Right arm.
        right: Box<SetExpr>,
    },
    /// A parenthesised query with its own ordering or page.
    Query(Box<Query>),
}

/// The set operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOperator {
    /// UNION
    Union,
    /// INTERSECT
    Intersect,
    /// EXCEPT
    Except,
}

/// Whether a set operation keeps duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetQuantifier {
    /// ALL
    All,
    /// DISTINCT, the default
    Distinct,
}

/// One SELECT. Wildcards are expanded: the projection names every column.
#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    /// SELECT DISTINCT.
    pub distinct: Distinct,
    /// The output, in order.
    pub projection: Vec<Projection>,
    /// The relations; several are a cross join.
    pub from: Vec<Relation>,
    /// WHERE.
    pub filter: Option<Expr>,
    /// GROUP BY: every expression that is grouped by, once.
    pub group_by: Vec<Expr>,
    /// GROUPING SETS, each as places in `group_by`; none for a plain GROUP BY. ROLLUP and CUBE are lowered to these.
    pub grouping_sets: Vec<Vec<usize>>,
    /// HAVING.
    pub having: Option<Expr>,
}

/// Which rows of a SELECT are put out once.
#[derive(Clone, Debug, PartialEq)]
pub enum Distinct {
    /// All rows as they come.
    All,
    /// DISTINCT: equal ones once.
    Rows,
    /// DISTINCT ON: the first of those that agree on these.
    On(Vec<Expr>),
}

/// One output column.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    /// What is computed.
    pub expr: Expr,
    /// Its name in the result, always given.
    pub name: String,
}

/// Something in FROM.
#[derive(Clone, Debug, PartialEq)]
pub enum Relation {
    /// A base table as the statement names it; `restrict` replaces each by its restricted form, and `render` cannot print one.
    Base {
        /// Which table.
        table: TableId,
        /// How columns refer to it.
        alias: String,
    },
    /// A base table in its restricted form; only `restrict` can make one.
    Restricted(Box<RestrictedTable>),
    /// A subquery.
    Derived {
        /// The subquery.
        query: Box<Query>,
        /// How columns refer to it.
        alias: String,
        /// LATERAL: it sees its neighbours to the left.
        lateral: bool,
    },
    /// A common table expression of an enclosing WITH.
    Cte {
        /// Its name.
        name: String,
        /// How columns refer to it.
        alias: String,
    },
    /// A common table expression that reads itself, as all but itself read it: so many of its rows, and an error where there
    /// are more. An error tells of rows, so a statement that reads one is leaky, and fenced.
    Recursion {
        /// Its name.
        name: String,
        /// The names of its columns.
        columns: Vec<String>,
        /// How columns refer to it.
        alias: String,
    },
    /// VALUES, whose columns are `column1`, `column2`, ….
    Values {
        /// The rows, all of one length, at least one.
        rows: Vec<Vec<Expr>>,
        /// How columns refer to it.
        alias: String,
    },
    /// A function whose rows are a relation.
    Function(Box<TableFunction>),
    /// A join. USING is lowered to ON; merged columns are resolved by `resolve`.
    Join {
        /// Which.
        kind: JoinKind,
        /// Left side.
        left: Box<Relation>,
        /// Right side.
        right: Box<Relation>,
        /// ON; `None` for a cross join only.
        on: Option<Expr>,
    },
}

/// A call of a listed function in FROM. It sees its neighbours to the left.
#[derive(Clone, Debug, PartialEq)]
pub struct TableFunction {
    /// Its name, as the list spells it.
    pub name: &'static str,
    /// Its arguments.
    pub args: Vec<Expr>,
    /// The names of its columns, the ordinality last.
    pub columns: Vec<String>,
    /// WITH ORDINALITY: one more column, which counts the rows.
    pub ordinality: bool,
    /// How columns refer to it.
    pub alias: String,
}

/// The kinds of join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// INNER
    Inner,
    /// LEFT OUTER
    Left,
    /// RIGHT OUTER
    Right,
    /// FULL OUTER
    Full,
    /// CROSS
    Cross,
}

/// One sort key.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderBy {
    /// What is sorted by.
    pub key: OrderKey,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST (`Some(true)`), NULLS LAST (`Some(false)`), or the engine's default.
    pub nulls_first: Option<bool>,
}

/// What a sort key is.
#[derive(Clone, Debug, PartialEq)]
pub enum OrderKey {
    /// An output column, by its position from 1: aliases and ordinals are lowered to this. The only form over a set operation.
    Output(usize),
    /// An expression over the relations, never a bare constant.
    Expr(Expr),
}

/// Where a bound value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Slot {
    /// The call's id: on PostgreSQL always the first parameter, referenced nowhere, so that the server's own
    /// statement log can be joined with the audit log.
    CallId,
    /// A tool's parameter, one value.
    Param(ParamName),
    /// A tool's array parameter, as the list of an IN.
    ParamList(ParamName),
    /// A claim of the caller, one value.
    Claim(ClaimName),
    /// A claim of the caller as the list of an IN; a single value is a list of one.
    ClaimList(ClaimName),
    /// A block of the key that the role's `hash` masks are keyed with.
    MaskKey(KeyPad),
    /// The page's row limit, computed at bind time.
    Limit,
    /// The page's offset, computed at bind time.
    Offset,
    /// A column of the key that the page comes behind, by its place in the key.
    After(usize),
}

/// The two blocks of a key that HMAC hashes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyPad {
    /// Before the text.
    Inner,
    /// Before the text's hash.
    Outer,
}
