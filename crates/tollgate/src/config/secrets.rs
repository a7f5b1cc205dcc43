//! `${NAME}` and `${file:path}` in the scalars of a configuration. What they expand to is never shown and never read as YAML.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use tollgate_core::names::Code;

use super::{
    diagnostics::{Diagnostic, Diagnostics},
    include::unreadable,
    yaml::{Data, Node, Text},
};

/// The largest secret file that is read, in bytes.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Where secrets come from: the environment, and files relative to the configuration's folder.
pub(super) struct Secrets<'a> {
    environment: &'a dyn Fn(&str) -> Option<String>,
    folder: PathBuf,
}

impl<'a> Secrets<'a> {
    /// Secrets from this environment, files relative to this folder.
    pub(super) fn new(environment: &'a dyn Fn(&str) -> Option<String>, folder: &Path) -> Self {
        Self { environment, folder: folder.to_owned() }
    }

    /// Expands every scalar of a tree; what is not there is reported, each with its place.
    pub(super) fn expand(&self, node: &mut Node, diagnostics: &mut Diagnostics) {
        let place = node.place;
        match &mut node.data {
            Data::Null | Data::Bool(_) | Data::Number(_) => {}
            Data::Text(text) => match self.text(&text.value, diagnostics) {
                Ok(Some(value)) => {
                    let written = std::mem::replace(&mut text.value, value);
                    text.written = Some(written);
                }
                Ok(None) => {}
                Err(problem) => {
                    diagnostics.push(Diagnostic::error(Code::CONFIG_SECRET, problem).at(place));
                    // What uses it has nothing wrong of its own to report.
                    *text = Text { value: String::new(), written: Some(std::mem::take(&mut text.value)) };
                }
            },
            Data::List(items) => items.iter_mut().for_each(|item| self.expand(item, diagnostics)),
            Data::Map(entries) => entries.iter_mut().for_each(|entry| self.expand(&mut entry.value, diagnostics)),
        }
    }

    /// The expanded text, or `None` when it holds no `${`.
    fn text(&self, written: &str, diagnostics: &mut Diagnostics) -> Result<Option<String>, String> {
        if !written.contains("${") {
            return Ok(None);
        }
        let mut out = String::with_capacity(written.len());
        let mut rest = written;
        while let Some(start) = rest.find("${") {
            let (head, tail) = rest.split_at(start);
            if let Some(head) = head.strip_suffix('$') {
                // `$${` stands for `${`.
                out.push_str(head);
                out.push_str("${");
                rest = tail.strip_prefix("${").unwrap_or_default();
                continue;
            }
            out.push_str(head);
            let Some((name, after)) = tail.strip_prefix("${").and_then(|t| t.split_once('}')) else {
                return Err("a `${` that no `}` closes; write `$${` for the characters themselves".to_owned());
            };
            let value = self.lookup(name)?;
            out.push_str(&value);
            diagnostics.conceal(value, format!("${{{name}}}"));
            rest = after;
        }
        out.push_str(rest);
        Ok(Some(out))
    }

    fn lookup(&self, name: &str) -> Result<String, String> {
        if let Some(path) = name.strip_prefix("file:") {
            return self.read(path);
        }
        let well_formed = name
            .bytes()
            .enumerate()
            .all(|(i, b)| b == b'_' || b.is_ascii_alphabetic() || (i > 0 && b.is_ascii_digit()));
        if name.is_empty() || !well_formed {
            return Err(format!("`${{{name}}}` is neither `${{NAME}}` nor `${{file:path}}`"));
        }
        (self.environment)(name).ok_or_else(|| format!("the environment variable `{name}` is not set"))
    }

    fn read(&self, path: &str) -> Result<String, String> {
        let full = self.folder.join(path);
        let mut text = String::new();
        let limited = File::open(&full).and_then(|file| file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text));
        match limited {
            Ok(length) if length as u64 > SECRET_BYTES_MAX => {
                Err(format!("the secret file `{path}` is larger than {SECRET_BYTES_MAX} bytes"))
            }
            Ok(_) => {
                // Editors end files with a line break that is no part of the secret.
                let trimmed = text.strip_suffix('\n').map_or(text.as_str(), |t| t.strip_suffix('\r').unwrap_or(t));
                Ok(trimmed.to_owned())
            }
            Err(error) => Err(format!("cannot read the secret file `{path}`: {}", unreadable(&error))),
        }
    }
}
