//! The log from outside: what its callers are told, and what then stands on the disk.

use std::{collections::BTreeMap, fs, net::SocketAddr, path::Path};

use tollgate_core::{
    audit::{Argument, Body, Line, Record, Sensitivity, Status},
    names::{AgentId, ClaimValue, Code, Origin, Principal, Value},
};

use super::*;

fn principal() -> Principal {
    let agent = AgentId::new("support-eu".parse().unwrap(), Origin::Key);
    let claims = BTreeMap::from([("region".parse().unwrap(), ClaimValue::Text("eu".to_owned()))]);
    Principal::new(agent, "support".parse().unwrap(), claims)
}

fn head(caller: &Principal) -> CallHead<'_> {
    CallHead {
        caller,
        tool: "orders_of_user",
        request_id: Some("7"),
        traceparent: None,
        peer: Peer { transport: "http", address: Some(SocketAddr::from(([127, 0, 0, 1], 4711))), client: Some("curl") },
    }
}

fn intent<'a>(input: &'a [Argument<'a>]) -> Intent<'a> {
    Intent {
        tool_version: "v1",
        database: "shop",
        database_user: "tollgate",
        policy_hash: "p",
        config_hash: "c",
        sql_fingerprint: "s",
        claims: &[],
        input,
        deadline: Duration::from_secs(10),
    }
}

/// Every record of a log, strictly read, in order.
fn records(folder: &Path) -> Vec<Record> {
    let mut segments: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    segments.retain(|path| path.extension().is_some_and(|e| e == "jsonl"));
    segments.sort();
    let bytes: Vec<u8> = segments.iter().flat_map(|path| fs::read(path).unwrap()).collect();
    let lines = bytes.split_inclusive(|b| *b == b'\n').map(|line| line.strip_suffix(b"\n").unwrap());
    let records: Vec<Record> = lines.map(|line| Line::parse(line).unwrap().record().unwrap()).collect();
    assert!(records.iter().enumerate().all(|(at, r)| r.stamp.seq == at as u64), "seq has a gap");
    records
}

/// The types of a log's records, in order.
fn kinds(folder: &Path) -> String {
    records(folder).iter().map(|r| r.body.kind().as_str()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_call_stands_in_the_log_with_its_intent_and_its_outcome() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open_dir(LedgerConfig::new(dir.path(), "serve")).unwrap();
    let caller = principal();
    let (secret, plain) = (Value::Text("jane@example.com".to_owned()), Value::Integer(42));
    let input =
        [Argument::new("email", &secret, Sensitivity::Sensitive), Argument::new("id", &plain, Sensitivity::Plain)];
    let mut ticket = ledger.open(&head(&caller));
    ticket.intent(intent(&input)).await.unwrap();
    ticket.close(Outcome::ok(3, 120)).await.unwrap();
    ledger.open(&head(&caller)).close(Outcome::failed(Status::NotExecuted, Code::INVALID_ARGUMENT)).await.unwrap();
    ledger.reject(Some(&caller), &Peer::default(), Code::MALFORMED_REQUEST);
    ledger.reject(None, &Peer::default(), Code::UNAUTHENTICATED);
    ledger.shutdown().await.unwrap();

    let folder = dir.path().join("local-0");
    assert_eq!(kinds(&folder), "genesis boot intent outcome denied rejected aggregate shutdown");
    let text = fs::read_to_string(folder.join("00000000000000000000.jsonl")).unwrap();
    assert!(!text.contains("jane"), "{text}");
    assert!(text.contains(r#""input_summary":{"email":{"hash":"k1:"#), "{text}");
}

#[tokio::test]
async fn a_process_that_died_leaves_calls_that_become_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("local-0");
    let ledger = Ledger::open_dir(LedgerConfig::new(dir.path(), "serve")).unwrap();
    let caller = principal();
    let mut ticket = ledger.open(&head(&caller));
    ticket.intent(intent(&[])).await.unwrap();
    std::mem::forget(ticket);
    let second = Ledger::open_dir(LedgerConfig::new(dir.path(), "call")).unwrap();
    assert_eq!(second.name(), "local-1");
    drop(ledger);
    let ledger = loop {
        let again = Ledger::open_dir(LedgerConfig::new(dir.path(), "serve")).unwrap();
        if again.name() == "local-0" {
            break again;
        }
    };
    ledger.shutdown().await.unwrap();
    assert_eq!(kinds(&folder), "genesis boot intent recover outcome boot shutdown");
    let Body::Outcome(outcome) = &records(&folder)[4].body else { panic!() };
    assert_eq!(outcome.status, Status::Unknown);
}
