//! Refusals of the current second, so that a flood of them costs a few records a second and bounded memory.

use std::{
    borrow::Cow,
    collections::{BTreeMap, btree_map},
    mem,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use tollgate_core::{
    audit::{Aggregate, AggregateOf},
    names::Code,
};

/// Refusals of one kind that an agent gets written down one by one, each second.
const NOTED_MAX: u32 = 10;
/// The agents counted apart. They are configured, so there are never this many.
const AGENTS_MAX: usize = 1024;
/// The addresses counted apart.
const PEERS_MAX: usize = 16;

/// What is to be done with a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Write it down.
    Noted,
    /// It was counted, and that is all.
    Counted,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    second: Mutex<Second>,
}

#[derive(Debug, Default)]
struct Second {
    since: Option<Timestamp>,
    tallies: BTreeMap<(AggregateOf, Option<String>), Tally>,
}

#[derive(Debug, Default)]
struct Tally {
    noted: u32,
    counted: u64,
    codes: BTreeMap<Code, u64>,
    peers: BTreeMap<IpAddr, u64>,
}

impl Counts {
    /// Whether an agent's refusal is written down or only counted, which it then is.
    pub(super) fn admit(
        &self,
        of: AggregateOf,
        agent: &str,
        code: Code,
        peer: Option<IpAddr>,
        now: Timestamp,
    ) -> Admission {
        self.with(of, Some(agent), now, |tally| {
            if tally.noted < NOTED_MAX {
                tally.noted += 1;
                return Admission::Noted;
            }
            tally.count(code, peer);
            Admission::Counted
        })
    }

    /// Counts a refusal.
    pub(super) fn count(&self, of: AggregateOf, agent: Option<&str>, code: Code, peer: Option<IpAddr>, now: Timestamp) {
        self.with(of, agent, now, |tally| tally.count(code, peer));
    }

    fn with<T>(&self, of: AggregateOf, agent: Option<&str>, now: Timestamp, act: impl FnOnce(&mut Tally) -> T) -> T {
        let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
        second.since.get_or_insert(now);
        let mut key = (of, agent.map(str::to_owned));
        if second.tallies.len() >= AGENTS_MAX && !second.tallies.contains_key(&key) {
            key.1 = None;
        }
        act(second.tallies.entry(key).or_default())
    }

    /// What was counted since the last time, and begins anew.
    pub(super) fn take(&self, now: Timestamp) -> Vec<Aggregate<'static>> {
        let second = mem::take(&mut *self.second.lock().unwrap_or_else(PoisonError::into_inner));
        let since = second.since.unwrap_or(now);
        let counted = second.tallies.into_iter().filter(|(_, tally)| tally.counted > 0);
        counted.map(|((of, agent), tally)| tally.aggregate(of, agent, since)).collect()
    }
}

impl Tally {
    fn count(&mut self, code: Code, peer: Option<IpAddr>) {
        self.counted += 1;
        *self.codes.entry(code).or_default() += 1;
        let Some(peer) = peer else { return };
        let room = self.peers.len() < PEERS_MAX;
        match self.peers.entry(peer.to_canonical()) {
            btree_map::Entry::Occupied(mut counted) => *counted.get_mut() += 1,
            btree_map::Entry::Vacant(place) if room => {
                place.insert(1);
            }
            btree_map::Entry::Vacant(_) => {}
        }
    }

    fn aggregate(self, of: AggregateOf, agent: Option<String>, since: Timestamp) -> Aggregate<'static> {
        Aggregate {
            of,
            since,
            agent_id: agent.map(Cow::Owned),
            count: self.counted,
            codes: self.codes.into_iter().map(|(code, n)| (Cow::Owned(code.to_string()), n)).collect(),
            peers: self.peers.into_iter().map(|(peer, n)| (Cow::Owned(peer.to_string()), n)).collect(),
        }
    }
}
