//! Wall and monotonic time, the one place they are read for records. Never formats, never sleeps.

use std::{
    fmt,
    time::{Duration, Instant, SystemTime},
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Where a record's time comes from, so that tests can say what time it is.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Wall-clock time. May jump.
    fn now(&self) -> Timestamp;

    /// Today's date in UTC.
    fn today(&self) -> Date {
        self.now().to_zoned(TimeZone::UTC).date()
    }

    /// Time since some fixed moment of this process. Never goes back.
    fn monotonic(&self) -> Duration;
}

/// The machine's own clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A clock set thousands of years away is shown as the epoch, which is as wrong and more readable.
        Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}
