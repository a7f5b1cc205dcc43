//! Loads the sample shop, for `demo` alone: nothing that serves calls it. It drops only tables that it has just made.

use mysql_async::{Conn, Error, Params, Row, Value, prelude::Queryable as _};

use super::{connect::Connector, error};
use crate::{
    BackendError, ErrorKind, PoolLimits,
    pool::Connector as _,
    sample::{
        load::{Found, LoadError, MARK, Progress, UNFINISHED, is_to_be_loaded},
        script::{self, TABLES},
    },
};

/// Loads the shop into the database of a URL, or finds it there.
pub(crate) async fn shop(url: &str, progress: &dyn Fn(&str)) -> Result<(), LoadError> {
    let connector = Connector::new(url, &PoolLimits::default())
        .map_err(|error| LoadError::Unreachable(BackendError::new(ErrorKind::Internal, error)))?;
    let mut connection = connector.connect().await.map_err(LoadError::Unreachable)?;
    let client = connection.client().map_err(LoadError::Unreachable)?;
    let unreachable = |error| LoadError::Unreachable(error::backend_error(error));
    open_for_writing(client, connector.database()).await.map_err(unreachable)?;
    if !is_to_be_loaded(found(client).await.map_err(unreachable)?)? {
        return Ok(());
    }
    let mut made = Made::default();
    match made.fill(client, Progress::new(progress)).await {
        Ok(()) => Ok(()),
        Err(cause) => Err(made.undo(client, error::backend_error(cause)).await),
    }
}

/// The session is one that serves, pinned: here alone it is let write, and knows a database.
async fn open_for_writing(client: &mut Conn, database: &str) -> Result<(), Error> {
    client.query_drop("SET SESSION TRANSACTION READ WRITE").await?;
    client.query_drop(format!("USE `{}`", database.replace('`', "``"))).await
}

async fn found(client: &mut Conn) -> Result<Vec<Found>, Error> {
    let asked = "SELECT TABLE_NAME, TABLE_COMMENT FROM information_schema.TABLES \
                 WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (?, ?, ?)";
    let rows: Vec<Row> = client.exec(asked, Params::Positional(TABLES.map(Value::from).to_vec())).await?;
    let text = |row: &Row, at| row.get_opt::<String, _>(at).and_then(Result::ok);
    // One whose name cannot be read is somebody else's.
    Ok(rows.iter().map(|row| Found { name: text(row, 0).unwrap_or_default(), comment: text(row, 1) }).collect())
}

/// What a load has made so far. This server has no transaction around the making of tables.
#[derive(Default)]
struct Made {
    tables: Vec<&'static str>,
    /// The table whose making was not answered.
    in_doubt: Option<&'static str>,
}

impl Made {
    async fn fill(&mut self, client: &mut Conn, mut progress: Progress<'_>) -> Result<(), Error> {
        for creation in script::creations() {
            // Without IF NOT EXISTS: a table that appeared meanwhile, or that this login is not told of, is somebody else's.
            let created = client.query_drop(format!("{} COMMENT = '{UNFINISHED}'", creation.text)).await;
            if created.is_err() && !matches!(created, Err(Error::Server(_))) {
                self.in_doubt = Some(creation.table);
            }
            created?;
            self.tables.push(creation.table);
        }
        for insertion in script::insertions() {
            client.query_drop(&insertion.text).await?;
            progress.advance(&insertion);
        }
        for index in script::indexes() {
            client.query_drop(index).await?;
        }
        client.query_drop(format!("ANALYZE TABLE {}", TABLES.join(", "))).await?;
        for table in TABLES {
            client.query_drop(format!("ALTER TABLE {table} COMMENT = '{MARK}'")).await?;
        }
        Ok(())
    }

    /// Drops what was made, and says what is left.
    async fn undo(mut self, client: &mut Conn, cause: BackendError) -> LoadError {
        while let Some(table) = self.tables.last()
            && client.query_drop(format!("DROP TABLE {table}")).await.is_ok()
        {
            self.tables.pop();
        }
        self.tables.extend(self.in_doubt);
        if self.tables.is_empty() {
            return LoadError::Failed(cause);
        }
        LoadError::Left { tables: self.tables, source: cause }
    }
}
