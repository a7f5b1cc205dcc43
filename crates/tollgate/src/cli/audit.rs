//! `tollgate audit`: what stands in the audit log, for people and for programs. Only reads.

#[cfg(test)]
mod tests;

use std::{
    fmt::Write as _,
    io::{self, IsTerminal as _, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
    time::Duration,
};

use clap::{Args, Subcommand};
use jiff::Timestamp;
use tollgate_core::audit::{
    Aggregate, AggregateOf, Body, Cut, Denied, Outcome, Record, RotateReason, Status, is_invisible,
};

use super::{ConfigFile, Format};
use crate::{
    config::{self, Style},
    ledger::{Tail, Tailed},
};

/// How often `--follow` looks.
const PAUSE: Duration = Duration::from_millis(200);

/// Read the audit log
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Show the last calls, of all processes, merged by time
    Tail(TailArgs),
}

/// Show the last calls, of all processes, merged by time.
///
/// It needs no database and no server, only the right to read the log's files.
#[derive(Debug, Args)]
pub struct TailArgs {
    /// The audit directory, instead of the configuration's `audit.dir`
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigFile,
    /// How many to show
    #[arg(short = 'n', long = "lines", value_name = "N", default_value_t = 20)]
    lines: usize,
    /// Go on showing calls as they come
    #[arg(short, long)]
    follow: bool,
    /// How to print: `json` prints the stored lines, of every type, as they are
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Only calls of this agent
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// Only calls of this tool
    #[arg(long, value_name = "TOOL")]
    tool: Option<String>,
}

/// Whether the output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colour {
    /// On a terminal.
    On,
    /// Anywhere else.
    Off,
}

/// Runs the command.
pub fn run(command: Audit) -> ExitCode {
    let Audit::Tail(args) = command;
    let (mut out, mut notes) = (io::stdout().lock(), io::stderr().lock());
    let colour = if out.is_terminal() { Colour::On } else { Colour::Off };
    let dir = match args.dir.clone().map_or_else(|| configured(&args.config), Ok) {
        Ok(dir) => dir,
        Err(problem) => {
            let _ = writeln!(notes, "{problem}");
            return ExitCode::from(2);
        }
    };
    match tail(&args, &dir, &mut out, colour) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(notes, "error: cannot read the audit log below `{}`: {error}", dir.display());
            ExitCode::from(2)
        }
    }
}

/// The configuration's `audit.dir`. Only that is read of it: no database is asked.
fn configured(config: &ConfigFile) -> Result<PathBuf, String> {
    let rendered = |diagnostics: &config::Diagnostics| diagnostics.render(Style::Plain);
    let loaded = config::load(&config.path()).map_err(|diagnostics| rendered(&diagnostics))?;
    Ok(loaded.settings(&mut config::Diagnostics::default()).audit.dir)
}

/// Prints the last records below `dir` and, with `--follow`, those that come, until the reader goes away.
fn tail(args: &TailArgs, dir: &Path, out: &mut impl Write, colour: Colour) -> io::Result<()> {
    match print_all(args, dir, out, colour) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn print_all(args: &TailArgs, dir: &Path, out: &mut impl Write, colour: Colour) -> io::Result<()> {
    let shown = |line: &Tailed| args.shows(line);
    let (mut tail, last) = Tail::last(dir, args.lines, shown)?;
    if args.format == Format::Text {
        let heading = format!(
            "{:<24}  {:<14}  {:<28}  {:<12}  {:>6}  {:>8}  CODE",
            "TIME", "AGENT", "TOOL", "STATUS", "ROWS", "MS"
        );
        writeln!(out, "{}", Paint::Dim.on(&heading, colour))?;
    }
    let mut lines = last;
    loop {
        for line in &lines {
            match args.format {
                Format::Json => {
                    out.write_all(&line.line)?;
                    out.write_all(b"\n")?;
                }
                Format::Text => writeln!(out, "{}", render(line, colour))?,
            }
        }
        out.flush()?;
        if !args.follow {
            return Ok(());
        }
        thread::sleep(PAUSE);
        lines = tail.look()?;
        lines.retain(shown);
    }
}

impl TailArgs {
    fn shows(&self, line: &Tailed) -> bool {
        let body = match &line.record {
            Ok(record) => &record.body,
            // A damaged line is news to everyone who asks; to a program it would be one more damaged line.
            Err(_) => return self.format == Format::Text,
        };
        // For people, an intent shows as its outcome.
        if self.format == Format::Text && matches!(body, Body::Intent(_)) {
            return false;
        }
        let (agent, tool) = about(body);
        let fits = |wanted: &Option<String>, is: Option<&str>| wanted.as_deref().is_none_or(|w| is == Some(w));
        fits(&self.agent, agent) && fits(&self.tool, tool)
    }
}

/// The agent and the tool that a record is about.
fn about<'a>(body: &'a Body<'_>) -> (Option<&'a str>, Option<&'a str>) {
    match body {
        Body::Intent(intent) => (Some(&intent.call.agent_id), Some(&intent.call.tool)),
        Body::Outcome(outcome) => (Some(&outcome.agent_id), Some(&outcome.tool)),
        Body::Denied(denied) => (Some(&denied.call.agent_id), Some(&denied.call.tool)),
        Body::Rejected(rejected) => (Some(&rejected.agent_id), None),
        Body::Aggregate(aggregate) => (aggregate.agent_id.as_deref(), None),
        Body::Genesis(_) | Body::Boot(_) | Body::Recover(_) | Body::Rotate(_) | Body::Shutdown(_) => (None, None),
    }
}

fn render(line: &Tailed, colour: Colour) -> String {
    match &line.record {
        Ok(record) => render_record(&line.log, record, colour),
        Err(why) => Paint::Red.on(&format!("{}: a line that is no record: {why}", visible(&line.log)), colour),
    }
}

fn render_record(log: &str, record: &Record, colour: Colour) -> String {
    let at = record.stamp.ts;
    let event = |what: String| Paint::Dim.on(&format!("{}  {what} ({})", time(at), visible(log)), colour);
    match &record.body {
        Body::Outcome(outcome) => of_outcome(at, outcome, colour),
        Body::Denied(denied) => of_denied(at, denied, colour),
        Body::Rejected(rejected) => {
            let row =
                Row { agent: &rejected.agent_id, tool: "-", status: "rejected", paint: Paint::Yellow, ..Row::at(at) };
            row.render(&[&rejected.error_code, &rejected.error_message], colour)
        }
        Body::Aggregate(aggregate) => of_aggregate(at, aggregate, colour),
        Body::Intent(intent) => {
            let row = Row { agent: &intent.call.agent_id, tool: &intent.call.tool, status: "running", ..Row::at(at) };
            row.render(&[], colour)
        }
        Body::Genesis(genesis) => event(format!("the log begins, tollgate {}", visible(&genesis.version))),
        Body::Boot(boot) => {
            event(format!("{} started, tollgate {}, pid {}", visible(&boot.command), visible(&boot.version), boot.pid))
        }
        Body::Recover(recover) => {
            let torn = recover.torn.as_ref().map(|torn| format!(", {} bytes of a torn write cut off", torn.bytes));
            let torn = torn.unwrap_or_default();
            event(format!("the process before did not shut down: {} calls open{torn}", recover.open))
        }
        Body::Rotate(rotate) => event(match rotate.reason {
            RotateReason::Full => "a new segment".to_owned(),
            RotateReason::Failure => "a new segment, after a failed write".to_owned(),
        }),
        Body::Shutdown(shutdown) => event(format!("shut down, {} calls open", shutdown.open)),
    }
}

fn of_outcome(at: Timestamp, outcome: &Outcome<'_>, colour: Colour) -> String {
    let more = match outcome.truncated {
        None => "",
        Some(Cut::Rows | Cut::Bytes) => "+",
    };
    let row = Row {
        agent: &outcome.agent_id,
        tool: &outcome.tool,
        status: outcome.status.as_str(),
        paint: match outcome.status {
            Status::Ok => Paint::Green,
            Status::Cancelled | Status::NotExecuted => Paint::Yellow,
            Status::DbError | Status::Timeout | Status::Unknown => Paint::Red,
        },
        rows: outcome.row_count.map(|rows| format!("{rows}{more}")),
        total_us: outcome.total_us,
        ..Row::at(at)
    };
    let parts = [&outcome.error_code, &outcome.database_code, &outcome.error_message];
    let parts: Vec<&str> = parts.into_iter().filter_map(|part| part.as_deref()).collect();
    row.render(&parts, colour)
}

fn of_denied(at: Timestamp, denied: &Denied<'_>, colour: Colour) -> String {
    let row = Row {
        agent: &denied.call.agent_id,
        tool: &denied.call.tool,
        status: "denied",
        paint: Paint::Yellow,
        total_us: Some(denied.total_us),
        ..Row::at(at)
    };
    row.render(&[&denied.error_code, &denied.error_message], colour)
}

fn of_aggregate(at: Timestamp, aggregate: &Aggregate<'_>, colour: Colour) -> String {
    let what = match aggregate.of {
        AggregateOf::Unauthenticated => "unknown",
        AggregateOf::Denied => "denied",
        AggregateOf::Rejected => "rejected",
    };
    let counted = format!("{} counted", aggregate.count);
    let agent = aggregate.agent_id.as_deref().unwrap_or("-");
    let row = Row { agent, tool: &counted, status: what, paint: Paint::Yellow, ..Row::at(at) };
    let codes: Vec<String> = aggregate.codes.iter().map(|(code, count)| format!("{code}×{count}")).collect();
    let peers = aggregate.peers.iter().map(|(peer, count)| format!("{peer}×{count}"));
    let parts: Vec<String> = codes.into_iter().chain(peers).collect();
    row.render(&parts.iter().map(String::as_str).collect::<Vec<_>>(), colour)
}

/// One aligned line.
struct Row<'a> {
    at: Timestamp,
    agent: &'a str,
    tool: &'a str,
    status: &'a str,
    paint: Paint,
    rows: Option<String>,
    total_us: Option<u64>,
}

impl Row<'_> {
    fn at(at: Timestamp) -> Self {
        Self { at, agent: "-", tool: "-", status: "-", paint: Paint::Dim, rows: None, total_us: None }
    }

    fn render(self, parts: &[&str], colour: Colour) -> String {
        let status = self.paint.on(&format!("{:<12}", self.status), colour);
        let rows = self.rows.unwrap_or_default();
        let ms = self.total_us.map(|us| format!("{:.1}", us as f64 / 1000.0)).unwrap_or_default();
        let (agent, tool) = (visible(self.agent), visible(self.tool));
        let mut line = format!("{}  {agent:<14}  {tool:<28}  {status}  {rows:>6}  {ms:>8}", time(self.at));
        for part in parts {
            let _ = write!(line, "  {}", visible(part));
        }
        line.trim_end().to_owned()
    }
}

fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// Text from outside, so that it can neither move the cursor nor pass for something else.
fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) {
            let _ = write!(visible, "{}", c.escape_unicode());
        } else {
            visible.push(c);
        }
    }
    visible
}

#[derive(Clone, Copy, Debug)]
enum Paint {
    Dim,
    Green,
    Yellow,
    Red,
}

impl Paint {
    fn on(self, text: &str, colour: Colour) -> String {
        let code = match self {
            Paint::Dim => 2,
            Paint::Green => 32,
            Paint::Yellow => 33,
            Paint::Red => 31,
        };
        match colour {
            Colour::On => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Colour::Off => text.to_owned(),
        }
    }
}
