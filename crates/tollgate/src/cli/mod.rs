//! The command line: one file a command. Exit codes: 0 fine, 1 the answer is no, 2 usage or an incomplete answer.

mod audit;
mod call;
mod check;
mod demo;
mod explain;
mod harden;
mod key;
mod lock;
mod output;
mod schema;
mod serve;
mod test;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueEnum};
use tollgate_core::sql::limits::STACK_BYTES;

use crate::{
    config,
    telemetry::{LogFormat, LogLevel},
};

/// A gate between AI agents and databases: MCP in, policy-checked SQL out, everything in the audit log.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, max_term_width = 110, arg_required_else_help = true)]
#[command(
    after_help = "Start with `tollgate demo`. Exit codes: 0 fine, 1 the answer is no, 2 usage or an incomplete answer."
)]
struct Cli {
    /// How much to log to standard error; from `debug` on it may quote values
    #[arg(long, global = true, value_name = "LEVEL", value_enum, default_value_t, help_heading = "Logging")]
    log: LogLevel,
    /// How log lines look
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value_t, help_heading = "Logging")]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a sample shop with three agents and serve it: on SQLite, or on a server that you name
    Demo(demo::Demo),
    /// Compile the configuration against the live databases; every mistake, with its line
    Check(check::Check),
    /// Serve MCP over Streamable HTTP, or over stdio for one agent
    Serve(serve::Serve),
    /// Make one call through the same path as serve
    Call(call::Call),
    /// Show a tool's statement as written, as rewritten for an agent, its parameters and its plan
    Explain(explain::Explain),
    /// Print the SQL that makes a login as narrow as a role
    Harden(harden::Harden),
    /// Run the policy tests written in the configuration
    Test(test::Test),
    /// Pin every tool's definition in tollgate.lock; `check --locked` shows what changed since
    Lock(lock::Lock),
    /// Make API keys
    #[command(subcommand)]
    Key(key::Key),
    /// Read the audit log
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Print the JSON Schema of the configuration file
    Schema(schema::Schema),
}

/// Which configuration a command reads.
#[derive(Clone, Debug, Args)]
pub struct ConfigFile {
    /// The configuration file [default: `$TOLLGATE_CONFIG`, else `./tollgate.yaml`]
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    /// The file to read.
    pub fn path(&self) -> PathBuf {
        self.config.clone().unwrap_or_else(config::default_path)
    }
}

/// How a command prints its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(problem) = crate::telemetry::init_logs(cli.log, cli.log_format) {
        return output::usage_error(&problem);
    }
    quiet_panics();
    match cli.command {
        Command::Demo(command) => run(demo::run(command)),
        Command::Check(command) => run(check::run(command)),
        Command::Serve(command) => run(serve::run(command)),
        Command::Call(command) => run(call::run(command)),
        Command::Explain(command) => run(explain::run(command)),
        Command::Harden(command) => run(harden::run(command)),
        Command::Test(command) => run(test::run(command)),
        Command::Lock(command) => run(lock::run(command)),
        Command::Key(command) => key::run(command),
        Command::Audit(command) => audit::run(command),
        Command::Schema(command) => schema::run(command),
    }
}

/// A panic is logged by its place alone: its text may quote an argument or a row.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a panic; this is a bug in Tollgate");
    }));
}

/// Runs a command on the runtime that serving needs.
fn run(command: impl Future<Output = ExitCode>) -> ExitCode {
    // A check of a statement finds the stack that it needs; what nobody touches is no memory.
    let stack = STACK_BYTES + (4 << 20);
    match tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(stack).build() {
        Ok(runtime) => {
            let code = runtime.block_on(command);
            // Standard input of a stdio session may still be read by a thread that nobody can interrupt.
            runtime.shutdown_background();
            code
        }
        Err(error) => output::failure(&format!("the runtime could not start: {error}")),
    }
}
