//! Running statements on a connection's own thread. Only checked text comes here, and still the engine is armed for each
//! statement with its footprint. Nothing of one call stays for the next but prepared statements without values.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::{OptionalExtension as _, PrepFlags, Statement};
use tollgate_core::{
    catalog::{SqlType, TypeKind},
    names::{ResultForm, Value},
    sql::{Author, CheckedStatement, Described, Footprint, OutputColumn},
};

use super::{
    authorizer::{Allowance, Authorizer},
    call::{Call, CurrentCall},
    error::{Phase, breaks_connection, classify, is_interruption},
    types,
    value::{self, Encoding},
};
use crate::{
    BackendError, ErrorKind, ReadLimits, Rows,
    json::{Keys, Reading, RowsWriter},
    statements::Statements,
};

/// A text to run and what the core knows of it: a checked statement's parts.
#[derive(Clone, Copy)]
pub(super) struct Guarded<'a> {
    pub(super) text: &'a str,
    pub(super) footprint: &'a Footprint,
    pub(super) columns: &'a [OutputColumn],
    /// Columns of a row, those that are not shown among them.
    pub(super) width: usize,
    /// Where the key stands that the statement is paged by.
    pub(super) key: &'a [usize],
    pub(super) slots: usize,
    pub(super) author: Author,
}

impl<'a> From<&'a CheckedStatement> for Guarded<'a> {
    fn from(statement: &'a CheckedStatement) -> Self {
        Self {
            text: statement.text(),
            footprint: statement.footprint(),
            columns: statement.columns(),
            width: statement.width(),
            key: statement.key().unwrap_or_default(),
            slots: statement.slots().len(),
            author: statement.author(),
        }
    }
}

/// A statement prepared under its footprint.
pub(super) struct Prepared<'c> {
    statement: Statement<'c>,
    allowance: Arc<Allowance>,
    columns: Vec<(String, SqlType)>,
    keys: Keys,
    encodings: Vec<Encoding>,
    key: Vec<usize>,
}

/// A connection at work. It lives on the connection's thread and borrows from it.
pub(super) struct Engine<'c> {
    pub(super) connection: &'c rusqlite::Connection,
    pub(super) authorizer: Authorizer,
    current: CurrentCall,
    broken: Arc<AtomicBool>,
    statements: Statements<Prepared<'c>>,
}

impl<'c> Engine<'c> {
    pub(super) fn new(
        connection: &'c rusqlite::Connection,
        authorizer: Authorizer,
        current: CurrentCall,
        broken: Arc<AtomicBool>,
    ) -> Self {
        Self { connection, authorizer, current, broken, statements: Statements::default() }
    }

    /// Does some work as one call, and remembers when it should be this connection's last.
    pub(super) fn work_for<T>(
        &mut self,
        call: Arc<Call>,
        work: impl FnOnce(&mut Self) -> Result<T, BackendError>,
    ) -> Result<T, BackendError> {
        self.current.begin(call);
        let answer = match self.current.over() {
            // It waited for a connection until nobody wanted it any more.
            Some(kind) => Err(BackendError::of(kind)),
            None => work(self),
        };
        self.current.end();
        if answer.as_ref().is_err_and(breaks_connection) {
            self.condemn();
        }
        answer
    }

    /// Makes this call the connection's last.
    pub(super) fn condemn(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    /// Runs a statement and reads its rows within the limits.
    pub(super) fn execute(
        &mut self,
        statement: &CheckedStatement,
        values: &[Value],
        limits: ReadLimits,
        form: ResultForm,
    ) -> Result<(Rows, Duration), BackendError> {
        let sent = Instant::now();
        let (authorizer, current) = (self.authorizer.clone(), self.current.clone());
        let mut once;
        let prepared = match statement.author() {
            Author::Operator => self.prepared(statement)?,
            // It will hardly come again, and would push out what does.
            Author::Caller { .. } => {
                once = self.prepare_guarded(Guarded::from(statement))?;
                &mut once
            }
        };
        let _armed = authorizer.arm(&prepared.allowance);
        let rows = prepared.run(values, limits, form).map_err(|error| error.explained(&current))?;
        Ok((rows, sent.elapsed()))
    }

    /// Runs a statement that is not kept.
    #[cfg(test)]
    pub(super) fn run(
        &self,
        prepared: &mut Prepared<'_>,
        values: &[Value],
        limits: ReadLimits,
    ) -> Result<Rows, BackendError> {
        let _armed = self.authorizer.arm(&prepared.allowance);
        prepared.run(values, limits, ResultForm::Rows).map_err(|error| error.explained(&self.current))
    }

    /// What SQLite says of a statement without running it.
    pub(super) fn describe(&mut self, statement: &CheckedStatement) -> Result<Described, BackendError> {
        let prepared = self.prepared(statement)?;
        Ok(Described { params: vec![None; statement.slots().len()], columns: prepared.columns.clone() })
    }

    /// The plan of a statement, as an indented list.
    pub(super) fn plan(&mut self, statement: &CheckedStatement, values: &[Value]) -> Result<String, BackendError> {
        let current = self.current.clone();
        let text = format!("EXPLAIN QUERY PLAN {}", statement.text());
        let allowance = self.allowance(statement.footprint())?;
        let _armed = self.authorizer.arm(&allowance);
        let explained = |error| Failure::Sqlite(error, Phase::Preparing).explained(&current);
        let mut prepared = self.connection.prepare(&text).map_err(explained)?;
        bind_all(&mut prepared, values).map_err(|error| error.explained(&current))?;
        let mut depths = HashMap::from([(0_i64, 0_usize)]);
        let mut plan = String::new();
        let mut rows = prepared.raw_query();
        while let Some(row) = rows.next().map_err(explained)? {
            let (id, parent, detail): (i64, i64, String) =
                (row.get(0).map_err(explained)?, row.get(1).map_err(explained)?, row.get(3).map_err(explained)?);
            let depth = depths.get(&parent).copied().unwrap_or_default();
            depths.insert(id, depth + 1);
            // Writing to a String cannot fail.
            let _ = writeln!(plan, "{:indent$}{detail}", "", indent = depth * 2);
        }
        Ok(plan)
    }

    /// A look at the file: is it there, and a database?
    pub(super) fn probe(&mut self) -> Result<(), BackendError> {
        let _armed = self.authorizer.read_schema();
        self.connection
            .query_row("SELECT 1 FROM main.sqlite_schema LIMIT 1", [], |_| Ok(()))
            .optional()
            .map(|_| ())
            .map_err(|error| Failure::Sqlite(error, Phase::Opening).explained(&self.current))
    }

    fn prepared(&mut self, statement: &CheckedStatement) -> Result<&mut Prepared<'c>, BackendError> {
        let fingerprint = *statement.fingerprint();
        if !self.statements.contains(&fingerprint) {
            let prepared = self.prepare_guarded(Guarded::from(statement))?;
            drop(self.statements.insert(fingerprint, prepared));
        }
        self.statements.get(&fingerprint).ok_or_else(|| BackendError::of(ErrorKind::Internal))
    }

    /// Prepares a text with the engine allowing exactly its footprint, and holds SQLite's view of it against the core's.
    pub(super) fn prepare_guarded(&self, guarded: Guarded<'_>) -> Result<Prepared<'c>, BackendError> {
        let allowance = self.allowance(guarded.footprint)?;
        let (mut flags, phase) = match guarded.author {
            Author::Operator => (PrepFlags::SQLITE_PREPARE_PERSISTENT, Phase::Preparing),
            Author::Caller { .. } => (PrepFlags::default(), Phase::PreparingOnce),
        };
        if !allowance.may_read_virtual_tables() {
            flags |= PrepFlags::SQLITE_PREPARE_NO_VTAB;
        }
        let armed = self.authorizer.arm(&allowance);
        let statement = self
            .connection
            .prepare_with_flags(guarded.text, flags)
            .map_err(|error| Failure::Sqlite(error, phase).explained(&self.current))?;
        drop(armed);
        if !statement.readonly() || statement.is_explain() != 0 {
            return Err(BackendError::new(ErrorKind::Refused, "the statement is not a plain read"));
        }
        if statement.column_count() != guarded.width || statement.parameter_count() != guarded.slots {
            return Err(BackendError::new(ErrorKind::Changed, "the statement has other columns or parameters"));
        }
        let declared = statement.columns().map(|column| column.decl_type().map(str::to_owned)).collect::<Vec<_>>();
        let columns: Vec<_> = guarded.columns.iter().zip(&declared).map(described).collect();
        Ok(Prepared {
            keys: Keys::new(columns.iter().map(|(name, _)| name.as_str())),
            encodings: columns.iter().map(|(_, ty)| Encoding::from(&ty.kind)).collect(),
            statement,
            allowance,
            columns,
            key: guarded.key.to_vec(),
        })
    }

    /// A footprint, and what its views read besides.
    fn allowance(&self, footprint: &Footprint) -> Result<Arc<Allowance>, BackendError> {
        let mut allowance = Allowance::of(footprint).ok_or_else(|| {
            BackendError::new(ErrorKind::Refused, "a table outside `main`, or a CTE with the name of a table")
        })?;
        for table in &footprint.tables {
            if self.is_view(&table.name)? {
                let armed = self.authorizer.learn();
                let text = format!("SELECT * FROM main.\"{}\"", table.name.replace('"', "\"\""));
                self.connection
                    .prepare(&text)
                    .map_err(|error| Failure::Sqlite(error, Phase::Preparing).explained(&self.current))?;
                allowance.allow_within_view(&table.name, armed.learnt());
            }
        }
        Ok(Arc::new(allowance))
    }

    fn is_view(&self, table: &str) -> Result<bool, BackendError> {
        let _armed = self.authorizer.read_schema();
        self.connection
            .query_row(
                "SELECT 1 FROM main.sqlite_schema WHERE type = 'view' AND name = ?1 COLLATE NOCASE",
                [table],
                |_| Ok(()),
            )
            .optional()
            .map(|found| found.is_some())
            .map_err(|error| Failure::Sqlite(error, Phase::Preparing).explained(&self.current))
    }
}

impl Prepared<'_> {
    /// Runs the statement. Its authorizer must be armed.
    fn run(&mut self, values: &[Value], limits: ReadLimits, form: ResultForm) -> Result<Rows, Failure> {
        let rows = bind_all(&mut self.statement, values).and_then(|()| self.read(limits, form));
        // The values of one caller do not stay for the next.
        self.statement.clear_bindings();
        rows
    }

    fn read(&mut self, limits: ReadLimits, form: ResultForm) -> Result<Rows, Failure> {
        let running = |error| Failure::Sqlite(error, Phase::Running);
        let keys = self.keys.of(form);
        let mut writer = RowsWriter::new(&keys, limits);
        let mut rows = self.statement.raw_query();
        let mut key = None;
        while let Some(row) = rows.next().map_err(running)? {
            let reading = writer.row(|index, out| -> rusqlite::Result<()> {
                let encoding = self.encodings.get(index).copied().unwrap_or(Encoding::Storage);
                value::encode(out, encoding, row.get_ref(index)?);
                Ok(())
            });
            if reading.map_err(running)? == Reading::Full {
                return Ok(Rows { key, ..writer.finish() });
            }
            if !self.key.is_empty() {
                let values = self.key.iter().map(|place| Ok(value::exact(row.get_ref(*place)?)));
                key = values.collect::<rusqlite::Result<Option<_>>>().map_err(running)?;
            }
        }
        Ok(writer.finish())
    }
}

fn bind_all(statement: &mut Statement<'_>, values: &[Value]) -> Result<(), Failure> {
    if values.len() != statement.parameter_count() {
        return Err(Failure::Ours(BackendError::new(ErrorKind::Internal, "not one value for each slot")));
    }
    for (index, value) in values.iter().enumerate() {
        let bound = value::bind(value).map_err(|error| Failure::Ours(error.into()))?;
        statement.raw_bind_parameter(index + 1, bound).map_err(|error| Failure::Sqlite(error, Phase::Running))?;
    }
    Ok(())
}

/// A column's name in the result, and its type: as the database declares it, else as the core knows it.
fn described((column, declared): (&OutputColumn, &Option<String>)) -> (String, SqlType) {
    let ty = match (declared, &column.ty) {
        (Some(declared), _) => types::declared(Some(declared)),
        (None, Some(known)) => known.clone(),
        (None, None) => SqlType { name: String::new(), kind: TypeKind::Any },
    };
    (column.name.clone(), ty)
}

/// Something that went wrong, before it is known whether the call was over anyway.
enum Failure {
    Sqlite(rusqlite::Error, Phase),
    Ours(BackendError),
}

impl Failure {
    fn explained(self, current: &CurrentCall) -> BackendError {
        match self {
            Failure::Sqlite(error, _) if is_interruption(&error) => {
                BackendError::new(current.over().unwrap_or(ErrorKind::Internal), error)
            }
            // A lock that was waited for until the call was over.
            Failure::Sqlite(error, phase) => match (current.over(), classify(error, phase)) {
                (Some(kind), BackendError { kind: ErrorKind::Conflict, database_code, source }) => {
                    BackendError { kind, database_code, source }
                }
                (_, error) => error,
            },
            Failure::Ours(error) => error,
        }
    }
}
