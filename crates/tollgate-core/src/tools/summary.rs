//! What the audit log gets of a call's arguments, whether they could be bound or not. Hashing what is sensitive is the log's.

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::{arguments, cursor, param::Param, plan::Plan};

/// Bytes of one argument that the log keeps in the clear.
const VALUE_MAX: usize = 4_096;
/// Arguments that the log keeps.
const ENTRIES_MAX: usize = 128;

/// One argument for the audit log.
#[derive(Clone, Debug)]
pub struct SummaryEntry {
    /// Its name; of one that the tool does not have, shortened and escaped.
    pub name: String,
    /// Its value.
    pub value: SummaryValue,
    /// Whether the log may keep only a keyed hash of it.
    pub sensitive: bool,
}

/// An argument's value for the audit log.
#[derive(Clone, Debug)]
pub enum SummaryValue {
    /// Its JSON text as it came.
    Whole(Box<RawValue>),
    /// The beginning of a long one that is not sensitive.
    Cut {
        /// Its first bytes, at a character's boundary.
        start: String,
        /// Bytes in all.
        bytes: usize,
        /// SHA-256 over all of them.
        sha256: [u8; 32],
    },
}

/// The arguments by name. Those that are no object have no summary: the refusal's code says what they were.
pub(super) fn summarise(plan: &Plan, arguments: Option<&RawValue>) -> Vec<SummaryEntry> {
    let Ok(entries) = arguments::entries(arguments) else { return Vec::new() };
    entries
        .into_iter()
        .take(ENTRIES_MAX)
        .map(|(name, raw)| {
            let param = plan.params().iter().find(|param| *param.name().as_str() == *name);
            // A misspelt sensitive argument is as sensitive as the one that was meant.
            let sensitive = param.map_or(*name != *cursor::ARGUMENT, Param::sensitive);
            let name = if param.is_some() { name.into_owned() } else { arguments::echo(&name) };
            SummaryEntry { name, value: summary_value(raw, sensitive), sensitive }
        })
        .collect()
}

fn summary_value(raw: &RawValue, sensitive: bool) -> SummaryValue {
    let text = raw.get();
    if sensitive || text.len() <= VALUE_MAX {
        return SummaryValue::Whole(raw.to_owned());
    }
    let start = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= VALUE_MAX).last().unwrap_or(0);
    SummaryValue::Cut {
        start: text.get(..start).unwrap_or_default().to_owned(),
        bytes: text.len(),
        sha256: Sha256::digest(text.as_bytes()).into(),
    }
}
