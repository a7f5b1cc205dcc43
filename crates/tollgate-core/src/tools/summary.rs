//! What the audit log gets of a call's arguments, whether they could be bound or not. Hashing what is sensitive is the log's.

use serde_json::value::RawValue;

use super::{arguments, cursor, param::Param};

/// Arguments that the log keeps.
const ENTRIES_MAX: usize = 128;

/// What an argument is, for the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SummaryKind {
    /// A value.
    Argument,
    /// A statement that the caller wrote.
    Statement,
}

/// One argument for the audit log.
#[derive(Clone, Debug)]
pub struct SummaryEntry {
    /// Its name; of one that the tool does not have, shortened and escaped.
    pub name: String,
    /// Its JSON text as it came, however long: what the log keeps of it is the log's.
    pub value: Box<RawValue>,
    /// Whether the log may keep only a keyed hash of it.
    pub sensitive: bool,
    /// What it is.
    pub kind: SummaryKind,
}

/// The arguments by name. Those that are no object have no summary: the refusal's code says what they were.
pub(super) fn summarise(params: &[Param], arguments: Option<&RawValue>) -> Vec<SummaryEntry> {
    let Ok(entries) = arguments::entries(arguments) else { return Vec::new() };
    entries
        .into_iter()
        .take(ENTRIES_MAX)
        .map(|(name, raw)| {
            let param = params.iter().find(|param| *param.name().as_str() == *name);
            // A misspelt sensitive argument is as sensitive as the one that was meant.
            let sensitive = param.map_or(*name != *cursor::ARGUMENT, Param::sensitive);
            let name = if param.is_some() { name.into_owned() } else { arguments::echo(&name) };
            SummaryEntry { name, value: raw.to_owned(), sensitive, kind: SummaryKind::Argument }
        })
        .collect()
}
