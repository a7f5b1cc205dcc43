//! An immutable snapshot of a database's schema: what exists, whoever may see it. Never says what a role may see.

mod function;
mod lookup;
mod table;
mod types;

pub use function::AddedFunction;
pub use lookup::Catalog;
pub use table::{Column, ColumnId, ForeignKey, Table, TableId, TableKind};
pub use types::{SqlType, TypeKind};
