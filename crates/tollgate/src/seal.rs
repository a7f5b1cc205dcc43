//! Cursors that a client carries and cannot read, change, or use for another call: AEAD, expiring, bound by associated data.

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};
use tollgate_core::tools::{CursorSeal, SEALED_MAX};

use crate::clock::Clock;

/// How long a cursor is good for, in seconds.
const LIFETIME: u64 = 15 * 60;
const VERSION: u8 = 2;

/// Why the seals cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
}

/// Seals positions under the first key and opens them under any.
pub struct Seals {
    keys: Vec<LessSafeKey>,
    random: SystemRandom,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seals").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl Seals {
    /// Seals under the configured keys, the first for new cursors; without any, under one made up now, so that cursors end with the
    /// process.
    pub fn new(keys: impl IntoIterator<Item = [u8; 32]>, clock: Arc<dyn Clock>) -> Result<Self, SealError> {
        let random = SystemRandom::new();
        let mut material: Vec<[u8; 32]> = keys.into_iter().collect();
        if material.is_empty() {
            let mut made_up = [0_u8; 32];
            random.fill(&mut made_up).map_err(|_| SealError::NoRandomness)?;
            material.push(made_up);
        }
        let keys = material
            .iter()
            .map(|bytes| UnboundKey::new(&AES_256_GCM, bytes).map(LessSafeKey::new))
            .collect::<Result<_, _>>()
            .map_err(|_| SealError::NoRandomness)?;
        Ok(Self { keys, random, clock })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.clock.now().as_second()).unwrap_or_default()
    }
}

impl CursorSeal for Seals {
    fn seal(&self, position: &[u8], binding: &[u8; 32]) -> Option<String> {
        let key = self.keys.first()?;
        let mut nonce = [0_u8; NONCE_LEN];
        self.random.fill(&mut nonce).ok()?;
        let expires = self.now() + LIFETIME;
        let mut sealed = [&expires.to_be_bytes(), position].concat();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(binding), &mut sealed).ok()?;
        let mut token = vec![VERSION];
        token.extend_from_slice(&nonce);
        token.append(&mut sealed);
        Some(URL_SAFE_NO_PAD.encode(token))
    }

    fn open(&self, sealed: &str, binding: &[u8; 32]) -> Option<Vec<u8>> {
        let token = (sealed.len() <= SEALED_MAX).then(|| URL_SAFE_NO_PAD.decode(sealed).ok()).flatten()?;
        let (version, rest) = token.split_first()?;
        if *version != VERSION {
            return None;
        }
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let plain = self.keys.iter().find_map(|key| {
            let mut buffer = sealed.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            key.open_in_place(nonce, Aad::from(binding), &mut buffer).ok().map(|plain| plain.to_vec())
        })?;
        let (expires, position) = plain.split_first_chunk::<8>()?;
        (self.now() < u64::from_be_bytes(*expires)).then(|| position.to_vec())
    }
}
