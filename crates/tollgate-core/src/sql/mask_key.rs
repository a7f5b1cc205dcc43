//! The key of a role's hashes. It is bound like any value and never stands in a statement's text; nothing here prints it.
//!
//! HMAC-SHA-256 is `sha256(outer || sha256(inner || text))`, where the two blocks are the key under two fixed pads. A database that
//! has SHA-256 computes it from these blocks, so the masked value stands in the statement itself and joins and groups like any other.

use std::fmt::{self, Write as _};

use base64::{DecodeError, Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use super::tree::KeyPad;
use crate::names::Value;

/// The function that SQLite connections have for the `hash` mask: `tg_hash(inner, outer, value)`. No statement of a caller can name it.
pub const HASH_FUNCTION: &str = "tg_hash";
/// Hexadecimal digits of a hash: 128 bits, so that two values of one table never meet by chance.
pub const HASH_DIGITS: u8 = 32;

/// The length of a block of SHA-256, in bytes.
const BLOCK: usize = 64;

/// A role's key.
#[derive(Clone, PartialEq, Eq)]
pub struct MaskKey {
    inner: String,
    outer: String,
}

impl MaskKey {
    /// The key of one role, from the operator's secret: two roles' hashes of one value are unrelated.
    pub fn of_role(secret: &str, role: &str) -> Self {
        // One step of a hash is enough for a secret that is long and random; `check` refuses short ones.
        let derived = Sha256::new()
            .chain_update(b"tollgate mask key v1\0")
            .chain_update((secret.len() as u64).to_be_bytes())
            .chain_update(secret)
            .chain_update(role)
            .finalize();
        let pad = |pad: u8| {
            let mut block = [pad; BLOCK];
            block.iter_mut().zip(derived).for_each(|(byte, key)| *byte ^= key);
            STANDARD.encode(block)
        };
        Self { inner: pad(0x36), outer: pad(0x5c) }
    }

    /// One of its blocks as a bound value: base64, which is how byte strings travel.
    pub fn block(&self, pad: KeyPad) -> Value {
        Value::Text(match pad {
            KeyPad::Inner => self.inner.clone(),
            KeyPad::Outer => self.outer.clone(),
        })
    }
}

/// A value's hash under a key's two blocks: what PostgreSQL computes in SQL, for an engine that cannot.
pub fn hash_under(inner: &str, outer: &str, value: &[u8]) -> Result<String, DecodeError> {
    let inside = Sha256::new().chain_update(STANDARD.decode(inner)?).chain_update(value).finalize();
    let whole = Sha256::new().chain_update(STANDARD.decode(outer)?).chain_update(inside).finalize();
    let mut digits = String::with_capacity(2 * whole.len());
    for byte in whole {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits.truncate(usize::from(HASH_DIGITS));
    Ok(digits)
}

impl fmt::Debug for MaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskKey(…)")
    }
}
