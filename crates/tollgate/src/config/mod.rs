//! From `tollgate.yaml` to a gateway: read, expand, check, compile, with all mistakes at once. The only reader of the environment.

pub mod decode;
pub mod diagnostics;
pub mod file;
mod functions;
pub mod scalar;
pub mod source;
pub mod yaml;

mod compile;
mod databases;
mod declaration;
mod include;
mod policy_hash;
mod reach;
mod references;
mod secrets;
mod settings;
mod shape;

#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest, Sha256};
use tollgate_backends::PoolLimits;
use tollgate_core::names::{Code, DatabaseName};

use crate::gateway::Gateway;

pub use self::{
    compile::{Compiled, Policies, compile_with, visible_tables},
    databases::Open,
    diagnostics::{Diagnostic, Diagnostics, Severity, Style},
    settings::{AuditSettings, SealKey, ServerSettings, Settings},
};
use self::{secrets::Secrets, yaml::Node};

/// A configuration that was read: what it says, where it says it, and what is already known to be wrong with it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says.
    pub file: file::File,
    /// The folder that its paths are relative to.
    pub folder: PathBuf,
    /// SHA-256 over the files as written, secrets not expanded.
    pub hash: [u8; 32],
    tree: Node,
    diagnostics: Diagnostics,
}

impl Loaded {
    /// Everything beside the policy; mistakes go to `diagnostics`.
    pub fn settings(&self, diagnostics: &mut Diagnostics) -> Settings {
        settings::settings(self, diagnostics)
    }

    /// What is known to be wrong so far. Keys that are unknown stand here, and were left out of `file`.
    pub fn diagnostics(&self) -> &Diagnostics {
        &self.diagnostics
    }
}

/// The configuration file to read when none is named: `$TOLLGATE_CONFIG`, else `./tollgate.yaml`.
pub fn default_path() -> PathBuf {
    environment("TOLLGATE_CONFIG").map_or_else(|| PathBuf::from("tollgate.yaml"), PathBuf::from)
}

/// The key that `call` and `serve --stdio` prove their agent with: `$TOLLGATE_KEY`.
pub fn agent_key() -> Option<String> {
    environment("TOLLGATE_KEY")
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads a configuration with the process's environment.
pub fn load(path: &Path) -> Result<Loaded, Diagnostics> {
    load_with(path, &environment)
}

/// Reads a configuration with the environment given.
pub fn load_with(path: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Result<Loaded, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let Some(mut tree) = include::read(path, &mut diagnostics) else { return Err(diagnostics) };
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    Secrets::new(environment, &folder).expand(&mut tree, &mut diagnostics);
    shape::check(&mut tree, &file::json_schema(), &mut diagnostics);
    match decode::decode(&tree) {
        Ok(file) => {
            let hash = hash(&diagnostics);
            Ok(Loaded { file, folder, hash, tree, diagnostics })
        }
        Err(error) => {
            // What the shape has already refused is not said twice.
            if !diagnostics.has_errors() {
                let diagnostic = Diagnostic::error(Code::CONFIG_TYPE, error.message);
                diagnostics.push(diagnostic.at(error.place.unwrap_or(tree.place)));
            }
            Err(diagnostics)
        }
    }
}

/// Compiles a configuration against its live databases. Every mistake comes back, those of reading it too.
pub async fn compile(loaded: &Loaded) -> Result<Compiled, Diagnostics> {
    compile_with(loaded, &|_, url, folder, limits| tollgate_backends::open(url, folder, limits)).await
}

/// Compiles a configuration whatever its databases' logins can do: for finding out what they need.
pub async fn compile_with_any_login(mut loaded: Loaded) -> Result<Compiled, Diagnostics> {
    loaded.file.databases.values_mut().for_each(|database| database.require_least_privilege = false);
    compile(&loaded).await
}

/// Compiles a configuration once more, on the databases that `serving` already has and on those it lacks.
pub async fn compile_beside(loaded: &Loaded, serving: &Gateway) -> Result<Compiled, Diagnostics> {
    let open: databases::Open<'_> = &|name, url, folder, limits| match serving.databases.get(name) {
        Some(database) => Ok(Arc::clone(&database.backend)),
        None => tollgate_backends::open(url, folder, limits),
    };
    compile_with(loaded, open).await
}

/// Whether any of these databases answers now.
pub async fn any_answers<'n>(loaded: &Loaded, names: impl Iterator<Item = &'n DatabaseName>) -> bool {
    for written in names.filter_map(|name| loaded.file.databases.get(name)) {
        let Ok(backend) = tollgate_backends::open(&written.url, &loaded.folder, PoolLimits::default()) else {
            continue;
        };
        let answers = backend.probe().await.is_ok();
        backend.close().await;
        if answers {
            return true;
        }
    }
    false
}

fn hash(diagnostics: &Diagnostics) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for source in diagnostics.sources().iter() {
        hasher.update((source.text.len() as u64).to_be_bytes());
        hasher.update(&source.text);
    }
    hasher.finalize().into()
}
