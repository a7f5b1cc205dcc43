//! Counters and histograms in the OpenMetrics format. Labels come from the configuration alone, so their number is bounded.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};
use tollgate_backends::PoolStatus;
use tollgate_core::names::Code;

/// Which calls: by tool, role and status. A tool that does not exist for its caller is `unknown`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CallLabels {
    /// The tool's name.
    pub tool: String,
    /// The caller's role.
    pub role: String,
    /// `ok`, `refused`, or how it failed.
    pub status: &'static str,
}

/// Which database.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DatabaseLabels {
    /// Its name in the configuration.
    pub database: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PoolLabels {
    database: String,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabels {
    code: String,
}

fn latency_histogram() -> Histogram {
    Histogram::new([0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])
}

type Latencies<L> = Family<L, Histogram, fn() -> Histogram>;

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    calls: Family<CallLabels, Counter>,
    latency: Latencies<CallLabels>,
    refusals: Family<CodeLabels, Counter>,
    acquire: Latencies<DatabaseLabels>,
    database: Latencies<DatabaseLabels>,
    pool: Family<PoolLabels, Gauge>,
    database_up: Family<DatabaseLabels, Gauge>,
    in_flight: Gauge,
    audit_records: Gauge<u64, AtomicU64>,
    audit_batches: Gauge<u64, AtomicU64>,
    audit_bytes: Gauge<u64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All metrics at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("tollgate");
        let calls = Family::<CallLabels, Counter>::default();
        registry.register("calls", "Calls by tool, role and status", calls.clone());
        let latency: Latencies<CallLabels> = Family::new_with_constructor(latency_histogram);
        let help = "Time from request to result, by tool, role and status";
        registry.register_with_unit("call_duration", help, Unit::Seconds, latency.clone());
        let refusals = Family::<CodeLabels, Counter>::default();
        registry.register("refusals", "Refusals and failures by code", refusals.clone());
        let acquire: Latencies<DatabaseLabels> = Family::new_with_constructor(latency_histogram);
        registry.register_with_unit("pool_acquire", "Wait for a connection", Unit::Seconds, acquire.clone());
        let database: Latencies<DatabaseLabels> = Family::new_with_constructor(latency_histogram);
        registry.register_with_unit("database_duration", "Time in the database", Unit::Seconds, database.clone());
        let pool = Family::<PoolLabels, Gauge>::default();
        registry.register(
            "pool_connections",
            "Connections by state: size, in_use, waiting, max, overdue",
            pool.clone(),
        );
        let database_up = Family::<DatabaseLabels, Gauge>::default();
        registry.register("database_up", "Whether the last probe of the database succeeded", database_up.clone());
        let in_flight = Gauge::default();
        registry.register("calls_in_flight", "Calls being worked on", in_flight.clone());
        let audit_records = Gauge::default();
        registry.register("audit_records", "Records written to the audit log since the start", audit_records.clone());
        let audit_batches = Gauge::default();
        registry.register("audit_batches", "Group commits of the audit log since the start", audit_batches.clone());
        let audit_bytes = Gauge::default();
        registry.register("audit_bytes", "Bytes written to the audit log since the start", audit_bytes.clone());
        registry.register("build", "This build", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        Self {
            registry,
            calls,
            latency,
            refusals,
            acquire,
            database,
            pool,
            database_up,
            in_flight,
            audit_records,
            audit_batches,
            audit_bytes,
        }
    }

    /// One call came to its end after `seconds`.
    pub fn called(&self, labels: &CallLabels, seconds: f64) {
        self.calls.get_or_create(labels).inc();
        self.latency.get_or_create(labels).observe(seconds);
    }

    /// Something was refused or failed with this code.
    pub fn refused(&self, code: Code) {
        self.refusals.get_or_create(&CodeLabels { code: code.to_string() }).inc();
    }

    /// A statement ran: how long it waited for a connection, and how long the database took, in seconds.
    pub fn ran(&self, database: &str, waited: f64, ran: f64) {
        let labels = DatabaseLabels { database: database.to_owned() };
        self.acquire.get_or_create(&labels).observe(waited);
        self.database.get_or_create(&labels).observe(ran);
    }

    /// The pool of a database as it is now.
    pub fn pool(&self, database: &str, pool: &PoolStatus) {
        let PoolStatus { size, in_use, waiting, max, overdue } = *pool;
        let states = [("size", size), ("in_use", in_use), ("waiting", waiting), ("max", max), ("overdue", overdue)];
        for (state, value) in states {
            self.pool.get_or_create(&PoolLabels { database: database.to_owned(), state }).set(i64::from(value));
        }
    }

    /// Whether a database answered its last probe.
    pub fn database_up(&self, database: &str, up: Result<(), ()>) {
        let labels = DatabaseLabels { database: database.to_owned() };
        self.database_up.get_or_create(&labels).set(i64::from(up.is_ok()));
    }

    /// The audit log's own counters as they are now.
    pub fn audit(&self, records: u64, batches: u64, bytes: u64) {
        self.audit_records.set(records);
        self.audit_batches.set(batches);
        self.audit_bytes.set(bytes);
    }

    /// The gauge of calls being worked on.
    pub fn in_flight(&self) -> &Gauge {
        &self.in_flight
    }

    /// Everything in the OpenMetrics text format.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::with_capacity(4096);
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
