//! SQLite for the suite: a file in a directory of its own.

use std::{fs, path::PathBuf, sync::Arc};

use tempfile::TempDir;

use super::Fixture;
use crate::{Backend, PoolLimits, sqlite};

pub(super) struct Database {
    backend: Arc<dyn Backend>,
    path: PathBuf,
    _dir: TempDir,
}

impl Fixture for Database {
    async fn start(limits: PoolLimits) -> Option<Self> {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("conformance.db");
        let setup = include_str!("../../testdata/conformance/setup.sqlite.sql");
        rusqlite::Connection::open(&path).unwrap().execute_batch(setup).unwrap();
        let backend = sqlite::open(&path, limits).unwrap();
        Some(Self { backend, path, _dir: dir })
    }

    async fn start_alone(limits: PoolLimits) -> Option<Self> {
        Self::start(limits).await
    }

    fn backend(&self) -> &Arc<dyn Backend> {
        &self.backend
    }

    fn go_away(&self) {
        fs::rename(&self.path, self.path.with_extension("away")).unwrap();
    }

    fn come_back(&self) {
        // Another file at the same place, as after a restore.
        fs::copy(self.path.with_extension("away"), &self.path).unwrap();
    }
}
