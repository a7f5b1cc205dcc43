//! A connection as calls get it, with no rewriting in front of it: the red team shows by it what the engine's own layer holds. Only
//! with the feature `testing`; the product never sends a text that was not checked.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use rusqlite::{PrepFlags, Statement, types::ValueRef};
use tollgate_core::sql::Footprint;

use super::{
    authorizer::{Allowance, Authorizer},
    call::{Call, CurrentCall},
    connect,
};
use crate::{BackendError, ErrorKind};

/// A connection that takes any text, under the authorizer.
pub struct RawSession {
    connection: rusqlite::Connection,
    authorizer: Authorizer,
    current: CurrentCall,
    allowance: Arc<Allowance>,
}

impl RawSession {
    /// Opens one that may touch what a footprint names.
    pub fn open(path: &Path, footprint: &Footprint) -> Result<Self, BackendError> {
        let (authorizer, current) = (Authorizer::default(), CurrentCall::default());
        let allowance = Allowance::of(footprint).ok_or_else(|| BackendError::of(ErrorKind::Internal))?;
        let (_, _, connection) = connect::open(path, &authorizer, &current)?;
        Ok(Self { connection, authorizer, current, allowance: Arc::new(allowance) })
    }

    /// Runs one statement as a call's is run, for a time at most, and returns each value.
    pub fn one(&self, sql: &str, time: Duration) -> rusqlite::Result<Vec<String>> {
        self.under_guard(time, || {
            let mut flags = PrepFlags::SQLITE_PREPARE_PERSISTENT;
            if !self.allowance.may_read_virtual_tables() {
                flags |= PrepFlags::SQLITE_PREPARE_NO_VTAB;
            }
            let mut statement = self.connection.prepare_with_flags(sql, flags)?;
            if !statement.readonly() || statement.is_explain() != 0 {
                return Err(rusqlite::Error::InvalidQuery);
            }
            values(&mut statement)
        })
    }

    /// Runs any number of statements, without the marks that calls put on theirs. What they answer is not read.
    pub fn many(&self, sql: &str, time: Duration) -> rusqlite::Result<()> {
        self.under_guard(time, || self.connection.execute_batch(sql))
    }

    /// The connection without its authorizer, to see what was done to it.
    pub fn unguarded(mut self) -> rusqlite::Result<rusqlite::Connection> {
        self.connection.authorizer(None::<fn(rusqlite::hooks::AuthContext<'_>) -> rusqlite::hooks::Authorization>)?;
        Ok(self.connection)
    }

    fn under_guard<T>(&self, time: Duration, work: impl FnOnce() -> T) -> T {
        self.current.begin(Arc::new(Call::new(Instant::now() + time, Arc::default())));
        let armed = self.authorizer.arm(&self.allowance);
        let done = work();
        drop(armed);
        self.current.end();
        done
    }
}

fn values(statement: &mut Statement<'_>) -> rusqlite::Result<Vec<String>> {
    let width = statement.column_count();
    let mut found = Vec::new();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        for index in 0..width {
            found.push(match row.get_ref(index)? {
                ValueRef::Null => String::new(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Real(number) => number.to_string(),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            });
        }
    }
    Ok(found)
}
