//! How full the disk is, and what may still be written then. Never measures: it is told.
//!
//! Each line is a share of the disk and an amount, and both must be crossed: on a disk of terabytes a tenth is plenty,
//! and on a small disk a few gibibytes are a large share.

use std::fmt;

const GIB: u64 = 1 << 30;

/// Room on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Space {
    /// Bytes this process may still write.
    pub(super) free: u64,
    /// Those, and what is in use.
    pub(super) total: u64,
}

/// What may still be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Everything.
    Fine,
    /// Everything; the operator is told.
    Warn,
    /// No new calls: what is left is for the outcomes of those that run, and for refusals.
    NoCalls,
    /// Outcomes alone.
    Nothing,
}

impl Space {
    pub(super) fn level(self) -> Level {
        let below = |percent: u64, bytes: u64| {
            u128::from(self.free) * 100 < u128::from(self.total) * u128::from(percent) && self.free < bytes
        };
        if below(5, GIB) {
            Level::Nothing
        } else if below(10, 5 * GIB) {
            Level::NoCalls
        } else if below(20, 10 * GIB) {
            Level::Warn
        } else {
            Level::Fine
        }
    }

    /// The same disk with so much less room.
    pub(super) fn less(self, bytes: u64) -> Self {
        Self { free: self.free.saturating_sub(bytes), ..self }
    }
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.free.saturating_mul(100).checked_div(self.total).unwrap_or_default();
        write!(
            f,
            "the disk of the audit log has {:.1} GiB ({percent} %) left: calls are refused below 10 % and 5 GiB, \
             everything below 5 % and 1 GiB",
            self.free as f64 / GIB as f64
        )
    }
}
