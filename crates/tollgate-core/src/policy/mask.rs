//! Masks: what stands in a column's place. Each gives a value for every input; none ever falls back to the plain text.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Serialize;

use super::error::Problem;
use crate::catalog::{Catalog, Column, ColumnId, SqlType, Table, TypeKind};
use crate::names::Dialect;
use crate::sql::tree::{BinaryOp, CastType, ColumnRef, Expr, Function, IsTest, KeyPad, Literal, Slot, UnaryOp};
use crate::sql::{
    ClaimUse, ColumnMask, HASH_DIGITS, HASH_FUNCTION, RAW, Restrictions, Scope, SqlError, has_subquery,
    mask_of_expression, resolve_mask,
};

/// What a fully masked text becomes.
const REDACTED: &str = "redacted";
/// A text of this many characters or fewer shows nothing of itself under `last4`.
const LAST4_SHORT_MAX: u8 = 8;
/// What a domain name is made of. Anything else behind the `@` is not a domain and is not shown.
const DOMAIN_CHARS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

/// What stands in a column's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    /// A keyed hash: equal values stay equal, and nothing else is left of them.
    Hash,
    /// The first day of the year.
    Year,
    /// An expression of the operator's over the row's own columns.
    Sql(String),
}

/// Every mask by its name in the configuration.
pub(super) const NAMES: [(&str, Mask); 6] = [
    ("null", Mask::Null),
    ("redact", Mask::Redact),
    ("email", Mask::Email),
    ("last4", Mask::Last4),
    ("hash", Mask::Hash),
    ("year", Mask::Year),
];

/// Not the name of a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown mask")]
pub struct UnknownMask;

impl FromStr for Mask {
    type Err = UnknownMask;

    fn from_str(name: &str) -> Result<Self, UnknownMask> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, mask)| mask.clone()).ok_or(UnknownMask)
    }
}

impl Mask {
    /// Its name in the configuration.
    pub fn name(&self) -> &'static str {
        match self {
            Mask::Null => "null",
            Mask::Redact => "redact",
            Mask::Email => "email",
            Mask::Last4 => "last4",
            Mask::Hash => "hash",
            Mask::Year => "year",
            Mask::Sql(_) => "sql",
        }
    }

    /// What stands in the column's place. A mask of ours gives a value for every input and never fails.
    pub(super) fn over(&self, table: &Table, column: &Column, catalog: &Catalog) -> Result<ColumnMask, Problem> {
        let mask = self.computed(table, column, catalog)?;
        Ok(match catalog.dialect() {
            Dialect::MariaDb => in_memory_of_its_own(mask),
            Dialect::Postgres | Dialect::Sqlite => mask,
        })
    }

    fn computed(&self, table: &Table, column: &Column, catalog: &Catalog) -> Result<ColumnMask, Problem> {
        let dialect = catalog.dialect();
        let own = raw(table, column);
        let total = |expr: Expr, ty: SqlType| Ok(ColumnMask { expr, ty: Some(ty), leak: None });
        let does_not_fit =
            || Err(Problem::MaskType { mask: self.name(), column: column.name.clone(), ty: column.ty.name.clone() });
        let is_text = matches!(column.ty.kind, TypeKind::Text | TypeKind::Collated(_)) || is_any(column, dialect);
        match self {
            Mask::Null => total(null(table, column, dialect), column.ty.clone()),
            Mask::Sql(text) => custom(text, table, column, catalog),
            Mask::Hash if can_be_hashed(column, dialect) => total(hash(own, dialect), SqlType::text()),
            Mask::Year => match year(&own, &column.ty, dialect) {
                Some((expr, ty)) => total(expr, ty),
                None => does_not_fit(),
            },
            Mask::Redact if is_text => total(kept_null(&own, Vec::new()), column.ty.clone()),
            Mask::Email if is_text => total(kept_null(&own, vec![email(&own, dialect)]), column.ty.clone()),
            Mask::Last4 if is_text => total(kept_null(&own, vec![last4(&own, dialect)]), column.ty.clone()),
            Mask::Hash | Mask::Redact | Mask::Email | Mask::Last4 => does_not_fit(),
        }
    }
}

/// MariaDB computes a merged column anew wherever it stands, and each time into the same memory: `replace(x, 'a', x)` over two such
/// texts changes the one while it reads the other. What `concat` gives lies in memory that is lent by whoever asks.
fn in_memory_of_its_own(mask: ColumnMask) -> ColumnMask {
    let is_text = mask.ty.as_ref().is_some_and(|ty| matches!(ty.kind, TypeKind::Text | TypeKind::Collated(_)));
    match mask.expr {
        expr @ (Expr::Column(_) | Expr::Literal(_)) => ColumnMask { expr, ..mask },
        expr if is_text => ColumnMask { expr: call("concat", vec![expr, string("")]), ..mask },
        expr => ColumnMask { expr, ..mask },
    }
}

/// Whether a column of SQLite may hold text although its type does not say so.
fn is_any(column: &Column, dialect: Dialect) -> bool {
    column.ty.kind == TypeKind::Any && dialect == Dialect::Sqlite
}

/// The operator's own expression: through the same parser and lists as everything else, over the row and nothing beside it.
fn custom(text: &str, table: &Table, column: &Column, catalog: &Catalog) -> Result<ColumnMask, Problem> {
    let (visible, params) = (Restrictions::default(), BTreeMap::new());
    let scope = Scope { catalog, visible: &visible, params: &params, claims: ClaimUse::Allowed };
    match resolve_mask(text, table, &scope) {
        Ok(expr) if has_subquery(&expr) => Err(Problem::MaskSubquery),
        Ok(expr) => Ok(mask_of_expression(expr, column, catalog.dialect())),
        Err(SqlError::UnknownTable { .. }) => Err(Problem::MaskSubquery),
        Err(error) => Err(Problem::MaskSql(error)),
    }
}

/// Kinds whose text form is one for equal values, whatever the session's settings.
fn can_be_hashed(column: &Column, dialect: Dialect) -> bool {
    match column.ty.kind {
        TypeKind::Text
        | TypeKind::Collated(_)
        | TypeKind::Int
        | TypeKind::BigInt
        | TypeKind::Uuid
        | TypeKind::Enum(_) => true,
        _ => is_any(column, dialect),
    }
}

/// HMAC-SHA-256 under the role's key. NULL stays NULL.
fn hash(own: Expr, dialect: Dialect) -> Expr {
    let block = |pad| Expr::Slot(Slot::MaskKey(pad));
    let bytes = |expr| cast(expr, "bytea", TypeKind::Bytes);
    match dialect {
        Dialect::Postgres => {
            let text = call("convert_to", vec![cast(own, "text", TypeKind::Text), string("UTF8")]);
            let inside = call("sha256", vec![binary(BinaryOp::Concat, bytes(block(KeyPad::Inner)), text)]);
            let whole = call("sha256", vec![binary(BinaryOp::Concat, bytes(block(KeyPad::Outer)), inside)]);
            call("left", vec![call("encode", vec![whole, string("hex")]), number(HASH_DIGITS)])
        }
        Dialect::Sqlite => call(HASH_FUNCTION, vec![block(KeyPad::Inner), block(KeyPad::Outer), own]),
        Dialect::MariaDb => {
            let sha256 = |pad, rest| {
                let key = call("from_base64", vec![block(pad)]);
                let bits = Expr::Literal(Literal::Number("256".into()));
                call("sha2", vec![call("concat", vec![key, rest]), bits])
            };
            // As text in the session's encoding, which is UTF-8.
            let inside = sha256(KeyPad::Inner, cast(own, "char", TypeKind::Text));
            call("left", vec![sha256(KeyPad::Outer, call("unhex", vec![inside])), number(HASH_DIGITS)])
        }
    }
}

/// The first day of the year, of the column's type; NULL for what is no date of the years 1 to 9999. `None` for other types.
fn year(own: &Expr, ty: &SqlType, dialect: Dialect) -> Option<(Expr, SqlType)> {
    let strftime = |format| call("strftime", vec![string(format), own.clone()]);
    let named = |name: &str| SqlType { name: name.to_owned(), kind: ty.kind.clone() };
    // Within these bounds no conversion can fail.
    let bounded = |first: &str, last: &str, name: &str, value: Expr| {
        let bound = |text| cast(string(text), name, ty.kind.clone());
        let within = Expr::Between {
            expr: Box::new(own.clone()),
            low: Box::new(bound(first)),
            high: Box::new(bound(last)),
            negated: false,
        };
        (Expr::Case { operand: None, branches: vec![(within, value)], otherwise: None }, named(name))
    };
    let start = |value: Expr| vec![string("year"), value];
    Some(match (dialect, &ty.kind) {
        (Dialect::Postgres, TypeKind::Date) => {
            let moment = cast(own.clone(), "timestamp without time zone", TypeKind::Timestamp);
            let value = cast(call("date_trunc", start(moment)), "date", TypeKind::Date);
            bounded("0001-01-01", "9999-12-31", "date", value)
        }
        (Dialect::Postgres, TypeKind::Timestamp) => {
            let value = call("date_trunc", start(own.clone()));
            bounded("0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", "timestamp without time zone", value)
        }
        (Dialect::Postgres, TypeKind::TimestampTz) => {
            let mut args = start(own.clone());
            // The session's zone must not decide which year it is.
            args.push(string("UTC"));
            let (first, last) = ("0001-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00");
            bounded(first, last, "timestamp with time zone", call("date_trunc", args))
        }
        (Dialect::MariaDb, TypeKind::Date) => {
            let value = cast(call("date_format", vec![own.clone(), string("%Y-01-01")]), "date", TypeKind::Date);
            bounded("0001-01-01", "9999-12-31", "date", value)
        }
        // The session's zone is UTC.
        (Dialect::MariaDb, TypeKind::Timestamp | TypeKind::TimestampTz) => {
            let start = call("date_format", vec![own.clone(), string("%Y-01-01 00:00:00")]);
            let (first, last) = ("0001-01-01 00:00:00", "9999-12-31 23:59:59");
            bounded(first, last, "datetime", cast(start, "datetime", TypeKind::Timestamp))
        }
        (Dialect::Sqlite, TypeKind::Date) => (strftime("%Y-01-01"), ty.clone()),
        (Dialect::Sqlite, TypeKind::Text | TypeKind::Collated(_) | TypeKind::Any) => {
            (strftime("%Y-01-01"), SqlType::text())
        }
        (Dialect::Sqlite, TypeKind::Timestamp) => (strftime("%Y-01-01 00:00:00"), ty.clone()),
        (Dialect::Sqlite, TypeKind::TimestampTz) => (strftime("%Y-01-01T00:00:00Z"), ty.clone()),
        _ => return None,
    })
}

/// A cast to one of the database's own types.
fn cast(expr: Expr, name: &str, kind: TypeKind) -> Expr {
    match CastType::of_column(&SqlType { name: name.to_owned(), kind }) {
        Some(ty) => Expr::Cast { expr: Box::new(expr), ty },
        // The names above are plain words.
        None => expr,
    }
}

fn null(table: &Table, column: &Column, dialect: Dialect) -> Expr {
    let null = Expr::Literal(Literal::Null);
    // The database's own types have no schema in their names; a domain has, and may refuse NULL.
    let own = CastType::of_column(&column.ty).filter(|ty| !ty.as_str().contains('.'));
    match (dialect, own) {
        (Dialect::Sqlite | Dialect::MariaDb, _) => null,
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
        Dialect::Sqlite | Dialect::MariaDb => "instr",
    };
    let at = call(find, vec![text.clone(), string("@")]);
    let domain = call("substr", vec![text.clone(), binary(BinaryOp::Add, at.clone(), number(1))]);
    let all_of_a_domain = match dialect {
        Dialect::Postgres | Dialect::Sqlite => {
            binary(BinaryOp::Eq, call("ltrim", vec![domain.clone(), string(DOMAIN_CHARS)]), string(""))
        }
        // Not `$`, which a line break may stand behind.
        Dialect::MariaDb => binary(BinaryOp::Regex, domain.clone(), string(&format!("^[{DOMAIN_CHARS}]*\\z"))),
    };
    let dotted = binary(BinaryOp::Gt, call(find, vec![domain.clone(), string(".")]), number(1));
    let named = binary(BinaryOp::Gt, at, number(2));
    let shaped = binary(BinaryOp::And, binary(BinaryOp::And, named, dotted), all_of_a_domain);
    let first = call("substr", vec![text.clone(), number(1), number(1)]);
    (shaped, joined(vec![first, string("***@"), domain], dialect))
}

/// When it is long enough that four characters are not most of it: those.
fn last4(text: &Expr, dialect: Dialect) -> (Expr, Expr) {
    let characters = match dialect {
        Dialect::Postgres | Dialect::Sqlite => "length",
        Dialect::MariaDb => "char_length",
    };
    let long = binary(BinaryOp::Gt, call(characters, vec![text.clone()]), number(LAST4_SHORT_MAX));
    let end = match dialect {
        Dialect::Postgres | Dialect::MariaDb => call("right", vec![text.clone(), number(4)]),
        Dialect::Sqlite => {
            let minus_four = Expr::Unary { op: UnaryOp::Minus, expr: Box::new(number(4)) };
            call("substr", vec![text.clone(), minus_four])
        }
    };
    (long, joined(vec![string("****"), end], dialect))
}

/// Texts, one behind the other.
fn joined(texts: Vec<Expr>, dialect: Dialect) -> Expr {
    match dialect {
        Dialect::MariaDb => call("concat", texts),
        Dialect::Postgres | Dialect::Sqlite => {
            let mut texts = texts.into_iter();
            let first = texts.next().unwrap_or_else(|| string(""));
            texts.fold(first, |left, right| binary(BinaryOp::Concat, left, right))
        }
    }
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
