//! What `query` takes, and what becomes of masked values in a statement's text.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::*;
use crate::{
    policy::{ColumnsGrant, MaskGrant, Role, RoleGrant, RowsGrant, TableGrant},
    tools::tests::fixtures::catalog,
};

fn tool(dialect: Dialect, sensitive: &[&str]) -> QueryTool {
    let catalog = catalog(dialect);
    let grant = |table: &str, columns: &[&str], masks: &[(&str, &str)], rows: &str| TableGrant {
        min_group_size: None,
        key: format!("shop.{table}"),
        schema: None,
        table: table.to_owned(),
        columns: ColumnsGrant::These(columns.iter().map(|&column| column.to_owned()).collect()),
        masks: masks
            .iter()
            .map(|(column, mask)| ((*column).to_owned(), MaskGrant::Named((*mask).to_owned())))
            .collect(),
        rows: Some(RowsGrant::One(rows.to_owned())),
    };
    let tables = vec![
        grant("users", &["id", "name", "email", "region"], &[("email", "email")], "region = :claims.region"),
        grant("orders", &["id", "user_id", "total"], &[], "user_id IN (SELECT id FROM users)"),
    ];
    let role = Role::compile(&RoleGrant { tables, mask_key: None }, &catalog).unwrap();
    let queryable = Queryable::new(Arc::new(catalog), Arc::new(role), sql::Cost::Unbounded);
    let sensitive: BTreeSet<String> = sensitive.iter().map(|&name| name.to_owned()).collect();
    let databases = BTreeMap::from([("down".parse().unwrap(), None), ("shop".parse().unwrap(), Some(queryable))]);
    let draft = QueryTool::compile(QueryRequest {
        databases,
        limits: SchemaLimits { rows_max: 7, bytes_max: 1 << 20 },
        disclosure: FilterDisclosure::Silent,
        presentation: Presentation::default(),
        sensitive: &sensitive,
    })
    .unwrap();
    assert_eq!(draft.probes().len(), 2);
    draft.verify(&[])
}

fn own(sql: &str) -> Arc<CheckedStatement> {
    let tool = tool(Dialect::Postgres, &[]);
    let shop = tool.databases["shop"].as_ref().unwrap();
    shop.check(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

#[test]
fn its_schema_and_description_say_what_a_model_needs() {
    let tool = tool(Dialect::Postgres, &[]);
    let listing = tool.listing();
    assert_eq!(listing.input_schema["required"], json!(["sql", "database"]));
    assert_eq!(listing.input_schema["properties"]["database"]["enum"], json!(["down", "shop"]));
    assert_eq!(listing.input_schema["properties"].as_object().unwrap().len(), 3);
    let says = ["PostgreSQL", "`users`", "`orders`", "At most 7 rows"];
    assert!(says.iter().all(|part| listing.description.contains(part)), "{}", listing.description);
    assert!(!listing.description.contains("down"), "nothing is known of it");
}

#[test]
fn a_statement_that_may_compare_a_masked_value_is_sensitive() {
    for (sql, sensitive) in [
        ("SELECT email FROM users WHERE region = 'eu'", false),
        ("SELECT email, count(*) FROM users WHERE region = 'eu' GROUP BY email ORDER BY email", false),
        ("SELECT count(email) FROM users WHERE id > 3", false),
        ("SELECT count(*) FROM users a JOIN users b ON a.email = b.email", false),
        ("SELECT id FROM users WHERE email = 'jane@example.com'", true),
        ("SELECT id FROM users WHERE lower(email) IN ('jane@example.com')", true),
        ("SELECT id FROM users WHERE email LIKE 'j%'", true),
        ("SELECT email = 'jane@example.com' FROM users", true),
        ("SELECT CASE email WHEN 'jane@example.com' THEN 1 END FROM users", true),
        ("SELECT nullif(email, 'jane@example.com') FROM users", true),
        ("SELECT strpos(email, 'jane') FROM users", true),
        ("SELECT id FROM users WHERE 'jane@example.com' IN (SELECT email FROM users)", true),
        ("SELECT id FROM (SELECT id, email AS e FROM users) t WHERE e = 'jane@example.com'", true),
        ("SELECT u.id FROM users u JOIN (SELECT 'jane@example.com' AS e) t ON t.e = u.email", true),
        ("WITH t AS (SELECT 'jane@example.com' AS email) SELECT id FROM users JOIN t USING (email)", true),
        ("SELECT email FROM users INTERSECT SELECT 'jane@example.com'", true),
        ("SELECT email FROM users UNION ALL SELECT 'jane@example.com'", false),
        ("SELECT 'jane@example.com' = (SELECT max(email) FROM users)", true),
    ] {
        assert_eq!(own(sql).author(), Author::Caller { compares_masked: sensitive }, "{sql}");
    }
}

#[test]
fn columns_of_one_name_are_numbered_past_those_that_are_written() {
    let names = |sql: &str| own(sql).columns().iter().map(|column| column.name.clone()).collect::<Vec<_>>();
    assert_eq!(names("SELECT id, id, id FROM users"), ["id", "id_2", "id_3"]);
    assert_eq!(names("SELECT id, id, id AS id_2 FROM users"), ["id", "id_3", "id_2"]);
    assert_eq!(names("SELECT count(*), count(id) FROM users"), ["count", "count_2"]);
}

#[test]
fn a_listed_argument_is_sensitive_whatever_it_says() {
    let raw = RawValue::from_string(r#"{"sql":"SELECT id FROM users","database":"shop"}"#.to_owned()).unwrap();
    for (listed, expected) in [(&["sql"][..], true), (&[], false)] {
        let tool = tool(Dialect::Sqlite, listed);
        let caller = crate::tools::tests::fixtures::caller("a", [("region".parse().unwrap(), region())].into());
        let call = Call {
            caller: &caller,
            arguments: Some(&raw),
            call_id: "01J",
            today: "2026-01-31".parse().unwrap(),
            cursors: &crate::tools::tests::fixtures::PlainSeal,
            policy_hash: &[7; 32],
        };
        assert!(!tool.binds_at_once(Some(&raw)), "its statement is yet to be checked");
        let bound = tool.bind(&call).unwrap();
        assert!(tool.binds_at_once(Some(&raw)) && tool.binds_at_once(None));
        assert_eq!((bound.database.as_str(), bound.rows_max), ("shop", 7));
        let summary = tool.summarise(Some(&raw), Some(bound.statement.author()));
        let sql = summary.iter().find(|entry| entry.name == SQL).unwrap();
        assert_eq!((sql.sensitive, sql.kind), (expected, SummaryKind::Statement));
        let down = RawValue::from_string(r#"{"sql":"SELECT id FROM users","database":"down"}"#.to_owned()).unwrap();
        assert!(tool.binds_at_once(Some(&down)));
        let refused = tool.bind(&Call { arguments: Some(&down), ..call }).unwrap_err().to_agent();
        assert_eq!((refused.code, refused.retry_after_ms), (crate::names::Code::DB_UNAVAILABLE, Some(1_000)));
    }
}

fn region() -> crate::names::ClaimValue {
    crate::names::ClaimValue::Text("eu".to_owned())
}
