//! Loads the sample shop, for `demo` alone: nothing that serves calls it. All of it is one transaction.

use tokio_postgres::{Client, Error};

use super::{connect::Connector, error};
use crate::{
    BackendError, ErrorKind, PoolLimits,
    pool::Connector as _,
    sample::{
        load::{Found, LoadError, MARK, Progress, is_to_be_loaded},
        script::{self, TABLES},
    },
};

/// Loads the shop into the schema `public` of the database of a URL, or finds it there.
pub(crate) async fn shop(url: &str, progress: &dyn Fn(&str)) -> Result<(), LoadError> {
    let connector = Connector::new(url, &PoolLimits::default())
        .map_err(|error| LoadError::Unreachable(BackendError::new(ErrorKind::Internal, error)))?;
    let connection = connector.connect().await.map_err(LoadError::Unreachable)?;
    let client = &connection.client;
    let found = found(client).await.map_err(|error| LoadError::Unreachable(error::backend_error(error)))?;
    if !is_to_be_loaded(found)? {
        return Ok(());
    }
    fill(client, Progress::new(progress)).await.map_err(|error| LoadError::Failed(error::backend_error(error)))?;
    // From here on the server may have heard it, and the answer be lost.
    let committed = client.batch_execute("COMMIT").await;
    committed.map_err(|error| LoadError::Left { tables: TABLES.to_vec(), source: error::backend_error(error) })
}

async fn found(client: &Client) -> Result<Vec<Found>, Error> {
    let asked = "SELECT c.relname::pg_catalog.text, pg_catalog.obj_description(c.oid, 'pg_class') FROM pg_catalog.pg_class c \
                 JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                 WHERE n.nspname = 'public' AND c.relname::pg_catalog.text = ANY ($1)";
    let rows = client.query(asked, &[&TABLES.as_slice()]).await?;
    rows.iter().map(|row| Ok(Found { name: row.try_get(0)?, comment: row.try_get(1)? })).collect()
}

/// Everything but the end of the transaction. The session is one that serves, pinned: this transaction alone is let write.
async fn fill(client: &Client, mut progress: Progress<'_>) -> Result<(), Error> {
    client.batch_execute("BEGIN READ WRITE; SET LOCAL search_path TO public").await?;
    for creation in script::creations() {
        client.batch_execute(&creation.text).await?;
    }
    for insertion in script::insertions() {
        client.batch_execute(&insertion.text).await?;
        progress.advance(&insertion);
    }
    for index in script::indexes() {
        client.batch_execute(index).await?;
    }
    for table in TABLES {
        client.batch_execute(&format!("COMMENT ON TABLE {table} IS '{MARK}'; ANALYZE {table}")).await?;
    }
    Ok(())
}
