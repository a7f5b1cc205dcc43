//! `tollgate key new`: makes an API key, shows it once, and shows the hash that the configuration stores. Writes no file.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;
use tollgate_core::names::AgentName;

use super::{
    Format,
    output::{self, Paint},
};
use crate::identity::ApiKey;

/// The commands about keys.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Make an API key for an agent
    New(New),
}

/// Make an API key for an agent. It is shown once; the configuration stores only its hash.
#[derive(Debug, Args)]
pub struct New {
    /// The agent, as the configuration names it
    agent: AgentName,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The new key as JSON.
#[derive(Debug, Serialize)]
struct Printed<'a> {
    agent: &'a AgentName,
    key: String,
    hash: String,
}

/// Runs the command.
pub fn run(command: Key) -> ExitCode {
    let Key::New(New { agent, format }) = command;
    let Some(key) = ApiKey::generate() else {
        return output::failure("the operating system has no random numbers to give");
    };
    let hash = key.hash();
    match format {
        Format::Json => {
            match serde_json::to_string(&Printed { agent: &agent, key: key.to_string(), hash: hash.to_string() }) {
                Ok(json) => output::line(json),
                Err(error) => return output::failure(&error.to_string()),
            }
        }
        Format::Text => {
            let paint = Paint::stdout();
            output::line(format_args!(
                "{}\n",
                paint.dim("The key, shown this once; the agent sends it as its bearer token:")
            ));
            output::line(format_args!("  {}\n", paint.bold(&key.to_string())));
            output::line(format_args!("{}\n", paint.dim("Its hash, for the configuration:")));
            output::line(format_args!("  agents:\n    {agent}:\n      keys: [{hash}]"));
        }
    }
    ExitCode::SUCCESS
}
