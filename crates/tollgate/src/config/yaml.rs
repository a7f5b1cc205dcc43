//! YAML text to a tree in which every value knows its place. Bounded in size, depth and aliases; never reads a file.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{DuplicateKeyPolicy, Location, Spanned};

use super::{
    diagnostics::{Diagnostic, Diagnostics},
    source::{Path, Place, Step},
};
use tollgate_core::names::Code;

/// The largest file that is read, in bytes.
pub const FILE_BYTES_MAX: usize = 1 << 20;
const DEPTH_MAX: usize = 32;
const NODES_MAX: usize = 100_000;
const ALIASES_MAX: usize = 200;

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub data: Data,
    /// Where it stands.
    pub place: Place,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Data {
    /// Nothing, `null` or `~`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as JSON would write it and with every digit that was written.
    Number(String),
    /// Text.
    Text(Text),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order written.
    Map(Vec<Entry>),
}

/// A text, and how it was written where a secret was put into it.
#[derive(Clone)]
pub struct Text {
    /// The text in force.
    pub value: String,
    /// What stands in the file, if it was expanded; the value is then not for showing.
    pub written: Option<String>,
}

/// One entry of a map.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_place: Place,
    /// The value.
    pub value: Node,
}

impl Text {
    /// The text that may be shown: as written.
    pub fn shown(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.value)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.shown(), f)
    }
}

impl Node {
    /// Reads one document. Mistakes go to `diagnostics`; `None` when nothing can be made of it.
    pub fn parse(source: u32, text: &str, diagnostics: &mut Diagnostics) -> Option<Self> {
        let start = Place { source, line: 1, column: 1, length: 1 };
        if text.len() > FILE_BYTES_MAX {
            let message = format!("the file is larger than {FILE_BYTES_MAX} bytes");
            diagnostics.push(Diagnostic::error(Code::CONFIG_SYNTAX, message).at(start));
            return None;
        }
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! {
                max_depth: DEPTH_MAX,
                max_nodes: NODES_MAX,
                max_events: 4 * NODES_MAX,
                max_aliases: ALIASES_MAX,
                max_anchors: ALIASES_MAX,
                max_merge_keys: ALIASES_MAX,
                max_documents: 1,
            },
            alias_limits: serde_saphyr::alias_limits! {
                max_total_replayed_events: NODES_MAX,
                max_replay_stack_depth: 8,
            },
            duplicate_keys: DuplicateKeyPolicy::PassThrough,
            strict_booleans: true,
            reject_unsupported_tags: true,
            with_snippet: false,
        };
        // An empty file is an empty map, so that what is missing can be said.
        if text.lines().all(|line| line.trim_start().is_empty() || line.trim_start().starts_with('#')) {
            return Some(Self { data: Data::Map(Vec::new()), place: start });
        }
        match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options) {
            Ok(raw) => Some(Reader { source, text, diagnostics }.node(raw)),
            Err(error) => {
                let place = error.location().map_or(start, |l| place(source, l));
                let message = parser_message(&error);
                diagnostics.push(Diagnostic::error(Code::CONFIG_SYNTAX, message).at(place));
                None
            }
        }
    }

    /// The entry of that key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.data {
            Data::Map(entries) => entries.iter().find(|e| e.key == key),
            _ => None,
        }
    }

    /// The place to show for a path: the value where it is a scalar, else its key; of what is missing, the nearest that is there.
    pub fn place_of(&self, path: &Path) -> Place {
        let mut here = self;
        let mut place = self.place;
        for step in path.steps() {
            let found = match (step, &here.data) {
                (Step::Key(key), Data::Map(entries)) => {
                    entries.iter().find(|e| e.key == *key).map(|e| (&e.value, e.key_place))
                }
                (Step::Index(index), Data::List(items)) => items.get(*index).map(|n| (n, n.place)),
                _ => None,
            };
            let Some((next, fallback)) = found else { return place };
            here = next;
            place = match next.data {
                Data::Null | Data::List(_) | Data::Map(_) => fallback,
                Data::Bool(_) | Data::Number(_) | Data::Text(_) => next.place,
            };
        }
        place
    }

    /// The kind of value, in an operator's words.
    pub fn kind(&self) -> &'static str {
        match self.data {
            Data::Null => "nothing",
            Data::Bool(_) => "a boolean",
            Data::Number(_) => "a number",
            Data::Text(_) => "text",
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
        }
    }

    /// The value as JSON text, every digit of its numbers kept.
    pub fn to_json(&self) -> String {
        match &self.data {
            Data::Null => "null".to_owned(),
            Data::Bool(value) => value.to_string(),
            Data::Number(text) => text.clone(),
            Data::Text(text) => quote(&text.value),
            Data::List(items) => format!("[{}]", items.iter().map(Node::to_json).collect::<Vec<_>>().join(",")),
            Data::Map(entries) => {
                let inner: Vec<_> =
                    entries.iter().map(|e| format!("{}:{}", quote(&e.key), e.value.to_json())).collect();
                format!("{{{}}}", inner.join(","))
            }
        }
    }
}

fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The parser's own sentence, in our form: lower case, no full stop, without its line and column.
fn parser_message(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let text = text.lines().next().unwrap_or_default();
    let text = text.split(" at line ").next().unwrap_or(text);
    let mut chars = text.trim_end_matches('.').chars();
    match chars.next() {
        Some(first) => format!("cannot read YAML: {}{}", first.to_lowercase(), chars.as_str()),
        None => "cannot read YAML".to_owned(),
    }
}

fn place(source: u32, location: Location) -> Place {
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).max(1);
    Place {
        source,
        line: number(location.line()),
        column: number(location.column()),
        length: number(location.span().len()),
    }
}

/// What the parser hands over, before numbers are read back from the text and double keys are looked for.
enum Raw {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

/// Turns what the parser handed over into nodes.
struct Reader<'a> {
    source: u32,
    text: &'a str,
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn node(&mut self, raw: Spanned<Raw>) -> Node {
        // A value that came through an alias or a merge is shown where it is written.
        let location = if raw.defined.line() > 0 { raw.defined } else { raw.referenced };
        let place = place(self.source, location);
        let data = match raw.value {
            Raw::Null => Data::Null,
            Raw::Bool(value) => Data::Bool(value),
            Raw::Number(value) => Data::Number(self.written(location).unwrap_or(value)),
            Raw::Text(value) => Data::Text(Text { value, written: None }),
            Raw::List(items) => Data::List(items.into_iter().map(|item| self.node(item)).collect()),
            Raw::Map(entries) => Data::Map(self.map(entries)),
        };
        Node { data, place }
    }

    fn map(&mut self, raw: Vec<(Spanned<String>, Spanned<Raw>)>) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::with_capacity(raw.len());
        let mut seen = std::collections::HashMap::with_capacity(raw.len());
        for (key, value) in raw {
            let location = if key.defined.line() > 0 { key.defined } else { key.referenced };
            let key_place = place(self.source, location);
            if let Some(first) = seen.get(&key.value) {
                let message = format!("the key `{}` stands twice in one map", key.value);
                let duplicate = Diagnostic::error(Code::CONFIG_DUPLICATE, message).at(key_place);
                self.diagnostics.push(duplicate.related("first here", *first));
                continue;
            }
            seen.insert(key.value.clone(), key_place);
            entries.push(Entry { key: key.value, key_place, value: self.node(value) });
        }
        entries
    }

    /// A number's own digits, where they are a number for JSON too: a float would not keep them all.
    fn written(&self, location: Location) -> Option<String> {
        let span = location.span();
        let start = usize::try_from(span.byte_offset()?).ok()?;
        let end = start.checked_add(usize::try_from(span.byte_len()?).ok()?)?;
        let text = self.text.get(start..end)?.trim();
        serde_json::from_str::<serde_json::Number>(text).is_ok().then(|| text.to_owned())
    }
}
