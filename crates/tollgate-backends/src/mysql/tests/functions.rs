//! Whether the reviewed list says what the server has: each function there is listed or left out, and each listed one is there.

use std::collections::BTreeMap;

use tollgate_core::{
    names::Dialect,
    sql::functions::{self, FunctionKind, Limit},
};

use crate::testing::mariadb::MariaDbServer;

#[test]
fn every_function_of_the_server_is_listed_or_left_out() {
    let Some(server) = MariaDbServer::shared() else { return };
    let left_out: BTreeMap<&str, &str> = functions::left_out(Dialect::MariaDb).collect();
    let unknown: Vec<String> = server
        .ask("mysql", "SELECT LOWER(function) FROM information_schema.SQL_FUNCTIONS")
        .into_iter()
        .flatten()
        .filter(|name| functions::lookup(Dialect::MariaDb, name).is_none() && !left_out.contains_key(name.as_str()))
        .collect();
    assert!(unknown.is_empty(), "in neither list: {unknown:?}");
}

#[test]
fn every_listed_function_is_there_and_takes_so_many_arguments() {
    let Some(server) = MariaDbServer::shared() else { return };
    let mut wrong = Vec::new();
    for spec in functions::list(Dialect::MariaDb) {
        for count in [spec.arity.0, spec.arity.1.min(spec.arity.0 + 2)] {
            // `count(*)` is counted as no argument.
            let arg = |place| if spec.limits.contains(&(place, Limit::Unit)) { "DAY" } else { "'1'" };
            let args = (0..count).map(arg).collect::<Vec<_>>().join(", ");
            let args = if spec.name == "count" && count == 0 { "*".to_owned() } else { args };
            let over = if spec.kind == FunctionKind::Window { " OVER (ORDER BY 1)" } else { "" };
            if let Err(error) = server.try_ask("mysql", &format!("SELECT {}({args}){over}", spec.name)) {
                wrong.push(format!("{}({args}){over}: {error}", spec.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
