//! Every mistake of a configuration, each with its code, its place and a way on. Never shows what a secret expands to.

use std::fmt::{self, Write as _};

use serde::Serialize;
use tollgate_core::names::Code;

use super::source::{Place, Sources};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is served with it.
    Error,
    /// It is served, but it is probably not what was meant.
    Warning,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Its stable code.
    pub code: Code,
    /// Where it is.
    pub place: Option<Place>,
    /// What it is: lower case, without a full stop.
    pub message: String,
    /// A way on.
    pub help: Option<String>,
    /// Another place that has to do with it, and what it is.
    pub related: Option<(&'static str, Place)>,
}

impl Diagnostic {
    /// A mistake that stops everything.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, place: None, message: message.into(), help: None, related: None }
    }

    /// Something that is probably not what was meant.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// The same, with its place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same, with a way on.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, with a name that may have been meant instead of `wrong`.
    #[must_use]
    pub fn did_you_mean<'a>(mut self, wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        if let Some(name) = closest(wrong, names) {
            self.help = Some(format!("did you mean `{name}`?"));
        }
        self
    }

    /// The same, with another place.
    #[must_use]
    pub fn related(mut self, what: &'static str, place: Place) -> Self {
        self.related = Some((what, place));
        self
    }
}

/// The name of the list that the wrong one is most like, if it is like any.
pub fn closest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&wrong.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// Every mistake found, with the sources they stand in.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    sources: Sources,
    concealed: Vec<Concealed>,
}

/// What a secret expands to, and how it is written.
#[derive(Clone)]
struct Concealed {
    value: String,
    written: String,
}

impl fmt::Debug for Concealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Concealed {
    /// A value of this length does not stand in other words by chance; a shorter one is hidden where it is all that is quoted.
    const ANYWHERE: usize = 8;

    fn hide(&self, text: &str) -> String {
        if self.value.len() >= Self::ANYWHERE {
            return text.replace(&self.value, &self.written);
        }
        text.replace(&format!("`{}`", self.value), &format!("`{}`", self.written))
    }
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Plain text.
    Plain,
    /// With a terminal's colours.
    Colour,
}

impl Diagnostics {
    /// Shows `written` from now on where a message would show this value.
    pub fn conceal(&mut self, value: String, written: String) {
        if !value.is_empty() {
            self.concealed.push(Concealed { value, written });
        }
    }

    /// Adds one.
    pub fn push(&mut self, mut diagnostic: Diagnostic) {
        for concealed in &self.concealed {
            diagnostic.message = concealed.hide(&diagnostic.message);
            diagnostic.help = diagnostic.help.map(|help| concealed.hide(&help));
        }
        if !self.list.contains(&diagnostic) {
            self.list.push(diagnostic);
        }
    }

    /// Adds another list's.
    pub fn extend(&mut self, other: Diagnostics) {
        for diagnostic in other.list {
            self.push(diagnostic);
        }
    }

    /// Adds a source and gives its number.
    pub fn add_source(&mut self, name: String, text: String) -> u32 {
        self.sources.add(name, text)
    }

    /// The sources.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Whether any of them stops everything.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Error)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|d| d.severity == severity).count()
    }

    /// All of them in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        let mut sorted: Vec<_> = self.list.iter().collect();
        sorted.sort_by_key(|d| (d.place.is_none(), d.place));
        sorted.into_iter()
    }

    /// The report for people: each mistake, its line, and a mark under it.
    pub fn render(&self, style: Style) -> String {
        let mut out = String::new();
        for diagnostic in self.iter() {
            self.render_one(diagnostic, style, &mut out);
        }
        out
    }

    fn render_one(&self, diagnostic: &Diagnostic, style: Style, out: &mut String) {
        let paint = |code: &'static str| if style == Style::Colour { code } else { "" };
        let (word, hue) = match diagnostic.severity {
            Severity::Error => ("error", paint("\u{1b}[1;31m")),
            Severity::Warning => ("warning", paint("\u{1b}[1;33m")),
        };
        let reset = paint("\u{1b}[0m");
        if let Some(place) = diagnostic.place {
            let _ = write!(out, "{}: ", self.sources.locate(place));
        }
        let _ = write!(out, "{hue}{word} {}{reset}: {}", diagnostic.code, visible(&diagnostic.message));
        if let Some(help) = &diagnostic.help {
            let _ = write!(out, " ({})", visible(help));
        }
        out.push('\n');
        if let Some(place) = diagnostic.place {
            self.excerpt(place, hue, reset, out);
        }
        if let Some((what, place)) = diagnostic.related {
            let _ = writeln!(out, "       {what}: {}", self.sources.locate(place));
        }
    }

    fn excerpt(&self, place: Place, hue: &str, reset: &str, out: &mut String) {
        let Some(line) = self.sources.line(place) else { return };
        let column = usize::try_from(place.column).unwrap_or(1).max(1);
        let line: String = line.chars().take(200).collect();
        let room = line.chars().count().saturating_sub(column - 1).max(1);
        let length = usize::try_from(place.length).unwrap_or(1).clamp(1, room);
        let _ = writeln!(out, "{:>5} | {}", place.line, visible(&line));
        let _ = writeln!(out, "      | {}{hue}{}{reset}", " ".repeat(column - 1), "^".repeat(length));
    }

    /// The report for programs.
    pub fn to_json(&self) -> serde_json::Value {
        self.iter().map(|d| self.json_one(d)).collect()
    }

    fn json_one(&self, diagnostic: &Diagnostic) -> serde_json::Value {
        let file = diagnostic.place.and_then(|p| self.sources.get(p.source)).map(|s| s.name.as_str());
        let mut value = serde_json::json!({
            "severity": diagnostic.severity,
            "code": diagnostic.code,
            "file": file,
            "line": diagnostic.place.map(|p| p.line),
            "column": diagnostic.place.map(|p| p.column),
            "message": diagnostic.message,
            "help": diagnostic.help,
        });
        if let (Some((what, place)), Some(object)) = (diagnostic.related, value.as_object_mut()) {
            object.insert("related".to_owned(), format!("{what}: {}", self.sources.locate(place)).into());
        }
        value
    }
}

/// The text with control characters escaped, so that a file's content cannot drive the terminal.
fn visible(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && c != '\t' { c.escape_default().to_string() } else { c.to_string() })
        .map(|c| if c == "\t" { " ".to_owned() } else { c })
        .collect()
}
