//! `kill -9` of a process that writes: what it was told is durable is there afterwards.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
};

use super::*;

/// Not a test of its own: the process that gets killed. It is told the directory on its standard input, and says which
/// of its calls are durable.
#[test]
#[ignore = "the other half of `a_killed_process_leaves_what_it_was_told`"]
fn writes_until_it_is_killed() {
    let dir = PathBuf::from(io::stdin().lock().lines().next().unwrap().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let config = LedgerConfig { segment_bytes: 50_000, ..config(&dir) };
        let ledger = Arc::new(Ledger::open_dir(config).unwrap());
        let callers = (0..16).map(|_| {
            let ledger = Arc::clone(&ledger);
            tokio::spawn(async move {
                let caller = principal();
                loop {
                    let mut ticket = ledger.open(&head(&caller));
                    let id = ticket.call_id().to_owned();
                    ticket.intent(intent(&[])).await.unwrap();
                    writeln!(io::stdout(), "intent {id}").unwrap();
                    ticket.close(Outcome::ok(1, 10)).await.unwrap();
                    writeln!(io::stdout(), "outcome {id}").unwrap();
                }
            })
        });
        futures_util::future::join_all(callers).await;
    });
}

#[test]
fn a_killed_process_leaves_what_it_was_told() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("local-0");
    let mut told = BTreeMap::new();
    for round in 0..6 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "ledger::tests::kill::writes_until_it_is_killed", "--ignored", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(child.stdin.take().unwrap(), "{}", dir.path().display()).unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = 0;
        while let Some(Ok(line)) = lines.next() {
            match line.split_once(' ') {
                Some(("intent", id)) => {
                    told.insert(id.to_owned(), None);
                }
                Some(("outcome", id)) => {
                    told.insert(id.to_owned(), Some(Status::Ok));
                }
                _ => continue,
            }
            said += 1;
            if said == 100 + 37 * round {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(said > 0, "the child wrote nothing");
        // The next child recovers; the last time, this process does.
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { open(dir.path()).shutdown().await.unwrap() });
    let calls = calls(&folder);
    for (id, outcome) in &told {
        let status = calls.get(id).unwrap_or_else(|| panic!("the intent of {id} is lost"));
        assert!(outcome.is_none() || *status == Some(Status::Ok), "the outcome of {id} is lost: {status:?}");
    }
    assert!(calls.values().all(Option::is_some), "an intent without any outcome");
    let boots = records(&folder).iter().filter(|r| matches!(r.body, Body::Recover(_))).count();
    assert_eq!(boots, 6);
}
