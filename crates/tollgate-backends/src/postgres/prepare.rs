//! Prepared statements: made when first needed, once per connection, their number bounded. A statement whose result is
//! not what it was when it was described is refused, never run.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use postgres_types::{Oid, Type};
use tokio_postgres::{Client, Statement};
use tollgate_core::sql::{Author, CheckedStatement};

use super::{connect::Connection, error, execute::Failure, value::Encoding};
use crate::{BackendError, ErrorKind, Fault, json::Keys, statements::Fingerprint};

/// Statements whose result's shape is remembered for a server.
const SHAPES_MAX: usize = 4096;

/// A statement of the database other than what was described.
#[derive(Debug, thiserror::Error)]
pub(super) enum Drift {
    #[error("the statement's result columns are not of the types they were when it was described")]
    Columns,
    #[error("the statement takes other parameters than it was checked for")]
    Parameters,
}

/// A statement that a connection has prepared.
pub(super) struct Prepared {
    pub(super) statement: Statement,
    pub(super) keys: Keys,
    pub(super) encodings: Vec<Encoding>,
    /// Where the key stands that the statement is paged by.
    pub(super) key: Vec<usize>,
}

/// What each statement's result was when it was first seen, the same for every connection to the server.
#[derive(Default)]
pub(super) struct Shapes(Mutex<HashMap<Fingerprint, Shape>>);

#[derive(Clone)]
struct Shape {
    types: Vec<Oid>,
    /// The statement with the columns as text that only the database can write as text.
    as_text: Option<Arc<CheckedStatement>>,
}

impl Shapes {
    fn get(&self, fingerprint: &Fingerprint) -> Option<Shape> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(fingerprint).cloned()
    }

    fn insert(&self, fingerprint: Fingerprint, shape: Shape) {
        let mut shapes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shapes.len() >= SHAPES_MAX {
            let any = shapes.keys().next().copied();
            any.and_then(|any| shapes.remove(&any));
        }
        shapes.insert(fingerprint, shape);
    }
}

/// The statement, prepared on this connection.
pub(super) async fn prepared(
    connection: &mut Connection,
    shapes: &Shapes,
    checked: &CheckedStatement,
) -> Result<Arc<Prepared>, Failure> {
    if let Author::Caller { .. } = checked.author() {
        return once(&connection.client, checked).await.map(Arc::new);
    }
    let fingerprint = checked.fingerprint();
    if let Some(prepared) = connection.statements.get(fingerprint) {
        return Ok(Arc::clone(prepared));
    }
    let client = &connection.client;
    let prepared = if let Some(shape) = shapes.get(fingerprint) {
        let statement = parse(client, shape.as_text.as_deref().unwrap_or(checked)).await?;
        if oids(&statement) != shape.types {
            return Err(BackendError::new(ErrorKind::Changed, Drift::Columns).into());
        }
        Arc::new(encoded(checked, statement)?)
    } else {
        let statement = parse(client, checked).await?;
        let (statement, shape) = shaped(client, checked, statement).await?;
        let prepared = Arc::new(encoded(checked, statement)?);
        // Remembered only now that its values can be written.
        shapes.insert(*fingerprint, shape);
        prepared
    };
    // Dropping the last copy of what makes room closes it in the server.
    drop(connection.statements.insert(*fingerprint, Arc::clone(&prepared)));
    Ok(prepared)
}

/// A caller's own statement, for this one time: it will hardly come again, and would push out what does. It is closed in the
/// server when it is dropped.
async fn once(client: &Client, checked: &CheckedStatement) -> Result<Prepared, Failure> {
    let statement = parse(client, checked).await.map_err(|failure| own_fault(failure, error::fault))?;
    let (statement, _) = shaped(client, checked, statement).await?;
    Ok(encoded(checked, statement)?)
}

/// What the server says of a statement that it never saw before is told to its author, where `fault` knows it.
pub(super) fn own_fault(failure: Failure, fault: fn(&tokio_postgres::Error) -> Option<Fault>) -> Failure {
    match failure {
        Failure::Driver(driver) => match fault(&driver) {
            Some(fault) => {
                let database_code = driver.code().map(|state| state.code().to_owned());
                let source = Some(driver.into());
                Failure::Ours(BackendError { kind: ErrorKind::Statement(fault), database_code, source })
            }
            None => Failure::Driver(driver),
        },
        ours @ Failure::Ours(_) => ours,
    }
}

/// The statement as the database describes it now; what it says becomes what later connections compare with.
pub(super) async fn described(
    client: &Client,
    shapes: &Shapes,
    checked: &CheckedStatement,
) -> Result<Statement, Failure> {
    let statement = parse(client, checked).await?;
    let (executed, shape) = shaped(client, checked, statement.clone()).await?;
    encoded(checked, executed)?;
    shapes.insert(*checked.fingerprint(), shape);
    Ok(statement)
}

/// `$1` is the call's id, which the text never refers to, so only its type can be said; the others are inferred.
async fn parse(client: &Client, checked: &CheckedStatement) -> Result<Statement, Failure> {
    let statement = client.prepare_typed(checked.text(), &[Type::TEXT]).await?;
    if statement.params().len() != checked.slots().len() {
        return Err(BackendError::new(ErrorKind::Changed, Drift::Parameters).into());
    }
    Ok(statement)
}

/// The statement to run, columns as text where need be.
async fn shaped(
    client: &Client,
    checked: &CheckedStatement,
    statement: Statement,
) -> Result<(Statement, Shape), Failure> {
    let unreadable =
        |(index, column): (usize, &tokio_postgres::Column)| Encoding::of(column.type_()).is_none().then_some(index);
    let as_text: Vec<usize> = statement.columns().iter().enumerate().filter_map(unreadable).collect();
    if as_text.is_empty() {
        let shape = Shape { types: oids(&statement), as_text: None };
        return Ok((statement, shape));
    }
    let wrapped = Arc::new(checked.with_text_columns(&as_text));
    let statement = parse(client, &wrapped).await?;
    let shape = Shape { types: oids(&statement), as_text: Some(wrapped) };
    Ok((statement, shape))
}

fn encoded(checked: &CheckedStatement, statement: Statement) -> Result<Prepared, BackendError> {
    let encodings: Option<Vec<Encoding>> =
        statement.columns().iter().map(|column| Encoding::of(column.type_())).collect();
    match encodings {
        Some(encodings) if encodings.len() == checked.width() => {
            let keys = Keys::new(checked.columns().iter().map(|column| column.name.as_str()));
            let key = checked.key().unwrap_or_default().to_vec();
            Ok(Prepared { statement, keys, encodings, key })
        }
        _ => Err(BackendError::new(ErrorKind::Changed, Drift::Columns)),
    }
}

fn oids(statement: &Statement) -> Vec<Oid> {
    statement.columns().iter().map(|column| column.type_().oid()).collect()
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Driver(error)
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        Self::Ours(error)
    }
}

impl From<Failure> for BackendError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Driver(driver) => error::backend_error(driver),
            Failure::Ours(error) => error,
        }
    }
}
