//! What came of the attacks, as a table.

use std::{collections::BTreeMap, fmt::Write as _};

/// A way that an attack is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// As the statement of a call of `query`.
    Query,
    /// As a string parameter of declared tools.
    Parameter,
    /// Raw, to the engine's own layer.
    Engine,
    /// By one caller, and then another calls on the same connection.
    Next,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Way::Query => "query",
            Way::Parameter => "parameter",
            Way::Engine => "engine",
            Way::Next => "next caller",
        }
    }
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// Something hidden was read.
    Leak,
    /// Something was changed.
    Write,
    /// It was not met as the list says.
    Unexpected,
}

/// One attack, one way.
#[derive(Clone, Debug)]
pub struct Line {
    pub id: String,
    pub way: Way,
    pub expected: String,
    pub seen: String,
    pub wrong: Vec<(Wrong, String)>,
    pub attack: String,
}

/// All of them on one engine.
#[derive(Default)]
pub struct Report {
    lines: Vec<Line>,
}

impl Report {
    pub fn add(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Each attack with each way, aligned.
    pub fn table(&self) -> String {
        let mut out = String::new();
        for line in &self.lines {
            let (id, way, expected, seen) = (&line.id, line.way.name(), &line.expected, &line.seen);
            let verdict = if line.wrong.is_empty() { "ok" } else { "WRONG" };
            let _ =
                writeln!(out, "{id:<8} {way:<12} {expected:<8} {seen:<24} {verdict:<6} {}", shortened(&line.attack));
        }
        out
    }

    /// A line for each way, and each line that is wrong with its story.
    pub fn totals(&self, engine: &str) -> String {
        let mut counts: BTreeMap<Way, BTreeMap<&str, usize>> = BTreeMap::new();
        for line in &self.lines {
            let count = counts.entry(line.way).or_default();
            *count.entry("sent").or_default() += 1;
            let kind = line.seen.split(' ').next().unwrap_or_default();
            *count.entry(kind).or_default() += 1;
            for (wrong, name) in [(Wrong::Leak, "LEAKS"), (Wrong::Write, "WRITES"), (Wrong::Unexpected, "UNEXPECTED")] {
                *count.entry(name).or_default() += line.wrong.iter().filter(|(kind, _)| *kind == wrong).count();
            }
        }
        let mut out = String::new();
        for (way, mut counts) in counts {
            let mut told = |name: &'static str| counts.remove(name).unwrap_or(0);
            let (sent, leaks, writes, unexpected) = (told("sent"), told("LEAKS"), told("WRITES"), told("UNEXPECTED"));
            let kinds: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            let _ = writeln!(
                out,
                "{engine:<10} {:<12} {sent:>4} sent: {:<60} {leaks} leaks, {writes} writes, {unexpected} unexpected",
                way.name(),
                kinds.join(", ")
            );
        }
        out
    }

    /// The story of each line that is wrong.
    pub fn wrong(&self) -> String {
        let mut out = String::new();
        for line in &self.lines {
            for (wrong, story) in &line.wrong {
                let (id, way, attack) = (&line.id, line.way.name(), shortened(&line.attack));
                let _ = writeln!(out, "{id} by {way}, {wrong:?}: {story}\n    {attack}");
            }
        }
        out
    }
}

fn shortened(text: &str) -> String {
    let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match one_line.char_indices().nth(150) {
        Some((at, _)) => format!("{}…", &one_line[..at]),
        None => one_line,
    }
}
