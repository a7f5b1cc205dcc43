//! The one trait in front of every database, and the shapes that cross it.

use std::{error::Error, fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tollgate_core::{
    catalog::{AddedFunction, Catalog, TableId},
    names::{Code, Dialect, Refusal, ResultForm, Value},
    sql::{CheckedStatement, Described, Reach},
};

use crate::finding::Finding;

/// A future behind a pointer, so that backends can stand in one map.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A database that checked statements run on.
pub trait Backend: Send + Sync {
    /// The dialect its statements must be written in.
    fn dialect(&self) -> Dialect;

    /// The schema as it is now.
    fn introspect(&self) -> BoxFuture<'_, Result<Catalog, BackendError>>;

    /// What the catalog says of functions by schema and name. One that is not there is left out.
    fn functions<'a>(
        &'a self,
        names: &'a [(String, String)],
    ) -> BoxFuture<'a, Result<Vec<FoundFunction>, BackendError>>;

    /// What the database says of a statement without running it.
    fn describe<'a>(&'a self, statement: &'a CheckedStatement) -> BoxFuture<'a, Result<Described, BackendError>>;

    /// Runs a statement and encodes its rows as they arrive, within the limits. Never returns later than the deadline
    /// (plus the time a cancel takes to be sent); dropping the future cancels the statement in the database too.
    fn execute<'a>(&'a self, execution: Execution<'a>) -> BoxFuture<'a, Result<Executed, BackendError>>;

    /// The plan of a statement, as the database tells it to an operator; never shown to an agent.
    fn plan<'a>(
        &'a self,
        statement: &'a CheckedStatement,
        values: &'a [Value],
    ) -> BoxFuture<'a, Result<String, BackendError>>;

    /// One round trip: is it there and would it take a statement?
    fn probe(&self) -> BoxFuture<'_, Result<(), BackendError>>;

    /// What the login can do beyond reading `reach`, all that the policy reads of this database. Where that is not known, because
    /// the policy has mistakes, nothing is said of what the login can read.
    fn examine<'a>(&'a self, reach: Option<&'a Reach>) -> BoxFuture<'a, Result<Vec<Finding>, BackendError>>;

    /// Statements for the database's administrator that make a login as narrow as this; what cannot be said as one, as a remark.
    fn harden<'a>(&'a self, login: &'a NarrowLogin<'a>) -> BoxFuture<'a, Result<String, BackendError>>;

    /// The pool, now.
    fn pool_status(&self) -> PoolStatus;

    /// Lets running statements end and closes every connection. One that does not end is waited for as long as the caller likes.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// A function of the database, all its overloads together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFunction {
    /// Its names and arguments.
    pub function: AddedFunction,
    /// Whether it makes one value from the values of one row.
    pub is_scalar: bool,
    /// Whether it may change something, or answer otherwise each time.
    pub is_volatile: bool,
    /// Whether it may read tables behind the policy's back: it runs as its owner, or is written in a language with statements.
    pub may_read_tables: bool,
}

/// A login that can do what some roles need, and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct NarrowLogin<'a> {
    /// Its name: letters, digits, `_` and `-`.
    pub name: &'a str,
    /// The roles it is for, for remarks.
    pub roles: &'a str,
    /// All that they read.
    pub reach: &'a Reach,
    /// The row filters of its tables as written, for remarks.
    pub filters: &'a [RowFilter],
}

/// A table's row filter, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFilter {
    /// The table.
    pub table: TableId,
    /// Conditions that all hold.
    pub conditions: Vec<String>,
    /// Whether it is the same for every caller.
    pub same_for_all: bool,
}

/// One statement to run.
#[derive(Clone, Debug)]
pub struct Execution<'a> {
    /// The statement.
    pub statement: &'a Arc<CheckedStatement>,
    /// A value for each of `statement.slots()`, in order; the call id among them.
    pub values: &'a [Value],
    /// What may be read of the answer.
    pub limits: ReadLimits,
    /// What it may cost at most, in the planner's units; of a caller's own statement on an engine that has such.
    pub cost_max: Option<u32>,
    /// How its rows are written.
    pub form: ResultForm,
    /// When everything must be over, waiting for a connection included.
    pub deadline: Instant,
    /// Fires when the caller no longer wants the answer.
    pub cancel: &'a CancellationToken,
}

/// What may be read of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// Rows at most; the statement asks for one more, so that `truncated` is honest.
    pub rows_max: u32,
    /// Encoded bytes at most: the rows' JSON, without the envelope.
    pub bytes_max: usize,
}

/// What came of a statement.
#[derive(Clone, Debug)]
pub struct Executed {
    /// The rows.
    pub rows: Rows,
    /// Time spent waiting for a connection.
    pub waited: Duration,
    /// Time spent in the database, from sending the statement to its last row.
    pub ran: Duration,
}

/// Rows, encoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// A JSON array of objects, `[{"id":1},…]`, or of lists, `[[1],…]`, valid UTF-8.
    pub json: Vec<u8>,
    /// How many.
    pub count: u32,
    /// Whether there was more, and which limit said stop.
    pub truncated: Option<Truncation>,
    /// Of a statement that is paged by a key, and of rows that a limit cut: the key of the last one, as a later page's values. None
    /// where a value of it could not come back exactly as it was.
    pub key: Option<Vec<Value>>,
}

/// Which limit cut an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truncation {
    /// `rows_max`.
    Rows,
    /// `bytes_max`.
    Bytes,
}

/// How a pool is bounded. The defaults are the mission's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLimits {
    /// Connections at most.
    pub max: u32,
    /// How long a connection may idle before it is closed.
    pub idle_timeout: Duration,
    /// How long a call may wait for one.
    pub acquire_timeout: Duration,
    /// The longest a statement may run; pinned on the connection too, where the engine can.
    pub statement_timeout: Duration,
    /// What one session may use of the server; PostgreSQL only.
    pub session: SessionLimits,
}

/// How much of its server one session may use. A statement has it several times over: each sort and each hash of its plan may take
/// the working memory, a hash twice, in each of its processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Memory of one sort or hash, in KiB.
    pub work_mem_kib: u32,
    /// Further processes of one part of a plan.
    pub parallel_workers: u32,
    /// Temporary files of one session, in KiB; where the login may set that.
    pub temp_files_kib: u32,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { work_mem_kib: 16 << 10, parallel_workers: 2, temp_files_kib: 1 << 20 }
    }
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self {
            max: 20,
            idle_timeout: Duration::from_secs(30),
            acquire_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(10),
            session: SessionLimits::default(),
        }
    }
}

/// A pool at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStatus {
    /// Connections open.
    pub size: u32,
    /// Of those, in use.
    pub in_use: u32,
    /// Calls waiting for one.
    pub waiting: u32,
    /// The bound.
    pub max: u32,
    /// Of those in use, working for a call that is over: deep in one instruction, where no interrupt reaches them.
    pub overdue: u32,
}

/// Why a database did not answer. What an agent may read of it is its kind; the source is for the operator's log only.
#[derive(Debug)]
pub struct BackendError {
    /// What went wrong, in the few kinds that a caller can act on.
    pub kind: ErrorKind,
    /// The database's own code, SQLSTATE or SQLite's extended code: safe to log, carries no data.
    pub database_code: Option<String>,
    /// The driver's story. May quote data: for the operator's eyes.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

/// What went wrong with a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// No connection can be made, or it broke.
    Unavailable,
    /// No connection became free in time.
    PoolTimeout,
    /// The statement ran past its time.
    Timeout,
    /// The caller went away.
    Cancelled,
    /// A value could not be used: out of range, malformed, a division by zero.
    Data,
    /// The database refused: privileges, read-only, its own second layer.
    Refused,
    /// The planner reckons that a caller's own statement costs more than it may.
    Cost,
    /// A caller's own statement does not fit together.
    Statement(Fault),
    /// A table, column or type is not as it was when the tool was checked.
    Changed,
    /// Other work was in the way: a lock, a deadlock, a conflict with recovery. It may not be there the next time.
    Conflict,
    /// Out of memory or disk, or over a limit of the engine.
    Resources,
    /// A recursive query has more rows than are read, or never ends.
    Recursion,
    /// Anything else.
    Internal,
}

/// What does not fit together in a caller's own statement. Every name in it was resolved before, so this speaks of the types of
/// things that the caller sees and of the form of the statement, and of nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// An operator or a function that does not take these types, or several that do.
    Operands,
    /// Values of different types where one type is needed.
    Mismatch,
    /// A cast that does not exist.
    Cast,
    /// A written value that is none of its type.
    Value,
    /// A value whose type cannot be told.
    Untyped,
    /// Texts of different collations.
    Collations,
    /// A column outside aggregates that is not grouped by.
    Grouping,
    /// A subquery that stands for one value and has several rows.
    Rows,
    /// Something that the database does not do with these types or texts.
    Unsupported,
    /// The database cannot say what it would cost, though it takes it.
    Unpriced,
    /// Anything else.
    Other,
}

impl Fault {
    fn sentence(self) -> &'static str {
        match self {
            Fault::Operands => {
                "an operator or function of the statement does not take values of these types; cast one side, or compare values \
                 of one type"
            }
            Fault::Mismatch => {
                "values of different types stand where one type is needed (a condition, CASE, IN, UNION); cast them to one type"
            }
            Fault::Cast => "a value of this type cannot be cast to that type",
            Fault::Value => {
                "a value written in the statement is not a value of the type it stands for; check its form and range"
            }
            Fault::Untyped => "the type of a value in the statement cannot be told; cast it to the type that is meant",
            Fault::Collations => {
                "texts of different collations meet in the statement, so that none can be told; compare columns of one collation"
            }
            Fault::Grouping => "a column must stand in GROUP BY or inside an aggregate function",
            Fault::Rows => {
                "a subquery that stands for one value has more than one row; use IN or an aggregate, or end it with LIMIT 1"
            }
            Fault::Unsupported => {
                "the database does not do an operation of the statement on values of these types or texts of this collation; cast \
                 them, or write it more plainly"
            }
            Fault::Unpriced => {
                "the database cannot tell what the statement would cost, which a limit of this role asks; cast the values written in \
                 it to their types"
            }
            Fault::Other => "the database does not take the statement as it is written; write it more plainly",
        }
    }
}

impl ErrorKind {
    /// The stable code.
    pub fn code(self) -> Code {
        match self {
            ErrorKind::Unavailable => Code::DB_UNAVAILABLE,
            ErrorKind::PoolTimeout => Code::BUSY,
            ErrorKind::Timeout => Code::DB_TIMEOUT,
            ErrorKind::Cancelled => Code::DB_CANCELLED,
            ErrorKind::Data => Code::DB_DATA,
            ErrorKind::Refused => Code::DB_REFUSED,
            ErrorKind::Cost => Code::SQL_COST,
            ErrorKind::Statement(_) => Code::SQL_NOT_TAKEN,
            ErrorKind::Changed => Code::DB_CHANGED,
            ErrorKind::Conflict => Code::DB_CONFLICT,
            ErrorKind::Resources => Code::DB_RESOURCES,
            ErrorKind::Recursion => Code::DB_RECURSION,
            ErrorKind::Internal => Code::DB_INTERNAL,
        }
    }

    /// The sentence an agent reads: ours by construction, the same whatever the driver said.
    pub fn to_agent(self) -> Refusal {
        let message = match self {
            ErrorKind::Unavailable => "the database is not available right now; try again shortly",
            ErrorKind::PoolTimeout => "the database is busy and no connection became free in time; try again shortly",
            ErrorKind::Timeout => "the statement ran past its time limit; ask for less, or narrow the filter",
            ErrorKind::Cancelled => "the call was cancelled before it finished",
            ErrorKind::Data => {
                "the database could not use a value: one is out of range, malformed or divided by zero; check the arguments, or the \
                 values that the statement converts and computes"
            }
            ErrorKind::Refused => "the database did not permit this statement; the operator's log says why",
            ErrorKind::Cost => {
                "the statement would cost more than this role may spend on one; ask for rows by columns that have an index, and \
                 join or sort less"
            }
            ErrorKind::Statement(fault) => fault.sentence(),
            ErrorKind::Changed => {
                "the database has changed since this tool was checked; the operator must check the configuration"
            }
            ErrorKind::Conflict => "other work in the database was in the way of this statement; try again shortly",
            ErrorKind::Resources => "the statement needed more than the database may spend on it; ask for less",
            ErrorKind::Recursion => {
                "a recursive query of the statement has more than 100,000 rows; end it sooner by a condition in its second part, \
                 or read fewer of its rows"
            }
            ErrorKind::Internal => "the database could not answer; the operator's log says why",
        };
        let refusal = Refusal::new(self.code(), message);
        match self {
            ErrorKind::Unavailable => refusal.retry_after_ms(1_000),
            ErrorKind::PoolTimeout | ErrorKind::Conflict => refusal.retry_after_ms(500),
            _ => refusal,
        }
    }
}

impl BackendError {
    /// An error of a kind, with the driver's own error behind it.
    pub fn new(kind: ErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind, database_code: None, source: Some(source.into()) }
    }

    /// An error of a kind that no driver error stands behind.
    pub fn of(kind: ErrorKind) -> Self {
        Self { kind, database_code: None, source: None }
    }

    /// The driver's story with all that stands behind it, in one line: a driver's own error often says no more than where
    /// it comes from.
    pub fn story(&self) -> Option<String> {
        let mut next = self.source();
        let mut layers = Vec::new();
        while let Some(error) = next {
            layers.push(error.to_string());
            next = error.source();
        }
        (!layers.is_empty()).then(|| layers.join(": "))
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.code().title())?;
        match &self.database_code {
            Some(code) => write!(f, " ({code})"),
            None => Ok(()),
        }
    }
}

impl Error for BackendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|e| e as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("db error")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn a_story_is_told_to_its_end() {
        let error = BackendError::new(ErrorKind::Refused, Outer(std::io::Error::other("permission denied for users")));
        assert_eq!(error.story().as_deref(), Some("db error: permission denied for users"));
        assert_eq!(BackendError::of(ErrorKind::Refused).story(), None);
        assert!(!format!("{error} {}", error.kind.to_agent().message).contains("users"));
    }
}
