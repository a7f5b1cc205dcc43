//! Masks: what stands in a column's place. Each gives a value for every input; none ever falls back to the plain text.

use std::str::FromStr;

use serde::Serialize;

use super::error::Problem;
use crate::catalog::{Column, ColumnId, Table, TypeKind};
use crate::names::Dialect;
use crate::sql::RAW;
use crate::sql::tree::{BinaryOp, CastType, ColumnRef, Expr, Function, IsTest, Literal, UnaryOp};

/// What a fully masked text becomes.
const REDACTED: &str = "redacted";
/// A text of this many characters or fewer shows nothing of itself under `last4`.
const LAST4_SHORT_MAX: u8 = 8;
/// What a domain name is made of. Anything else behind the `@` is not a domain and is not shown.
const DOMAIN_CHARS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

/// What stands in a column's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mask {
    /// NULL, of the column's type.
    Null,
    /// The word `redacted`.
    Redact,
    /// `j***@example.com`.
    Email,
    /// `****1234`.
    Last4,
}

/// Every mask by its name in the configuration.
pub(super) const NAMES: [(&str, Mask); 4] =
    [("null", Mask::Null), ("redact", Mask::Redact), ("email", Mask::Email), ("last4", Mask::Last4)];

/// Not the name of a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown mask")]
pub struct UnknownMask;

impl FromStr for Mask {
    type Err = UnknownMask;

    fn from_str(name: &str) -> Result<Self, UnknownMask> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, mask)| *mask).ok_or(UnknownMask)
    }
}

impl Mask {
    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Mask::Null => "null",
            Mask::Redact => "redact",
            Mask::Email => "email",
            Mask::Last4 => "last4",
        }
    }

    /// The expression over `RAW` that stands in the column's place.
    pub(super) fn over(self, table: &Table, column: &Column, dialect: Dialect) -> Result<Expr, Problem> {
        if self == Mask::Null {
            return Ok(null(table, column, dialect));
        }
        let text = match (&column.ty.kind, dialect) {
            (TypeKind::Text | TypeKind::Collated(_), _) | (TypeKind::Any, Dialect::Sqlite) => raw(table, column),
            _ => {
                return Err(Problem::MaskType {
                    mask: self.name(),
                    column: column.name.clone(),
                    ty: column.ty.name.clone(),
                });
            }
        };
        let shown = match self {
            Mask::Null | Mask::Redact => return Ok(kept_null(&text, Vec::new())),
            Mask::Email => email(&text, dialect),
            Mask::Last4 => last4(&text, dialect),
        };
        Ok(kept_null(&text, vec![shown]))
    }
}

fn null(table: &Table, column: &Column, dialect: Dialect) -> Expr {
    let null = Expr::Literal(Literal::Null);
    // The database's own types have no schema in their names; a domain has, and may refuse NULL.
    let own = CastType::of_column(&column.ty).filter(|ty| !ty.as_str().contains('.'));
    match (dialect, own) {
        (Dialect::Sqlite, _) => null,
        (Dialect::Postgres, Some(ty)) => Expr::Cast { expr: Box::new(null), ty },
        // Any other type: the column lends its type and nothing else.
        (Dialect::Postgres, None) => {
            let never = Expr::Literal(Literal::Bool(false));
            Expr::Case { operand: None, branches: vec![(never, raw(table, column))], otherwise: None }
        }
    }
}

/// `CASE WHEN text IS NULL THEN NULL WHEN … THEN … ELSE 'redacted' END`.
fn kept_null(text: &Expr, shown: Vec<(Expr, Expr)>) -> Expr {
    let is_null = Expr::Is { expr: Box::new(text.clone()), test: IsTest::Null, negated: false };
    let mut branches = vec![(is_null, Expr::Literal(Literal::Null))];
    branches.extend(shown);
    Expr::Case { operand: None, branches, otherwise: Some(Box::new(string(REDACTED))) }
}

/// When it is one name, one `@` and one domain: the first character and the domain.
fn email(text: &Expr, dialect: Dialect) -> (Expr, Expr) {
    let find = match dialect {
        Dialect::Postgres => "strpos",
        Dialect::Sqlite => "instr",
    };
    let at = call(find, vec![text.clone(), string("@")]);
    let domain = call("substr", vec![text.clone(), binary(BinaryOp::Add, at.clone(), number(1))]);
    let all_of_a_domain = binary(BinaryOp::Eq, call("ltrim", vec![domain.clone(), string(DOMAIN_CHARS)]), string(""));
    let dotted = binary(BinaryOp::Gt, call(find, vec![domain.clone(), string(".")]), number(1));
    let named = binary(BinaryOp::Gt, at, number(2));
    let shaped = binary(BinaryOp::And, binary(BinaryOp::And, named, dotted), all_of_a_domain);
    let first = call("substr", vec![text.clone(), number(1), number(1)]);
    let start = binary(BinaryOp::Concat, first, string("***@"));
    (shaped, binary(BinaryOp::Concat, start, domain))
}

/// When it is long enough that four characters are not most of it: those.
fn last4(text: &Expr, dialect: Dialect) -> (Expr, Expr) {
    let long = binary(BinaryOp::Gt, call("length", vec![text.clone()]), number(LAST4_SHORT_MAX));
    let end = match dialect {
        Dialect::Postgres => call("right", vec![text.clone(), number(4)]),
        Dialect::Sqlite => {
            let minus_four = Expr::Unary { op: UnaryOp::Minus, expr: Box::new(number(4)) };
            call("substr", vec![text.clone(), minus_four])
        }
    };
    (long, binary(BinaryOp::Concat, string("****"), end))
}

fn raw(table: &Table, column: &Column) -> Expr {
    Expr::Column(ColumnRef {
        relation: RAW.to_owned(),
        name: column.name.clone(),
        origin: Some(ColumnId { table: table.id.clone(), column: column.name.clone() }),
        ty: Some(column.ty.clone()),
        masked: false,
        nullable: column.nullable,
    })
}

fn call(name: &'static str, args: Vec<Expr>) -> Expr {
    Expr::Function(Function::plain(name, args))
}

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    Expr::Binary { op, left: Box::new(left), right: Box::new(right) }
}

fn string(text: &str) -> Expr {
    Expr::Literal(Literal::Text(text.to_owned()))
}

fn number(value: u8) -> Expr {
    Expr::Literal(Literal::Number(value.to_string()))
}
