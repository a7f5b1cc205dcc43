//! Declarations and what is wrong with them: `testdata/tools/declare/`.

use std::fmt::Write as _;

use serde_json::Value;

use super::each_case;
use crate::{
    names::Dialect,
    tools::{Declaration, Tool, ToolError},
};

#[test]
fn declarations() {
    each_case("declare", |case| {
        let tools: Vec<Value> = serde_json::from_str(case).unwrap();
        let mut said = String::new();
        for tool in tools {
            let about = tool["about"].as_str().unwrap().to_owned();
            write!(said, "{about}\n{}\n\n", outcome(&tool)).unwrap();
        }
        said
    });
}

/// A case names what differs from the smallest sound declaration.
fn outcome(case: &Value) -> String {
    let mut declaration = serde_json::json!({
        "name": "users_of", "description": "Users.", "database": "shop", "sql": "SELECT id FROM users WHERE id = :id",
        "params": [{"name": "id", "type": "integer"}]
    });
    for (key, value) in case.as_object().unwrap().iter().filter(|(key, _)| *key != "about") {
        declaration[key] = value.clone();
    }
    let declaration: Declaration = match serde_json::from_value(declaration) {
        Ok(declaration) => declaration,
        Err(error) => return format!("  not a declaration: {error}"),
    };
    match Tool::declare(&declaration, Dialect::Postgres) {
        Ok(tool) => format!("  fine: {}", tool.title()),
        Err(errors) => errors.iter().map(line).collect::<Vec<_>>().join("\n"),
    }
}

pub(super) fn line(error: &ToolError) -> String {
    format!("  {} {}: {error}", error.code(), if error.at.is_empty() { "(tool)" } else { &error.at })
}

#[test]
fn the_fingerprint_follows_every_key() {
    let declare =
        |json: &str| *Tool::declare(&serde_json::from_str(json).unwrap(), Dialect::Postgres).unwrap().fingerprint();
    let base = r#"{"name":"t","description":"d","database":"shop","sql":"SELECT 1 WHERE 1 = :a","params":[{"name":"a","type":"integer"}]}"#;
    let others = [
        base.replace("\"t\"", "\"u\""),
        base.replace("\"d\"", "\"e\""),
        base.replace("\"shop\"", "\"mart\""),
        base.replace("SELECT 1", "SELECT 2"),
        base.replace("\"integer\"", "\"integer\",\"minimum\":1"),
        base.replace("\"integer\"", "\"integer\",\"sensitive\":true"),
        base.replace("\"d\"", "\"d\",\"rows_max\":5"),
    ];
    assert_eq!(declare(base), declare(base));
    for other in others {
        assert_ne!(declare(base), declare(&other), "{other}");
    }
}
