//! A permit is a place near one database's pool. An intent is written only with a permit in hand, so that the number of intents whose
//! statement has not begun is bounded to about one pool size.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};
use tollgate_core::names::{Code, Refusal};

/// Why a call was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdmissionError {
    /// Nothing became free within `acquire_timeout`.
    #[error("no connection became free in time")]
    Busy,
    /// The caller's deadline came first.
    #[error("the deadline passed before the call ran")]
    Deadline,
    /// The server is shutting down.
    #[error("the server is shutting down")]
    ShuttingDown,
}

impl AdmissionError {
    /// The refusal an agent reads.
    pub fn to_agent(self) -> Refusal {
        match self {
            AdmissionError::Busy => Refusal::new(
                Code::BUSY,
                "the database is busy and no connection became free in time; try again shortly",
            )
            .retry_after_ms(500),
            AdmissionError::Deadline => {
                Refusal::new(Code::DEADLINE, "the deadline of the call passed before it could run")
            }
            AdmissionError::ShuttingDown => {
                Refusal::new(Code::SHUTTING_DOWN, "the server is shutting down; try again shortly")
                    .retry_after_ms(2_000)
            }
        }
    }
}

/// The places near one database: twice its pool, half of them running and half about to.
#[derive(Debug)]
pub struct Gatehouse {
    places: Arc<Semaphore>,
    wait: Duration,
}

/// A place near a database's pool, given back when dropped.
#[derive(Debug)]
pub struct Permit {
    _place: OwnedSemaphorePermit,
}

impl Gatehouse {
    /// The gatehouse of a pool of `pool_max` connections, in front of which a call waits at most `wait`.
    pub fn new(pool_max: u32, wait: Duration) -> Self {
        Self { places: Arc::new(Semaphore::new(pool_max as usize * 2)), wait }
    }

    /// A permit, within the wait and the deadline.
    pub async fn admit(&self, deadline: Instant) -> Result<Permit, AdmissionError> {
        let latest = Instant::now() + self.wait;
        let (until, late) =
            if deadline < latest { (deadline, AdmissionError::Deadline) } else { (latest, AdmissionError::Busy) };
        match timeout_at(until, self.places.clone().acquire_owned()).await {
            Ok(Ok(place)) => Ok(Permit { _place: place }),
            Ok(Err(_closed)) => Err(AdmissionError::ShuttingDown),
            Err(_elapsed) => Err(late),
        }
    }
}
