//! The snapshot of a schema with everything in it that a snapshot knows.

use std::fmt::Write as _;

use tollgate_core::catalog::{Catalog, TypeKind};

use crate::{PoolLimits, postgres::connect};

const SETUP: &str = include_str!("../../../testdata/postgres/introspect.sql");

/// The catalog as a text that a person can compare.
fn rendered(catalog: &Catalog) -> String {
    let mut text = String::new();
    for table in catalog.tables() {
        let _ = writeln!(text, "{:?} {} -- {}", table.kind, table.id, table.comment.as_deref().unwrap_or(""));
        for column in &table.columns {
            let null = if column.nullable { "" } else { " not null" };
            let kind = match &column.ty.kind {
                TypeKind::Array(element) => format!("Array({} {:?})", element.name, element.kind),
                kind => format!("{kind:?}"),
            };
            let _ = write!(text, "  {} {} = {kind}{null}", column.name, column.ty.name);
            if let Some(allowed) = &column.allowed {
                let _ = write!(text, " in {allowed:?}");
            }
            let _ = writeln!(text, "{}", column.comment.as_deref().map(|c| format!(" -- {c}")).unwrap_or_default());
        }
        for (name, columns) in
            [("primary key", &table.primary_key)].into_iter().chain(table.unique_keys.iter().map(|key| ("unique", key)))
        {
            if !columns.is_empty() {
                let _ = writeln!(text, "  {name} {columns:?}");
            }
        }
        for key in &table.foreign_keys {
            let _ = writeln!(text, "  {:?} references {} {:?}", key.columns, key.target, key.target_columns);
        }
    }
    text
}

#[tokio::test]
async fn the_snapshot_holds_what_the_catalogs_say() {
    let Some(database) = super::database(SETUP).await else { return };
    let backend = connect(&database.url(), PoolLimits::default()).unwrap();
    let catalog = backend.introspect().await.unwrap();
    assert_eq!(catalog.default_schema(), "public");
    assert!(catalog.server_version().starts_with(|c: char| c.is_ascii_digit()));
    let expected = include_str!("../../../testdata/postgres/introspect.txt");
    let found = rendered(&catalog);
    assert!(found == expected, "the snapshot is now:\n{found}");
    backend.close().await;
}
