//! `tollgate call`: one call through the same gate as serve, with the same policy, limits and audit log.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, value::RawValue};
use tokio_util::sync::CancellationToken;
use tollgate_core::names::{Refusal, is_invisible};

use super::{
    ConfigFile, Format,
    output::{self, Paint},
    serve::{cannot_start, warn},
};
use crate::{
    app::App,
    config,
    protocol::host::{CallReply, Peer, ToolCall, ToolHost, ToolListing},
};

/// Make one call through the same path as serve.
///
/// Exits 1 when the call was refused or failed, with the code and sentence on standard error.
#[derive(Debug, Args)]
pub struct Call {
    #[command(flatten)]
    config: ConfigFile,
    /// The tool
    tool: String,
    /// Its arguments: k=v, where v is text for a text parameter and JSON for any other
    #[arg(value_name = "k=v", value_parser = argument)]
    arguments: Vec<(String, String)>,
    /// The agent that calls: its key in `TOLLGATE_KEY`, or `local: true` in the configuration
    #[arg(long = "as", value_name = "AGENT")]
    agent: String,
    /// How to print the result: a table, or the result object as JSON
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Splits `k=v`.
pub(super) fn argument(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not of the form k=v"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Runs the command.
pub async fn run(command: Call) -> ExitCode {
    let app = match App::start(&command.config.path(), "call").await {
        Ok(app) => app,
        Err(error) => return cannot_start(&error),
    };
    warn(&app);
    let reply = call(&app, &command).await;
    if let Err(error) = app.finish().await {
        return cannot_start(&error);
    }
    match reply {
        Ok(CallReply::Rows { json, .. }) => print(&json, command.format),
        Ok(CallReply::Refused { refusal, .. } | CallReply::UnknownTool { refusal, .. }) | Err(refusal) => {
            output::refused(&refusal)
        }
    }
}

async fn call(app: &App, command: &Call) -> Result<CallReply, Refusal> {
    let gate = app.gate();
    let caller = gate.local_caller(&command.agent, config::agent_key().as_deref())?;
    let listings = gate.list(&caller);
    let listing = listings.iter().find(|listing| listing.name == command.tool);
    let stop = CancellationToken::new();
    let interrupted = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.cancel();
        }
    });
    Ok(gate
        .call(ToolCall {
            caller,
            name: command.tool.clone(),
            arguments: Some(arguments(listing, &command.arguments)),
            request_id: None,
            traceparent: None,
            peer: Peer { transport: "cli", ..Peer::default() },
            deadline: None,
            cancel: stop,
        })
        .await)
}

/// The arguments as the JSON that an agent would have sent.
pub(super) fn arguments(listing: Option<&ToolListing>, given: &[(String, String)]) -> Box<RawValue> {
    let members: Vec<String> = given
        .iter()
        .map(|(name, value)| {
            let is_text = listing.is_none_or(|l| is_text(&l.input_schema, name));
            let json = if is_text || serde_json::from_str::<&RawValue>(value).is_err() {
                Value::String(value.clone()).to_string()
            } else {
                value.clone()
            };
            format!("{}:{json}", Value::String(name.clone()))
        })
        .collect();
    RawValue::from_string(format!("{{{}}}", members.join(","))).unwrap_or_default()
}

fn is_text(schema: &Map<String, Value>, name: &str) -> bool {
    let property = schema.get("properties").and_then(|p| p.get(name));
    property.and_then(|p| p.get("type")).is_none_or(|ty| ty == "string")
}

fn print(json: &RawValue, format: Format) -> ExitCode {
    if format == Format::Json {
        output::line(json);
        return ExitCode::SUCCESS;
    }
    let Ok(result) = serde_json::from_str::<Value>(json.get()) else {
        return output::failure("the result is not JSON");
    };
    // What tells of the schema has no rows.
    if result.get("rows").is_none_or(|rows| !rows.is_array()) {
        return described(&result);
    }
    let rows: Vec<&Value> = result.get("rows").and_then(Value::as_array).into_iter().flatten().collect();
    // The names stand before the rows (`result: table`), or in each of them.
    let headings: Vec<&str> = match result.get("columns").and_then(Value::as_array) {
        Some(names) => names.iter().filter_map(Value::as_str).collect(),
        None => {
            rows.first().and_then(|row| row.as_object()).into_iter().flat_map(Map::keys).map(String::as_str).collect()
        }
    };
    let values = |row: &Value| -> Vec<String> {
        match row {
            Value::Object(row) => row.values().map(cell).collect(),
            Value::Array(row) => row.iter().map(cell).collect(),
            other => vec![cell(other)],
        }
    };
    let cells: Vec<Vec<String>> = rows.iter().map(|row| values(row)).collect();
    if !rows.is_empty() {
        output::line(output::table(&headings, &cells));
    }
    let more = if result.get("truncated") == Some(&Value::Bool(true)) { ", and there are more" } else { "" };
    let count = rows.len();
    let noun = if count == 1 { "row" } else { "rows" };
    output::note(Paint::stderr().dim(&format!("{count} {noun}{more}")));
    ExitCode::SUCCESS
}

/// An answer that is no list of rows, as indented JSON.
fn described(result: &Value) -> ExitCode {
    match serde_json::to_string_pretty(result) {
        Ok(text) => {
            let shown =
                |c: char| if c != '\n' && is_invisible(c) { c.escape_unicode().to_string() } else { c.to_string() };
            output::line(text.chars().map(shown).collect::<String>());
            ExitCode::SUCCESS
        }
        Err(error) => output::failure(&error.to_string()),
    }
}

/// A value as a person reads it, with nothing in it that a terminal would act on.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "∅".to_owned(),
        Value::String(text) => {
            text.chars().flat_map(|c| if is_invisible(c) { c.escape_unicode().collect() } else { vec![c] }).collect()
        }
        other => other.to_string(),
    }
}
