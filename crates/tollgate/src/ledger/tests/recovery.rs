//! What a process before left: torn tails are cut off and noted, damage is never mended, open calls become `unknown`.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

/// A log with a finished call, an open one, and another finished one, left by a crash. Gives the open call's id.
async fn crashed(dir: &Path) -> String {
    let ledger = open(dir);
    let caller = principal();
    one_call(&ledger, &caller).await.2.unwrap();
    let mut ticket = ledger.open(&head(&caller));
    ticket.intent(intent(&[])).await.unwrap();
    let id = ticket.call_id().to_owned();
    std::mem::forget(ticket);
    one_call(&ledger, &caller).await.2.unwrap();
    crash(ledger, dir).await;
    id
}

async fn reopen(dir: &Path) -> Result<(), LedgerError> {
    let ledger = Ledger::open_dir(config(dir))?;
    assert_eq!(ledger.name(), "local-0");
    ledger.shutdown().await
}

#[tokio::test]
async fn calls_of_a_process_that_died_become_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("local-0");
    let id = crashed(dir.path()).await;
    let second = open(dir.path());
    let beside = open(dir.path());
    assert_eq!((second.name(), beside.name()), ("local-0", "local-1"));
    second.shutdown().await.unwrap();
    assert_eq!(kinds(&folder), "genesis boot intent outcome intent intent outcome recover outcome boot shutdown");
    assert_eq!(calls(&folder)[&id], Some(Status::Unknown));
    reopen(dir.path()).await.unwrap();
    assert!(kinds(&folder).ends_with("boot shutdown boot shutdown"));
}

#[tokio::test]
async fn a_torn_tail_is_cut_off_and_noted_wherever_it_is_torn() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("local-0").join(folder::segment_file(0));
    crashed(dir.path()).await;
    let whole = fs::read(&file).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    for at in (last + 1..whole.len()).step_by(7).chain([whole.len() - 1]) {
        fs::write(&file, &whole[..at]).unwrap();
        reopen(dir.path()).await.unwrap();
        let records = records(file.parent().unwrap());
        let Body::Recover(recover) = &records[6].body else { panic!("{:?}", records[6]) };
        assert_eq!(recover.torn.as_ref().unwrap(), &recover::digest(&whole[last..at]));
        assert_eq!(recover.open, 2, "the torn record was the outcome of the last call");
    }
    for tail in [&b"\0\0\0\0\0\0\0\0"[..], b"{\"v\":1", b"\n", b"garbage\nmore garbage\n"] {
        fs::write(&file, [&whole[..], tail].concat()).unwrap();
        reopen(dir.path()).await.unwrap();
        let kinds = kinds(file.parent().unwrap());
        assert!(kinds.ends_with("recover outcome boot shutdown"), "{kinds}");
    }
}

#[tokio::test]
async fn damage_is_never_mended() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("local-0").join(folder::segment_file(0));
    crashed(dir.path()).await;
    let whole = fs::read(&file).unwrap();
    let lines: Vec<&[u8]> = whole.split_inclusive(|b| *b == b'\n').collect();
    let mut damaged = Vec::new();
    for line in 0..lines.len() - 1 {
        let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat().concat();
        damaged.push(("a record is gone", without(line)));
        let mut twice = lines.clone();
        twice.insert(line, lines[line]);
        damaged.push(("a record is there twice", twice.concat()));
        let mut flipped = whole.clone();
        flipped[lines[..line].concat().len() + 10] ^= 1;
        damaged.push(("a bit is flipped", flipped));
        let mut swapped = lines.clone();
        swapped.swap(line, line + 1);
        damaged.push(("two records changed places", swapped.concat()));
    }
    damaged.push(("noise before a good record", [lines[0], b"noise\n", lines[1]].concat()));
    damaged.push(("more noise than a write", [&whole[..], &vec![b'x'; 16 << 20]].concat()));
    damaged.push(("another log's head", [lines[1], lines[0]].concat()));
    for (what, bytes) in damaged {
        fs::write(&file, &bytes).unwrap();
        let error = reopen(dir.path()).await.expect_err(what);
        assert!(matches!(error, LedgerError::Damaged { .. }), "{what}: {error}");
        assert_eq!(fs::read(&file).unwrap(), bytes, "{what}: the log was touched");
    }
}

#[tokio::test]
async fn segments_follow_one_another_and_carry_what_is_open() {
    let dir = tempfile::tempdir().unwrap();
    let small = || LedgerConfig { segment_bytes: 4_000, ..config(dir.path()) };
    let folder = dir.path().join("local-0");
    let ledger = Ledger::open_dir(small()).unwrap();
    let caller = principal();
    let mut open_ids = Vec::new();
    for round in 0..60 {
        if round % 20 == 0 {
            let mut ticket = ledger.open(&head(&caller));
            ticket.intent(intent(&[])).await.unwrap();
            open_ids.push(ticket.call_id().to_owned());
            std::mem::forget(ticket);
        }
        one_call(&ledger, &caller).await.2.unwrap();
    }
    crash(ledger, dir.path()).await;
    let segments = segment_files(&folder);
    assert!(segments.len() > 10, "{segments:?}");
    assert!(segments.iter().all(|path| fs::metadata(path).unwrap().len() <= 4_000));
    let sealed = fs::read(&segments[3]).unwrap();

    // Only the last segment is read at a start, so that is all a start needs.
    let ledger = Ledger::open_dir(small()).unwrap();
    ledger.shutdown().await.unwrap();
    let calls = calls(&folder);
    assert_eq!(calls.len(), 63);
    assert!(open_ids.iter().all(|id| calls[id] == Some(Status::Unknown)));
    assert_eq!(fs::read(&segments[3]).unwrap(), sealed);
}

#[tokio::test]
async fn a_segment_that_was_begun_and_never_written_is_no_damage() {
    for tail in [&b""[..], b"{\"v\":1,\"type\":\"rot"] {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("local-0");
        let id = crashed(dir.path()).await;
        let next = records(&folder).len() as u64;
        fs::write(folder.join(folder::segment_file(next)), tail).unwrap();
        reopen(dir.path()).await.unwrap();
        assert_eq!(calls(&folder)[&id], Some(Status::Unknown));
        assert_eq!(segment_files(&folder).len(), 1);

        fs::write(folder.join(folder::segment_file(90)), "").unwrap();
        fs::write(folder.join(folder::segment_file(91)), "").unwrap();
        assert!(matches!(reopen(dir.path()).await, Err(LedgerError::Damaged { .. })), "two empty segments");
    }
}

#[tokio::test]
async fn a_log_torn_in_its_first_record_begins_again() {
    let dir = tempfile::tempdir().unwrap();
    reopen(dir.path()).await.unwrap();
    let first = dir.path().join("local-0").join(folder::segment_file(0));
    for (tail, expected) in
        [(&b""[..], "genesis boot shutdown"), (b"{\"v\":1,\"type\":\"gen", "genesis recover boot shutdown")]
    {
        fs::write(&first, tail).unwrap();
        reopen(dir.path()).await.unwrap();
        assert_eq!(kinds(first.parent().unwrap()), expected);
    }
}

#[tokio::test]
async fn a_log_keeps_its_key_and_its_privacy() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("local-0");
    crashed(dir.path()).await;
    for entry in fs::read_dir(&folder).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);

    let key = fs::read(folder.join("redaction.key")).unwrap();
    for bad in [Some(&b"k1:00"[..]), Some(b""), Some(b"k2:0000"), None] {
        match bad {
            Some(bytes) => fs::write(folder.join("redaction.key"), bytes).unwrap(),
            None => fs::remove_file(folder.join("redaction.key")).unwrap(),
        }
        assert!(matches!(reopen(dir.path()).await, Err(LedgerError::RedactionKey(_))), "{bad:?}");
    }
    fs::write(folder.join("redaction.key"), key).unwrap();

    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(reopen(dir.path()).await, Err(LedgerError::Exposed { mode: 0o755, .. })));
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&folder, Some(65_534), None).unwrap();
        assert!(matches!(reopen(dir.path()).await, Err(LedgerError::NotOurs(_))));
    }
    fs::rename(&folder, dir.path().join("elsewhere")).unwrap();
    symlink(dir.path().join("elsewhere"), &folder).unwrap();
    assert!(matches!(reopen(dir.path()).await, Err(LedgerError::NotAFolder(_))));
    for name in ["", ".", "..", "a/b", ".hidden", "é", &"x".repeat(65)] {
        let config = LedgerConfig { replica: name.to_owned(), ..config(dir.path()) };
        assert!(matches!(Ledger::open_dir(config), Err(LedgerError::Replica(_))), "{name}");
    }
}
