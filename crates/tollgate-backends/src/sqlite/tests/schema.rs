//! What introspection finds, and what it leaves out.

use tollgate_core::catalog::{Catalog, TableKind, TypeKind};

use super::*;

async fn catalog() -> Catalog {
    Fixture::new(include_str!("../../../testdata/sqlite/introspect.sql")).backend.introspect().await.unwrap()
}

#[tokio::test]
async fn tables_and_views_that_can_be_read_are_there_and_nothing_else() {
    let catalog = catalog().await;
    let names: Vec<_> = catalog.tables().iter().map(|table| (table.id.name.as_str(), table.kind)).collect();
    assert_eq!(
        names,
        [
            ("a_view", TableKind::View),
            ("child", TableKind::Table),
            ("odd \"name", TableKind::Table),
            ("parent", TableKind::Table),
            ("simple", TableKind::Table)
        ]
    );
    assert_eq!((catalog.default_schema(), catalog.server_version().split('.').next()), ("main", Some("3")));
}

#[tokio::test]
async fn declared_types_mean_what_people_mean_by_them() {
    let catalog = catalog().await;
    let child = catalog.table(None, "CHILD").unwrap();
    for (name, kind, nullable) in [
        ("id", TypeKind::BigInt, false),
        ("pa", TypeKind::Text, true),
        ("status", TypeKind::Text, false),
        ("flag", TypeKind::Bool, true),
        ("doc", TypeKind::Json, true),
        ("made", TypeKind::Timestamp, true),
        ("born", TypeKind::Date, true),
        ("price", TypeKind::Any, true),
        ("raw", TypeKind::Bytes, true),
        ("ratio", TypeKind::Float, true),
        ("label", TypeKind::Text, true),
        ("uid", TypeKind::Uuid, true),
        ("big", TypeKind::BigInt, true),
        ("free", TypeKind::Any, true),
        ("doubled", TypeKind::BigInt, true),
        ("stored", TypeKind::BigInt, true),
    ] {
        let column = catalog.column(child, name).unwrap();
        assert_eq!((&column.ty.kind, column.nullable), (&kind, nullable), "{name}");
    }
    assert_eq!(catalog.column(child, "price").unwrap().ty.name, "DECIMAL(10,2)");
    let view = catalog.table(None, "a_view").unwrap();
    let kinds: Vec<_> = view.columns.iter().map(|column| (column.name.as_str(), &column.ty.kind)).collect();
    assert_eq!(kinds, [("id", &TypeKind::BigInt), ("status", &TypeKind::Text), ("next", &TypeKind::Any)]);
}

#[tokio::test]
async fn keys_and_references() {
    let catalog = catalog().await;
    let child = catalog.table(None, "child").unwrap();
    assert_eq!(child.primary_key, ["id"]);
    assert_eq!(child.unique_keys, [vec!["label".to_owned()], vec!["pa".to_owned(), "pb".to_owned()]]);
    let references: Vec<_> = child
        .foreign_keys
        .iter()
        .map(|key| (key.columns.join(","), key.target.name.as_str(), key.target_columns.join(",")))
        .collect();
    assert_eq!(
        references,
        [("other".to_owned(), "simple", "k".to_owned()), ("pb,pa".to_owned(), "parent", "b,a".to_owned())]
    );
    let parent = catalog.table(None, "parent").unwrap();
    assert_eq!(parent.primary_key, ["b", "a"]);
    let nullable: Vec<_> = parent.columns.iter().map(|column| column.nullable).collect();
    assert_eq!(nullable, [false, false, true]);
    // In a table with row numbers a primary key that is not one of them may hold NULL.
    let simple = catalog.table(None, "simple").unwrap();
    assert_eq!(simple.columns.iter().map(|column| column.nullable).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn only_plain_check_lists_are_believed() {
    let catalog = catalog().await;
    let child = catalog.table(None, "child").unwrap();
    let lists: Vec<_> =
        child.columns.iter().filter_map(|c| Some((c.name.as_str(), c.allowed.clone()?.join("|")))).collect();
    assert_eq!(
        lists,
        [("status", "active|in'active".to_owned()), ("level", "2|3".to_owned()), ("quoted name", "q".to_owned())]
    );
}

#[tokio::test]
async fn a_file_that_is_missing_or_no_database_is_unavailable_and_not_made() {
    let dir = TempDir::new().unwrap();
    let not_a_database = dir.path().join("text.db");
    std::fs::write(&not_a_database, "just some text, long enough to have a header".repeat(20)).unwrap();
    let missing = dir.path().join("missing.db");
    for path in [
        missing.as_path(),
        &not_a_database,
        dir.path(),
        "".as_ref(),
        ":memory:".as_ref(),
        "file:x?mode=memory".as_ref(),
    ] {
        let backend = crate::sqlite::open(path, PoolLimits::default()).unwrap();
        let error = backend.introspect().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable, "{}", path.display());
        assert!(!error.kind.to_agent().message.contains("db"));
        assert_eq!(backend.probe().await.unwrap_err().kind, ErrorKind::Unavailable);
        assert_eq!(backend.pool_status().size, 0);
    }
    assert!(!missing.exists());
}
