//! What commands print: the one place with `println!`. Colour only on a terminal.
#![expect(clippy::print_stderr, reason = "commands speak through here")]

use std::{
    fmt::Display,
    io::{IsTerminal, Write},
    process::ExitCode,
};

use tollgate_core::names::Refusal;

use crate::config::Style;

/// Prints a line to standard output; a reader that went away is no failure.
pub fn line(text: impl Display) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{text}").is_err() {
        std::process::exit(0);
    }
}

/// Prints a line to standard error.
pub fn note(text: impl Display) {
    eprintln!("{text}");
}

/// The command could not do its work: exit code 2.
pub fn failure(problem: &str) -> ExitCode {
    eprintln!("{}: {problem}", Paint::stderr().red("error"));
    ExitCode::from(2)
}

/// The command was called wrongly: exit code 2.
pub fn usage_error(problem: &str) -> ExitCode {
    eprintln!("{}: {problem}\n\nTry `tollgate --help`.", Paint::stderr().red("error"));
    ExitCode::from(2)
}

/// The answer is no: exit code 1, the code and sentence on standard error.
pub fn refused(refusal: &Refusal) -> ExitCode {
    eprintln!("{}: {}", Paint::stderr().red(&refusal.code.to_string()), refusal.message);
    ExitCode::from(1)
}

/// Colours, or none where the stream is no terminal.
#[derive(Clone, Copy, Debug)]
pub struct Paint(bool);

impl Paint {
    /// For standard output.
    pub fn stdout() -> Self {
        Self(std::io::stdout().is_terminal())
    }

    /// For standard error.
    pub fn stderr() -> Self {
        Self(std::io::stderr().is_terminal())
    }

    /// Whether there is colour.
    pub fn is_on(self) -> bool {
        self.0
    }

    /// The same for diagnostics.
    pub fn style(self) -> Style {
        if self.0 { Style::Colour } else { Style::Plain }
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Headings and names.
    pub fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// Side remarks.
    pub fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// What went wrong.
    pub fn red(self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    /// What is well.
    pub fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// Things to copy.
    pub fn cyan(self, text: &str) -> String {
        self.wrap("36", text)
    }
}

/// Rows under headings, each column as wide as its widest cell.
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(headings.get(column).map(|h| h.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let paint = Paint::stdout();
    let joined = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![paint.bold(&joined(&mut headings.iter().copied()))];
    lines.extend(rows.iter().map(|row| joined(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

/// Rows without headings.
pub fn aligned(rows: &[Vec<String>]) -> String {
    let table = table(&[""; 2], rows);
    table.split_once('\n').map(|(_, rows)| rows.to_owned()).unwrap_or_default()
}

/// Every line two spaces to the right.
pub fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// An error and what stands behind it, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let _ = std::fmt::Write::write_fmt(&mut text, format_args!(": {source}"));
        next = source.source();
    }
    text
}
