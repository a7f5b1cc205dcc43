//! What of a value may stand in the log: itself, its beginning, or a keyed hash of it. A sensitive value never stands there.
//!
//! The hash is HMAC-SHA256 under an epoch key, so that whoever holds the key can search for a value and nobody else can
//! guess one. It is taken over canonical bytes: a letter for the kind, then the value. Numbers are one kind whatever
//! they were written as, so `5`, `5.0` and `50e-1` have one hash.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use serde_json::{Map, Value as Json, json};
use sha2::Sha256;

use crate::names::{ClaimValue, Value};

use super::{Digest, cut};

/// The longest text that is written whole, in bytes.
const TEXT_MAX: usize = 1024;
/// The longest statement that is written whole, in bytes.
const STATEMENT_MAX: usize = 4096;
/// The longest list that is written whole.
const LIST_MAX: usize = 32;

/// Whether a value may be written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sensitivity {
    /// As it is.
    Plain,
    /// As a keyed hash only.
    Sensitive,
}

/// An argument or a claim, for the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value.
    pub value: Cow<'a, Value>,
    /// Whether the value may be written down.
    pub sensitivity: Sensitivity,
    /// The longest text that is written whole, in bytes.
    text_max: usize,
}

impl<'a> Argument<'a> {
    /// An argument of a tool.
    pub fn new(name: &'a str, value: &'a Value, sensitivity: Sensitivity) -> Self {
        Self { name, value: Cow::Borrowed(value), sensitivity, text_max: TEXT_MAX }
    }

    /// A statement that a caller wrote: more of it is worth keeping.
    pub fn statement(name: &'a str, value: &'a Value, sensitivity: Sensitivity) -> Self {
        Self { text_max: STATEMENT_MAX, ..Self::new(name, value, sensitivity) }
    }

    /// A claim of the caller.
    pub fn claim(name: &'a str, value: &ClaimValue, sensitivity: Sensitivity) -> Self {
        Self { name, value: Cow::Owned(claim_value(value)), sensitivity, text_max: TEXT_MAX }
    }
}

fn claim_value(claim: &ClaimValue) -> Value {
    match claim {
        ClaimValue::Bool(truth) => Value::Bool(*truth),
        ClaimValue::Integer(number) => Value::Integer(*number),
        ClaimValue::Text(text) => Value::Text(text.clone()),
        ClaimValue::List(items) => Value::Array(items.iter().map(claim_value).collect()),
    }
}

/// Hashes sensitive values under one epoch's key.
#[derive(Clone)]
pub struct Redactor {
    epoch: u32,
    /// Keyed once; cloned for each value, which spares two blocks of hashing.
    keyed: Hmac<Sha256>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor(k{})", self.epoch)
    }
}

impl Redactor {
    /// A redactor with the key of an epoch.
    pub fn new(epoch: u32, key: &[u8; 32]) -> Self {
        // HMAC takes keys of any length; the block-sized form is the one that cannot fail.
        let mut block = [0; 64];
        for (place, byte) in block.iter_mut().zip(key) {
            *place = *byte;
        }
        Self { epoch, keyed: Hmac::new(&block.into()) }
    }

    /// The epoch's name, `k1`.
    pub fn epoch(&self) -> String {
        format!("k{}", self.epoch)
    }

    /// The keyed hash of a value, `k1:…` in base64url.
    pub fn hash(&self, value: &Value) -> String {
        let mut bytes = Vec::new();
        canonical(&mut bytes, value);
        let mut mac = self.keyed.clone();
        mac.update(&bytes);
        self.render(mac)
    }

    /// The keyed hash of text that is not a value yet, with its length.
    pub fn digest(&self, text: &str) -> Digest<'static> {
        let mut mac = self.keyed.clone();
        mac.update(b"x");
        mac.update(text.as_bytes());
        Digest { bytes: text.len() as u64, hash: Cow::Owned(self.render(mac)) }
    }

    fn render(&self, mac: Hmac<Sha256>) -> String {
        format!("k{}:{}", self.epoch, URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    /// Arguments as they stand in the log, in their order.
    ///
    /// A plain scalar stands as itself (a decimal as its text) and a short list as a list. What is hashed or cut is an
    /// object, which no argument is, so that no text can pose as a hash: `{"hash":…}` for a sensitive scalar,
    /// `{"items":n,"hashes":[…],"hash":…}` for a sensitive list, `{"bytes":n,"start":…,"hash":…}` for long text,
    /// `{"items":n,"first":[…],"hash":…}` for a long list. `hash` is always that of the whole.
    ///
    /// Names in `sensitive` are sensitive whatever else is said of them.
    pub fn summary(&self, arguments: &[Argument<'_>], sensitive: &BTreeSet<String>) -> Map<String, Json> {
        let recorded = |argument: &Argument<'_>| {
            let listed = sensitive.contains(argument.name);
            let sensitivity = if listed { Sensitivity::Sensitive } else { argument.sensitivity };
            (argument.name.to_owned(), self.recorded(&argument.value, sensitivity, argument.text_max))
        };
        arguments.iter().map(recorded).collect()
    }

    fn recorded(&self, value: &Value, sensitivity: Sensitivity, text_max: usize) -> Json {
        match (value, sensitivity) {
            (Value::Array(items), Sensitivity::Sensitive) => {
                let hashes: Vec<Json> = items.iter().take(LIST_MAX).map(|item| self.hash(item).into()).collect();
                json!({ "items": items.len(), "hashes": hashes, "hash": self.hash(value) })
            }
            (_, Sensitivity::Sensitive) => json!({ "hash": self.hash(value) }),
            (Value::Array(items), Sensitivity::Plain) => {
                let items_kept = items.iter().take(LIST_MAX);
                let first = items_kept.map(|item| self.recorded(item, Sensitivity::Plain, text_max)).collect();
                if items.len() <= LIST_MAX {
                    return Json::Array(first);
                }
                json!({ "items": items.len(), "first": Json::Array(first), "hash": self.hash(value) })
            }
            (Value::Null, Sensitivity::Plain) => Json::Null,
            (Value::Bool(truth), Sensitivity::Plain) => Json::Bool(*truth),
            (Value::Integer(number), Sensitivity::Plain) => (*number).into(),
            (Value::Number(text) | Value::Text(text) | Value::Json(text), Sensitivity::Plain) => {
                if text.len() <= text_max {
                    return Json::String(text.clone());
                }
                json!({ "bytes": text.len(), "start": cut(text, text_max), "hash": self.hash(value) })
            }
        }
    }
}

/// Appends the canonical bytes of a value: a letter for its kind, then what it is. Elements of a list are preceded by
/// their length, so that no two lists run together to the same bytes.
fn canonical(out: &mut Vec<u8>, value: &Value) {
    let (kind, text) = match value {
        Value::Null => (b'z', Cow::Borrowed("")),
        Value::Bool(true) => (b'b', Cow::Borrowed("1")),
        Value::Bool(false) => (b'b', Cow::Borrowed("0")),
        Value::Integer(number) => (b'n', Cow::Owned(canonical_number(&number.to_string()))),
        Value::Number(text) => (b'n', Cow::Owned(canonical_number(text))),
        Value::Text(text) => (b't', Cow::Borrowed(text.as_str())),
        Value::Json(text) => (b'j', Cow::Borrowed(text.as_str())),
        Value::Array(items) => {
            out.push(b'a');
            for item in items {
                let mut bytes = Vec::new();
                canonical(&mut bytes, item);
                out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
                out.extend_from_slice(&bytes);
            }
            return;
        }
    };
    out.push(kind);
    out.extend_from_slice(text.as_bytes());
}

/// A decimal number as its significant digits and an exponent, `-125e-1` for `-12.50`. Text that is no number stays as it is.
fn canonical_number(text: &str) -> String {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let Ok(exponent) = exponent.parse::<i64>() else { return text.to_owned() };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return text.to_owned();
    }
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return "0".to_owned();
    }
    let trailing_zeros = digits.len() - digits.trim_end_matches('0').len();
    let exponent = i128::from(exponent) - fraction.len() as i128 + trailing_zeros as i128;
    format!("{}{significant}e{exponent}", if negative { "-" } else { "" })
}
