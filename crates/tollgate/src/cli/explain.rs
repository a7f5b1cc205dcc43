//! `tollgate explain`: what a tool's statement becomes for an agent. For operators: it shows hidden names and the database's plan.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use tollgate_core::{names::Refusal, tools::QUERY};

use super::{
    ConfigFile, Format,
    call::{argument, arguments},
    output::{self, Paint},
    serve::cannot_start,
};
use crate::{
    app::{self, StartError},
    clock::{Clock, SystemClock},
    gateway::Explained,
};

/// Show a tool's statement as written, as rewritten for an agent, its parameters and its plan; or what an agent's own one becomes.
///
/// For operators: it needs no key, runs nothing, and shows names and figures that agents never see.
#[derive(Debug, Args)]
pub struct Explain {
    #[command(flatten)]
    config: ConfigFile,
    /// The tool
    #[arg(required_unless_present = "sql")]
    tool: Option<String>,
    /// Its arguments, k=v, which choose its optional clauses
    #[arg(value_name = "k=v", value_parser = argument)]
    arguments: Vec<(String, String)>,
    /// A statement that the agent could send with `query`, instead of a tool
    #[arg(long, value_name = "SELECT", conflicts_with = "tool")]
    sql: Option<String>,
    /// The database it is for, where the agent's role may query several
    #[arg(long, requires = "sql")]
    database: Option<String>,
    /// The agent whose policy applies
    #[arg(long = "as", value_name = "AGENT")]
    agent: String,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The explanation as JSON.
#[derive(Debug, Serialize)]
struct Printed<'a> {
    tool: &'a str,
    agent: &'a str,
    role: &'a str,
    written: &'a str,
    rewritten: &'a str,
    rewritten_next: Option<&'a str>,
    security: Option<&'static str>,
    fenced: bool,
    fence: Option<&'a str>,
    parameters: &'a [(String, String)],
    plan: &'a str,
}

impl Explain {
    /// The tool that is called; an agent's own statement is a call of `query`.
    fn tool(&self) -> &str {
        self.tool.as_deref().unwrap_or(QUERY)
    }

    fn arguments(&self) -> Vec<(String, String)> {
        let own = [("sql", &self.sql), ("database", &self.database)];
        let own = own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        self.arguments.iter().cloned().chain(own).collect()
    }
}

/// Runs the command.
pub async fn run(command: Explain) -> ExitCode {
    match explain(&command).await {
        Ok(Ok(explained)) => print(&command, &explained),
        Ok(Err(refusal)) => output::refused(&refusal),
        Err(error) => cannot_start(&error),
    }
}

async fn explain(command: &Explain) -> Result<Result<Explained, Refusal>, StartError> {
    let serving = app::compile(&command.config.path()).await?;
    let explained = async {
        let caller = serving.directory.registered(&command.agent).map_err(|e| e.to_agent())?;
        let listings = serving.gateway.roles.get(caller.role()).map(|role| role.listings.clone());
        let listing = listings.as_deref().and_then(|l| l.iter().find(|listing| listing.name == command.tool()));
        let arguments = arguments(listing, &command.arguments());
        serving.explain(&caller, command.tool(), &arguments, SystemClock::default().today()).await
    }
    .await;
    serving.close().await;
    Ok(explained)
}

fn print(command: &Explain, explained: &Explained) -> ExitCode {
    if command.format == Format::Json {
        let printed = Printed {
            tool: command.tool(),
            agent: &command.agent,
            role: &explained.role,
            written: &explained.written,
            rewritten: &explained.rewritten,
            rewritten_next: explained.rewritten_next.as_deref(),
            security: explained.definer.then_some("definer"),
            fenced: explained.fence.is_some(),
            fence: explained.fence.as_deref(),
            parameters: &explained.parameters,
            plan: &explained.plan,
        };
        return match serde_json::to_string_pretty(&printed) {
            Ok(json) => {
                output::line(json);
                ExitCode::SUCCESS
            }
            Err(error) => output::failure(&error.to_string()),
        };
    }
    let paint = Paint::stdout();
    let section =
        |title: &str, text: &str| output::line(format_args!("{}\n{}\n", paint.bold(title), output::indent(text)));
    let without = if explained.definer { ", without its row filters" } else { "" };
    let fence = |operation| format!(", fenced: {operation} could betray hidden rows by failing");
    let fenced = explained.fence.as_ref().map(fence).unwrap_or_default();
    section(
        &format!("{} as {} (role {}{without})", command.tool(), command.agent, explained.role),
        explained.written.trim_end(),
    );
    section(&format!("as it runs{fenced}"), &explained.rewritten);
    if let Some(next) = &explained.rewritten_next {
        section("as it runs for later pages, behind the key of the last row", next);
    }
    let parameters: Vec<Vec<String>> =
        explained.parameters.iter().map(|(name, value)| vec![name.clone(), value.clone()]).collect();
    section("parameters", &output::aligned(&parameters));
    section("plan", explained.plan.trim_end());
    ExitCode::SUCCESS
}
