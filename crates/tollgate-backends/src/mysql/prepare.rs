//! Prepared statements: made for one run each, since MariaDB does not always run one a second time as it did the first (it refuses
//! aggregates beside grouped subqueries then, with 1140). What the server says of a statement that does not fit what was checked is
//! refused, never run.

use mysql_async::{Conn, Statement, prelude::Queryable as _};
use mysql_common::named_params::ParsedNamedParams;
use tollgate_core::{
    catalog::SqlType,
    sql::{Author, CheckedStatement},
};

use super::{connect::Connection, error, types, value::Encoding};
use crate::{BackendError, ErrorKind, Fault, json::Keys};

/// A statement of the database other than what was checked.
#[derive(Debug, thiserror::Error)]
enum Drift {
    #[error("the statement has other result columns than it was checked for")]
    Columns,
    #[error("the statement takes other parameters than it was checked for")]
    Parameters,
    #[error("the driver would read the statement's text otherwise than the server does")]
    Text,
    #[error("a result column is of a type that cannot be read: `{0}`")]
    Unreadable(String),
}

/// A statement that a connection has prepared.
pub(super) struct Prepared {
    pub(super) statement: Statement,
    pub(super) keys: Keys,
    pub(super) columns: Vec<SqlType>,
    pub(super) encodings: Vec<Encoding>,
    /// Where the key stands that the statement is paged by.
    pub(super) key: Vec<usize>,
}

/// The statement, prepared for this one time; it is to be forgotten.
pub(super) async fn once(connection: &mut Connection, checked: &CheckedStatement) -> Result<Prepared, BackendError> {
    let statement = match parse(connection, checked.text()).await {
        Ok(statement) => statement,
        Err(error) => return Err(own_fault(error, checked.author())),
    };
    match encoded(checked, &statement) {
        Ok(prepared) => Ok(prepared),
        Err(error) => {
            close(connection.client()?, statement).await?;
            Err(error)
        }
    }
}

/// Closes a statement in the server.
pub(super) async fn forget(connection: &mut Connection, prepared: Prepared) -> Result<(), BackendError> {
    close(connection.client()?, prepared.statement).await
}

async fn close(client: &mut Conn, statement: Statement) -> Result<(), BackendError> {
    client.close(statement).await.map_err(error::backend_error)
}

/// Has the server prepare a text. The driver looks for parameters of its own (`:name`) in every text: one in which it would find any
/// is not given to it, since it would send another.
pub(super) async fn parse(connection: &mut Connection, text: &str) -> Result<Statement, BackendError> {
    let untouched = ParsedNamedParams::parse(text.as_bytes()).is_ok_and(|read| read.params().is_empty());
    if !untouched {
        return Err(BackendError::new(ErrorKind::Statement(Fault::Other), Drift::Text));
    }
    connection.busy = true;
    let outcome = connection.client()?.prep(text).await;
    if outcome.as_ref().err().is_none_or(error::leaves_the_connection) {
        connection.busy = false;
    }
    outcome.map_err(|driver| {
        let kind = error::fault(&driver).map(ErrorKind::Statement);
        let error = error::backend_error(driver);
        BackendError { kind: kind.unwrap_or(error.kind), ..error }
    })
}

/// What does not fit together is told to whoever wrote it: an operator's statement did fit when it was checked.
fn own_fault(error: BackendError, author: Author) -> BackendError {
    match (error.kind, author) {
        (ErrorKind::Statement(_), Author::Operator) => BackendError { kind: ErrorKind::Changed, ..error },
        _ => error,
    }
}

fn encoded(checked: &CheckedStatement, statement: &Statement) -> Result<Prepared, BackendError> {
    let drift = |drift| Err(BackendError::new(ErrorKind::Changed, drift));
    if usize::from(statement.num_params()) != checked.slots().len() {
        return drift(Drift::Parameters);
    }
    let sent = statement.columns();
    if sent.len() != checked.width() {
        return drift(Drift::Columns);
    }
    let known = checked.columns().iter().map(|column| column.ty.as_ref()).chain(std::iter::repeat(None));
    let columns: Vec<SqlType> = sent.iter().zip(known).map(|(column, known)| types::of_result(column, known)).collect();
    let mut encodings = Vec::with_capacity(columns.len());
    for ty in &columns {
        match Encoding::of(ty) {
            Some(encoding) => encodings.push(encoding),
            None => return drift(Drift::Unreadable(ty.name.clone())),
        }
    }
    let shown = checked.columns().len();
    Ok(Prepared {
        statement: statement.clone(),
        keys: Keys::new(checked.columns().iter().map(|column| column.name.as_str())),
        columns: columns.into_iter().take(shown).collect(),
        encodings,
        key: checked.key().unwrap_or_default().to_vec(),
    })
}
