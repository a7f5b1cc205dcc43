//! Attacks that are no statements: asking for the schema by hidden names and by names that look like others, and cursors of somebody
//! else.

use serde_json::json;

use super::{
    TWINS,
    gate::{Gate, told},
    lab::Lab,
};

/// Other ways to write the names of the lab, hidden or not: by case, look-alikes, what cannot be seen, and other names for the same.
const LIKENESSES: [&str; 14] = [
    "SECRETS",
    "Secrets",
    "\"secrets\"",
    "public.secrets",
    "main.secrets",
    "secrets ",
    "secrets\0",
    "secr\u{200b}ets",
    "s\u{0435}crets",
    "\u{ff53}ecrets",
    "secrets\u{0301}",
    "pg_catalog.pg_class",
    "information_schema.tables",
    "sqlite_schema",
];

/// A hidden table, one that is not there and every other way to write it get the same answer, and no list has it.
pub async fn names_tell_nothing(labs: &[Lab; 2], gates: &[Gate; 2]) {
    for (lab, gate) in labs.iter().zip(gates) {
        let agent = gate.agent("t0");
        let about = async |name: &str| {
            let described = told(&agent.call("describe_table", json!({ "table": name })).await);
            let read = told(&agent.read(&format!("schema://lab/{name}")).await);
            let asked = told(&agent.call("query", json!({"sql": format!("SELECT 1 AS one FROM {name}")})).await);
            [described, read, asked].map(|answer| answer.replace(name, "NAME"))
        };
        for (hidden, twin) in TWINS {
            assert_eq!(about(hidden).await, about(twin).await, "{hidden}");
        }
        for name in LIKENESSES {
            let mut answers = vec![agent.call("describe_table", json!({ "table": name })).await];
            // A URI stands in a header too, which holds no other characters.
            if name.chars().all(|c| c.is_ascii_graphic()) {
                answers.push(agent.read(&format!("schema://lab/{name}")).await);
            }
            for answer in answers {
                assert_ne!(answer.body["result"]["isError"], json!(false), "{name:?}: {answer:?}");
                assert!(answer.body["result"].get("contents").is_none(), "{name:?}: {answer:?}");
                assert!(lab.stolen(&answer.text()).is_none(), "{name:?}: {answer:?}");
            }
        }
        let listed = agent.call("list_tables", json!({})).await;
        let resources = agent.request("resources/list", json!({})).await;
        let tools = agent.request("tools/list", json!({})).await;
        for text in [listed.text(), resources.text(), tools.text()] {
            assert!(TWINS.iter().all(|(hidden, _)| !text.contains(hidden)), "{text}");
            assert!(lab.stolen(&text).is_none() && !text.contains("tenant"), "{text}");
        }
    }
    let lists = [0, 1].map(|world| {
        let agent = gates[world].agent("t0");
        async move {
            let tables = agent.call("list_tables", json!({})).await;
            let notes = agent.call("describe_table", json!({"table": "notes"})).await;
            [told(&tables), told(&notes)]
        }
    });
    let [first, second] = lists;
    assert_eq!(first.await, second.await);
}

/// A cursor belongs to its server, its caller, its tool and its arguments, and to nobody who alters it.
pub async fn cursors_are_their_callers_own([gate, elsewhere]: &[Gate; 2]) {
    let (t0, t1) = (gate.agent("t0"), gate.agent("t1"));
    let sql = "SELECT n FROM big ORDER BY n";
    let first = t0.call("query", json!({ "sql": sql })).await;
    let cursor = first.result()["next_cursor"].as_str().unwrap_or_else(|| panic!("{first:?}")).to_owned();
    let keyed = t0.call("numbers", json!({})).await;
    let key = keyed.result()["next_cursor"].as_str().unwrap_or_else(|| panic!("{keyed:?}")).to_owned();
    let elsewhere = elsewhere.agent("t0");
    for (agent, tool, arguments) in [
        (&t1, "query", json!({"sql": sql, "cursor": cursor})),
        (&elsewhere, "query", json!({"sql": sql, "cursor": cursor})),
        (&t0, "query", json!({"sql": "SELECT id AS n FROM notes ORDER BY id", "cursor": cursor})),
        (&t0, "query", json!({"sql": sql, "cursor": ""})),
        (&t0, "query", json!({"sql": sql, "cursor": "' OR 1=1 --"})),
        (&t0, "query", json!({"sql": sql, "cursor": key})),
        (&t0, "mine", json!({"cursor": cursor})),
        (&t0, "mine", json!({"cursor": key})),
        (&t1, "numbers", json!({"cursor": key})),
        (&elsewhere, "numbers", json!({"cursor": key})),
        (&t0, "numbers", json!({"cursor": cursor})),
        (&t0, "numbers", json!({"from": 2, "cursor": key})),
        (&t0, "numbers", json!({"cursor": format!("{key}{key}")})),
        (&t0, "numbers", json!({"cursor": format!("{key}=")})),
    ] {
        let refused = agent.call(tool, arguments.clone()).await;
        assert_eq!(refused.code(), "TG313", "{arguments}: {refused:?}");
    }
    for (tool, arguments, cursor) in [("query", json!({ "sql": sql }), &cursor), ("numbers", json!({}), &key)] {
        for altered in alterations(cursor) {
            let mut arguments = arguments.clone();
            arguments["cursor"] = json!(altered);
            let refused = t0.call(tool, arguments).await;
            assert_eq!(refused.code(), "TG313", "{cursor} as {altered}: {refused:?}");
        }
    }
    // Sent again, its own goes on where it did.
    for _ in 0..2 {
        let second = t0.call("query", json!({"sql": sql, "cursor": cursor})).await;
        assert_eq!(second.result()["rows"][0]["n"], json!(51), "{second:?}");
        let second = t0.call("numbers", json!({"cursor": key})).await;
        assert_eq!(second.result()["rows"], json!([{"n": 3}, {"n": 4}]), "{second:?}");
    }
}

/// A cursor with one character changed at a time, and with its end cut off.
fn alterations(cursor: &str) -> Vec<String> {
    let step = (cursor.len() / 24).max(1);
    let changed = (0..cursor.len()).step_by(step).map(|place| {
        let mut bytes = cursor.as_bytes().to_vec();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    });
    let cut = (1..cursor.len()).step_by(step * 3).map(|end| cursor[..end].to_owned());
    changed.chain(cut).collect()
}
