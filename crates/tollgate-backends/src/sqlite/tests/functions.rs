//! The core's list of functions against the SQLite that is built in: each exists with every number of arguments that the
//! list allows, and its name is the one that the authorizer is asked about.

use std::collections::BTreeMap;

use tollgate_core::{
    names::Dialect,
    sql::functions::{self, FunctionKind, Leak},
};

use super::*;

#[tokio::test]
async fn every_listed_function_exists_and_is_reported_by_its_name() {
    let fixture = Fixture::new("CREATE TABLE t (x)");
    let mut wrong = Vec::new();
    for function in functions::list(Dialect::Sqlite) {
        let (least, most) = function.arity;
        for arguments in [least, most] {
            // Pairs of a name and a value, or of a path and one, for what takes pairs.
            let given = match function.name {
                "count" if arguments == 0 => "*".to_owned(),
                "json_object" => vec!["'1'"; arguments / 2 * 2].join(", "),
                "json_set" | "json_insert" | "json_array_insert" | "json_replace" => {
                    vec!["'1'"; (arguments - 1) / 2 * 2 + 1].join(", ")
                }
                _ => vec!["'1'"; arguments].join(", "),
            };
            let text = match function.kind {
                FunctionKind::Scalar | FunctionKind::Aggregate => format!("SELECT {}({given})", function.name),
                FunctionKind::Window => format!("SELECT {}({given}) OVER ()", function.name),
                FunctionKind::OrderedSet | FunctionKind::Set => continue,
            };
            let own = footprint(&[], &[function.name], &[]);
            match fixture.run(&text, &own, &[]).await {
                Err(error) if error.kind != ErrorKind::Data => wrong.push(format!("{text}: {:?}", error.source)),
                Ok(_) | Err(_) => {}
            }
            // Without it in the footprint it is refused, whatever SQLite makes of it.
            if fixture.run(&text, &Footprint::default(), &[]).await.is_ok() {
                wrong.push(format!("{text}: ran without being named"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Values that functions stumble over, if they can.
const NASTY: &str = "CREATE TABLE t (x);
INSERT INTO t VALUES (NULL), (0), (1), (-1), (9223372036854775807), (-9223372036854775808), (9e999), (-9e999), (-0.0),
  (1e-320), (''), ('1'), ('-'), ('%'), ('%Y%f%s%J'), ('now'), ('2026-01-31'), ('9999-12-31 23:59:60'), ('-4714-11-24'),
  ('+1000000000 years'), ('weekday 9'), ('$'), ('{'), ('[1,{\"a\":2}]'), (char(0)), ('a' || char(0) || 'b'), (x''), (x'00'),
  (x'fffe'), (CAST(x'ff41c0' AS TEXT)), (char(55296, 1114111)), (zeroblob(100000)), (printf('%.100000c', 'x'));";

#[tokio::test]
async fn what_the_list_calls_total_never_fails() {
    let fixture = Fixture::new(NASTY);
    for function in functions::list(Dialect::Sqlite).iter().filter(|f| matches!(f.leak, Leak::Total(_))) {
        let own = footprint(&[("t", "x")], &[function.name, "count"], &[]);
        let columns = ["a.x", "b.x", "b.x", "a.x"];
        for arguments in function.arity.0..=function.arity.1.min(columns.len()) {
            let given = columns[..arguments].join(", ");
            let text = match function.kind {
                FunctionKind::Aggregate if arguments == 0 => continue,
                FunctionKind::Aggregate => format!("SELECT {}({given}) FROM main.t a", function.name),
                FunctionKind::Scalar if function.limits.is_empty() => {
                    format!("SELECT count({}({given})) FROM main.t a CROSS JOIN main.t b", function.name)
                }
                FunctionKind::Window if function.limits.is_empty() => {
                    format!("SELECT {}({given}) OVER () FROM main.t a LIMIT 9", function.name)
                }
                // With the constants that it wants, `conformance::total` runs it.
                FunctionKind::Scalar | FunctionKind::Window | FunctionKind::OrderedSet | FunctionKind::Set => continue,
            };
            let ran = fixture.run(&text, &own, &[]).await;
            assert!(ran.is_ok(), "{text}: {:?}", ran.unwrap_err().source);
        }
    }
}

/// Flags of `pragma_function_list`: the same answer for the same arguments, and no harm in a schema's hands.
const DETERMINISTIC: i64 = 0x800;
const INNOCUOUS: i64 = 0x20_0000;
const DIRECT_ONLY: i64 = 0x8_0000;

#[test]
fn the_list_is_what_the_rule_derives_from_the_library() {
    let client = rusqlite::Connection::open_in_memory().unwrap();
    let found =
        "SELECT name, max(type = 'w'), min(flags & ?1 != 0 OR type = 'w'), min(flags & ?2 != 0), max(flags & ?3 != 0)
        FROM pragma_function_list WHERE builtin AND name NOT GLOB 'fts*' GROUP BY name";
    let mut statement = client.prepare(found).unwrap();
    let rows = statement.query_map([DETERMINISTIC, INNOCUOUS, DIRECT_ONLY], |row| {
        let [aggregate, deterministic, innocuous, direct_only] = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
        Ok((row.get::<_, String>(0)?, aggregate, deterministic && innocuous && !direct_only))
    });
    let found: BTreeMap<String, (bool, bool)> = rows
        .unwrap()
        .map(|row| row.map(|(name, aggregate, passes): (_, bool, bool)| (name, (aggregate, passes))).unwrap())
        .collect();
    let left_out: BTreeMap<&str, &str> = functions::left_out(Dialect::Sqlite).collect();
    let mut wrong = Vec::new();
    for spec in functions::list(Dialect::Sqlite).iter().filter(|spec| spec.kind != FunctionKind::Set) {
        match found.get(spec.name) {
            None => wrong.push(format!("{}: there is no such function", spec.name)),
            Some((_, false)) if !spec.notes.starts_with("exception: ") => {
                wrong.push(format!("{}: does not pass the rule, and no exception is given", spec.name));
            }
            Some((aggregate, _))
                if *aggregate != matches!(spec.kind, FunctionKind::Aggregate | FunctionKind::Window) =>
            {
                wrong.push(format!("{}: of another kind", spec.name));
            }
            Some(_) => {}
        }
    }
    for name in found.iter().filter(|(_, (_, passes))| *passes).map(|(name, _)| name.as_str()) {
        if functions::lookup(Dialect::Sqlite, name).is_none() && !left_out.contains_key(name) {
            wrong.push(format!("{name}: passes the rule, and is neither listed nor left out"));
        }
    }
    wrong
        .extend(left_out.keys().filter(|name| !found.contains_key(**name)).map(|name| format!("{name}: is not there")));
    assert!(wrong.is_empty(), "{wrong:#?}");
}
