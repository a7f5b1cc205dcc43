//! The engine alone, below the checked statement: what SQLite itself refuses, says of a schema, and does when told to stop.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant as Clock},
};

use tempfile::TempDir;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tollgate_core::{
    catalog::{ColumnId, TableId},
    names::Value,
    sql::{Author, Footprint, OutputColumn},
};

use super::{Sqlite, execute::Guarded};
use crate::{Backend, BackendError, ErrorKind, PoolLimits, ReadLimits, Rows};

mod codes;
mod functions;
mod guard;
mod schema;
mod stopping;
mod text;
mod values;

/// A database file made by a script, and a backend over it.
struct Fixture {
    backend: Arc<Sqlite>,
    path: PathBuf,
    _dir: TempDir,
}

impl Fixture {
    fn new(script: &str) -> Self {
        Self::with_limits(script, PoolLimits { max: 2, ..PoolLimits::default() })
    }

    fn with_limits(script: &str, limits: PoolLimits) -> Self {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("test.db");
        rusqlite::Connection::open(&path).unwrap().execute_batch(script).unwrap();
        let backend = Arc::new(Sqlite::new(path.clone(), limits).unwrap());
        Self { backend, path, _dir: dir }
    }

    /// Runs a text under a footprint; its columns are called `a`, `b`, ….
    async fn run(&self, text: &str, footprint: &Footprint, values: &[Value]) -> Result<Rows, BackendError> {
        let deadline = Instant::now() + Duration::from_secs(5);
        self.run_until(text, footprint, values, deadline, &CancellationToken::new()).await
    }

    async fn run_until(
        &self,
        text: &str,
        footprint: &Footprint,
        values: &[Value],
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Result<Rows, BackendError> {
        let (text, footprint, values) = (text.to_owned(), footprint.clone(), values.to_vec());
        let work = move |engine: &mut super::Engine<'_>| {
            // As many columns as there are, which the core would know.
            let mut columns = Vec::new();
            loop {
                let guarded = Guarded {
                    text: &text,
                    footprint: &footprint,
                    columns: &columns,
                    width: columns.len(),
                    key: &[],
                    slots: values.len(),
                    author: Author::Operator,
                };
                match engine.prepare_guarded(guarded) {
                    Err(error)
                        if error.kind == ErrorKind::Changed && error.database_code.is_none() && columns.len() < 9 =>
                    {
                        columns.push(column(columns.len()));
                    }
                    Err(error) => return Err(error),
                    Ok(mut prepared) => {
                        let limits = ReadLimits { rows_max: 100, bytes_max: 100_000 };
                        return engine.run(&mut prepared, &values, limits);
                    }
                }
            }
        };
        self.backend.run(deadline, cancel, work).await.map(|(rows, _)| rows)
    }
}

fn column(index: usize) -> OutputColumn {
    let name = ["a", "b", "c", "d", "e", "f", "g", "h", "i"][index].to_owned();
    OutputColumn { name, origin: None, ty: None, nullable: true, masked: false }
}

fn footprint(columns: &[(&str, &str)], functions: &[&str], ctes: &[&str]) -> Footprint {
    let table = |name: &str| TableId { schema: "main".to_owned(), name: name.to_owned() };
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    Footprint {
        columns: columns.iter().map(|(t, c)| ColumnId { table: table(t), column: (*c).to_owned() }).collect(),
        tables: columns.iter().map(|(t, _)| table(t)).collect(),
        functions: owned(functions),
        ctes: owned(ctes),
        table_functions: BTreeSet::new(),
        recursive: false,
    }
}

fn json(rows: &Rows) -> &str {
    std::str::from_utf8(&rows.json).unwrap()
}
