//! What a login can do decides how it is used, and the operator is told.

use std::{collections::BTreeMap, fmt::Write as _};

use tollgate_core::sql::Reach;

use super::Opened;
use crate::{FindingKind, PoolLimits, SessionLimits};

const SETUP: &str = "CREATE TABLE users (id integer, ssn text); INSERT INTO users VALUES (1, '078-05-1120')";

/// What is found of a login where the policy reads `users.id`, or `users.id` and whatever else is said.
async fn found(url: &str) -> BTreeMap<FindingKind, String> {
    let opened = Opened::at(url, PoolLimits::default()).await;
    assert_eq!(opened.rows("SELECT id FROM users").await, r#"[{"id":1}]"#);
    let mut reach = Reach::default();
    let statement = opened.checked("SELECT id FROM users", &[]);
    reach.add_footprint(statement.footprint());
    let findings = opened.backend.examine(Some(&reach)).await.unwrap();
    let unread = opened.backend.examine(None).await.unwrap();
    assert!(unread.iter().all(|finding| finding.kind != FindingKind::ReadsBeyondPolicy), "{unread:?}");
    opened.backend.close().await;
    findings.into_iter().map(|finding| (finding.kind, finding.sentence)).collect()
}

/// A login of its own for each reach, all but the reach itself as it should be.
#[tokio::test]
async fn a_login_that_only_reads_is_as_it_should_be_and_each_reach_beyond_is_named() {
    let Some(database) = super::database(SETUP).await else { return };
    let cases: &[(FindingKind, &str, &str)] = &[
        (FindingKind::Superuser, "", "is a superuser"),
        (FindingKind::BypassRowSecurity, "ALTER ROLE {} BYPASSRLS", "has BYPASSRLS"),
        (FindingKind::CreateRole, "ALTER ROLE {} CREATEROLE", "has CREATEROLE"),
        (FindingKind::CreateDatabase, "ALTER ROLE {} CREATEDB", "has CREATEDB"),
        (FindingKind::Replication, "ALTER ROLE {} REPLICATION", "has REPLICATION"),
        (FindingKind::PredefinedRoles, "GRANT pg_monitor TO {}", "`pg_monitor`, `pg_read_all_settings`"),
        (FindingKind::WriteGrants, "GRANT UPDATE (id) ON users TO {}", "can write to `public.users`"),
        (FindingKind::WriteGrants, "GRANT TRUNCATE ON secrets TO {}", "can write to `public.secrets`"),
        (FindingKind::WriteGrants, "GRANT USAGE ON SEQUENCE numbers TO {}", "can write to `public.numbers`"),
        (FindingKind::Owner, "CREATE TABLE {}_own (id int); ALTER TABLE {}_own OWNER TO {}", "owns `public.{}_own`"),
        (FindingKind::CreateInSchema, "GRANT CREATE ON SCHEMA public TO {}", "can create objects in a schema"),
        (FindingKind::CreateInDatabase, "GRANT CREATE ON DATABASE {db} TO {}", "can create schemas"),
        (FindingKind::ReadsBeyondPolicy, "GRANT SELECT ON secrets TO {}", "can read `public.secrets`"),
        (FindingKind::ReadsBeyondPolicy, "GRANT SELECT (ssn) ON users TO {}", "the columns `public.users.ssn`"),
        (FindingKind::ReadsBeyondPolicy, "GRANT pg_read_all_data TO {}", "can read"),
        (FindingKind::OtherRoles, "CREATE ROLE {}_other; GRANT {}_other TO {}", "can become `{}_other`"),
        (FindingKind::DefinerFunctions, "GRANT EXECUTE ON FUNCTION definer() TO {}", "can run `public.definer`"),
        (
            FindingKind::ServerFunctions,
            "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO {}",
            "can run `pg_catalog.pg_read_file`",
        ),
        (FindingKind::ForeignServers, "GRANT USAGE ON FOREIGN SERVER away TO {}", "the foreign servers `away`"),
    ];
    let login = |number: usize| format!("login{number}_{}", database.reader());
    let password = database.password();
    let mut setup = String::from(
        "REVOKE EXECUTE ON FUNCTION lo_creat(int), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC;
         CREATE TABLE secrets (id integer); CREATE SEQUENCE numbers;
         CREATE FUNCTION definer() RETURNS int LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT 1';
         REVOKE EXECUTE ON FUNCTION definer() FROM PUBLIC;
         CREATE FOREIGN DATA WRAPPER wrapper; CREATE SERVER away FOREIGN DATA WRAPPER wrapper;",
    );
    let name =
        database.superuser().await.query_one("SELECT current_database()", &[]).await.unwrap().get::<_, String>(0);
    for (number, (_, grant, _)) in cases.iter().enumerate() {
        let login = login(number);
        let grant = grant.replace("{db}", &name).replace("{}", &login);
        let _ = write!(
            setup,
            "CREATE ROLE {login} LOGIN PASSWORD '{password}'; ALTER ROLE {login} SET temp_file_limit = '1GB';
             GRANT SELECT (id) ON users TO {login}; {grant};"
        );
    }
    database.run(&setup).await;
    for (number, (kind, _, expected)) in cases.iter().enumerate() {
        let superuser = *kind == FindingKind::Superuser;
        let url = if superuser { database.superuser_url() } else { database.url_of(&login(number)) };
        let mut found = found(&url).await;
        let sentence = found.remove(kind).unwrap_or_default();
        let expected = expected.replace("{}", &login(number));
        assert!(sentence.contains(&expected), "{kind:?} of {}: {sentence:?} and {found:?}", login(number));
        if expected != "can read" {
            assert!(found.is_empty(), "{kind:?}: {found:?}");
        }
    }
}

#[tokio::test]
async fn what_is_open_to_everybody_is_named_too() {
    let setup = format!("{SETUP}; CREATE FUNCTION effects() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1'");
    let Some(database) = super::database(&setup).await else { return };
    let found = found(&database.url()).await;
    let kinds: Vec<_> = found.keys().copied().collect();
    assert_eq!(
        kinds,
        [
            FindingKind::ReadsBeyondPolicy,
            FindingKind::LargeObjects,
            FindingKind::VolatileFunctions,
            FindingKind::UnboundedTemporaryFiles
        ],
        "{found:?}"
    );
    assert!(found[&FindingKind::VolatileFunctions].contains("`public.effects`"));
    assert!(FindingKind::ReadsBeyondPolicy.severity() > FindingKind::LargeObjects.severity());
}

#[tokio::test]
async fn a_session_is_pinned_and_stays_so() {
    let setup = format!(
        "{SETUP}; CREATE VIEW settings AS SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN \
         ('default_transaction_read_only', 'transaction_read_only', 'statement_timeout', 'lock_timeout', \
          'search_path', 'TimeZone', 'IntervalStyle', 'application_name', 'work_mem', 'jit', \
          'max_parallel_workers_per_gather', 'hash_mem_multiplier', 'temp_file_limit')"
    );
    let Some(database) = super::database(&setup).await else { return };
    // What the database and the login would begin with does not count.
    let (url, reader) = (database.url(), database.reader());
    let name = url.rsplit_once('/').unwrap().1;
    let settings =
        ["work_mem = '1GB'", "max_parallel_workers_per_gather = 64", "hash_mem_multiplier = 100", "jit = on"];
    let wide: String =
        settings.map(|set| format!("ALTER ROLE {reader} SET {set}; ALTER DATABASE {name} SET {set};")).concat();
    database.run(&wide).await;
    let narrow = SessionLimits { work_mem_kib: 4096, parallel_workers: 0, temp_files_kib: 2048 };
    let limits = PoolLimits { session: narrow, ..PoolLimits::default() };
    let narrowed = Opened::at(&database.superuser_url(), limits).await.rows("SELECT name, setting FROM settings").await;
    for (name, setting) in [("work_mem", "4096"), ("max_parallel_workers_per_gather", "0"), ("temp_file_limit", "2048")]
    {
        assert!(narrowed.contains(&format!(r#"{{"name":"{name}","setting":"{setting}"}}"#)), "{name} in {narrowed}");
    }
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
            ("max_parallel_workers_per_gather", "2"),
            ("hash_mem_multiplier", "2"),
            ("jit", "off"),
        ] {
            let row = format!(r#"{{"name":"{name}","setting":"{setting}"}}"#);
            assert!(rows.contains(&row), "{row} in {rows}");
        }
    }
}
