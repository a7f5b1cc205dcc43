//! The demo's folder: made once, used again. Never overwrites what a person may have changed.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use tollgate_backends::sample::{LoadError, SampleError};

use super::shop::Shop;
use crate::identity::ApiKey;

const CONFIG: &str = include_str!("tollgate.yaml");
const AGENTS: [(&str, &str); 3] = [
    ("support-eu", "EU customers and their orders; e-mail masked"),
    ("analyst-us", "US figures, by SQL of its own too; no names, no e-mail, no pending orders"),
    ("auditor", "every region, notes; SSN and payment shortened"),
];

/// What an agent of the demo sees, in a few words.
pub(super) fn describe(agent: &str) -> &'static str {
    AGENTS.iter().find(|(name, _)| *name == agent).map_or("", |(_, sees)| sees)
}

/// Why the demo's folder could not be made.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum DemoError {
    /// A file could not be written or read.
    #[error("cannot write `{path}`")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database could not be made.
    #[error("cannot make the sample shop")]
    Sample(#[from] SampleError),
    /// The database on a server could not be filled.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The folder is of a shop in another place.
    #[error("`{0}` is the folder of a demo with another database; name a new one with `--dir`")]
    OtherShop(PathBuf),
    /// There is a `tollgate.yaml`, and the keys to it are gone.
    #[error("`{0}` stands without its `keys.json`; remove it too, and the demo makes both anew")]
    KeysGone(PathBuf),
    /// `keys.json` is not what the demo wrote.
    #[error("`{0}` is not a list of agents and keys")]
    KeysUnreadable(PathBuf),
    /// No random bytes.
    #[error("the operating system gave no random bytes for keys")]
    NoRandomness,
}

/// The demo's folder, complete.
#[derive(Debug)]
pub(in crate::cli) struct DemoFolder {
    dir: PathBuf,
    shop: Shop,
    keys: BTreeMap<String, String>,
}

impl DemoFolder {
    /// Makes what is missing, and tells `progress` what takes time.
    pub(super) async fn prepare(
        dir: &Path,
        database: Option<String>,
        progress: &dyn Fn(&str),
    ) -> Result<Self, DemoError> {
        // Keys, customers and the log: nobody else's business on this machine.
        at(dir, DirBuilder::new().recursive(true).mode(0o700).create(dir))?;
        let shop = Shop::of(dir, database)?;
        shop.make(dir, progress).await?;
        let (config, keys) = (dir.join("tollgate.yaml"), dir.join("keys.json"));
        let keys = match (keys.exists(), config.exists()) {
            (true, _) => read_keys(&keys)?,
            (false, true) => return Err(DemoError::KeysGone(config)),
            (false, false) => write_keys(&keys)?,
        };
        if !config.exists() {
            write_new(&config, 0o644, &config_text(&shop, &keys))?;
        }
        Ok(Self { dir: dir.to_owned(), shop, keys })
    }

    /// The folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where its shop is.
    pub(super) fn shop(&self) -> &Shop {
        &self.shop
    }

    /// The configuration in it.
    pub(in crate::cli) fn config_path(&self) -> PathBuf {
        self.dir.join("tollgate.yaml")
    }

    /// The agents' keys.
    pub(super) fn keys(&self) -> &BTreeMap<String, String> {
        &self.keys
    }
}

pub(super) fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, DemoError> {
    result.map_err(|source| DemoError::Io { path: path.to_owned(), source })
}

pub(super) fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), DemoError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    at(path, file.and_then(|mut file| file.write_all(text.as_bytes())))
}

fn read_keys(path: &Path) -> Result<BTreeMap<String, String>, DemoError> {
    let text = at(path, fs::read_to_string(path))?;
    serde_json::from_str(&text).map_err(|_| DemoError::KeysUnreadable(path.to_owned()))
}

fn write_keys(path: &Path) -> Result<BTreeMap<String, String>, DemoError> {
    let mut keys = BTreeMap::new();
    for (agent, _) in AGENTS {
        let key = ApiKey::generate().ok_or(DemoError::NoRandomness)?;
        keys.insert(agent.to_owned(), key.to_string());
    }
    let lines: Vec<String> = keys.iter().map(|(agent, key)| format!("  \"{agent}\": \"{key}\"")).collect();
    write_new(path, 0o600, &format!("{{\n{}\n}}\n", lines.join(",\n")))?;
    Ok(keys)
}

fn config_text(shop: &Shop, keys: &BTreeMap<String, String>) -> String {
    keys.iter().fold(shop.worded(CONFIG), |text, (agent, key)| {
        text.replace(&format!("@{agent}@"), &crate::identity::KeyHash::of(key).to_string())
    })
}
