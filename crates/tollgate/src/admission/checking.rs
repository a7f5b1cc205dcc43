//! Where callers' statements are checked: beside the workers that serve everybody, and few at a time, since a check takes the processor
//! for as long as a hostile text can make it. It decides nothing about a statement.

use std::{num::NonZeroUsize, panic::resume_unwind, sync::Arc, thread::available_parallelism};

use tokio::{
    sync::Semaphore,
    task::spawn_blocking,
    time::{Instant, timeout_at},
};

use super::AdmissionError;

/// The places where statements are checked.
#[derive(Debug)]
pub struct Checking {
    places: Arc<Semaphore>,
}

impl Default for Checking {
    /// As many places as there are processors: the system shares those between the checks and the workers.
    fn default() -> Self {
        Self::with_places(available_parallelism().map_or(1, NonZeroUsize::get))
    }
}

impl Checking {
    fn with_places(places: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places)) }
    }

    /// Does the work in its turn, if it ends before the deadline. Whoever stops waiting leaves it to end by itself, in its place.
    pub async fn run<T: Send + 'static>(
        &self,
        deadline: Instant,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AdmissionError> {
        let places = Arc::clone(&self.places);
        let done = async move {
            let place = places.acquire_owned().await.map_err(|_closed| AdmissionError::ShuttingDown)?;
            let done = spawn_blocking(move || {
                let result = work();
                drop(place);
                result
            });
            match done.await {
                Ok(result) => Ok(result),
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => resume_unwind(panic),
                    Err(_cancelled) => Err(AdmissionError::ShuttingDown),
                },
            }
        };
        timeout_at(deadline, done).await.map_err(|_elapsed| AdmissionError::Deadline)?
    }
}

#[cfg(test)]
mod tests;
