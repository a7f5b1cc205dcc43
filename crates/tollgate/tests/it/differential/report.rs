//! What a run has to tell: a line every some seconds, each finding at once, and at its end, however it ends, a summary.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::signal::unix::{SignalKind, signal};

use super::compare::Difference;

/// Findings after which a run ends.
const FINDINGS_MAX: usize = 5;
/// Between two lines about how far a run is.
const SILENCE_MAX: Duration = Duration::from_secs(10);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Whether somebody asked the process to end.
pub(super) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Has an interrupted run end by itself, its summary told.
fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (mut interrupt, mut terminate) =
                    (signal(SignalKind::interrupt()).unwrap(), signal(SignalKind::terminate()).unwrap());
                tokio::select! { _ = interrupt.recv() => {} _ = terminate.recv() => {} }
            });
            INTERRUPTED.store(true, Ordering::Relaxed);
        });
    });
}

/// A run. Dropped, it tells its summary.
pub(super) struct Run {
    /// What is run, in words.
    pub(super) what: String,
    pub(super) seed: u64,
    pub(super) report: Report,
    first: u64,
    wanted: u64,
    started: Instant,
    /// When it last told how far it is, and how many were accepted then.
    told: (Instant, u64),
}

#[derive(Default)]
pub(super) struct Report {
    pub(super) asked: u64,
    pub(super) accepted: u64,
    pub(super) fenced: u64,
    pub(super) failed: u64,
    pub(super) empty: u64,
    pub(super) given_up: u64,
    pub(super) allowed: BTreeMap<(Difference, String), (u64, String)>,
    pub(super) refusals: BTreeMap<String, (u64, String)>,
    pub(super) findings: Vec<String>,
}

impl Run {
    /// As the environment has it. Only a run that was asked for by number listens to signals: others are tests among tests.
    pub(super) fn start(what: String, otherwise: u64) -> Self {
        let setting = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
        let wanted = setting("TOLLGATE_QUERIES");
        if wanted.is_some() {
            listen();
        }
        let (first, now) = (setting("TOLLGATE_SEED").unwrap_or(0), Instant::now());
        Self {
            what,
            seed: first,
            report: Report::default(),
            first,
            wanted: wanted.unwrap_or(otherwise),
            started: now,
            told: (now, 0),
        }
    }

    pub(super) fn goes_on(&self, done: u64) -> bool {
        done < self.wanted && self.report.findings.len() < FINDINGS_MAX && !interrupted()
    }

    /// Says how far it is, if it was silent for long.
    pub(super) fn tell(&mut self) {
        let (before, then) = self.told;
        let silent = before.elapsed();
        if silent < SILENCE_MAX {
            return;
        }
        let accepted = self.report.accepted;
        eprintln!(
            "{}: {accepted} of {}, at seed {}, {:.0} a second, {} findings",
            self.what,
            self.wanted,
            self.seed,
            (accepted - then) as f64 / silent.as_secs_f64(),
            self.report.findings.len()
        );
        self.told = (Instant::now(), accepted);
    }

    /// Fails if something was found.
    pub(super) fn end(self) {
        let findings = self.report.findings.join("\n\n");
        drop(self);
        assert!(findings.is_empty(), "{findings}");
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let ended = if interrupted() { ", interrupted" } else { "" };
        let told = self.report.told(self.started.elapsed());
        println!("{}, seeds {} to {}{ended}: {told}", self.what, self.first, self.seed);
    }
}

/// A message without what is the query's own.
pub(super) fn generalised(message: &str) -> String {
    let mut out = String::new();
    let message = message.split(" at Line").next().unwrap_or_default();
    for (at, part) in message.split(['`', '"']).enumerate() {
        out.push_str(if at % 2 == 1 && !part.is_empty() { "…" } else { part });
    }
    out
}

/// Counts, and keeps the shortest example.
pub(super) fn note<K: Ord>(into: &mut BTreeMap<K, (u64, String)>, key: K, sql: &str) {
    let entry = into.entry(key).or_insert_with(|| (0, sql.to_owned()));
    entry.0 += 1;
    if sql.len() < entry.1.len() {
        sql.clone_into(&mut entry.1);
    }
}

fn start(example: &str) -> String {
    example.chars().take(300).collect()
}

impl Report {
    fn told(&self, took: Duration) -> String {
        let mut out = format!(
            "{} of {} accepted ({} fenced, {} without a row, {} failed on both sides), {} findings, {} given up, {:.0} a second",
            self.accepted,
            self.asked,
            self.fenced,
            self.empty,
            self.failed,
            self.findings.len(),
            self.given_up,
            self.accepted as f64 / took.as_secs_f64()
        );
        for ((difference, why), (count, example)) in &self.allowed {
            let _ = write!(out, "\n  {count} allowed: {difference:?}, {why}\n      {}", start(example));
        }
        let mut refusals: Vec<_> = self.refusals.iter().collect();
        refusals.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        for (error, (count, example)) in refusals.into_iter().take(25) {
            let _ = write!(out, "\n  {count} refused: {error}\n      {}", start(example));
        }
        out
    }
}
