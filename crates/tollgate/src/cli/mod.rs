//! The command line: one file a command. Exit codes: 0 fine, 1 the answer is no, 2 usage or an incomplete answer.

pub mod audit;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::config;

/// Which configuration a command reads.
#[derive(Clone, Debug, Args)]
pub struct ConfigFile {
    /// The configuration file [default: $TOLLGATE_CONFIG, else ./tollgate.yaml]
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
