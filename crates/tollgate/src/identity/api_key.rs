//! API keys: 256 random bits behind `tg_`. The configuration holds their SHA-256 alone; a key is shown once, when it is made.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const PREFIX: &str = "tg_";
const RANDOM_BYTES: usize = 32;

/// A new API key. Only `Display` shows it; `Debug` does not.
pub struct ApiKey(String);

impl ApiKey {
    /// A key of 256 bits from the operating system, `tg_` and 43 characters of base64url; `None` when it has none to give.
    pub fn generate() -> Option<Self> {
        let mut bytes = [0_u8; RANDOM_BYTES];
        SystemRandom::new().fill(&mut bytes).ok()?;
        Some(Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// What the configuration stores.
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(&self.0)
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// SHA-256 of an API key, written `sha256:` and 64 hexadecimal digits. A plain hash suffices: the key has 256 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The hash of a key as it was presented.
    pub fn of(presented: &str) -> Self {
        Self(Sha256::digest(presented.as_bytes()).into())
    }

    /// Compares in a time that does not depend on where the two differ.
    pub fn matches(&self, other: &KeyHash) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not a key's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is stored as `sha256:` and 64 hexadecimal digits, as `tollgate key new` prints it")]
pub struct MalformedKeyHash;

impl FromStr for KeyHash {
    type Err = MalformedKeyHash;

    fn from_str(text: &str) -> Result<Self, MalformedKeyHash> {
        let digits = text.strip_prefix("sha256:").filter(|d| d.len() == 64 && d.is_ascii()).ok_or(MalformedKeyHash)?;
        let mut bytes = [0_u8; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| MalformedKeyHash)?;
            if pair.starts_with('+') {
                return Err(MalformedKeyHash);
            }
            *byte = u8::from_str_radix(pair, 16).map_err(|_| MalformedKeyHash)?;
        }
        Ok(Self(bytes))
    }
}
