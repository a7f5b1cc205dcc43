//! Claims into bound values, by the type of the column they are compared with. Never into text, never loosely:
//! a claim of another type than the column's refuses the call.

use super::{datetime, error::ClaimError};
use crate::{
    catalog::{SqlType, TypeKind},
    names::{ClaimName, ClaimValue, Claims, Dialect, Value},
};

/// Values of a claim's list at most.
const LIST_MAX: usize = 1_000;
/// Bytes of a claim's text at most.
const TEXT_BYTES_MAX: usize = 4_096;

/// What a claim is bound as.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClaimSlot<'a> {
    /// The type of its column, where one is known.
    pub(super) ty: Option<&'a SqlType>,
    /// The database's dialect.
    pub(super) dialect: Dialect,
}

/// A claim as one value.
pub(super) fn bind_one(claims: &Claims, name: &ClaimName, slot: ClaimSlot<'_>) -> Result<Value, ClaimError> {
    match claim(claims, name)? {
        ClaimValue::List(_) => Err(ClaimError::Unfit { name: name.clone() }),
        scalar => slot.value(scalar).ok_or_else(|| ClaimError::Unfit { name: name.clone() }),
    }
}

/// A claim as the list of an IN; a single value is a list of one.
pub(super) fn bind_list(claims: &Claims, name: &ClaimName, slot: ClaimSlot<'_>) -> Result<Value, ClaimError> {
    let items = match claim(claims, name)? {
        ClaimValue::List(items) if items.len() <= LIST_MAX => items.as_slice(),
        ClaimValue::List(_) => return Err(ClaimError::Unfit { name: name.clone() }),
        scalar => std::slice::from_ref(scalar),
    };
    let values: Option<Vec<Value>> = items.iter().map(|item| slot.value(item)).collect();
    values.map(Value::Array).ok_or_else(|| ClaimError::Unfit { name: name.clone() })
}

fn claim<'c>(claims: &'c Claims, name: &ClaimName) -> Result<&'c ClaimValue, ClaimError> {
    claims.get(name).ok_or_else(|| ClaimError::Missing { name: name.clone() })
}

/// Whether any claim at all can be compared with that type.
pub(super) fn can_bind(ty: &SqlType) -> bool {
    !matches!(ty.kind, TypeKind::Json | TypeKind::Bytes | TypeKind::Array(_))
}

impl ClaimSlot<'_> {
    fn value(self, claim: &ClaimValue) -> Option<Value> {
        // To MariaDB a text that is no number equals 0.
        if self.ty.is_none() && self.dialect == Dialect::MariaDb {
            return None;
        }
        match claim {
            ClaimValue::Bool(truth) => self.takes_bool().then_some(Value::Bool(*truth)),
            ClaimValue::Integer(integer) => self.takes_integer(*integer).then_some(Value::Integer(*integer)),
            ClaimValue::Text(text) if text.len() > TEXT_BYTES_MAX || text.contains('\0') => None,
            ClaimValue::Text(text) => self.text(text).map(Value::Text),
            ClaimValue::List(_) => None,
        }
    }

    fn takes_bool(self) -> bool {
        match self.ty.map(|ty| &ty.kind) {
            None | Some(TypeKind::Bool | TypeKind::Any) => true,
            // SQLite keeps truth values as 0 and 1.
            Some(TypeKind::Int | TypeKind::BigInt) => self.dialect == Dialect::Sqlite,
            Some(_) => false,
        }
    }

    fn takes_integer(self, integer: i64) -> bool {
        match self.ty.map(|ty| &ty.kind) {
            None | Some(TypeKind::BigInt | TypeKind::Decimal | TypeKind::Float | TypeKind::Any) => true,
            Some(TypeKind::Int) => i32::try_from(integer).is_ok(),
            Some(_) => false,
        }
    }

    fn text(self, text: &str) -> Option<String> {
        let kind = self.ty.map(|ty| &ty.kind);
        match kind {
            None | Some(TypeKind::Text | TypeKind::Collated(_) | TypeKind::Any | TypeKind::Time | TypeKind::Other) => {
                Some(text.to_owned())
            }
            Some(TypeKind::Enum(labels)) => labels.iter().any(|label| label == text).then(|| text.to_owned()),
            // Its dates are texts of whatever form the table keeps, which only the operator knows.
            Some(TypeKind::Date | TypeKind::Timestamp | TypeKind::TimestampTz) if self.dialect == Dialect::Sqlite => {
                Some(text.to_owned())
            }
            Some(TypeKind::Date) => datetime::date(text).map(|_| text.to_owned()),
            Some(TypeKind::Timestamp | TypeKind::TimestampTz) => datetime::timestamp(text, self.dialect),
            Some(TypeKind::Uuid) => datetime::uuid(text),
            Some(
                TypeKind::Bool
                | TypeKind::Int
                | TypeKind::BigInt
                | TypeKind::Decimal
                | TypeKind::Float
                | TypeKind::Bytes
                | TypeKind::Json
                | TypeKind::Array(_),
            ) => None,
        }
    }
}
