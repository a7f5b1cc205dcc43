//! What a login can do decides how it is used, and the operator is told.

use super::Opened;
use crate::PoolLimits;

const SETUP: &str = "CREATE TABLE users (id integer); INSERT INTO users VALUES (1)";

async fn warnings(url: &str) -> Vec<String> {
    let opened = Opened::at(url, PoolLimits::default()).await;
    assert_eq!(opened.rows("SELECT id FROM users").await, r#"[{"id":1}]"#);
    opened.backend.close().await;
    opened.backend.warnings()
}

#[tokio::test]
async fn a_login_that_only_reads_is_as_it_should_be_and_any_other_is_named() {
    let Some(database) = super::database(SETUP).await else { return };
    let own = |name: &str| format!("{name}_{}", database.reader());
    let (writer, owner, bypass) = (own("writer"), own("owner"), own("bypass"));
    let password = database.password();
    database
        .run(&format!(
            "CREATE ROLE {writer} LOGIN PASSWORD '{password}'; GRANT SELECT, UPDATE (id) ON users TO {writer};
             CREATE ROLE {owner} LOGIN PASSWORD '{password}'; GRANT SELECT ON users TO {owner};
             CREATE TABLE owned (id integer); ALTER TABLE owned OWNER TO {owner};
             CREATE ROLE {bypass} LOGIN BYPASSRLS PASSWORD '{password}'; GRANT SELECT ON users TO {bypass}"
        ))
        .await;
    assert_eq!(warnings(&database.url()).await, Vec::<String>::new());
    let cases = [
        (database.url_of(&writer), "can write to tables"),
        (database.url_of(&owner), "owns tables"),
        (database.url_of(&bypass), "has BYPASSRLS"),
        (database.superuser_url(), "is a superuser"),
    ];
    for (url, expected) in cases {
        let warnings = warnings(&url).await;
        assert!(warnings.iter().any(|warning| warning.contains(expected)), "{warnings:?}");
    }
}

#[tokio::test]
async fn a_session_is_pinned_and_stays_so() {
    let setup = format!(
        "{SETUP}; CREATE VIEW settings AS SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN \
         ('default_transaction_read_only', 'transaction_read_only', 'statement_timeout', 'lock_timeout', \
          'search_path', 'TimeZone', 'IntervalStyle', 'application_name', 'work_mem', 'jit')"
    );
    let Some(database) = super::database(&setup).await else { return };
    for url in [database.url(), database.superuser_url()] {
        let opened = Opened::at(&url, PoolLimits::default()).await;
        let rows = opened.rows("SELECT name, setting FROM settings").await;
        for (name, setting) in [
            ("default_transaction_read_only", "on"),
            ("transaction_read_only", "on"),
            ("statement_timeout", "10000"),
            ("lock_timeout", "5000"),
            ("search_path", ""),
            ("TimeZone", "UTC"),
            ("IntervalStyle", "iso_8601"),
            ("application_name", "tollgate"),
            ("work_mem", "16384"),
            ("jit", "off"),
        ] {
            let row = format!(r#"{{"name":"{name}","setting":"{setting}"}}"#);
            assert!(rows.contains(&row), "{row} in {rows}");
        }
    }
}
