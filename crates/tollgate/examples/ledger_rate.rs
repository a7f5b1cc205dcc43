//! How many records a second the audit log makes durable, and what one costs.
//!
//! `cargo run --release --example ledger_rate -- [CALLERS] [SECONDS] [DIR]`: each caller writes an intent and an outcome
//! in turn, each durable before the next. The figures are of the disk below DIR (default: the temporary directory).
#![expect(clippy::print_stdout, reason = "its figures are its output")]

use std::{
    env,
    error::Error,
    fs,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use tollgate::ledger::{CallHead, Intent, Ledger, LedgerConfig, LedgerError, Outcome, Peer};
use tollgate_core::{
    audit::{Argument, Sensitivity},
    names::{AgentId, Claims, Origin, Principal, Value},
};

type Failed = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let mut args = env::args().skip(1);
    let callers = args.next().map_or(Ok(64), |n| n.parse())?;
    let seconds = args.next().map_or(Ok(3), |n| n.parse())?;
    let below = args.next().map_or_else(env::temp_dir, PathBuf::from);
    let dir = below.join(format!("tollgate-ledger-rate-{}", std::process::id()));
    let ledger = Arc::new(Ledger::open_dir(LedgerConfig::new(&dir, "bench"))?);
    let (began, cpu) = (Instant::now(), cpu_time()?);
    let end = began + Duration::from_secs(seconds);
    let tasks: Vec<_> = (0..callers).map(|_| tokio::spawn(calls(Arc::clone(&ledger), end))).collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await??);
    }
    let (took, cpu) = (began.elapsed(), cpu_time()?.saturating_sub(cpu));
    let stats = ledger.stats();
    ledger.shutdown().await?;
    fs::remove_dir_all(&dir)?;
    waits.sort_unstable();
    let share = |percent: usize| waits.get(waits.len() * percent / 100).copied().unwrap_or_default();
    println!("callers            {callers}");
    println!("durable records/s  {:.0}", stats.records as f64 / took.as_secs_f64());
    println!("records per sync   {:.1}", stats.records as f64 / stats.batches as f64);
    println!("sync               {:.0} us each", stats.sync.as_secs_f64() * 1e6 / stats.batches as f64);
    println!("bytes per record   {}", stats.bytes / stats.records.max(1));
    println!("CPU per record     {:.1} us", cpu.as_secs_f64() * 1e6 / stats.records as f64);
    println!("one record waits   p50 {:?}, p99 {:?}", share(50), share(99));
    Ok(())
}

async fn calls(ledger: Arc<Ledger>, end: Instant) -> Result<Vec<Duration>, Failed> {
    let agent = AgentId::new("support-eu".parse()?, Origin::Key);
    let caller = Principal::new(agent, "support".parse()?, Claims::new());
    let (region, email) = (Value::Text("eu".to_owned()), Value::Text("jane@example.com".to_owned()));
    let input =
        [Argument::new("region", &region, Sensitivity::Plain), Argument::new("email", &email, Sensitivity::Sensitive)];
    let mut waits = Vec::new();
    while Instant::now() < end {
        waits.extend(call(&ledger, &caller, &input).await?);
    }
    Ok(waits)
}

async fn call(ledger: &Ledger, caller: &Principal, input: &[Argument<'_>]) -> Result<[Duration; 2], LedgerError> {
    let mut ticket = ledger.open(&CallHead {
        caller,
        tool: "query_users_by_region_v2",
        request_id: Some("17"),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        peer: Peer { transport: "http", address: Some(([127, 0, 0, 1], 50_000).into()), client: Some("bench") },
    });
    let hash = "sha256:9f2c6e1ab0c4d58e71f3a2b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8";
    let began = Instant::now();
    let intent = Intent {
        tool_version: hash,
        database: "shop",
        database_user: "tollgate_reader",
        policy_hash: hash,
        config_hash: hash,
        sql_fingerprint: hash,
        sql_sensitivity: Sensitivity::Plain,
        sql_sha256: None,
        claims: &[],
        input,
        deadline: Duration::from_secs(10),
    };
    ticket.intent(intent).await?;
    let intended = began.elapsed();
    ticket.close(Outcome::ok(20, 4096)).await?;
    Ok([intended, began.elapsed().saturating_sub(intended)])
}

/// User and system time of this process, to a hundredth of a second.
fn cpu_time() -> Result<Duration, Failed> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = fields.iter().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}
