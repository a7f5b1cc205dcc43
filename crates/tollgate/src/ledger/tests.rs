//! The log from outside: what its callers are told, and what then stands on the disk.

mod calls;
mod disk;
mod faults;
mod kill;
mod recovery;
mod tailing;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    path::Path,
};

use tollgate_core::{
    audit::{Argument, Body, Line, Record, Sensitivity, Status},
    names::{AgentId, ClaimValue, Code, Origin, Principal, Value},
};

use self::disk::{Disk, Script, TestClock};
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
        sql_sensitivity: Sensitivity::Plain,
        sql_sha256: None,
        claims: &[],
        input,
        deadline: Duration::from_secs(10),
    }
}

fn config(dir: &Path) -> LedgerConfig {
    LedgerConfig::new(dir, "serve")
}

fn open(dir: &Path) -> Ledger {
    Ledger::open_dir(config(dir)).unwrap()
}

/// A log on a disk and a clock that do what the test says.
fn scripted(config: LedgerConfig) -> (Result<Ledger, LedgerError>, Script, Arc<TestClock>) {
    let (script, clock) = (Script::default(), Arc::new(TestClock::default()));
    script.space(100 << 30, 200 << 30);
    (reopened(config, &script, &clock), script, clock)
}

fn reopened(mut config: LedgerConfig, script: &Script, clock: &Arc<TestClock>) -> Result<Ledger, LedgerError> {
    config.clock = Arc::<TestClock>::clone(clock);
    let folder = Folder::lock_first_free(&config.dir, &config.replica)?;
    let (name, redactor) = (folder.name().to_owned(), redaction_key::load_or_make(&folder)?);
    Ledger::start(config, name, redactor, Box::new(Disk { folder, script: script.clone() }))
}

/// Leaves the log as a crash would, and waits until its folder is free.
async fn crash(ledger: Ledger, dir: &Path) {
    let lock = dir.join(ledger.name()).join("lock");
    drop(ledger);
    let lock = fs::File::open(lock).unwrap();
    while rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The segments of a log, in order.
fn segment_files(folder: &Path) -> Vec<PathBuf> {
    let mut segments: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    segments.retain(|path| path.extension().is_some_and(|e| e == "jsonl"));
    segments.sort();
    segments
}

/// Every record of a log, strictly read, in order.
fn records(folder: &Path) -> Vec<Record> {
    let mut records = Vec::new();
    for path in segment_files(folder) {
        assert_eq!(path.file_name().unwrap().to_str(), Some(&*folder::segment_file(records.len() as u64)));
        let bytes = fs::read(&path).unwrap();
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            let record = Line::parse(line.strip_suffix(b"\n").unwrap()).unwrap().record().unwrap();
            assert_eq!(record.stamp.seq, records.len() as u64, "a gap in {}", path.display());
            records.push(record);
        }
    }
    records
}

/// The types of a log's records, in order.
fn kinds(folder: &Path) -> String {
    records(folder).iter().map(|r| r.body.kind().as_str()).collect::<Vec<_>>().join(" ")
}

/// The calls of a log: for each intent, the status of its outcome. An outcome never stands before its intent, and
/// never twice.
fn calls(folder: &Path) -> BTreeMap<String, Option<Status>> {
    let mut calls = BTreeMap::new();
    for record in records(folder) {
        match record.body {
            Body::Intent(intent) => assert_eq!(calls.insert(intent.call.call_id.to_string(), None), None),
            Body::Outcome(outcome) => {
                let status = calls.get_mut(&*outcome.call_id).unwrap_or_else(|| panic!("no intent for {outcome:?}"));
                assert_eq!(status.replace(outcome.status), None);
            }
            _ => {}
        }
    }
    calls
}

fn count(statuses: &BTreeMap<String, Option<Status>>, status: Status) -> usize {
    statuses.values().filter(|s| **s == Some(status)).count()
}

async fn one_call(ledger: &Ledger, caller: &Principal) -> (String, Result<(), LedgerError>, Result<(), LedgerError>) {
    let mut ticket = ledger.open(&head(caller));
    let id = ticket.call_id().to_owned();
    match ticket.intent(intent(&[])).await {
        Ok(()) => (id, Ok(()), ticket.close(Outcome::ok(1, 10)).await),
        refused => {
            let failure = Outcome::failed(Status::NotExecuted, Code::AUDIT_UNAVAILABLE);
            (id, refused, ticket.close(failure).await)
        }
    }
}
