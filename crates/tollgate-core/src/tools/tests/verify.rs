//! Tools against what the database says: `testdata/tools/verify/`, the table of types, and the derived schemas.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{
    declare::line,
    each_case,
    fixtures::{Case, sql_type},
    snapshot,
};
use crate::{
    catalog::SqlType,
    names::Dialect,
    sql::Described,
    tools::{Declaration, Deprecation, ParamType, Plan, Problem, Tool, fit},
};

#[test]
fn disagreements() {
    each_case("verify", |text| {
        let cases: Vec<Value> = serde_json::from_str(text).unwrap();
        let mut said = String::new();
        for mut case in cases {
            let tool = case["tool"].as_object_mut().unwrap();
            for (key, value) in [("name", "t"), ("description", "d"), ("database", "shop")] {
                tool.entry(key).or_insert(json!(value));
            }
            let case = Case::parse(&case.to_string());
            let outcome = match case.plan() {
                Ok(_) => "  fine".to_owned(),
                Err(errors) => errors.iter().map(line).collect::<Vec<_>>().join("\n"),
            };
            write!(said, "{}\n{outcome}\n\n", case.about).unwrap();
        }
        said
    });
}

#[test]
fn types_and_columns() {
    let columns = [
        "boolean",
        "integer",
        "bigint",
        "numeric",
        "double precision",
        "text",
        "user_status",
        "date",
        "time",
        "timestamp",
        "timestamptz",
        "uuid",
        "jsonb",
        "bytea",
        "inet",
        "any",
    ];
    let mut table = String::new();
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        writeln!(table, "{}", dialect.name()).unwrap();
        for ty in ParamType::ALL.iter().filter(|ty| **ty != ParamType::Array) {
            let taken: Vec<&str> =
                columns.into_iter().filter(|column| fit::takes(*ty, &sql_type(column).kind, dialect)).collect();
            writeln!(table, "  {:<10} {}", ty.name(), taken.join(", ")).unwrap();
        }
    }
    snapshot("schema", "types_and_columns", &table);
}

fn plan(case: &str) -> Plan {
    Case::parse(case).plan().unwrap()
}

fn schema(schema: &serde_json::Map<String, Value>) -> String {
    serde_json::to_string_pretty(schema).unwrap()
}

#[test]
fn derived_input_schema() {
    let plan = plan(include_str!("../../../testdata/tools/every_type.json"));
    snapshot("schema", "input", &schema(&plan.listing().input_schema));
}

#[test]
fn derived_output_schema() {
    for dialect in ["postgres", "sqlite"] {
        let case = json!({
            "about": "every column", "dialect": dialect, "masked": ["email"],
            "tool": {"name": "t", "description": "d", "database": "shop", "sql":
                "SELECT u.id, u.name, u.email, u.age, u.balance, u.score, u.active, u.born, u.seen, u.created_at, u.token, u.settings, u.photo, u.tags, o.total FROM users u LEFT JOIN orders o ON o.user_id = u.id"}
        });
        let plan = plan(&case.to_string());
        let listing = plan.listing();
        snapshot("schema", &format!("output_{dialect}"), &schema(&listing.output_schema));
        let validator = jsonschema::draft202012::new(&Value::Object((*listing.output_schema).clone())).unwrap();
        assert!(validator.is_valid(&json!({"rows": [], "row_count": 0, "truncated": false, "next_cursor": null})));
        assert!(
            !validator.is_valid(&json!({"rows": [{"id": 1}], "row_count": 1, "truncated": false, "next_cursor": null}))
        );
        assert!(listing.read_only && listing.meta.is_none() && plan.claims().is_empty());
    }
}

#[test]
fn deprecated_tools_say_so() {
    let case = |granted: &str| {
        json!({
            "about": "deprecated", "dialect": "sqlite", "granted": [granted],
            "tool": {"name": "t", "description": "Finds users.", "database": "shop", "sql": "SELECT id FROM users",
                "deprecated": {"use": "t_v2", "since": "2026-01-01", "sunset": "2027-06-01"}}
        })
        .to_string()
    };
    let shown = plan(&case("t_v2"));
    assert_eq!(
        shown.listing().description,
        "Deprecated since 2026-01-01: use `t_v2` instead; refused from 2027-06-01 (00:00 UTC) on. Finds users."
    );
    assert_eq!(
        Value::Object(shown.listing().meta.clone().unwrap()),
        json!({"tollgate/deprecated": {"use": "t_v2", "since": "2026-01-01", "sunset": "2027-06-01"}})
    );
    // The role may not call the replacement: its name is not hinted at.
    let hidden = plan(&case("other"));
    assert!(!hidden.listing().description.contains("t_v2"));
    assert!(!format!("{:?}", hidden.listing().meta).contains("t_v2"));
}

#[test]
fn a_replacement_must_be_declared() {
    let declaration: Declaration = serde_json::from_value(json!({
        "name": "t", "description": "d", "database": "shop", "sql": "SELECT 1", "deprecated": {"use": "users_v3"}
    }))
    .unwrap();
    let tool = Tool::declare(&declaration, Dialect::Sqlite).unwrap();
    let deprecation: &Deprecation = tool.deprecation().unwrap();
    let (a, b) = ("users_v2".parse().unwrap(), "users_v3".parse().unwrap());
    assert!(deprecation.check_replacement([&a, &b].into_iter()).is_ok());
    let error = deprecation.check_replacement([&a].into_iter()).unwrap_err();
    assert_eq!(line(&error), "  TG125 deprecated.use: `users_v3` is not a declared tool (did you mean `users_v2`?)");
}

#[test]
fn descriptions_that_do_not_belong_are_refused() {
    let case = Case::parse(
        r#"{"about": "", "dialect": "postgres", "tool": {"name": "t", "description": "d", "database": "shop", "sql": "SELECT id, name FROM users"}}"#,
    );
    let described = case.describe(case.draft().unwrap().statements().next().unwrap());
    let verify = |described: &[Described]| -> Vec<Problem> {
        let draft = case.draft().unwrap();
        draft.verify(described, &case.catalog()).unwrap_err().into_iter().map(|error| error.problem).collect()
    };
    assert_eq!(verify(&[]), [Problem::VariantCount { described: 0, checked: 1 }]);
    let mut fewer = described.clone();
    fewer.columns.pop();
    assert_eq!(verify(&[fewer]), [Problem::ColumnCount { described: 1, checked: 2 }]);
    let mut renamed = described.clone();
    renamed.columns[1].0 = "nom".to_owned();
    assert_eq!(
        verify(&[renamed]),
        [Problem::ColumnName { position: 2, described: "nom".to_owned(), checked: "name".to_owned() }]
    );
    let mut slots = described;
    slots.params.push(Some(SqlType { ..sql_type("text") }));
    assert_eq!(verify(&[slots]), [Problem::SlotCount { described: 4, checked: 3 }]);
}
