//! Records as bytes: one golden line for each type, every line read back strictly, and nothing sensitive in any of them.

use std::{borrow::Cow, collections::BTreeMap, fs, path::PathBuf};

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::names::{ClaimValue, Value};

fn stamp(seq: u64) -> Stamp<'static> {
    Stamp {
        seq,
        ts: Timestamp::from_microsecond(1_795_344_636_000_042).unwrap(),
        mono_ns: 31_363_910,
        replica: "local-0".into(),
        boot_id: "01M81F6TCHV1A73R3CB4HDP8W0".into(),
    }
}

fn redactor() -> Redactor {
    Redactor::new(1, &[7; 32])
}

fn line(seq: u64, body: &Body<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    write_line(&mut out, &stamp(seq), &body.encode());
    assert_eq!(out.pop(), Some(b'\n'));
    assert!(!out.contains(&b'\n'));
    out
}

fn call() -> Call<'static> {
    Call {
        call_id: "01M81F6TCMYKF5TPJ31BYNMAFR".into(),
        agent_id: "support-eu".into(),
        agent_origin: AgentOrigin::Local,
        os_user: Some("jane".into()),
        role: "support".into(),
        tool: "query_users_by_region_v2".into(),
        transport: "stdio".into(),
        peer: Some("127.0.0.1:4711".into()),
        client_self_reported: Some("inspector 2.12.0".into()),
        jsonrpc_id: Some("7".into()),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
    }
}

fn open_call() -> OpenCall<'static> {
    let Call { call_id, agent_id, tool, .. } = call();
    OpenCall { call_id, agent_id, tool }
}

fn intent() -> Intent<'static> {
    let (email, region) = (Value::Text("jane@example.com".to_owned()), Value::Text("eu".to_owned()));
    let input = [
        Argument::new("region", &region, Sensitivity::Plain),
        Argument::new("email", &email, Sensitivity::Sensitive),
        Argument::new("id", &Value::Integer(42), Sensitivity::Plain),
    ];
    Intent {
        call: call(),
        tool_version: "sha256:77".into(),
        database: "shop".into(),
        database_user: "tollgate_reader".into(),
        policy_hash: "sha256:11".into(),
        config_hash: "sha256:22".into(),
        sql_fingerprint: "sha256:33".into(),
        sql_sha256: Some("sha256:44".into()),
        claims: redactor()
            .summary(&[Argument::claim("region", &ClaimValue::Text("eu".to_owned()), Sensitivity::Plain)], &[].into()),
        input_summary: redactor().summary(&input, &[].into()),
        deadline_ms: 10_000,
    }
}

fn outcome() -> Outcome<'static> {
    Outcome {
        call_id: call().call_id,
        agent_id: call().agent_id,
        tool: call().tool,
        status: Status::Ok,
        row_count: Some(1000),
        bytes: Some(183_456),
        truncated: Some(Cut::Rows),
        waited_us: Some(12),
        ran_us: Some(3456),
        total_us: Some(4567),
        error_code: None,
        error_message: None,
        database_code: None,
    }
}

/// One record of each type.
fn one_of_each() -> Vec<Body<'static>> {
    let torn = Digest { bytes: 17, hash: "sha256:44".into() };
    let since = Timestamp::from_microsecond(1_795_344_635_000_000).unwrap();
    vec![
        Body::Genesis(Genesis { version: "0.1.0".into(), redaction_epoch: "k1".into() }),
        Body::Boot(Boot { version: "0.1.0".into(), command: "serve --stdio".into(), pid: 4711 }),
        Body::Intent(intent()),
        Body::Outcome(outcome()),
        Body::Denied(Denied {
            call: call(),
            total_us: 15,
            error_code: "TG310".into(),
            error_message: "an argument that does not fit the tool's input schema".into(),
            arguments: Some(redactor().digest(r#"{"region":"mars"}"#)),
        }),
        Body::Rejected(Rejected {
            agent_id: "support-eu".into(),
            agent_origin: AgentOrigin::Key,
            os_user: None,
            transport: "http".into(),
            peer: Some("[::1]:4711".into()),
            client_self_reported: Some("a\u{1b}[2J\u{202e}b\u{e0041}".into()),
            error_code: "TG320".into(),
            error_message: "a request that is not well formed".into(),
        }),
        Body::Aggregate(Aggregate {
            of: AggregateOf::Unauthenticated,
            since,
            agent_id: None,
            count: 1200,
            codes: BTreeMap::from([("TG201".into(), 1200)]),
            peers: BTreeMap::from([("192.0.2.7".into(), 1100)]),
        }),
        Body::Recover(Recover { previous_boot_id: Some(stamp(0).boot_id), torn: Some(torn.clone()), open: 1 }),
        Body::Rotate(Rotate {
            reason: RotateReason::Failure,
            previous_segment: 4000,
            previous_bytes: 268_435_400,
            dropped: Some(torn),
            open: vec![open_call()],
        }),
        Body::Shutdown(Shutdown { open: 0 }),
    ]
}

#[test]
fn every_type_is_written_as_its_golden_line() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/audit");
    let mut kinds = Kind::ALL.iter();
    for (seq, body) in (0..).zip(one_of_each()) {
        assert_eq!(Some(&body.kind()), kinds.next());
        let written = line(seq, &body);
        let path = folder.join(format!("{}.jsonl", body.kind().as_str()));
        let golden = fs::read(&path).unwrap_or_default();
        let written_text = String::from_utf8(written.clone()).unwrap();
        assert!(golden.strip_suffix(b"\n") == Some(&written[..]), "{} is not:\n{written_text}", path.display());
        let record = Line::parse(&written).unwrap().record().unwrap();
        assert_eq!((record.stamp, record.body), (stamp(seq), body));
    }
    assert_eq!(kinds.next(), None);
}

#[test]
fn a_line_is_read_only_as_it_was_written() {
    let good = line(3, &Body::Outcome(outcome()));
    for at in 0..good.len() {
        let mut flipped = good.clone();
        flipped[at] ^= 1;
        assert!(Line::parse(&flipped).is_err(), "a flipped bit at {at} went through");
        assert!(Line::parse(&good[..at]).is_err(), "a line cut at {at} went through");
    }
    assert!(Line::parse(&[&good[..], b" "].concat()).is_err());
}

/// A line that somebody made with a checksum that holds.
fn forged(text: &str) -> Vec<u8> {
    let crc = crc32c::crc32c(text.as_bytes());
    format!("{text},\"crc\":\"{crc:08x}\"}}").into_bytes()
}

#[test]
fn a_good_checksum_is_not_enough() {
    let good = String::from_utf8(line(3, &Body::Shutdown(Shutdown { open: 0 }))).unwrap();
    let good = good.split(r#","crc""#).next().unwrap();
    assert!(Line::parse(&forged(good)).unwrap().record().is_ok());
    for (what, bad) in [
        ("another field", format!("{good},\"more\":1")),
        ("a field twice", format!("{good},\"open\":0")),
        ("a common field twice", good.replace(r#""seq":3"#, r#""seq":2,"seq":3"#)),
        ("white space", good.replace(r#""open":0"#, r#""open": 0"#)),
        ("another order", good.replace(r#""v":1,"type":"shutdown""#, r#""type":"shutdown","v":1"#)),
        ("another version", good.replace(r#""v":1"#, r#""v":2"#)),
        ("an unknown type", good.replace("shutdown", "heartbeat")),
        ("a field too few", good.replace(r#","open":0"#, "")),
        ("a float", good.replace(r#""open":0"#, r#""open":0.0"#)),
        ("another time zone", good.replace('Z', "+00:00")),
        ("seven digits of a second", good.replace("000042Z", "0000420Z")),
    ] {
        let bad = forged(&bad);
        assert!(Line::parse(&bad).and_then(|line| line.record()).is_err(), "{what} went through");
    }
}

#[test]
fn invisible_characters_are_escaped_in_the_stored_bytes() {
    let text = "\u{1b}[31m \u{9b}2J \u{202e} \u{200b} \u{feff} \u{e0041} \n\0 é 表 😀";
    let mut body = outcome();
    body.tool = text.into();
    let line = line(0, &Body::Outcome(body.clone()));
    let stored = String::from_utf8(line.clone()).unwrap();
    assert!(!stored.chars().any(is_invisible), "{stored}");
    assert!(stored.contains("é 表 😀"));
    assert_eq!(Line::parse(&line).unwrap().record().unwrap().body, Body::Outcome(body));
}

#[test]
fn text_is_cut_between_characters() {
    assert_eq!(cut("héé", 10), "héé");
    assert_eq!(cut("héé", 4), "hé");
    assert_eq!(cut("héé", 0), "");
}

#[test]
fn equal_values_have_one_hash_and_others_have_others() {
    let hash = |value: &Value| redactor().hash(value);
    let number = |text: &str| Value::Number(text.to_owned());
    for same in ["5", "5.0", "50e-1", "0.5e1", "+5", "005.000", "5E0"] {
        assert_eq!(hash(&Value::Integer(5)), hash(&number(same)), "{same}");
    }
    assert_eq!(hash(&number("-0.0")), hash(&Value::Integer(0)));
    assert_eq!(hash(&number("1e3")), hash(&Value::Integer(1000)));
    let text = |text: &str| Value::Text(text.to_owned());
    let different = [
        Value::Null,
        Value::Bool(true),
        Value::Bool(false),
        Value::Integer(5),
        Value::Integer(-5),
        Value::Integer(50),
        text("5"),
        text("n5e0"),
        text(""),
        Value::Json("5".to_owned()),
        Value::Array(vec![]),
        Value::Array(vec![text("ab"), text("c")]),
        Value::Array(vec![text("a"), text("bc")]),
        Value::Array(vec![text("abc")]),
        Value::Array(vec![Value::Integer(5)]),
    ];
    let mut hashes: Vec<String> = different.iter().map(hash).collect();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), different.len());
    assert_ne!(Redactor::new(1, &[8; 32]).hash(&Value::Integer(5)), hash(&Value::Integer(5)));
}

#[test]
fn a_summary_shows_what_may_be_shown() {
    let list = |n: i64| Value::Array((0..n).map(Value::Integer).collect());
    let long = Value::Text("é".repeat(1000));
    let (many, few) = (list(1000), list(3));
    let values = [
        ("flag", &Value::Bool(true), Sensitivity::Plain),
        ("price", &Value::Number("12.50".to_owned()), Sensitivity::Plain),
        ("none", &Value::Null, Sensitivity::Plain),
        ("few", &few, Sensitivity::Plain),
        ("many", &many, Sensitivity::Plain),
        ("long", &long, Sensitivity::Plain),
        ("vip", &Value::Bool(true), Sensitivity::Sensitive),
        ("pin", &Value::Integer(1234), Sensitivity::Sensitive),
        ("pins", &few, Sensitivity::Sensitive),
        ("listed", &Value::Integer(1234), Sensitivity::Plain),
    ];
    let arguments: Vec<Argument<'_>> = values.iter().map(|(name, value, s)| Argument::new(name, value, *s)).collect();
    let redactor = redactor();
    let hash = |value: &Value| redactor.hash(value);
    let summary = redactor.summary(&arguments, &["listed".to_owned()].into());
    assert_eq!(
        serde_json::Value::Object(summary),
        json!({
            "flag": true,
            "price": "12.50",
            "none": null,
            "few": [0, 1, 2],
            "many": { "items": 1000, "first": (0..32).collect::<Vec<i64>>(), "hash": hash(&many) },
            "long": { "bytes": 2000, "start": "é".repeat(512), "hash": hash(&long) },
            "vip": { "hash": hash(&Value::Bool(true)) },
            "pin": { "hash": hash(&Value::Integer(1234)) },
            "pins": {
                "items": 3,
                "hashes": [hash(&Value::Integer(0)), hash(&Value::Integer(1)), hash(&Value::Integer(2))],
                "hash": hash(&few),
            },
            "listed": { "hash": hash(&Value::Integer(1234)) },
        })
    );
}

fn text() -> impl Strategy<Value = Cow<'static, str>> + Clone {
    any::<String>().prop_map(Cow::Owned)
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Integer),
        "-?[0-9]{1,9}(\\.[0-9]{1,9})?(e-?[0-9]{1,20})?".prop_map(Value::Number),
        any::<String>().prop_map(Value::Text),
        any::<String>().prop_map(Value::Json),
    ];
    prop_oneof![4 => scalar.clone(), 1 => prop::collection::vec(scalar, 0..50).prop_map(Value::Array)]
}

fn body() -> impl Strategy<Value = Body<'static>> {
    let calls = (text(), text(), prop::option::of(text()), prop::option::of(text())).prop_map(
        |(agent_id, tool, os_user, client_self_reported)| Call {
            agent_id,
            tool,
            os_user,
            client_self_reported,
            traceparent: None,
            ..call()
        },
    );
    let intents =
        (calls.clone(), prop::collection::btree_map(any::<String>(), (value(), any::<bool>()), 0..6), any::<u64>());
    let intents = intents.prop_map(|(call, input, deadline_ms)| {
        let arguments: Vec<Argument<'_>> = input
            .iter()
            .map(|(name, (value, hide))| {
                Argument::new(name, value, if *hide { Sensitivity::Sensitive } else { Sensitivity::Plain })
            })
            .collect();
        let input_summary = redactor().summary(&arguments, &[].into());
        Body::Intent(Intent { call, input_summary, deadline_ms, ..intent() })
    });
    let outcomes = (text(), prop::option::of(any::<u64>()), prop::option::of(text()));
    let outcomes = outcomes.prop_map(|(tool, row_count, error_message)| {
        Body::Outcome(Outcome { tool, row_count, error_message, status: Status::DbError, ..outcome() })
    });
    let denials = (calls, text(), any::<u64>()).prop_map(|(call, error_message, total_us)| {
        Body::Denied(Denied { call, total_us, error_code: "TG301".into(), error_message, arguments: None })
    });
    let rotations = prop::collection::vec((text(), text(), text()), 0..5).prop_map(|open| {
        let open = open.into_iter().map(|(call_id, agent_id, tool)| OpenCall { call_id, agent_id, tool }).collect();
        let (previous_segment, previous_bytes) = (1, 2);
        Body::Rotate(Rotate { reason: RotateReason::Full, previous_segment, previous_bytes, dropped: None, open })
    });
    let counts = prop::collection::btree_map(text(), any::<u64>(), 0..5);
    let aggregates = (prop::option::of(text()), counts.clone(), counts).prop_map(|(agent_id, codes, peers)| {
        Body::Aggregate(Aggregate { of: AggregateOf::Denied, since: stamp(0).ts, agent_id, count: 3, codes, peers })
    });
    prop_oneof![intents, outcomes, denials, rotations, aggregates]
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(body in body(), seq: u64) {
        let line = line(seq, &body);
        let record = Line::parse(&line).unwrap().record().unwrap();
        prop_assert_eq!(record.stamp, stamp(seq));
        prop_assert_eq!(record.body, body);
    }

    #[test]
    fn a_sensitive_value_is_never_written(secret in "[a-z]{8,40}|[1-9][0-9]{7,17}", items in 1_usize..50) {
        let one = secret.parse().map_or(Value::Text(secret.clone()), Value::Integer);
        let many = Value::Array(vec![one.clone(); items]);
        let argument = |value| Argument::new("x", value, Sensitivity::Sensitive);
        let listed = Argument::new("y", &one, Sensitivity::Plain);
        let summary = redactor().summary(&[argument(&many), listed], &["y".to_owned()].into());
        let claims = redactor().summary(&[argument(&one)], &[].into());
        let line = line(0, &Body::Intent(Intent { input_summary: summary, claims, ..intent() }));
        prop_assert!(!String::from_utf8(line).unwrap().contains(&secret));
    }

    #[test]
    fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Line::parse(&bytes).map(|line| line.record().is_ok());
    }
}
