//! The statements that one connection keeps prepared, by the fingerprint of what was checked. Their number is bounded, since each holds
//! memory in the engine; it never prepares or closes one.

use std::collections::HashMap;

/// Statements kept at most.
const STATEMENTS_MAX: usize = 64;

/// A checked statement's fingerprint.
pub(crate) type Fingerprint = [u8; 32];

/// Prepared statements; the one unused longest makes room.
pub(crate) struct Statements<T> {
    kept: HashMap<Fingerprint, Kept<T>>,
    clock: u64,
}

struct Kept<T> {
    prepared: T,
    used: u64,
}

impl<T> Default for Statements<T> {
    fn default() -> Self {
        Self { kept: HashMap::new(), clock: 0 }
    }
}

impl<T> Statements<T> {
    /// The statement, which is used now.
    pub(crate) fn get(&mut self, fingerprint: &Fingerprint) -> Option<&mut T> {
        self.clock += 1;
        let kept = self.kept.get_mut(fingerprint)?;
        kept.used = self.clock;
        Some(&mut kept.prepared)
    }

    /// Whether it is kept.
    pub(crate) fn contains(&self, fingerprint: &Fingerprint) -> bool {
        self.kept.contains_key(fingerprint)
    }

    /// Keeps one more, and gives what made room for it.
    #[must_use]
    pub(crate) fn insert(&mut self, fingerprint: Fingerprint, prepared: T) -> Option<T> {
        let oldest = (self.kept.len() >= STATEMENTS_MAX)
            .then(|| self.kept.iter().min_by_key(|(_, kept)| kept.used).map(|(key, _)| *key))
            .flatten();
        let removed = oldest.and_then(|oldest| self.kept.remove(&oldest)).map(|kept| kept.prepared);
        self.kept.insert(fingerprint, Kept { prepared, used: self.clock });
        removed
    }

    /// Keeps it no longer: the engine no longer has it, or has it otherwise.
    pub(crate) fn forget(&mut self, fingerprint: &Fingerprint) {
        self.kept.remove(fingerprint);
    }
}
