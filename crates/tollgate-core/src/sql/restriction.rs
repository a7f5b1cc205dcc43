//! What a statement may see, table by table. It has never heard of a role: whoever makes one decides.

use std::collections::BTreeMap;

use super::tree::Expr;
use crate::catalog::TableId;

/// The alias under which a restricted table's own columns stand inside its restriction (masks and filter).
pub const RAW: &str = "tg_raw";

/// Every table that exists for a statement. A table that is not here is not there.
#[derive(Clone, Debug, Default)]
pub struct Restrictions {
    /// By table.
    pub tables: BTreeMap<TableId, Restriction>,
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
}

/// One visible column.
#[derive(Clone, Debug, PartialEq)]
pub struct RestrictedColumn {
    /// Its name, in the catalog's spelling.
    pub name: String,
    /// What stands in its place, over `RAW`'s columns; `None` for the column itself.
    pub mask: Option<Expr>,
}
