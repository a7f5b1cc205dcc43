//! What becomes of calls and connections when the server ends.

use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tollgate::protocol::http::{Drained, HttpSettings};

use super::harness::{Harness, call};

#[tokio::test]
async fn calls_in_flight_finish_and_idle_connections_end() {
    let mut harness = Harness::start(HttpSettings::default()).await;
    let mut idle = harness.connect().await;
    idle.send(&call(1, "echo", "{}")).await;
    idle.answer().await.unwrap();
    let _silent = harness.connect().await;
    let mut busy = harness.connect().await;
    busy.send(&call(2, "slow", r#"{"ms":700}"#)).await;
    harness.seen("call slow").await;

    let started = Instant::now();
    harness.shutdown.cancel();
    assert!(idle.ends_within(Duration::from_millis(300)).await);
    assert!(TcpStream::connect(harness.address).await.is_err(), "nothing new is accepted");
    let answer = busy.answer().await.unwrap();
    assert!(answer.body.contains(r#""row_count":1"#), "{}", answer.body);
    assert_eq!((&mut harness.serving).await.unwrap(), Drained { cancelled: 0, abandoned: 0 });
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn calls_over_the_drain_time_are_cancelled_and_answered() {
    let settings = HttpSettings { drain_timeout: Duration::from_millis(200), ..HttpSettings::default() };
    let mut harness = Harness::start(settings).await;
    let mut busy = harness.connect().await;
    busy.send(&call(3, "slow", r#"{"ms":60000}"#)).await;
    harness.seen("call slow").await;
    harness.shutdown.cancel();
    let answer = busy.answer().await.unwrap();
    assert!(answer.body.contains("TG503"), "{}", answer.body);
    assert_eq!((&mut harness.serving).await.unwrap(), Drained { cancelled: 1, abandoned: 0 });
    assert!(harness.host.lines().contains(&"cancelled 3".to_owned()));
}
