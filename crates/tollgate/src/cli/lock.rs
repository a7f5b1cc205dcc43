//! `tollgate lock`: writes down what every role may see and call, so that `check --locked` can tell what changed since. The file is
//! made to be read and compared line by line; it holds names and hashes, and nothing that an agent wrote.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tollgate_core::{
    names::is_invisible,
    policy::{Access, RowAccess, TableMatrix},
    sql::tree::Slot,
    tools::{Callable, Listing, Tool},
};

use super::{ConfigFile, check, output};
use crate::{
    config::{self, Compiled},
    gateway::Role,
};

/// The file beside the configuration.
const NAME: &str = "tollgate.lock";
const VERSION: &str = "version: 1";
/// A larger file is not one of ours.
const BYTES_MAX: u64 = 64 << 20;

/// Pin every tool's definition in tollgate.lock, beside the configuration.
///
/// `check --locked` then shows what changed since. Commit the file with the configuration and read its difference like the policy's.
#[derive(Debug, Args)]
pub struct Lock {
    #[command(flatten)]
    config: ConfigFile,
}

/// Runs the command.
pub async fn run(command: Lock) -> ExitCode {
    let path = beside(&command.config.path());
    let compiled = match config::load(&command.config.path()) {
        Ok(loaded) => config::compile(&loaded).await,
        Err(diagnostics) => Err(diagnostics),
    };
    let compiled = match compiled {
        Ok(compiled) => compiled,
        Err(diagnostics) => return check::refuse(&diagnostics),
    };
    let code = if compiled.gateway.unavailable.is_empty() {
        match fs::write(&path, Pins::of(&compiled).to_string()) {
            Ok(()) => {
                output::line(format_args!("wrote {}", path.display()));
                ExitCode::SUCCESS
            }
            Err(error) => output::failure(&format!("cannot write `{}`: {error}", path.display())),
        }
    } else {
        output::failure("a database does not answer; what needs it cannot be pinned")
    };
    for database in compiled.gateway.databases.values() {
        database.backend.close().await;
    }
    code
}

/// The lock file of a configuration.
fn beside(config: &Path) -> PathBuf {
    config.with_file_name(NAME)
}

/// Why the lock file says nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum LockError {
    /// It is not there, or cannot be read.
    #[error("cannot read `{path}`: {source}; `tollgate lock` writes it")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not a lock file of this version.
    #[error("`{0}` is not a lock file that this version wrote; `tollgate lock` writes it anew")]
    Foreign(PathBuf),
}

/// Everything that is pinned, by section and key. Values are written so that they stand on one line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pins(BTreeMap<String, BTreeMap<String, String>>);

/// One thing that is not as it was pinned.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Change {
    /// `role support`, `tool get_user`.
    section: String,
    /// What of it.
    key: String,
    /// As it was; `None` where it was not.
    was: Option<String>,
    /// As it is; `None` where it is not any more.
    now: Option<String>,
    /// What that comes to, in a few words.
    meaning: &'static str,
}

/// What changed since the lock file beside the configuration was written.
pub(super) fn changes(config: &Path, compiled: &Compiled) -> Result<Vec<Change>, LockError> {
    let path = beside(config);
    let read = || {
        let size = fs::metadata(&path)?.len();
        if size > BYTES_MAX { Err(io::ErrorKind::FileTooLarge.into()) } else { fs::read_to_string(&path) }
    };
    let text = read().map_err(|source| LockError::Read { path: path.clone(), source })?;
    let was = Pins::parse(&text).ok_or(LockError::Foreign(path))?;
    Ok(was.changes(&Pins::of(compiled)))
}

impl Pins {
    /// What a configuration comes to.
    pub(super) fn of(compiled: &Compiled) -> Self {
        let mut pins = Self::default();
        for (name, role) in &compiled.gateway.roles {
            let section = pins.0.entry(format!("role {name}")).or_default();
            pin_role(role, section);
            let databases = compiled.matrix.roles.get(name).into_iter().flat_map(|granted| &granted.databases);
            for (database, granted) in databases {
                for (table, found) in granted.tables.iter().filter(|(_, table)| table.rows != RowAccess::None) {
                    pin_table(&format!("table {database} {}", quoted(table)), found, section);
                }
            }
            for callable in role.tools.iter() {
                if let Callable::Tool(plan) = callable.tool() {
                    let section = pins.0.entry(format!("tool {}", callable.name())).or_default();
                    section.insert("sql".to_owned(), value(plan.tool().template().text()));
                    section.insert("database".to_owned(), plan.tool().database().to_string());
                    pin_definer(plan.tool(), section);
                }
            }
        }
        pins
    }

    fn parse(text: &str) -> Option<Self> {
        let mut pins = Self::default();
        let mut section: Option<&mut BTreeMap<String, String>> = None;
        let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        (lines.next() == Some(VERSION)).then_some(())?;
        for line in lines {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = Some(pins.0.entry(name.to_owned()).or_default());
                continue;
            }
            let (key, value) = split(line)?;
            section.as_deref_mut()?.insert(key.to_owned(), value.to_owned());
        }
        Some(pins)
    }

    fn changes(&self, now: &Self) -> Vec<Change> {
        let nothing = BTreeMap::new();
        let sections: BTreeSet<&String> = self.0.keys().chain(now.0.keys()).collect();
        let mut changes = Vec::new();
        for section in sections {
            let of = |pins: &'_ Self| pins.0.get(section).unwrap_or(&nothing).clone();
            let (was, is) = (of(self), of(now));
            let keys: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
            for key in keys.into_iter().filter(|key| was.get(*key) != is.get(*key)) {
                let (was, now) = (was.get(key).cloned(), is.get(key).cloned());
                let meaning = meaning(section, key, was.as_deref(), now.as_deref());
                changes.push(Change { section: section.clone(), key: key.clone(), was, now, meaning });
            }
        }
        changes
    }
}

impl std::fmt::Display for Pins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "# What every role may see and call, written by `tollgate lock`. `tollgate check --locked` shows what changed."
        )?;
        writeln!(f, "{VERSION}")?;
        for (section, pins) in &self.0 {
            writeln!(f, "\n[{section}]")?;
            for (key, value) in pins {
                writeln!(f, "{key}: {value}")?;
            }
        }
        Ok(())
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = &self.key;
        match (&self.was, &self.now) {
            (None, Some(now)) => write!(f, "+ {key}: {now}")?,
            (Some(was), None) => write!(f, "- {key}: {was}")?,
            (was, now) => {
                write!(f, "~ {key}: {} → {}", was.as_deref().unwrap_or_default(), now.as_deref().unwrap_or_default())?;
            }
        }
        if self.meaning.is_empty() { Ok(()) } else { write!(f, "  ({})", self.meaning) }
    }
}

/// The report for people: changes below their sections.
pub(super) fn report(changes: &[Change]) -> String {
    let mut text = String::new();
    let mut section = "";
    for change in changes {
        if change.section != section {
            section = &change.section;
            // Writing to a string cannot fail.
            let _ = writeln!(text, "[{section}]");
        }
        let _ = writeln!(text, "  {change}");
    }
    text
}

fn meaning(section: &str, key: &str, was: Option<&str>, now: Option<&str>) -> &'static str {
    let is_visible = |access: Option<&str>| access == Some("allow");
    let words: Vec<&str> = key.split(' ').collect();
    match words.as_slice() {
        ["table", .., "column", _] if is_visible(now) && !is_visible(was) => "newly visible",
        ["table", .., "column", _] if was.is_none() => "newly visible through a mask",
        ["table", .., "rows" | "owner" | "min_group_size"] => "other rows",
        ["tool", _, "statement", ..] | ["tool", _, "definition"] => "its meaning changed",
        ["tool", _, "description"] if was.is_some() && now.is_some() => "its description changed",
        ["tool", _, "input" | "output"] if was.is_some() && now.is_some() => "its schema changed",
        ["tool", _, "description"] if was.is_none() => "newly callable",
        ["security"] if now.is_some() => "it runs without row filters",
        ["columns", _] => "it reads other columns",
        ["min_group_size"] if section.starts_with("tool ") => "it shows other groups",
        ["sql"] if section.starts_with("tool ") && was.is_some() && now.is_some() => "its text changed",
        _ => "",
    }
}

fn pin_role(role: &Role, section: &mut BTreeMap<String, String>) {
    section.insert("limit rows_max".to_owned(), role.limits.rows_max.to_string());
    section.insert("limit bytes_max".to_owned(), role.limits.bytes_max.to_string());
    for authorized in role.tools.iter() {
        let callable = authorized.tool();
        let mut pin = |what: &str, value: String| section.insert(format!("tool {} {what}", authorized.name()), value);
        let Listing { description, input_schema, output_schema, .. } = callable.listing();
        pin("description", value(description));
        pin("input", hash(serde_json::to_vec(&**input_schema).unwrap_or_default()));
        pin("output", hash(serde_json::to_vec(&**output_schema).unwrap_or_default()));
        match callable {
            Callable::Tool(plan) => {
                pin("rows_max", plan.rows_max().to_string());
                for (kept, statement) in plan.statements() {
                    let later = statement.slots().iter().any(|used| matches!(used.slot, Slot::After(_)));
                    let pages = if later { " of later pages" } else { "" };
                    pin(&format!("statement {kept}{pages}"), hex(statement.fingerprint()));
                }
            }
            Callable::Query(_) | Callable::Schema(_) => {
                pin("definition", hex(callable.fingerprint()));
            }
        }
    }
}

/// What a tool reads without row filters.
fn pin_definer(tool: &Tool, section: &mut BTreeMap<String, String>) {
    let Some(definer) = tool.definer() else { return };
    section.insert("security".to_owned(), "definer".to_owned());
    section.insert("min_group_size".to_owned(), definer.min_group_size.to_string());
    for (table, columns) in &definer.columns {
        let columns: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
        section.insert(format!("columns {}", quoted(table)), columns.join(", "));
    }
}

fn pin_table(key: &str, table: &TableMatrix, section: &mut BTreeMap<String, String>) {
    let rows = match &table.rows {
        RowAccess::None | RowAccess::All => "all".to_owned(),
        RowAccess::Filter(conditions) => {
            conditions.iter().map(|condition| value(condition)).collect::<Vec<_>>().join(" AND ")
        }
    };
    section.insert(format!("{key} rows"), rows);
    for (what, names) in [("owner", Some(&table.owner)), ("all_except", table.all_except.as_ref())] {
        if let Some(names) = names.filter(|names| what == "all_except" || !names.is_empty()) {
            section
                .insert(format!("{key} {what}"), names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "));
        }
    }
    if let Some(size) = table.min_group_size {
        section.insert(format!("{key} min_group_size"), size.to_string());
    }
    for (name, access) in table.columns.iter().filter(|(_, access)| *access != Access::Deny) {
        section.insert(format!("{key} column {}", quoted(name)), value(&access.to_string()));
    }
}

fn hash(bytes: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(bytes).into())
}

fn hex(hash: &[u8; 32]) -> String {
    hash.iter().fold("sha256:".to_owned(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A name inside a key: as it is where it is plain, else in quotes.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '$');
    if !name.is_empty() && name.chars().all(plain) { name.to_owned() } else { in_quotes(name) }
}

/// A value on one line, in which nothing hides: as it is where it is plain, else in quotes.
fn value(text: &str) -> String {
    let odd = |c: char| c.is_control() || is_invisible(c);
    if text.is_empty() || text.starts_with('"') || text.trim() != text || text.contains(odd) {
        in_quotes(text)
    } else {
        text.to_owned()
    }
}

fn in_quotes(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() || is_invisible(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A line's key and value: the first `: ` outside quotes.
fn split(line: &str) -> Option<(&str, &str)> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ':' if !quoted => return Some((line.get(..at)?, line.get(at + 1..)?.strip_prefix(' ')?)),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
