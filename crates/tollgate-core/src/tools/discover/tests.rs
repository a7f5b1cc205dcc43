//! What is left out of a schema; what is in it is shown by the integration tests.

use super::*;
use crate::{
    policy::{ColumnsGrant, MaskGrant, Role, RoleGrant, RowsGrant, TableGrant},
    sql::Cost,
    tools::tests::fixtures::{PlainSeal, caller, catalog},
};

fn tools(limits: SchemaLimits) -> [SchemaTool; 2] {
    let catalog = catalog(Dialect::Postgres);
    let table = TableGrant {
        min_group_size: None,
        key: "shop.users".to_owned(),
        schema: None,
        table: "users".to_owned(),
        columns: ColumnsGrant::These(["id", "name", "email"].map(str::to_owned).to_vec()),
        masks: vec![("email".to_owned(), MaskGrant::Named("email".to_owned()))],
        rows: Some(RowsGrant::One("all".to_owned())),
    };
    let role = Role::compile(&RoleGrant { tables: vec![table], mask_key: None }, &catalog).unwrap();
    let queryable = Queryable::new(Arc::new(catalog), Arc::new(role), Cost::Unbounded);
    let databases = Arc::new(Databases::from([("shop".parse().unwrap(), Some(queryable))]));
    SchemaTool::both(&databases, limits, FilterDisclosure::Silent, Marking::Bare)
}

fn answer(tool: &SchemaTool, arguments: &str) -> Result<Answer, String> {
    let raw = serde_json::value::RawValue::from_string(arguments.to_owned()).unwrap();
    let call = Call {
        caller: &caller("a", [].into()),
        arguments: Some(&raw),
        call_id: "01J",
        today: "2026-01-31".parse().unwrap(),
        cursors: &PlainSeal,
        policy_hash: &[7; 32],
    };
    tool.answer(&call).map_err(|error| error.to_agent().to_string())
}

const WIDE: SchemaLimits = SchemaLimits { rows_max: 100, bytes_max: 1 << 20 };

#[test]
fn a_name_that_is_hidden_and_one_that_is_missing_read_alike() {
    let [_, describe] = tools(WIDE);
    let hidden = answer(&describe, r#"{"table":"orders"}"#).unwrap_err();
    let missing = answer(&describe, r#"{"table":"ordxrs"}"#).unwrap_err();
    assert_eq!(hidden.replace("orders", "ordxrs"), missing);
    assert_eq!(
        answer(&describe, r#"{"table":"user"}"#).unwrap_err(),
        "TG404: unknown table `user` (did you mean `users`?)"
    );
    assert!(answer(&describe, r#"{"table":"public.users"}"#).is_ok());
    assert!(answer(&describe, r#"{"table":"users; DROP TABLE users"}"#).is_err());
}

#[test]
fn an_answer_is_cut_at_the_limits() {
    let [list, describe] = tools(SchemaLimits { rows_max: 2, ..WIDE });
    let cut = answer(&describe, r#"{"table":"users"}"#).unwrap();
    assert_eq!((cut.count, cut.truncated), (2, true), "{}", cut.json);
    assert!(!answer(&list, "{}").unwrap().truncated);
    let [_, describe] = tools(SchemaLimits { bytes_max: 60, ..WIDE });
    let cut = answer(&describe, r#"{"table":"users"}"#).unwrap();
    assert_eq!((cut.count, cut.truncated), (1, true), "{}", cut.json);
}

#[test]
fn answers_fit_the_schema_that_is_listed() {
    for (tool, arguments) in tools(WIDE).iter().zip(["{}", r#"{"table":"users"}"#]) {
        let schema = Json::Object((*tool.listing().output_schema).clone());
        let validator = jsonschema::validator_for(&schema).unwrap();
        let answer = answer(tool, arguments).unwrap();
        let answer: Json = serde_json::from_str(&answer.json).unwrap();
        assert!(validator.is_valid(&answer), "{answer}");
    }
}

#[test]
fn what_a_comment_holds_can_be_read() {
    assert_eq!(shown(" a\n\u{1b}[31m\u{202e}b "), "a \\u{1b}[31m\\u{202e}b");
    assert_eq!(shown(&"x".repeat(400)).chars().count(), COMMENT_MAX + 1);
    assert_eq!(visible_json("{\"a\u{e0041}\":1}"), "{\"a\\udb40\\udc41\":1}");
}
