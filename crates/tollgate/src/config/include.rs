//! The files of a configuration, read and merged into one tree. The same thing declared in two of them is an error, never a choice.

use std::{
    fs,
    io::{self, Read},
    path::{Path as FilePath, PathBuf},
};

use tollgate_core::names::Code;

use super::{
    diagnostics::{Diagnostic, Diagnostics},
    source::Place,
    yaml::{Data, Entry, FILE_BYTES_MAX, Node},
};

const DEPTH_MAX: usize = 4;
const FILES_MAX: usize = 64;

/// Reads a configuration and everything it includes.
pub(super) fn read(path: &FilePath, diagnostics: &mut Diagnostics) -> Option<Node> {
    let mut files = Files { seen: Vec::new(), diagnostics };
    files.read(path, None, 0)
}

struct Files<'a> {
    seen: Vec<PathBuf>,
    diagnostics: &'a mut Diagnostics,
}

impl Files<'_> {
    fn read(&mut self, path: &FilePath, from: Option<Place>, depth: usize) -> Option<Node> {
        let shown = path.display();
        let text = match self.text(path) {
            Ok(text) => text,
            Err(problem) => {
                let diagnostic = Diagnostic::error(Code::CONFIG_SYNTAX, format!("cannot read `{shown}`: {problem}"));
                self.diagnostics.push(Diagnostic { place: from, ..diagnostic });
                return None;
            }
        };
        let source = self.diagnostics.add_source(shown.to_string(), text.clone());
        let mut node = Node::parse(source, &text, self.diagnostics)?;
        if !matches!(node.data, Data::Map(_)) {
            let message = format!("a configuration is a map, not {}", node.kind());
            self.diagnostics.push(Diagnostic::error(Code::CONFIG_SYNTAX, message).at(node.place));
            return None;
        }
        for (pattern, place) in take_includes(&mut node) {
            self.include(path, &pattern, place, depth, &mut node);
        }
        Some(node)
    }

    fn text(&mut self, path: &FilePath) -> Result<String, String> {
        let real = fs::canonicalize(path).map_err(|error| unreadable(&error))?;
        if self.seen.contains(&real) {
            return Err("it is included twice".to_owned());
        }
        if self.seen.len() >= FILES_MAX {
            return Err(format!("a configuration has at most {FILES_MAX} files"));
        }
        let file = fs::File::open(&real).map_err(|error| unreadable(&error))?;
        self.seen.push(real);
        let mut text = String::new();
        file.take(FILE_BYTES_MAX as u64 + 1).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
        Ok(text)
    }

    fn include(&mut self, from: &FilePath, pattern: &str, place: Place, depth: usize, into: &mut Node) {
        if depth >= DEPTH_MAX {
            let message = format!("includes nest at most {DEPTH_MAX} deep");
            self.diagnostics.push(Diagnostic::error(Code::CONFIG_SYNTAX, message).at(place));
            return;
        }
        let full = from.parent().unwrap_or(FilePath::new("")).join(pattern);
        if !pattern.contains(['*', '?', '[']) {
            if let Some(node) = self.read(&full, Some(place), depth + 1) {
                self.merge(into, node);
            }
            return;
        }
        let paths = match glob::glob(&full.to_string_lossy()) {
            Ok(paths) => paths,
            Err(error) => {
                let message = format!("`{pattern}` is not a glob: {}", error.msg);
                self.diagnostics.push(Diagnostic::error(Code::CONFIG_SYNTAX, message).at(place));
                return;
            }
        };
        for found in paths.take(FILES_MAX + 1) {
            match found {
                Ok(path) => {
                    if let Some(node) = self.read(&path, Some(place), depth + 1) {
                        self.merge(into, node);
                    }
                }
                Err(error) => {
                    let message = format!("cannot read `{}`: {}", error.path().display(), unreadable(error.error()));
                    self.diagnostics.push(Diagnostic::error(Code::CONFIG_SYNTAX, message).at(place));
                }
            }
        }
    }

    /// Puts the sections of an included file beside those that are there, name by name.
    fn merge(&mut self, into: &mut Node, from: Node) {
        let (Data::Map(into), Data::Map(from)) = (&mut into.data, from.data) else { return };
        for section in from {
            let Some(existing) = into.iter_mut().find(|e| e.key == section.key) else {
                into.push(section);
                continue;
            };
            let (first, key) = (existing.key_place, section.key);
            match (&mut existing.value.data, section.value.data) {
                (Data::Map(existing), Data::Map(added)) => self.merge_section(&key, existing, added),
                _ => self.twice(&key, section.key_place, first),
            }
        }
    }

    fn merge_section(&mut self, section: &str, into: &mut Vec<Entry>, from: Vec<Entry>) {
        for entry in from {
            match into.iter().find(|e| e.key == entry.key) {
                Some(first) => self.twice(&format!("{section}.{}", entry.key), entry.key_place, first.key_place),
                None => into.push(entry),
            }
        }
    }

    fn twice(&mut self, what: &str, place: Place, first: Place) {
        let message = format!("`{what}` is declared twice");
        self.diagnostics
            .push(Diagnostic::error(Code::CONFIG_DUPLICATE, message).at(place).related("first here", first));
    }
}

/// Why a file cannot be read, in an operator's words.
pub(super) fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::InvalidData => "it is not UTF-8".to_owned(),
        kind => kind.to_string(),
    }
}

/// Takes well-formed includes out of a file's tree; others are left for the check of its shape.
fn take_includes(node: &mut Node) -> Vec<(String, Place)> {
    let Data::Map(entries) = &mut node.data else { return Vec::new() };
    let Some(index) = entries.iter().position(|e| e.key == "include") else { return Vec::new() };
    let patterns = entries.get(index).and_then(|entry| match &entry.value.data {
        Data::List(items) => items
            .iter()
            .map(|item| match &item.data {
                Data::Text(text) => Some((text.value.clone(), item.place)),
                _ => None,
            })
            .collect::<Option<Vec<_>>>(),
        _ => None,
    });
    match patterns {
        Some(patterns) => {
            entries.remove(index);
            patterns
        }
        None => Vec::new(),
    }
}
