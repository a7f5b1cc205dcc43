//! Disks that fail: every caller is told the truth, and the log goes on or stays shut.

use super::{
    disk::{Fault, Op},
    *,
};

/// Two hundred calls of eight callers while one operation of the disk fails, then a time in which it does not.
///
/// Then the log must read strictly; who was told that an intent or outcome is durable finds it; and nobody who was told
/// that it is not finds an intent that could have been run.
async fn survives(op: Op, after: u32, times: u32, fault: Fault) {
    let case = format!("{op:?} fails {times} times after {after}: {fault:?}");
    let dir = tempfile::tempdir().unwrap();
    let config = LedgerConfig { segment_bytes: 20_000, ..config(dir.path()) };
    let (ledger, script, clock) = scripted(config);
    let ledger = Arc::new(ledger.unwrap());
    script.fail(op, after, times, fault);
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let ledger = Arc::clone(&ledger);
            tokio::spawn(async move {
                let caller = principal();
                let mut told = Vec::new();
                for _ in 0..25 {
                    told.push(one_call(&ledger, &caller).await);
                }
                told
            })
        })
        .collect();
    let mut told = Vec::new();
    for task in tasks {
        told.extend(task.await.unwrap());
    }
    assert!(script.is_over() || ledger.health().is_err(), "{case}: nothing failed");
    let failures = ledger.stats().failures;
    for _ in 0..40 {
        if script.is_over() && ledger.health().is_ok() {
            break;
        }
        clock.advance(Duration::from_secs(100));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ledger.health().unwrap_or_else(|why| panic!("{case}: {why}"));
    let caller = principal();
    told.push(one_call(&ledger, &caller).await);
    let (last, began, ended) = told.last().unwrap();
    assert!(began.is_ok() && ended.is_ok(), "{case}: {last} {began:?} {ended:?}");
    ledger.shutdown().await.unwrap_or_else(|error| panic!("{case}: {error}"));

    let folder = dir.path().join("local-0");
    let calls = calls(&folder);
    for (id, began, ended) in &told {
        let expected = match (began, ended) {
            (Ok(()), Ok(())) => Some(Some(Status::Ok)),
            (Ok(()), Err(_)) => Some(Some(Status::Unknown)),
            (Err(_), _) => None,
        };
        assert_eq!(calls.get(id).copied(), expected, "{case}: {began:?} {ended:?}");
    }
    assert!(failures > 0 || op == Op::Cut, "{case}");
    assert!(folder.read_dir().unwrap().count() > 3, "{case}: no rotation took place");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_failed_write_or_sync_is_told_and_never_tried_again() {
    let mut cases = Vec::new();
    for after in [0, 1, 7] {
        cases.extend([
            (Op::Append, after, 1, Fault::Io),
            (Op::Append, after, 1, Fault::FullAfter(0)),
            (Op::Append, after, 1, Fault::FullAfter(300)),
            (Op::Append, after, 2, Fault::FullAfter(5_000)),
            (Op::Append, after, 1, Fault::Done),
            (Op::Sync, after, 1, Fault::Io),
            (Op::Sync, after, 3, Fault::Done),
        ]);
    }
    for op in [Op::Create, Op::SyncFolder] {
        cases.extend([(op, 0, 1, Fault::Io), (op, 1, 2, Fault::Done)]);
    }
    cases.push((Op::Cut, 0, 2, Fault::Io));
    let running: Vec<_> =
        cases.into_iter().map(|(op, after, times, fault)| tokio::spawn(survives(op, after, times, fault))).collect();
    for case in running {
        case.await.unwrap();
    }
}

/// Something done to a segment behind the writer's back.
type Tampering<'a> = &'a dyn Fn(&Path);

#[tokio::test]
async fn while_the_disk_fails_calls_are_refused_and_readiness_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, script, _) = scripted(config(dir.path()));
    let ledger = ledger.unwrap();
    let caller = principal();
    script.fail(Op::Sync, 1, u32::MAX, Fault::Io);
    let mut ticket = ledger.open(&head(&caller));
    ticket.intent(intent(&[])).await.unwrap();
    assert!(matches!(ticket.close(Outcome::ok(1, 1)).await, Err(LedgerError::Failed(_))));
    assert!(ledger.health().unwrap_err().contains("injected"));
    let (_, refused, denied) = one_call(&ledger, &caller).await;
    let refusal = refused.unwrap_err().to_agent();
    assert_eq!(refusal.code, Code::AUDIT_UNAVAILABLE);
    assert!(!refusal.message.contains("injected"));
    assert!(denied.is_err(), "a refusal that is not in the log was acknowledged");
    assert!(ledger.shutdown().await.is_err());

    // The next process finds the intent without its outcome.
    let again = open(dir.path());
    again.shutdown().await.unwrap();
    let calls = calls(&dir.path().join("local-0"));
    assert_eq!((calls.len(), count(&calls, Status::Ok) + count(&calls, Status::Unknown)), (1, 1));
}

#[tokio::test]
async fn a_disk_that_does_not_answer_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let config = LedgerConfig { strict_timeout: Duration::from_millis(50), ..config(dir.path()) };
    let (ledger, script, _) = scripted(config);
    let ledger = ledger.unwrap();
    let caller = principal();
    script.slow_sync(Duration::from_millis(300));
    let mut ticket = ledger.open(&head(&caller));
    let id = ticket.call_id().to_owned();
    assert!(matches!(ticket.intent(intent(&[])).await, Err(LedgerError::Slow(50))));
    script.slow_sync(Duration::ZERO);
    // Whatever the gateway says now, nothing was run.
    let _ = ticket.close(Outcome::failed(Status::DbError, Code::AUDIT_UNAVAILABLE)).await;
    ledger.shutdown().await.unwrap();
    let expected = BTreeMap::from([(id, Some(Status::NotExecuted))]);
    assert_eq!(calls(&dir.path().join("local-0")), expected);
}

#[tokio::test]
async fn a_disk_that_fills_up_stops_calls_first_and_refusals_next() {
    const GIB: u64 = 1 << 30;
    let dir = tempfile::tempdir().unwrap();
    let (ledger, script, clock) = scripted(config(dir.path()));
    let ledger = ledger.unwrap();
    let caller = principal();
    let filled = async |free: u64, total: u64| {
        script.space(free, total);
        clock.advance(Duration::from_secs(2));
        // The writer looks when something comes, and each second.
        tokio::time::sleep(Duration::from_millis(1100)).await;
    };
    let mut running = ledger.open(&head(&caller));
    running.intent(intent(&[])).await.unwrap();

    filled(150 * GIB, 2000 * GIB).await;
    assert!(ledger.health().is_ok(), "a tenth of a large disk is plenty");
    filled(4 * GIB, 50 * GIB).await;
    assert!(ledger.health().unwrap_err().contains("4.0 GiB (8 %)"));
    let (_, refused, denied) = one_call(&ledger, &caller).await;
    assert!(matches!(refused, Err(LedgerError::LowSpace(_))));
    denied.unwrap();

    filled(GIB / 2, 50 * GIB).await;
    let (_, refused, denied) = one_call(&ledger, &caller).await;
    assert!(refused.is_err() && denied.is_err());
    running.close(Outcome::ok(1, 1)).await.unwrap();

    filled(40 * GIB, 50 * GIB).await;
    let (_, began, ended) = one_call(&ledger, &caller).await;
    began.and(ended).unwrap();
    ledger.shutdown().await.unwrap();
    assert_eq!(kinds(&dir.path().join("local-0")), "genesis boot intent denied outcome intent outcome shutdown");

    script.space(GIB, 50 * GIB);
    let refused = reopened(config(dir.path()), &script, &clock).unwrap_err().to_string();
    assert!(refused.contains("1.0 GiB (2 %) left"), "{refused}");
}

/// Somebody who may write to the folder removes, moves, replaces or cuts the segment that is being written.
#[tokio::test(flavor = "multi_thread")]
async fn a_segment_that_is_tampered_with_ends_the_acknowledging() {
    let append = |path: &Path| fs::OpenOptions::new().append(true).open(path).unwrap();
    let removed = |segment: &Path| fs::remove_dir_all(segment.parent().unwrap()).unwrap();
    let replaced = |segment: &Path| {
        let copy = segment.with_extension("copy");
        fs::copy(segment, &copy).unwrap();
        fs::rename(copy, segment).unwrap();
    };
    let cut = |segment: &Path| append(segment).set_len(50).unwrap();
    let grown = |segment: &Path| std::io::Write::write_all(&mut append(segment), b"{}\n").unwrap();
    let cases: [(&str, Tampering<'_>); 4] =
        [("removed", &removed), ("replaced", &replaced), ("cut", &cut), ("grown", &grown)];
    for (case, tamper) in cases {
        let dir = tempfile::tempdir().unwrap();
        let ledger = open(dir.path());
        let caller = principal();
        let (_, began, ended) = one_call(&ledger, &caller).await;
        assert!(began.is_ok() && ended.is_ok(), "{case}");
        tamper(&segment_files(&dir.path().join("local-0"))[0]);
        let (_, began, _) = one_call(&ledger, &caller).await;
        assert!(began.is_err(), "{case}: an intent was acknowledged");
        assert!(ledger.health().is_err(), "{case}");
    }
}

#[tokio::test]
async fn a_pipe_in_the_folder_holds_nothing_up() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).shutdown().await.unwrap();
    let lock = dir.path().join("local-0/lock");
    fs::remove_file(&lock).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &lock, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    assert!(Ledger::open_dir(config(dir.path())).is_err());
}
