//! However many statements are to be checked, few are at one time, and whoever is not concerned goes on.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use futures_util::{FutureExt, future::join_all};

use super::*;

fn later() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[tokio::test]
async fn others_go_on_while_a_statement_is_checked() {
    // There is one worker here. The check ends once another task was served by it.
    let (served, wait) = mpsc::channel();
    let checking = Checking::with_places(1);
    let check = checking.run(later(), move || wait.recv().unwrap());
    let other = async move {
        tokio::task::yield_now().await;
        served.send("served").unwrap();
    };
    let (checked, ()) = tokio::join!(check, other);
    assert_eq!(checked, Ok("served"));
}

#[tokio::test]
async fn no_more_are_checked_at_once_than_there_are_places() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    // Three can only end together.
    let together = Arc::new(Barrier::new(3));
    let checking = Checking::with_places(3);
    let checks = (0..300).map(|at| {
        let (now, most, together) = (Arc::clone(&now), Arc::clone(&most), Arc::clone(&together));
        checking.run(later(), move || {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            together.wait();
            now.fetch_sub(1, Ordering::SeqCst);
            at
        })
    });
    let results: Vec<usize> = join_all(checks).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(results, (0..300).collect::<Vec<_>>());
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn one_that_nobody_waits_for_holds_its_place() {
    let checking = Checking::with_places(1);
    let (end, wait) = mpsc::channel::<()>();
    let (begun, begins) = tokio::sync::oneshot::channel();
    {
        let abandoned = checking.run(later(), move || {
            begun.send(()).unwrap();
            wait.recv()
        });
        tokio::pin!(abandoned);
        tokio::select! {
            _ = &mut abandoned => panic!("it waits"),
            begun = begins => begun.unwrap(),
        }
    }
    let mut next = Box::pin(checking.run(later(), || "next"));
    assert!(next.as_mut().now_or_never().is_none());
    end.send(()).unwrap();
    assert_eq!(next.await, Ok("next"));
}

#[tokio::test]
async fn the_deadline_holds_before_and_meanwhile() {
    let checking = Checking::with_places(1);
    let (end, wait) = mpsc::channel::<()>();
    let soon = || Instant::now() + Duration::from_millis(5);
    assert_eq!(checking.run(soon(), move || wait.recv().unwrap()).await, Err(AdmissionError::Deadline));
    assert_eq!(checking.run(soon(), || ()).await, Err(AdmissionError::Deadline));
    end.send(()).unwrap();
    assert_eq!(checking.run(later(), || ()).await, Ok(()));
}

#[tokio::test]
async fn a_panic_is_its_callers_and_frees_the_place() {
    let checking = Checking::with_places(1);
    let panicking = std::panic::AssertUnwindSafe(checking.run(later(), || panic!("a bug")));
    assert!(panicking.catch_unwind().await.is_err());
    assert_eq!(checking.run(later(), || ()).await, Ok(()));
}
