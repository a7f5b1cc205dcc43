//! Reading a log while it is written: nothing twice, nothing missed, nothing half.

use std::io::Write as _;

use super::*;

fn seqs(lines: &[Tailed], log: &str) -> Vec<u64> {
    let of_log = lines.iter().filter(|line| line.log == log);
    of_log.map(|line| line.record.as_ref().unwrap().stamp.seq).collect()
}

#[tokio::test]
async fn a_tail_sees_every_record_once_in_new_segments_and_new_logs_too() {
    let dir = tempfile::tempdir().unwrap();
    let small = || LedgerConfig { segment_bytes: 3_000, ..config(dir.path()) };
    let ledger = Ledger::open_dir(small()).unwrap();
    let caller = principal();
    for _ in 0..30 {
        one_call(&ledger, &caller).await.2.unwrap();
    }
    let (mut tail, mut seen) = Tail::last(dir.path(), 40, |_| true).unwrap();
    assert_eq!(seen.len(), 40);
    let first = seqs(&seen, "local-0")[0];
    let other = Ledger::open_dir(small()).unwrap();
    for round in 0..40 {
        one_call(if round % 2 == 0 { &ledger } else { &other }, &caller).await.2.unwrap();
        if round % 7 == 0 {
            seen.extend(tail.look().unwrap());
        }
    }
    ledger.shutdown().await.unwrap();
    other.shutdown().await.unwrap();
    seen.extend(tail.look().unwrap());
    assert!(tail.look().unwrap().is_empty());
    for (log, from) in [("local-0", first), ("local-1", 0)] {
        let written = records(&dir.path().join(log)).len() as u64;
        assert_eq!(seqs(&seen, log), (from..written).collect::<Vec<_>>());
    }
    let (_, last) =
        Tail::last(dir.path(), 5, |line| matches!(line.record, Ok(Record { body: Body::Intent(_), .. }))).unwrap();
    assert_eq!(last.len(), 5);
    assert!(last.is_sorted_by_key(|line| line.record.as_ref().unwrap().stamp.ts));
}

#[tokio::test]
async fn a_line_under_way_is_waited_for_and_damage_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    ledger.shutdown().await.unwrap();
    let path = dir.path().join("local-0").join(folder::segment_file(0));
    let whole = fs::read(&path).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    fs::write(&path, &whole[..last + 20]).unwrap();
    let (mut tail, lines) = Tail::last(dir.path(), 10, |_| true).unwrap();
    assert_eq!(seqs(&lines, "local-0"), [0, 1]);
    assert!(tail.look().unwrap().is_empty());
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(&whole[last + 20..]).unwrap();
    assert_eq!(seqs(&tail.look().unwrap(), "local-0"), [2]);
    file.write_all(b"{\"type\":\"outcome\"}\n").unwrap();
    let damaged = tail.look().unwrap();
    assert!(damaged[0].record.is_err() && damaged.len() == 1);

    let (_, none) = Tail::last(&dir.path().join("local-0"), 10, |_| true).unwrap();
    assert!(none.is_empty());
    assert!(Tail::last(&dir.path().join("nowhere"), 10, |_| true).is_err());
}
