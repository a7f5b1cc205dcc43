//! What a statement may see, table by table. It has never heard of a role: whoever makes one decides.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use super::leak::Leak;
use super::mask_key::MaskKey;
use super::tree::Expr;
use crate::catalog::{SqlType, TableId};

/// The alias under which a restricted table's own columns stand inside its restriction (masks and filter).
pub const RAW: &str = "tg_raw";

/// Every table that exists for a statement. A table that is not here is not there.
#[derive(Clone, Debug, Default)]
pub struct Restrictions {
    /// By table.
    pub tables: BTreeMap<TableId, Restriction>,
    /// What `hash` masks are keyed with; needed where one stands in a table.
    pub mask_key: Option<Arc<MaskKey>>,
}

/// One table's restricted form.
#[derive(Clone, Debug, PartialEq)]
pub struct Restriction {
    /// The columns that exist, in order.
    pub columns: Vec<RestrictedColumn>,
    /// The row filter, over `RAW`'s columns and already restricted subqueries; `None` for all rows.
    pub filter: Option<Expr>,
    /// Whether rows may be hidden: by the filter, or because the table is a view with a WHERE of its own.
    pub hides_rows: bool,
    /// Rows are seen only where at least so many are alike in what the statement tells rows apart by.
    pub min_group_size: Option<NonZeroU32>,
}

/// One visible column.
#[derive(Clone, Debug, PartialEq)]
pub struct RestrictedColumn {
    /// Its name, in the catalog's spelling.
    pub name: String,
    /// What stands in its place; `None` for the column itself.
    pub mask: Option<ColumnMask>,
}

/// What stands in a column's place.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnMask {
    /// The value, over `RAW`'s columns.
    pub expr: Expr,
    /// Its type; `None` where only the database knows.
    pub ty: Option<SqlType>,
    /// What in it can fail on a row's data: then every use of the column can.
    pub leak: Option<Leak>,
}

impl Restrictions {
    /// Whether any table is seen in groups of rows only.
    pub(super) fn have_groups(&self) -> bool {
        self.tables.values().any(|restriction| restriction.min_group_size.is_some())
    }
}

impl Restriction {
    /// Whether all these columns are visible, and as they are.
    pub fn shows_plainly(&self, columns: &[String]) -> bool {
        columns.iter().all(|name| self.columns.iter().any(|column| column.name == *name && column.mask.is_none()))
    }
}
