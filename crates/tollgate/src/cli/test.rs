//! `tollgate test`: the policy tests written in the configuration, each one call through the same gate as serve, and in the same audit
//! log. Never changes anything but that log.

use std::{process::ExitCode, sync::Arc};

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};
use tokio_util::sync::CancellationToken;
use tollgate_core::{
    names::{Principal, is_invisible},
    tools::QUERY,
};

use super::{
    ConfigFile, Format,
    output::{self, Paint},
    serve::{cannot_start, warn},
};
use crate::{
    app::App,
    config::file::{Expect, PolicyTest},
    identity,
    protocol::host::{CallReply, Peer, ToolCall, ToolHost},
};

/// Run the policy tests written in the configuration.
///
/// Each is one call through the same path as serve, written down in the audit log. Exits 1 when one fails, 2 when there is none.
#[derive(Debug, Args)]
pub struct Test {
    #[command(flatten)]
    config: ConfigFile,
    /// Only the tests whose name contains this
    #[arg(short = 'k', value_name = "NAME")]
    only: Option<String>,
    /// How to print what came of them
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What came of one test.
#[derive(Debug, Serialize)]
struct Verdict {
    name: String,
    ok: bool,
    /// What is not as expected.
    problems: Vec<String>,
}

/// Runs the command.
pub async fn run(command: Test) -> ExitCode {
    let app = match App::start(&command.config.path(), "test").await {
        Ok(app) => app,
        Err(error) => return cannot_start(&error),
    };
    warn(&app);
    let mut verdicts = Vec::new();
    let wanted = |name: &str| command.only.as_ref().is_none_or(|part| name.contains(part.as_str()));
    for (name, test) in app.tests().iter().filter(|(name, _)| wanted(name)) {
        let problems = match run_one(&app, test).await {
            Ok(reply) => judge(&test.expect, &reply),
            Err(problem) => vec![problem],
        };
        verdicts.push(Verdict { name: name.clone(), ok: problems.is_empty(), problems });
    }
    if let Err(error) = app.finish().await {
        return cannot_start(&error);
    }
    if verdicts.is_empty() {
        return output::failure("there is no test to run; `tests` of the configuration holds them");
    }
    print(&verdicts, command.format)
}

async fn run_one(app: &App, test: &PolicyTest) -> Result<CallReply, String> {
    let (name, arguments) = match (&test.tool, &test.sql) {
        (Some(tool), _) => (tool.clone(), test.with.as_ref().map_or("{}", |with| with.0.as_str()).to_owned()),
        (None, sql) => {
            let mut arguments = Map::from_iter([("sql".to_owned(), json!(sql))]);
            arguments.extend(test.database.as_ref().map(|name| ("database".to_owned(), json!(name.as_str()))));
            (QUERY.to_owned(), Value::Object(arguments).to_string())
        }
    };
    let arguments = RawValue::from_string(arguments).map_err(|error| format!("its arguments are not JSON: {error}"))?;
    let call = ToolCall {
        caller: caller(app, test)?,
        name,
        arguments: Some(arguments),
        request_id: None,
        traceparent: None,
        peer: Peer { transport: "test", ..Peer::default() },
        deadline: None,
        cancel: CancellationToken::new(),
    };
    Ok(app.gate().call(call).await)
}

/// Who the test is run as. Whoever may run it can also write the configuration, so no key is asked for.
fn caller(app: &App, test: &PolicyTest) -> Result<Arc<Principal>, String> {
    let user = identity::os_user();
    match (&test.agent, &test.role) {
        (Some(agent), _) => {
            app.gate().serving().directory.rehearsed(agent.as_str(), &user).map_err(|error| error.to_string())
        }
        (None, Some(role)) => identity::rehearsed(role, &test.claims, &user).map_err(|error| error.to_string()),
        (None, None) => Err("it names neither an agent nor a role".to_owned()),
    }
}

/// Everything in which a reply is not as expected.
fn judge(expect: &Expect, reply: &CallReply) -> Vec<String> {
    let json = match (reply, &expect.refused) {
        (CallReply::Rows { json, .. }, None) => json,
        (CallReply::Rows { .. }, Some(code)) => return vec![format!("it was answered, not refused with {code}")],
        (CallReply::Refused { refusal, .. } | CallReply::UnknownTool { refusal, .. }, Some(code)) => {
            let got = refusal.code.to_string();
            return if got == *code { Vec::new() } else { vec![format!("it was refused with {refusal}, not {code}")] };
        }
        (CallReply::Refused { refusal, .. } | CallReply::UnknownTool { refusal, .. }, None) => {
            return vec![format!("it was refused: {refusal}")];
        }
    };
    let Ok(result) = serde_json::from_str::<Value>(json.get()) else {
        return vec!["the result is not JSON".to_owned()];
    };
    let rows = rows_of(&result);
    let mut problems = Vec::new();
    if let Some(count) = expect.row_count.filter(|count| usize::try_from(*count) != Ok(rows.len())) {
        problems.push(format!("it gave {} rows, not {count}", rows.len()));
    }
    if let Some(expected) = &expect.rows {
        compare(
            &rows,
            &expected.iter().filter_map(|row| serde_json::from_str(&row.0).ok()).collect::<Vec<_>>(),
            &mut problems,
        );
    }
    let looks_for_absence = !expect.no_columns.is_empty() || !expect.no_values.is_empty();
    if looks_for_absence && rows.is_empty() && expect.row_count.is_none() && expect.rows.is_none() {
        problems.push("no row came, so nothing was looked at; say `row_count: 0` if that is meant".to_owned());
    }
    if !expect.no_values.is_empty() && result.get("truncated") == Some(&Value::Bool(true)) {
        problems.push("the answer was cut, so not every row was looked at; narrow the call down".to_owned());
    }
    for (index, row) in rows.iter().enumerate() {
        let place = index + 1;
        for column in expect.no_columns.iter().filter(|column| row.contains_key(*column)) {
            problems.push(format!("row {place} has the column `{column}`"));
        }
        for unwanted in expect.no_values.iter().filter_map(|text| serde_json::from_str(&text.0).ok()) {
            let found = row.iter().filter(|(_, value)| holds(value, &unwanted));
            problems.extend(found.map(|(name, _)| format!("row {place} holds {} in `{name}`", shown(&unwanted))));
        }
    }
    problems
}

/// The rows of a result, as objects also where it is a table.
fn rows_of(result: &Value) -> Vec<Map<String, Value>> {
    let columns: Option<Vec<&str>> =
        result.get("columns").and_then(Value::as_array).map(|names| names.iter().filter_map(Value::as_str).collect());
    let rows = result.get("rows").and_then(Value::as_array).into_iter().flatten();
    rows.filter_map(|row| match (row, &columns) {
        (Value::Object(row), _) => Some(row.clone()),
        (Value::Array(cells), Some(columns)) => {
            Some(columns.iter().map(|&name| name.to_owned()).zip(cells.iter().cloned()).collect())
        }
        _ => None,
    })
    .collect()
}

/// Row by row, and of each row the columns that are named.
fn compare(rows: &[Map<String, Value>], expected: &[Map<String, Value>], problems: &mut Vec<String>) {
    if rows.len() != expected.len() {
        problems.push(format!("it gave {} rows, not {}", rows.len(), expected.len()));
    }
    for (index, (row, expected)) in rows.iter().zip(expected).enumerate() {
        for (column, wanted) in expected {
            let place = index + 1;
            match row.get(column) {
                Some(value) if value == wanted => {}
                Some(value) => {
                    problems.push(format!("row {place}: `{column}` is {}, not {}", shown(value), shown(wanted)));
                }
                None => problems.push(format!("row {place} has no column `{column}`")),
            }
        }
    }
}

/// Whether a value is the unwanted one, or a text that contains it.
fn holds(value: &Value, unwanted: &Value) -> bool {
    match (value, unwanted) {
        (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
        (Value::Array(items), unwanted) => value == unwanted || items.iter().any(|item| holds(item, unwanted)),
        (Value::Object(members), unwanted) => {
            value == unwanted || members.values().any(|member| holds(member, unwanted))
        }
        (value, unwanted) => value == unwanted,
    }
}

/// A value as JSON, with nothing in it that a terminal would act on.
fn shown(value: &Value) -> String {
    let text: String = value.to_string().chars().take(200).collect();
    text.chars().flat_map(|c| if is_invisible(c) { c.escape_unicode().collect() } else { vec![c] }).collect()
}

fn print(verdicts: &[Verdict], format: Format) -> ExitCode {
    let failed = verdicts.iter().filter(|verdict| !verdict.ok).count();
    let passed = verdicts.len() - failed;
    if format == Format::Json {
        let value = json!({ "ok": failed == 0, "passed": passed, "failed": failed, "tests": verdicts });
        output::line(format_args!("{value:#}"));
    } else {
        let paint = Paint::stdout();
        for Verdict { name, ok, problems } in verdicts {
            let word = if *ok { paint.green("ok    ") } else { paint.red("FAILED") };
            output::line(format_args!("{word}  {name}"));
            for problem in problems {
                output::line(format_args!("        {problem}"));
            }
        }
        output::line(format_args!("\n{passed} passed, {failed} failed"));
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

#[cfg(test)]
mod tests;
