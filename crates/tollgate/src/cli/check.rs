//! `tollgate check`: compiles the configuration against the live databases and says everything that is wrong. Serves and changes nothing.

use std::{collections::BTreeSet, process::ExitCode, sync::Arc};

use clap::Args;
use serde_json::{Value, json};
use tollgate_backends::{Finding, Severity};
use tollgate_core::{
    names::{DatabaseName, ToolName},
    tools::Plan,
};

use super::{
    ConfigFile, Format,
    lock::{self, Change, LockError},
    output::{self, Paint},
};
use crate::{
    config::{self, Compiled, Diagnostics, Style},
    gateway::Gateway,
};

/// Compile the configuration against the live databases; every mistake, with its line.
///
/// Exits with 0 when it can be served, 1 when it has mistakes, 2 when a part of it could not be checked.
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    config: ConfigFile,
    /// Show who may see what: role by table by column, and role by tool
    #[arg(long)]
    matrix: bool,
    /// Show what changed since `tollgate lock`, and exit with 1 when something did
    #[arg(long)]
    locked: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub async fn run(command: Check) -> ExitCode {
    let result = match config::load(&command.config.path()) {
        Ok(loaded) => config::compile(&loaded).await,
        Err(diagnostics) => Err(diagnostics),
    };
    let changes = match &result {
        // What depends on a database that does not answer would all seem to be gone.
        Ok(compiled) if command.locked && compiled.gateway.unavailable.is_empty() => {
            Some(lock::changes(&command.config.path(), compiled))
        }
        _ => None,
    };
    let code = match &changes {
        Some(Err(_)) => ExitCode::from(2),
        Some(Ok(changes)) if !changes.is_empty() => ExitCode::from(1),
        _ => exit_code(&result),
    };
    match command.format {
        Format::Text => match &result {
            Ok(compiled) => {
                print(&command, compiled);
                changes.iter().for_each(print_changes);
            }
            Err(diagnostics) => report(diagnostics),
        },
        Format::Json => {
            let mut value = to_json(&command, &result);
            if let (Some(changes), Some(object)) = (changes, value.as_object_mut()) {
                object.insert(
                    "locked".to_owned(),
                    match changes {
                        Ok(changes) => json!({ "ok": changes.is_empty(), "changes": changes }),
                        Err(error) => json!({ "ok": false, "error": error.to_string() }),
                    },
                );
            }
            output::line(format_args!("{value:#}"));
        }
    }
    if let Ok(compiled) = result {
        for database in compiled.gateway.databases.values() {
            database.backend.close().await;
        }
    }
    code
}

/// The mistakes of a configuration that a command cannot go on with.
pub(super) fn refuse(diagnostics: &Diagnostics) -> ExitCode {
    report(diagnostics);
    exit_code_of(diagnostics)
}

fn print_changes(changes: &Result<Vec<Change>, LockError>) {
    match changes {
        Ok(changes) if changes.is_empty() => output::line("nothing changed since `tollgate lock`"),
        Ok(changes) => {
            output::line(format_args!("\nsince `tollgate lock`:\n{}", lock::report(changes).trim_end()));
        }
        Err(error) => output::note(format_args!("{}: {error}", Paint::stderr().red("error"))),
    }
}

fn exit_code(result: &Result<Compiled, Diagnostics>) -> ExitCode {
    match result {
        Ok(compiled) if compiled.gateway.unavailable.is_empty() => ExitCode::SUCCESS,
        // What depends on a database that did not answer was not checked.
        Ok(_) => ExitCode::from(2),
        Err(diagnostics) => exit_code_of(diagnostics),
    }
}

fn exit_code_of(diagnostics: &Diagnostics) -> ExitCode {
    if diagnostics.sources().iter().next().is_none() { ExitCode::from(2) } else { ExitCode::from(1) }
}

/// The mistakes, and how many.
fn report(diagnostics: &Diagnostics) {
    let style = if Paint::stdout().is_on() { Style::Colour } else { Style::Plain };
    output::line(diagnostics.render(style).trim_end());
    let count = |severity, word: &str| match diagnostics.count(severity) {
        0 => None,
        1 => Some(format!("1 {word}")),
        n => Some(format!("{n} {word}s")),
    };
    let counts = [count(config::Severity::Error, "error"), count(config::Severity::Warning, "warning")];
    output::line(format_args!("\n{}", counts.into_iter().flatten().collect::<Vec<_>>().join(", ")));
}

fn print(command: &Check, compiled: &Compiled) {
    if !compiled.diagnostics.is_empty() {
        report(&compiled.diagnostics);
        output::line("");
    }
    let paint = Paint::stdout();
    if command.matrix {
        for line in compiled.matrix.to_string().lines() {
            output::line(coloured(line, paint));
        }
        return;
    }
    let gateway = &compiled.gateway;
    output::line(format_args!("{}\n", output::table(&["database", "engine", "tables", "login"], &databases(gateway))));
    output::line(format_args!(
        "{}\n",
        output::table(&["role", "tables", "tools", "query", "agents"], &roles(compiled))
    ));
    output::line(format_args!("{}\n", output::table(&["tool", "roles", "variants", ""], &tools(gateway))));
    let notes: Vec<String> = notes(compiled).collect();
    if !notes.is_empty() {
        output::line(format_args!("{}\n", notes.join("\n")));
    }
    for line in open_tables(compiled) {
        output::line(line);
    }
    match gateway.unavailable.len() {
        0 => output::line(paint.green("the configuration can be served")),
        _ => {
            output::line("the configuration can be served; what needs a database that does not answer was not checked");
        }
    }
}

/// What a login can do that nobody is warned of.
fn notes(compiled: &Compiled) -> impl Iterator<Item = String> {
    let findings = compiled.findings.iter().flat_map(|(name, found)| found.iter().map(move |finding| (name, finding)));
    let quiet = findings.filter(|(_, finding)| finding.kind.severity() < Severity::Danger);
    let quiet = quiet.map(|(name, finding)| format!("note: database `{name}`: {}", finding.sentence));
    let added = compiled.gateway.databases.values().flat_map(|database| {
        let name = &database.name;
        let added = database.catalog.functions().iter();
        added.map(move |function| {
            format!("note: database `{name}`: SQL may call `{function}`, beyond the reviewed list")
        })
    });
    quiet.chain(added)
}

fn databases(gateway: &Gateway) -> Vec<Vec<String>> {
    let ready = gateway.databases.values().map(|database| {
        let engine = format!("{} {}", database.catalog.dialect().name(), database.catalog.server_version());
        let login = database.user.clone().unwrap_or_else(|| "-".to_owned());
        vec![database.name.to_string(), engine, database.catalog.tables().len().to_string(), login]
    });
    let silent = gateway.unavailable.keys().map(|name| vec![name.to_string(), "does not answer".to_owned()]);
    ready.chain(silent).collect()
}

fn roles(compiled: &Compiled) -> Vec<Vec<String>> {
    let gateway = &compiled.gateway;
    let row = |role: &crate::gateway::Role| {
        let granted = compiled.matrix.roles.get(&role.name);
        let tables: usize = granted.map_or(0, |granted| granted.databases.values().map(config::visible_tables).sum());
        let agents = gateway.agents.values().filter(|agent| agent.role == role.name);
        let agents: Vec<&str> = agents.map(|agent| agent.name.as_str()).collect();
        let tools = granted.map_or(0, |granted| granted.tools.len());
        let query: Vec<&str> = granted.into_iter().flat_map(|g| &g.query).map(DatabaseName::as_str).collect();
        vec![role.name.to_string(), tables.to_string(), tools.to_string(), query.join(", "), agents.join(", ")]
    };
    gateway.roles.values().map(row).collect()
}

/// What a role sees although no line names it: every column but some.
fn open_tables(compiled: &Compiled) -> Vec<String> {
    let tables = compiled.matrix.all_except().map(|(role, database, table, open)| {
        let visible: Vec<&str> = open.visible().collect();
        format!("{role} sees in {database} {table}, by `all_except`: {}\n", visible.join(", "))
    });
    tables.collect()
}

fn tools(gateway: &Gateway) -> Vec<Vec<String>> {
    let served = plans(gateway).map(|plan| plan.tool().name().clone());
    let unavailable = gateway.roles.values().flat_map(|role| role.unavailable.keys().cloned());
    let names: BTreeSet<ToolName> = served.chain(unavailable).collect();
    let row = |name: ToolName| {
        let plans: Vec<_> = gateway
            .roles
            .values()
            .filter_map(|role| {
                let plan = role.tools.authorize(name.as_str())?.tool().plan()?;
                Some((role.name.as_str(), Arc::clone(plan)))
            })
            .collect();
        let roles: Vec<&str> = plans.iter().map(|(role, _)| *role).collect();
        let fenced: Vec<&str> = plans.iter().filter(|(_, plan)| plan.fenced()).map(|(role, _)| *role).collect();
        let mut notes = Vec::new();
        if plans.iter().any(|(_, plan)| plan.tool().deprecation().is_some()) {
            notes.push("deprecated".to_owned());
        }
        if plans.iter().any(|(_, plan)| plan.tool().definer().is_some()) {
            notes.push("without row filters".to_owned());
        }
        if !fenced.is_empty() {
            notes.push(format!("fenced for {}", fenced.join(", ")));
        }
        if plans.is_empty() {
            notes.push("not available now".to_owned());
        }
        let variants = plans.first().map(|(_, plan)| plan.variants().to_string()).unwrap_or_default();
        vec![name.to_string(), roles.join(", "), variants, notes.join("; ")]
    };
    names.into_iter().map(row).collect()
}

fn to_json(command: &Check, result: &Result<Compiled, Diagnostics>) -> Value {
    let compiled = match result {
        Ok(compiled) => compiled,
        Err(diagnostics) => return json!({ "ok": false, "diagnostics": diagnostics.to_json() }),
    };
    let gateway = &compiled.gateway;
    let mut value = json!({
        "ok": true,
        "diagnostics": compiled.diagnostics.to_json(),
        "databases": gateway.databases.keys().collect::<Vec<_>>(),
        "unavailable": gateway.unavailable,
        "roles": gateway.roles.keys().collect::<Vec<_>>(),
        "agents": gateway.agents.keys().collect::<Vec<_>>(),
        "fenced": fenced(gateway),
        "all_except": compiled.matrix.all_except().map(|(role, database, table, open)| json!({
            "role": role, "database": database, "table": table, "visible": open.visible().collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "findings": findings(compiled),
    });
    if let (true, Some(object)) = (command.matrix, value.as_object_mut()) {
        object.insert("matrix".to_owned(), json!(compiled.matrix));
    }
    value
}

/// What each database's login can do beyond the policy.
fn findings(compiled: &Compiled) -> Value {
    let of = |findings: &Vec<Finding>| -> Vec<Value> {
        findings.iter().map(|finding| json!({ "kind": finding.kind.name(), "sentence": finding.sentence })).collect()
    };
    compiled.findings.iter().map(|(name, findings)| (name.to_string(), json!(of(findings)))).collect()
}

/// Tools that some role calls through a fence.
fn fenced(gateway: &Gateway) -> BTreeSet<&ToolName> {
    plans(gateway).filter(|plan| plan.fenced()).map(|plan| plan.tool().name()).collect()
}

/// Every declared tool, as each role has it.
fn plans(gateway: &Gateway) -> impl Iterator<Item = &Arc<Plan>> {
    gateway.roles.values().flat_map(|role| role.tools.iter()).filter_map(|callable| callable.tool().plan())
}

/// A line of the matrix: what is denied steps back, what is changed stands out.
fn coloured(line: &str, paint: Paint) -> String {
    let Some(name_end) = line.strip_prefix("  ").and_then(|rest| rest.find("  ")).map(|end| end + 2) else {
        let is_title = !line.is_empty() && !line.starts_with(' ');
        return if is_title { paint.bold(line) } else { line.to_owned() };
    };
    let (name, cells) = line.split_at(name_end);
    let cell = |text: &str| match text.trim() {
        word @ ("deny" | "none") => text.replace(word, &paint.dim(word)),
        word if word.starts_with("mask ") || word.starts_with("filter ") => text.replace(word, &paint.cyan(word)),
        _ => text.to_owned(),
    };
    // Cells are two spaces apart or more, and none of them holds two spaces.
    let cells: Vec<String> = cells.split("  ").map(cell).collect();
    format!("{name}{}", cells.join("  "))
}
