//! What the server and the audit log are told: addresses, keys, bounds and folders, checked. Nothing of the policy.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use sha2::{Digest, Sha256};
use tollgate_core::names::Code;

use super::{
    Loaded,
    diagnostics::{Diagnostic, Diagnostics},
    file,
    scalar::{Secret, Size},
    source::Path,
    yaml::Node,
};
use crate::protocol::http::{AllowedHost, AllowedOrigin, InvalidAddress};

/// Everything beside the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How it listens.
    pub server: ServerSettings,
    /// Where and how calls are written down.
    pub audit: AuditSettings,
}

/// How it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSettings {
    /// The agents' address.
    pub listen: SocketAddr,
    /// The address for health and metrics.
    pub metrics_listen: SocketAddr,
    /// What cursors are sealed with, the first one for new ones; empty when one is to be made up.
    pub seal_keys: Vec<SealKey>,
    /// `Host` headers answered besides the listener's own.
    pub allowed_hosts: Vec<AllowedHost>,
    /// `Origin` headers answered.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// Bytes of a request's body at most.
    pub body_max: usize,
    /// Connections at most.
    pub connections_max: usize,
    /// How long calls in flight may take when it stops.
    pub drain_timeout: Duration,
}

/// Where and how calls are written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditSettings {
    /// The folder.
    pub dir: PathBuf,
    /// Parameters and claims stored only as keyed hashes.
    pub sensitive: Vec<String>,
}

/// A key for sealing, made from a configured secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SealKey([u8; 32]);

impl SealKey {
    /// The shortest secret that is taken, in bytes.
    pub const SECRET_BYTES_MIN: usize = 32;

    fn from_secret(secret: &str) -> Self {
        // One step of a hash is enough for a secret that is long and random; `check` refuses short ones.
        Self(Sha256::new().chain_update(b"tollgate seal key v1\0").chain_update(secret).finalize().into())
    }

    /// The key's bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(…)")
    }
}

/// The settings that a configuration asks for; mistakes go to `diagnostics`.
pub(super) fn settings(loaded: &Loaded, diagnostics: &mut Diagnostics) -> Settings {
    if let Some(secret) = &loaded.file.mask_key {
        check_mask_key(secret, &loaded.tree, diagnostics);
    }
    Settings {
        server: server(&loaded.file.server, &loaded.tree, diagnostics),
        audit: AuditSettings {
            dir: loaded.folder.join(&loaded.file.audit.dir),
            sensitive: loaded.file.audit.sensitive.clone(),
        },
    }
}

fn check_mask_key(secret: &Secret, tree: &Node, diagnostics: &mut Diagnostics) {
    // A secret that could not be read is empty, and was reported where it is read.
    let reported = secret.0.is_empty() && diagnostics.has_errors();
    if secret.0.len() < SealKey::SECRET_BYTES_MIN && !reported {
        let message = format!("`mask_key` has at least {} characters", SealKey::SECRET_BYTES_MIN);
        let diagnostic =
            Diagnostic::error(Code::CONFIG_LIMIT, message).at(tree.place_of(&Path::root().key("mask_key")));
        diagnostics.push(diagnostic.help("`openssl rand -base64 32` makes one"));
    }
}

fn server(written: &file::Server, tree: &Node, diagnostics: &mut Diagnostics) -> ServerSettings {
    let path = Path::root().key("server");
    let mut complain = |key: &str, code: Code, message: &str, help: &str| {
        let diagnostic = Diagnostic::error(code, message).at(tree.place_of(&path.key(key)));
        diagnostics.push(if help.is_empty() { diagnostic } else { diagnostic.help(help) });
    };
    let (listen, metrics) = (written.listen, written.metrics_listen);
    let same_address = listen.ip() == metrics.ip() || listen.ip().is_unspecified() || metrics.ip().is_unspecified();
    if listen.port() == metrics.port() && listen.port() != 0 && same_address {
        let message =
            "`server.metrics_listen` is the agents' own address; health and metrics are never on the agents' port";
        complain("metrics_listen", Code::CONFIG_LISTEN, message, "");
    }
    if !listen.ip().is_loopback() && written.allowed_hosts.is_empty() {
        let message = "`server.listen` is open to other machines and `server.allowed_hosts` is not set";
        let help =
            "list the host names that clients use, so that a web page cannot reach this server under another name";
        complain("listen", Code::CONFIG_LISTEN, message, help);
    }
    if written.body_max < Size(1 << 10) || written.body_max > Size(64 << 20) {
        complain("body_max", Code::CONFIG_LIMIT, "`server.body_max` must be from 1KiB to 64MiB", "");
    }
    let drain = written.drain_timeout.0;
    if drain > Duration::from_secs(600) {
        complain("drain_timeout", Code::CONFIG_LIMIT, "`server.drain_timeout` must be at most 10m", "");
    }
    for (i, secret) in written.seal_keys.iter().enumerate() {
        // A secret that could not be read is empty, and was reported where it is read.
        let reported = secret.is_empty() && diagnostics.has_errors();
        if secret.len() < SealKey::SECRET_BYTES_MIN && !reported {
            let message = format!("a seal key has at least {} characters", SealKey::SECRET_BYTES_MIN);
            let place = tree.place_of(&path.key("seal_keys").index(i));
            let diagnostic = Diagnostic::error(Code::CONFIG_LIMIT, message).at(place);
            diagnostics.push(diagnostic.help("`openssl rand -base64 32` makes one"));
        }
    }
    let allowed_hosts = parse_each(&written.allowed_hosts, &path.key("allowed_hosts"), tree, diagnostics);
    let allowed_origins = parse_each(&written.allowed_origins, &path.key("allowed_origins"), tree, diagnostics);
    ServerSettings {
        listen,
        metrics_listen: metrics,
        seal_keys: written.seal_keys.iter().map(|secret| SealKey::from_secret(secret)).collect(),
        allowed_hosts,
        allowed_origins,
        body_max: usize::try_from(written.body_max.0).unwrap_or(usize::MAX),
        connections_max: usize::try_from(written.connections_max).unwrap_or(usize::MAX),
        drain_timeout: drain,
    }
}

/// Each text as what it stands for; one that stands for nothing is reported at its place.
fn parse_each<T: FromStr<Err = InvalidAddress>>(
    texts: &[String],
    path: &Path,
    tree: &Node,
    diagnostics: &mut Diagnostics,
) -> Vec<T> {
    let mut parsed = Vec::with_capacity(texts.len());
    for (at, text) in texts.iter().enumerate() {
        match T::from_str(text) {
            Ok(value) => parsed.push(value),
            Err(error) => {
                let place = tree.place_of(&path.index(at));
                diagnostics.push(Diagnostic::error(Code::CONFIG_TYPE, error.to_string()).at(place));
            }
        }
    }
    parsed
}
