//! `tollgate schema`: the JSON Schema of the configuration file, for editors.

use std::process::ExitCode;

use clap::Args;

use super::output;
use crate::config::file;

/// Print the JSON Schema of the configuration file.
#[derive(Debug, Args)]
pub struct Schema {}

/// Runs the command.
pub fn run(_command: Schema) -> ExitCode {
    output::line(format_args!("{:#}", file::json_schema()));
    ExitCode::SUCCESS
}
