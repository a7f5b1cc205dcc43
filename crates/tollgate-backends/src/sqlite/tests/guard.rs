//! The second layer: texts that a footprint does not cover are refused by the engine, whatever let them come so far.

use super::*;

const SHOP: &str = include_str!("../../../testdata/sqlite/shop.sql");

fn granted() -> Footprint {
    footprint(
        &[("users", "id"), ("users", "name"), ("users", "region"), ("eu_users", "id"), ("eu_users", "shouted")],
        &["count", "like", "json_each"],
        &["c"],
    )
}

fn texts(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().filter(|line| !line.is_empty() && !line.starts_with("--"))
}

#[tokio::test]
async fn the_engine_refuses_what_the_footprint_does_not_name() {
    let shop = Fixture::new(SHOP);
    let before = std::fs::read(&shop.path).unwrap();
    for text in texts(include_str!("../../../testdata/sqlite/refused.sql")) {
        match shop.run(text, &granted(), &[]).await {
            Ok(rows) => panic!("`{text}` ran: {}", json(&rows)),
            Err(error) => {
                let kind = error.kind;
                assert!(
                    matches!(kind, ErrorKind::Refused | ErrorKind::Changed),
                    "`{text}`: {kind:?} {:?}",
                    error.source
                );
                let told = error.kind.to_agent().message + &error.to_string();
                for secret in ["secrets", "ssn", "token", "test.db"] {
                    assert!(!told.contains(secret), "`{text}`: {told}");
                }
            }
        }
    }
    assert_eq!(std::fs::read(&shop.path).unwrap(), before, "the file is as it was");
    assert_eq!(std::fs::read_dir(shop.path.parent().unwrap()).unwrap().count(), 1, "no file was made");
}

#[tokio::test]
async fn the_engine_runs_what_the_footprint_names() {
    let shop = Fixture::new(SHOP);
    for text in texts(include_str!("../../../testdata/sqlite/allowed.sql")) {
        let ran = shop.run(text, &granted(), &[]).await;
        assert!(ran.is_ok(), "`{text}`: {:?}", ran.unwrap_err().source);
    }
}

#[tokio::test]
async fn an_empty_footprint_lets_nothing_be_read() {
    let shop = Fixture::new(SHOP);
    let nothing = Footprint::default();
    assert_eq!(json(&shop.run("SELECT 1", &nothing, &[]).await.unwrap()), r#"[{"a":1}]"#);
    for text in texts(include_str!("../../../testdata/sqlite/allowed.sql")) {
        assert!(shop.run(text, &nothing, &[]).await.is_err(), "`{text}`");
    }
}

#[tokio::test]
async fn a_view_of_a_view_with_a_cte_reads_what_it_reads_and_no_more() {
    let shop = Fixture::new(SHOP);
    let view = footprint(&[("eu_count", "n")], &[], &[]);
    assert_eq!(json(&shop.run("SELECT n FROM main.eu_count", &view, &[]).await.unwrap()), r#"[{"a":1}]"#);
    for text in ["SELECT id FROM main.eu_users", "SELECT id FROM main.users", "SELECT upper('x')"] {
        assert_eq!(shop.run(text, &view, &[]).await.unwrap_err().kind, ErrorKind::Refused, "`{text}`");
    }
}

#[tokio::test]
async fn a_cte_named_like_a_table_it_reads_is_refused_before_sqlite_sees_it() {
    let shop = Fixture::new(SHOP);
    let both = footprint(&[("users", "id")], &[], &["Users"]);
    assert_eq!(shop.run("SELECT 1", &both, &[]).await.unwrap_err().kind, ErrorKind::Refused);
}

#[tokio::test]
async fn the_guard_holds_when_sqlite_prepares_again_after_a_schema_change() {
    let shop = Fixture::new(SHOP);
    let table = footprint(&[("users", "id"), ("users", "name")], &[], &[]);
    assert!(shop.run("SELECT id, name FROM main.users", &table, &[]).await.is_ok());
    // The same text now reads a hidden column: through a view that took the table's place.
    let writer = rusqlite::Connection::open(&shop.path).unwrap();
    writer
        .execute_batch(
            "ALTER TABLE users RENAME TO real_users; CREATE VIEW users AS SELECT id, ssn AS name FROM real_users;",
        )
        .unwrap();
    let ran = shop.run("SELECT id, name FROM main.users", &table, &[]).await.unwrap();
    // Prepared anew it is a granted view, and `check` says so; what matters is the cached statement, below.
    assert!(json(&ran).contains("111"));
    let work = {
        let path = shop.path.clone();
        move |engine: &mut super::super::Engine<'_>| {
            let columns = [column(0)];
            let only_id = footprint(&[("orders", "id")], &[], &[]);
            let text = "SELECT id FROM main.orders";
            let guarded = Guarded {
                text,
                footprint: &only_id,
                columns: &columns,
                width: columns.len(),
                key: &[],
                slots: 0,
                author: Author::Operator,
            };
            let mut prepared = engine.prepare_guarded(guarded)?;
            rusqlite::Connection::open(path)
                .unwrap()
                .execute_batch(
                    "ALTER TABLE orders RENAME TO o; CREATE VIEW orders AS SELECT payment_token AS id FROM o;",
                )
                .unwrap();
            engine.run(&mut prepared, &[], ReadLimits { rows_max: 9, bytes_max: 999 })
        }
    };
    let deadline = Instant::now() + Duration::from_secs(5);
    let ran = shop.backend.run(deadline, &CancellationToken::new(), work).await;
    assert_eq!(ran.unwrap_err().kind, ErrorKind::Refused);
}

#[tokio::test]
async fn another_schema_than_main_is_refused() {
    let shop = Fixture::new(SHOP);
    let mut temp = footprint(&[("users", "id")], &[], &[]);
    temp.tables = [TableId { schema: "temp".to_owned(), name: "users".to_owned() }].into();
    assert_eq!(shop.run("SELECT 1", &temp, &[]).await.unwrap_err().kind, ErrorKind::Refused);
}
