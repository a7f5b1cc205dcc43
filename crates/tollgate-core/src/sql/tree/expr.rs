//! Expressions: every form that a checked statement can hold.

use std::sync::Arc;

use super::{BinaryOp, Function, IsTest, LikeKind, Quantifier, Query, Slot, UnaryOp};
use crate::catalog::{AddedFunction, ColumnId, SqlType};

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A column of a relation in scope.
    Column(ColumnRef),
    /// A constant.
    Literal(Literal),
    /// A bound value.
    Slot(Slot),
    /// A prefix operator.
    Unary {
        /// Which.
        op: UnaryOp,
        /// Operand.
        expr: Box<Expr>,
    },
    /// A binary operator of the allow-list.
    Binary {
        /// Which.
        op: BinaryOp,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `IS [NOT]` NULL / TRUE / FALSE.
    Is {
        /// Operand.
        expr: Box<Expr>,
        /// What is tested.
        test: IsTest,
        /// NOT.
        negated: bool,
    },
    /// `[NOT]` BETWEEN.
    Between {
        /// Operand.
        expr: Box<Expr>,
        /// Lower bound.
        low: Box<Expr>,
        /// Upper bound.
        high: Box<Expr>,
        /// NOT.
        negated: bool,
    },
    /// `[NOT]` IN over expressions.
    InList {
        /// Operand.
        expr: Box<Expr>,
        /// The list, never empty.
        list: Vec<Expr>,
        /// NOT.
        negated: bool,
    },
    /// `[NOT]` IN over one bound array (`Slot::ParamList` or `Slot::ClaimList`).
    InSlot {
        /// Operand.
        expr: Box<Expr>,
        /// The bound array.
        slot: Slot,
        /// NOT; never with a claim.
        negated: bool,
    },
    /// `[NOT]` IN (SELECT …).
    InQuery {
        /// Operand.
        expr: Box<Expr>,
        /// The subquery, one column.
        query: Box<Query>,
        /// NOT.
        negated: bool,
    },
    /// `[NOT]` EXISTS (SELECT …).
    Exists {
        /// The subquery.
        query: Box<Query>,
        /// NOT.
        negated: bool,
    },
    /// A subquery that yields one value.
    Scalar(Box<Query>),
    /// A comparison with the elements of an array or the rows of a subquery. PostgreSQL only.
    Quantified {
        /// Operand.
        expr: Box<Expr>,
        /// What it is compared by.
        op: BinaryOp,
        /// ANY or ALL.
        quantifier: Quantifier,
        /// What it is compared with.
        over: Elements,
    },
    /// `[NOT]` LIKE and its like.
    Like {
        /// Operand.
        expr: Box<Expr>,
        /// The pattern.
        pattern: Box<Expr>,
        /// ESCAPE, one character.
        escape: Option<char>,
        /// Which language the pattern is in.
        kind: LikeKind,
        /// NOT.
        negated: bool,
    },
    /// CASE.
    Case {
        /// CASE operand.
        operand: Option<Box<Expr>>,
        /// WHEN … THEN ….
        branches: Vec<(Expr, Expr)>,
        /// ELSE.
        otherwise: Option<Box<Expr>>,
    },
    /// CAST to a type of the allow-list.
    Cast {
        /// Operand.
        expr: Box<Expr>,
        /// The type, in the dialect's canonical spelling.
        ty: CastType,
    },
    /// A function of the allow-list.
    Function(Function),
    /// A function of the database that the operator allows, with its arguments. PostgreSQL only.
    Added {
        /// Which.
        function: Arc<AddedFunction>,
        /// Its arguments.
        args: Vec<Expr>,
    },
    /// `(a, b)`: at least two values, beside another row or IN.
    Row(Vec<Expr>),
    /// `ARRAY[…]` or `ARRAY(SELECT …)`. PostgreSQL only.
    Array(Elements),
    /// `array[1]`. PostgreSQL only.
    Subscript {
        /// The array.
        expr: Box<Expr>,
        /// Which part of it.
        part: Subscript,
    },
    /// COLLATE with a collation of the allow-list.
    Collate {
        /// Operand.
        expr: Box<Expr>,
        /// Its name, as the dialect spells it.
        collation: &'static str,
    },
}

/// Where several values come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Elements {
    /// One expression that is an array.
    Of(Box<Expr>),
    /// Each an expression of its own.
    List(Vec<Expr>),
    /// The rows of a subquery of one column.
    Query(Box<Query>),
}

/// A part of an array.
#[derive(Clone, Debug, PartialEq)]
pub enum Subscript {
    /// `[i]`
    Index(Box<Expr>),
    /// `[from:to]`
    Slice {
        /// The first; the array's own first without one.
        from: Option<Box<Expr>>,
        /// The last; the array's own last without one.
        to: Option<Box<Expr>>,
    },
}

/// A resolved reference to a column.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnRef {
    /// The alias of its relation.
    pub relation: String,
    /// Its name there.
    pub name: String,
    /// The base column it comes from unchanged or masked; `None` for computed ones.
    pub origin: Option<ColumnId>,
    /// Its type where known.
    pub ty: Option<SqlType>,
    /// Whether a mask stands between it and its base column.
    pub masked: bool,
    /// Whether it may be NULL here (its column may be, or an outer join stands above it).
    pub nullable: bool,
}

impl ColumnRef {
    /// A column of a relation that was made up, of which no more is asked.
    pub(in crate::sql) fn made_up(relation: &str, name: &str) -> Self {
        let (relation, name) = (relation.to_owned(), name.to_owned());
        Self { relation, name, origin: None, ty: None, masked: false, nullable: true }
    }
}

/// A constant of the statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// NULL
    Null,
    /// TRUE or FALSE
    Bool(bool),
    /// A number, by its checked text: digits, point, exponent.
    Number(String),
    /// A string, as its value.
    Text(String),
    /// `DATE '…'`, `TIMESTAMP '…'`, `INTERVAL '…'`: a type of the allow-list and the value's text.
    Typed(CastType, String),
    /// Bytes, as pairs of hexadecimal digits. SQLite and MariaDB.
    Blob(String),
    /// A unit of time as a bare word, first in `timestampadd` and `timestampdiff`. MariaDB only.
    Unit(&'static str),
}

/// A type name, canonical: of the allow-list where `resolve` makes one, or a column's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CastType(pub(in crate::sql) String);

impl CastType {
    /// A column's own type, where its name is plain words that need no quotes.
    pub fn of_column(ty: &SqlType) -> Option<Self> {
        crate::sql::render::is_type_name(&ty.name).then(|| Self(ty.name.clone()))
    }

    /// The dialect's spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
