//! What `audit tail` prints of a log, and what it keeps from a terminal.

use std::{fs, time::Duration as Span};

use clap::Parser as _;
use tollgate_core::{
    audit::Sensitivity,
    audit::Status,
    names::{AgentId, Claims, Code, Origin, Principal},
};

use super::*;
use crate::ledger::{CallHead, Intent, Ledger, LedgerConfig, Outcome as Ended, Peer};

#[derive(Debug, clap::Parser)]
struct Command {
    #[command(flatten)]
    tail: TailArgs,
}

fn printed(dir: &Path, args: &[&str]) -> String {
    let command = Command::parse_from(["tail"].iter().chain(args));
    let mut out = Vec::new();
    tail(&command.tail, dir, &mut out, Colour::Off).unwrap();
    String::from_utf8(out).unwrap()
}

async fn call(ledger: &Ledger, agent: &str, tool: &str, outcome: Ended<'_>) {
    let agent = AgentId::new(agent.parse().unwrap(), Origin::Key);
    let caller = Principal::new(agent, "support".parse().unwrap(), Claims::new());
    let head = CallHead {
        caller: &caller,
        tool,
        request_id: None,
        traceparent: None,
        peer: Peer { transport: "cli", ..Peer::default() },
    };
    let mut ticket = ledger.open(&head);
    if outcome.status != Status::NotExecuted {
        let intent = Intent {
            tool_version: "",
            database: "shop",
            database_user: "",
            policy_hash: "",
            config_hash: "",
            sql_fingerprint: "",
            sql_sensitivity: Sensitivity::Plain,
            sql_sha256: None,
            claims: &[],
            input: &[],
            deadline: Span::from_secs(1),
        };
        ticket.intent(intent).await.unwrap();
    }
    ticket.close(outcome).await.unwrap();
}

#[tokio::test]
async fn the_log_is_readable() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open_dir(LedgerConfig::new(dir.path(), "serve")).unwrap();
    let other = Ledger::open_dir(LedgerConfig::new(dir.path(), "call")).unwrap();
    call(&ledger, "support-eu", "orders_of_user", Ended::ok(3, 120)).await;
    call(&other, "auditor", "users", Ended { truncated: Some(Cut::Rows), ..Ended::ok(1000, 9) }).await;
    call(&ledger, "support-eu", "orders_of_user", Ended::failed(Status::Timeout, Code::DB_TIMEOUT)).await;
    call(&ledger, "support-eu", "no\u{1b}[2J\u{202e}such", Ended::failed(Status::NotExecuted, Code::UNKNOWN_TOOL))
        .await;
    ledger.shutdown().await.unwrap();
    other.shutdown().await.unwrap();

    insta::with_settings!({filters => vec![
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "[          time        ]"),
        (r" {2,}\d+\.\d", "     [ms]"),
        (r"tollgate \d+\.\d+\.\d+", "tollgate V"),
        (r"pid \d+", "pid N"),
    ]}, {
        insta::assert_snapshot!("tail", printed(dir.path(), &[]));
    });
    let (two, one) = (printed(dir.path(), &["-n", "2"]), printed(dir.path(), &["-n", "1"]));
    assert_eq!((two.lines().count(), two.lines().last()), (3, one.lines().last()));
    let of_auditor = printed(dir.path(), &["--agent", "auditor"]);
    assert_eq!(of_auditor.lines().count(), 2, "{of_auditor}");
    assert!(of_auditor.contains("1000+"));
    assert_eq!(printed(dir.path(), &["--tool", "users", "--agent", "support-eu"]).lines().count(), 1);
    let json = printed(dir.path(), &["--format", "json", "-n", "1000"]);
    assert_eq!(json.lines().filter(|l| l.contains(r#""type":"intent""#)).count(), 3);
    let stored = fs::read_to_string(dir.path().join("local-1/00000000000000000000.jsonl")).unwrap();
    assert!(stored.lines().all(|line| json.contains(line)));
}
