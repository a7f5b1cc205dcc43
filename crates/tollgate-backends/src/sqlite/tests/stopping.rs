//! Statements that are told to stop, and whoever uses the connection next.

use super::*;

const ROWS: &str =
    "CREATE TABLE n (i INTEGER); WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r LIMIT 3000)
    INSERT INTO n SELECT i FROM r;";

/// Some minutes of work.
const ENDLESS: &str = "SELECT count(*) FROM main.n a, main.n b, main.n c";

fn counting() -> Footprint {
    footprint(&[("n", "i")], &["count"], &[])
}

fn one() -> Fixture {
    Fixture::with_limits(ROWS, PoolLimits { max: 1, ..PoolLimits::default() })
}

async fn quick_call_is_unharmed(fixture: &Fixture) {
    let asked = Clock::now();
    let rows = fixture.run("SELECT count(*) FROM main.n", &counting(), &[]).await.unwrap();
    assert_eq!(json(&rows), r#"[{"a":3000}]"#);
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn a_deadline_stops_a_statement() {
    let fixture = one();
    for _ in 0..3 {
        let asked = Clock::now();
        let deadline = Instant::now() + Duration::from_millis(100);
        let stopped = fixture.run_until(ENDLESS, &counting(), &[], deadline, &CancellationToken::new()).await;
        assert_eq!(stopped.unwrap_err().kind, ErrorKind::Timeout);
        assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
        quick_call_is_unharmed(&fixture).await;
    }
}

#[tokio::test]
async fn the_statement_timeout_stops_what_no_deadline_would() {
    let limits = PoolLimits { max: 1, statement_timeout: Duration::from_millis(100), ..PoolLimits::default() };
    let fixture = Fixture::with_limits(ROWS, limits);
    let asked = Clock::now();
    assert_eq!(fixture.run(ENDLESS, &counting(), &[]).await.unwrap_err().kind, ErrorKind::Timeout);
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn a_cancel_stops_a_statement_and_not_the_next() {
    let fixture = one();
    for round in 0..20 {
        let cancel = CancellationToken::new();
        let deadline = Instant::now() + Duration::from_secs(5);
        let nothing = [];
        let counting = counting();
        let (stopped, ()) = tokio::join!(fixture.run_until(ENDLESS, &counting, &nothing, deadline, &cancel), async {
            tokio::time::sleep(Duration::from_millis(round)).await;
            cancel.cancel();
        });
        assert_eq!(stopped.unwrap_err().kind, ErrorKind::Cancelled);
        quick_call_is_unharmed(&fixture).await;
    }
}

#[tokio::test]
async fn dropping_a_call_stops_its_statement_and_not_the_next() {
    let fixture = one();
    for round in 0..20 {
        let counting = counting();
        let call = fixture.run(ENDLESS, &counting, &[]);
        assert!(tokio::time::timeout(Duration::from_millis(round), call).await.is_err());
        quick_call_is_unharmed(&fixture).await;
    }
    assert!(fixture.backend.pool_status().size <= 1);
}

#[tokio::test]
async fn a_lock_is_waited_for_until_the_call_is_over_and_no_longer() {
    let fixture = one();
    quick_call_is_unharmed(&fixture).await;
    let writer = rusqlite::Connection::open(&fixture.path).unwrap();
    writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let asked = Clock::now();
    let deadline = Instant::now() + Duration::from_millis(300);
    let stopped =
        fixture.run_until("SELECT count(*) FROM main.n", &counting(), &[], deadline, &CancellationToken::new()).await;
    assert_eq!(stopped.unwrap_err().kind, ErrorKind::Timeout);
    assert!(asked.elapsed() >= Duration::from_millis(290) && asked.elapsed() < Duration::from_secs(20));
    let (rows, ()) =
        tokio::join!(async { fixture.run("SELECT count(*) FROM main.n", &counting(), &[]).await.unwrap() }, async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            writer.execute_batch("COMMIT").unwrap();
        });
    assert_eq!(json(&rows), r#"[{"a":3000}]"#);
}

#[tokio::test]
async fn memory_is_bounded() {
    let fixture = one();
    let doubled = footprint(&[("n", "i")], &["hex", "zeroblob", "count", "printf"], &[]);
    for text in ["SELECT hex(zeroblob(400000000))", "SELECT zeroblob(20000000)", "SELECT printf('%20000000d', 1)"] {
        let asked = Clock::now();
        let ended = fixture.run(text, &doubled, &[]).await;
        match ended {
            Err(error) => assert_eq!(error.kind, ErrorKind::Resources, "`{text}`: {:?}", error.source),
            Ok(rows) => assert!(rows.json.len() < 100_000, "`{text}`"),
        }
        assert!(asked.elapsed() < Duration::from_secs(20), "`{text}`: {:?}", asked.elapsed());
    }
}

#[tokio::test]
async fn a_call_has_its_answer_even_while_sqlite_is_deep_in_one_instruction() {
    let fixture = one();
    // Nine million rows in memory, sorted by one instruction that nothing interrupts.
    let sorting = "SELECT a.i FROM main.n a, main.n b ORDER BY b.i, a.i";
    let asked = Clock::now();
    let deadline = Instant::now() + Duration::from_secs(1);
    let ended = fixture.run_until(sorting, &counting(), &[], deadline, &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(ended.kind, ErrorKind::Resources | ErrorKind::Timeout), "{ended} {:?}", ended.source);
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
    // The connection comes back by itself, and there is never more than one.
    assert!(fixture.backend.pool_status().size <= 1);
    while fixture.run("SELECT count(*) FROM main.n", &counting(), &[]).await.is_err() {
        assert!(asked.elapsed() < Duration::from_secs(20));
    }
}

#[tokio::test]
async fn a_panic_is_an_answer_and_the_connection_is_not_used_again() {
    let fixture = one();
    let deadline = Instant::now() + Duration::from_secs(5);
    let work = |_: &mut super::super::Engine<'_>| -> Result<(), BackendError> { panic!("on purpose") };
    let answer = fixture.backend.run(deadline, &CancellationToken::new(), work).await;
    assert_eq!(answer.unwrap_err().kind, ErrorKind::Internal);
    quick_call_is_unharmed(&fixture).await;
}

#[tokio::test]
async fn close_ends_what_is_open() {
    let fixture = one();
    quick_call_is_unharmed(&fixture).await;
    fixture.backend.close().await;
    let refused = fixture.run("SELECT 1", &Footprint::default(), &[]).await.unwrap_err();
    assert_eq!((refused.kind, fixture.backend.pool_status().size), (ErrorKind::Unavailable, 0));
}
