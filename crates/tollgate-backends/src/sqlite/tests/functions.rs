//! The core's list of functions against the SQLite that is built in: each exists with every number of arguments that the
//! list allows, and its name is the one that the authorizer is asked about.

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
            let given = if function.name == "count" && arguments == 0 {
                "*".to_owned()
            } else {
                vec!["'1'"; arguments].join(", ")
            };
            let text = format!("SELECT {}({given})", function.name);
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
                FunctionKind::Scalar => {
                    format!("SELECT count({}({given})) FROM main.t a CROSS JOIN main.t b", function.name)
                }
            };
            let ran = fixture.run(&text, &own, &[]).await;
            assert!(ran.is_ok(), "{text}: {:?}", ran.unwrap_err().source);
        }
    }
}
