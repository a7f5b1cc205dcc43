//! Hostile statements: whatever their shape, they are refused, or come to a text within a bound, on a worker's stack. Compiled into
//! tests only; `benches/hostile.rs` says what they cost.

use std::num::NonZeroU32;

use super::cases::shop;
use super::check::check_own;
use super::restriction::{RestrictedColumn, Restriction, Restrictions};
use super::statement::Cost;
use crate::catalog::{Catalog, Column, SqlType, Table, TableId, TableKind, TypeKind};
use crate::names::{Code, Dialect};

#[path = "../../testdata/hostile/shapes.rs"]
mod shapes;

/// What a text of at most 64 KiB may come to.
const RENDERED_BYTES_MAX: usize = 6 << 20;

/// The shop's tables and one of a thousand columns. Each hides rows, or is seen in groups.
fn database(dialect: Dialect, least: Option<NonZeroU32>) -> (Catalog, Restrictions) {
    let (catalog, mut visible) = shop(dialect);
    let id = TableId { schema: catalog.default_schema().to_owned(), name: "wide".to_owned() };
    let column = |at: usize| Column {
        name: format!("c{at}"),
        ty: SqlType { name: "int".to_owned(), kind: TypeKind::Int },
        nullable: true,
        allowed: None,
        comment: None,
    };
    let wide = Table {
        id: id.clone(),
        kind: TableKind::Table,
        columns: (0..1_000).map(column).collect(),
        primary_key: vec!["c0".to_owned()],
        unique_keys: Vec::new(),
        foreign_keys: Vec::new(),
        comment: None,
    };
    let columns = wide.columns.iter().map(|c| RestrictedColumn { name: c.name.clone(), mask: None }).collect();
    visible.tables.insert(id, Restriction { columns, filter: None, hides_rows: true, min_group_size: None });
    for restriction in visible.tables.values_mut() {
        restriction.hides_rows = true;
        restriction.min_group_size = least;
    }
    let mut tables = catalog.tables().to_vec();
    tables.push(wide);
    (Catalog::new(dialect, catalog.default_schema().to_owned(), "test".to_owned(), tables), visible)
}

#[test]
fn every_shape_is_refused_or_bounded() {
    for dialect in [Dialect::Postgres, Dialect::Sqlite, Dialect::MariaDb] {
        for least in [None, NonZeroU32::new(5)] {
            let (catalog, visible) = database(dialect, least);
            for (name, sql) in shapes::shapes() {
                match check_own(&sql, &catalog, &visible, Cost::Unbounded) {
                    Ok(statement) => {
                        let bytes = statement.text().len();
                        assert!(bytes <= RENDERED_BYTES_MAX, "{name}: {bytes} bytes");
                    }
                    Err(error) => {
                        assert!(error.code() != Code::INTERNAL, "{name}: {error}");
                        let told = error.to_agent().to_string().len();
                        assert!(told <= 16_384, "{name}: a refusal of {told} bytes");
                    }
                }
            }
        }
    }
}
