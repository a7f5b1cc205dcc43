//! Continuing a result: what a cursor is bound to, and how a page's bounds are computed. The sealing itself is the binary's.

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::{
    names::{ClaimValue, Code, DatabaseName, Origin, ParamName, Principal, Refusal, ToolName, Value},
    sql::PageBound,
};

/// The reserved argument of every pageable tool.
pub(super) const ARGUMENT: &str = "cursor";
/// Characters of a sealed cursor at most.
pub const SEALED_MAX: usize = 1_024;
/// Bytes of a position at most: sealed, it is no longer than a cursor may be.
const POSITION_MAX: usize = 700;
/// Rows that may be skipped at most: what every engine takes as an OFFSET.
const OFFSET_MAX: u64 = i64::MAX as u64;

/// Seals a position so that only the same call by the same caller can open it, and only for a time.
pub trait CursorSeal: Send + Sync {
    /// The sealed text; `None` when there is no randomness to seal with.
    fn seal(&self, position: &[u8], binding: &[u8; 32]) -> Option<String>;
    /// The position, when the text was sealed for this binding and is still good.
    fn open(&self, sealed: &str, binding: &[u8; 32]) -> Option<Vec<u8>>;
}

/// A page that ends at a key that no cursor can hold, so that nothing could follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the page ends at a row whose key is too large for a cursor, or cannot be written down exactly")]
pub struct UncarriedKey;

impl UncarriedKey {
    /// The sentence an agent reads.
    pub fn to_agent(self) -> Refusal {
        let message =
            "the rows cannot be cut here: the key of the last one is too large to continue from; ask for other rows";
        Refusal::new(Code::PAGE_KEY, message)
    }
}

/// How a later page finds its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paging {
    /// It skips the rows of earlier ones.
    Offset,
    /// It begins behind a key.
    Key,
}

/// Where a page begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Position {
    /// Rows that earlier pages delivered.
    pub(super) rows: u64,
    /// The key of the last of them, of a statement that is paged by one.
    pub(super) key: Vec<Value>,
}

impl Position {
    /// Its bytes, from which exactly it can be read again; `None` of a key that has none, or too many.
    fn encode(&self) -> Option<Vec<u8>> {
        let value = |value: &Value| match value {
            Value::Bool(truth) => Some(Json::from(*truth)),
            Value::Integer(integer) => Some(Json::from(*integer)),
            Value::Text(text) => Some(Json::from(text.as_str())),
            Value::Number(text) => Some(Json::from([text.as_str()].as_slice())),
            Value::Null | Value::Json(_) | Value::Array(_) => None,
        };
        let key: Option<Vec<Json>> = self.key.iter().map(value).collect();
        let parts = std::iter::once(Json::from(self.rows)).chain(key?).collect();
        let bytes = Json::Array(parts).to_string().into_bytes();
        (bytes.len() <= POSITION_MAX).then_some(bytes)
    }

    /// A position out of a cursor that we sealed, for a key of so many columns.
    pub(super) fn decode(bytes: &[u8], columns: usize) -> Option<Self> {
        let value = |value: &Json| match value {
            Json::Bool(truth) => Some(Value::Bool(*truth)),
            Json::Number(number) => number.as_i64().map(Value::Integer),
            Json::String(text) => Some(Value::Text(text.clone())),
            Json::Array(number) => number.first()?.as_str().map(|text| Value::Number(text.to_owned())),
            Json::Null | Json::Object(_) => None,
        };
        let parts: Vec<Json> = serde_json::from_slice(bytes).ok()?;
        let (rows, key) = parts.split_first()?;
        let key: Vec<Value> = key.iter().map(value).collect::<Option<_>>()?;
        (key.len() == columns).then_some(Self { rows: rows.as_u64()?, key })
    }
}

/// The page one call reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundPage {
    /// The statement's own LIMIT, as bound.
    limit: Option<u64>,
    /// Rows that earlier pages delivered.
    start: u64,
    paging: Paging,
    /// The value of the LIMIT slot.
    pub(super) limit_value: i64,
    /// The value of the OFFSET slot.
    pub(super) offset_value: i64,
    binding: Option<[u8; 32]>,
}

impl BoundPage {
    /// The page behind `start` rows; `None` when it lies past every engine's offsets.
    /// `binding` is given for ordered statements: without an order a later page would not continue an earlier one.
    pub(super) fn new(
        limit: Option<u64>,
        offset: Option<u64>,
        start: u64,
        rows_max: u32,
        paging: Paging,
        binding: Option<[u8; 32]>,
    ) -> Option<BoundPage> {
        // One row more than may be delivered, so that `truncated` is honest.
        let most = u64::from(rows_max) + 1;
        let limit_value = limit.map_or(most, |limit| limit.saturating_sub(start).min(most));
        let offset_value = match (paging, start) {
            (Paging::Offset, _) | (Paging::Key, 0) => offset.unwrap_or(0).checked_add(start)?,
            // The key stands behind what the statement itself skips.
            (Paging::Key, _) => 0,
        };
        Some(BoundPage {
            limit,
            start,
            paging,
            limit_value: i64::try_from(limit_value).ok()?,
            offset_value: i64::try_from(offset_value).ok().filter(|_| offset_value <= OFFSET_MAX)?,
            binding,
        })
    }

    /// Rows that earlier pages delivered.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// The cursor after a truncated answer of so many rows; `None` where nothing can follow: the statement's own LIMIT is
    /// reached, it has no order to continue in, or not even one row fitted, so that the next page would be the same again.
    /// `key` is that of the last row, where the statement is paged by one.
    pub fn next_cursor(
        &self,
        delivered: u32,
        key: Option<Vec<Value>>,
        seal: &dyn CursorSeal,
    ) -> Result<Option<String>, UncarriedKey> {
        let Some(binding) = &self.binding else { return Ok(None) };
        let rows = self.start.saturating_add(u64::from(delivered));
        let more = delivered > 0 && self.limit.is_none_or(|limit| rows < limit) && rows <= OFFSET_MAX;
        if !more {
            return Ok(None);
        }
        let key = match self.paging {
            Paging::Offset => Vec::new(),
            Paging::Key => key.ok_or(UncarriedKey)?,
        };
        let position = Position { rows, key }.encode().ok_or(UncarriedKey)?;
        Ok(seal.seal(&position, binding))
    }
}

/// A bound of the page as bound: a constant, or the value of a parameter that cannot be negative.
pub(super) fn page_bound<'v>(
    bound: Option<&PageBound>,
    value: impl Fn(&ParamName) -> Option<&'v Value>,
) -> Result<Option<u64>, &'static str> {
    match bound {
        None => Ok(None),
        Some(PageBound::Constant(rows)) => Ok(Some(*rows)),
        Some(PageBound::Param(name)) => match value(name) {
            Some(Value::Integer(rows)) => {
                u64::try_from(*rows).map(Some).map_err(|_| "a page bound is negative after it was checked")
            }
            _ => Err("a page bound is not an integer after it was checked"),
        },
    }
}

/// What is called: a tool of one version, in one database.
#[derive(Clone, Copy, Debug)]
pub(super) struct Callee<'a> {
    pub(super) database: &'a DatabaseName,
    pub(super) tool: &'a ToolName,
    pub(super) fingerprint: &'a [u8; 32],
}

/// SHA-256 over everything that makes a call this call: who asks, under which policy, what, with which values.
pub(super) fn binding<'v>(
    of: Callee<'_>,
    caller: &Principal,
    policy_hash: &[u8; 32],
    fingerprint: &[u8; 32],
    arguments: impl Iterator<Item = (&'v ParamName, &'v Value)>,
) -> [u8; 32] {
    let mut fields = Fields::new("tollgate cursor 1");
    fields.text(caller.agent().name().as_str());
    match caller.agent().origin() {
        Origin::Key => fields.text("key"),
        Origin::Local { os_user } => {
            fields.text("local");
            fields.text(os_user);
        }
    }
    fields.text(caller.role().as_str());
    fields.count(caller.claims().len());
    for (name, value) in caller.claims() {
        fields.text(name.as_str());
        fields.claim(value);
    }
    fields.bytes(policy_hash);
    fields.text(of.database.as_str());
    fields.text(of.tool.as_str());
    fields.bytes(of.fingerprint);
    fields.bytes(fingerprint);
    for (name, value) in arguments {
        fields.text(name.as_str());
        fields.value(value);
    }
    fields.finish()
}

/// Fields hashed with their lengths and kinds before them, so that no two lists of fields give the same bytes.
struct Fields(Sha256);

impl Fields {
    fn new(domain: &str) -> Fields {
        let mut fields = Fields(Sha256::new());
        fields.text(domain);
        fields
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_be_bytes());
    }

    fn kind(&mut self, kind: u8) {
        self.0.update([kind]);
    }

    fn claim(&mut self, claim: &ClaimValue) {
        match claim {
            ClaimValue::Bool(truth) => {
                self.kind(b'b');
                self.kind(u8::from(*truth));
            }
            ClaimValue::Integer(integer) => {
                self.kind(b'i');
                self.0.update(integer.to_be_bytes());
            }
            ClaimValue::Text(text) => {
                self.kind(b't');
                self.text(text);
            }
            ClaimValue::List(items) => {
                self.kind(b'l');
                self.count(items.len());
                for item in items {
                    self.claim(item);
                }
            }
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.kind(b'0'),
            Value::Bool(truth) => {
                self.kind(b'b');
                self.kind(u8::from(*truth));
            }
            Value::Integer(integer) => {
                self.kind(b'i');
                self.0.update(integer.to_be_bytes());
            }
            Value::Number(text) => {
                self.kind(b'n');
                // `1.0` and `1` are the same argument.
                match super::decimal::Decimal::parse(text) {
                    Some(number) => self.text(&number.canonical()),
                    None => self.text(text),
                }
            }
            Value::Text(text) => {
                self.kind(b't');
                self.text(text);
            }
            Value::Json(text) => {
                self.kind(b'j');
                self.text(text);
            }
            Value::Array(items) => {
                self.kind(b'l');
                self.count(items.len());
                for item in items {
                    self.value(item);
                }
            }
        }
    }

    fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
