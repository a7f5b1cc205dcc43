//! The core's list of functions against `pg_proc`: all that passes the rule is listed or left out for a reason, and nothing is listed
//! that neither passes nor says why. PostgreSQL 15 is what the list is derived from; other versions have other functions.

use std::collections::BTreeMap;

use tollgate_core::{
    names::Dialect,
    sql::functions::{self, FunctionKind, FunctionSpec},
};

const RULE: &str = include_str!("../../../testdata/functions/postgres.sql");
const REFERENCE: &str = "15";

struct Found {
    passes: bool,
    arity: (i64, i64),
    kinds: Vec<String>,
}

fn kind(spec: &FunctionSpec) -> &'static str {
    match spec.kind {
        FunctionKind::Scalar => "scalar",
        FunctionKind::Aggregate => "aggregate",
        FunctionKind::Window => "window",
        FunctionKind::OrderedSet => "ordered-set",
        FunctionKind::Set => "set",
    }
}

/// What is wrong with a listed function, if anything is.
fn judge(spec: &FunctionSpec, found: Option<&Found>, is_reference: bool) -> Option<String> {
    let Some(found) = found else {
        let known = spec.is_syntax() || spec.notes.starts_with("since ") || !is_reference;
        return (!known).then(|| format!("{}: there is no such function", spec.name));
    };
    if !found.passes && !spec.notes.starts_with("exception: ") {
        return Some(format!("{}: does not pass the rule, and no exception is given", spec.name));
    }
    if !found.kinds.iter().any(|k| k == kind(spec)) {
        return Some(format!("{}: is of the kinds {:?}", spec.name, found.kinds));
    }
    // The direct arguments of an ordered-set aggregate are followed by the one it orders by.
    let ordered = usize::from(spec.kind == FunctionKind::OrderedSet);
    let (fewest, most) = (spec.arity.0 + ordered, spec.arity.1 + ordered);
    let within = found.arity.0 <= i64::try_from(fewest).unwrap() && i64::try_from(most).unwrap() <= found.arity.1;
    (!within).then(|| format!("{}: takes {:?} arguments", spec.name, found.arity))
}

#[tokio::test]
async fn the_list_is_what_the_rule_derives_from_the_catalog() {
    let Some(database) = super::database("").await else { return };
    let client = database.superuser().await;
    let version: String = client.query_one("SHOW server_version", &[]).await.unwrap().get(0);
    let is_reference = version.starts_with(REFERENCE);
    let found: BTreeMap<String, Found> = client
        .query(RULE, &[])
        .await
        .unwrap()
        .iter()
        .map(|row| (row.get(0), Found { passes: row.get(1), arity: (row.get(2), row.get(3)), kinds: row.get(4) }))
        .collect();
    let left_out: BTreeMap<&str, &str> = functions::left_out(Dialect::Postgres).collect();
    let listed = functions::list(Dialect::Postgres);
    let mut wrong: Vec<String> =
        listed.iter().filter_map(|spec| judge(spec, found.get(spec.name), is_reference)).collect();
    if is_reference {
        for (name, _) in found.iter().filter(|(_, found)| found.passes) {
            if functions::lookup(Dialect::Postgres, name).is_none() && !left_out.contains_key(name.as_str()) {
                wrong.push(format!("{name}: passes the rule, and is neither listed nor left out"));
            }
        }
        for name in left_out.keys() {
            if !found.get(*name).is_some_and(|found| found.passes) {
                wrong.push(format!("{name}: is left out and does not pass the rule"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
