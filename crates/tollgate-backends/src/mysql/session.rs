//! What every session is, on MariaDB and on MySQL, and the proof that it is: what confinement and exact values rest on is set
//! before the first statement and read back. It never runs a caller's statement.

use std::{collections::BTreeSet, time::Duration};

use mysql_async::{Conn, Row, prelude::Queryable as _};
use tollgate_core::sql::limits::RECURSION_ROWS_MAX;

use super::error;
use crate::{BackendError, ErrorKind};

/// The session's `sql_mode`. Without `NO_ZERO_IN_DATE`, which a temporary table of a statement would obey: `2020-00-10` would be
/// `0000-00-00` in some of them.
pub(super) const SQL_MODE: &str =
    "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION";

/// What both servers take.
const PINNED: &str = "SESSION time_zone = '+00:00', SESSION autocommit = 1, SESSION sql_auto_is_null = 0, \
    SESSION sql_select_limit = 18446744073709551615, SESSION group_concat_max_len = 1048576, \
    SESSION lc_time_names = 'en_US', SESSION div_precision_increment = 4, SESSION default_week_format = 0, \
    SESSION lock_wait_timeout = 5, SESSION innodb_lock_wait_timeout = 5";

/// What MariaDB alone takes: the memory of one session, and the size of one temporary table on disk, in bytes.
const PINNED_MARIADB: &str = "SESSION max_session_mem_used = 268435456, SESSION tmp_disk_table_size = 1073741824, \
    SESSION default_regex_flags = ''";

/// How often a recursive query may go on: once for each row that may be read of it, and once more, so that whoever reads what was cut
/// off sees a row too many.
const RECURSIONS: u64 = RECURSION_ROWS_MAX + 1;

/// What cannot be served.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("the server says that it is version `{0}`; MariaDB 10.11 and MySQL 8.0 are the first that are served")]
    Version(String),
    #[error("the session setting `{0}` is not as it was asked for; a proxy in between may have dropped it")]
    NotPinned(&'static str),
}

/// Which of the two servers it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    MariaDb,
    MySql,
}

impl Flavour {
    /// By the server's own version text, `10.11.6-MariaDB-…` or `8.0.36`.
    fn of(version: &str) -> Option<Self> {
        let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
        let found = (numbers.next()?, numbers.next()?);
        if version.contains("MariaDB") {
            return (found >= (10, 11)).then_some(Flavour::MariaDb);
        }
        (found >= (8, 0)).then_some(Flavour::MySql)
    }

    fn settings(self, timeout: Duration, collation: &str) -> String {
        let milliseconds = timeout.as_millis();
        let own = match self {
            Flavour::MariaDb => {
                let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
                // Without a database the server's own character set would be that of a list's texts, and it is again whenever a
                // statement has opened a view.
                format!(
                    "{PINNED_MARIADB}, SESSION collation_server = {collation}, SESSION collation_database = {collation}, \
                     SESSION max_recursive_iterations = {RECURSIONS}, SESSION max_statement_time = {seconds}.{rest:03}"
                )
            }
            Flavour::MySql => {
                format!("SESSION cte_max_recursion_depth = {RECURSIONS}, SESSION max_execution_time = {milliseconds}")
            }
        };
        format!("SET NAMES utf8mb4 COLLATE {collation}, SESSION sql_mode = '{SQL_MODE}', {PINNED}, {own}")
    }

    /// What says whether transactions only read, what bounds a statement, in milliseconds, and what a recursion.
    fn asked(self) -> [&'static str; 3] {
        match self {
            Flavour::MariaDb => [
                "@@session.tx_read_only",
                "CAST(@@session.max_statement_time * 1000 AS SIGNED)",
                "@@session.max_recursive_iterations",
            ],
            Flavour::MySql => {
                ["@@session.transaction_read_only", "@@session.max_execution_time", "@@session.cte_max_recursion_depth"]
            }
        }
    }
}

/// Makes a connection what every session must be. Gives the server's own number of it, by which it can be killed.
pub(super) async fn pin(client: &mut Conn, database: &str, timeout: Duration) -> Result<u64, BackendError> {
    let version =
        client.query_first::<Option<String>, _>("SELECT VERSION()").await.map_err(error::connect_error)?.flatten();
    let version = version.unwrap_or_default();
    let flavour = Flavour::of(&version).ok_or_else(|| unfit(Unfit::Version(version)))?;
    let collation = collation(client, database).await?;
    client.query_drop(flavour.settings(timeout, &collation)).await.map_err(error::connect_error)?;
    client.query_drop("SET SESSION TRANSACTION READ ONLY").await.map_err(error::connect_error)?;
    verified(client, flavour, timeout).await
}

/// The collation of texts that are no column's: the database's own, so that lists meet its columns, where it is one of UTF-8.
async fn collation(client: &mut Conn, database: &str) -> Result<String, BackendError> {
    let asked = "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?";
    let found =
        client.exec_first::<Option<String>, _, _>(asked, (database,)).await.map_err(error::connect_error)?.flatten();
    let plain = |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let found = found.filter(|name| name.starts_with("utf8mb4_") && plain(name));
    Ok(found.unwrap_or_else(|| "utf8mb4_general_ci".to_owned()))
}

async fn verified(client: &mut Conn, flavour: Flavour, timeout: Duration) -> Result<u64, BackendError> {
    let [read_only, bound, recursions] = flavour.asked();
    let text = format!(
        "SELECT @@session.sql_mode, {read_only}, @@session.time_zone, @@session.character_set_client, \
         @@session.character_set_connection, @@session.character_set_results, @@session.character_set_server, \
         @@session.character_set_database, \
         @@session.autocommit, {bound}, {recursions}, \
         COALESCE(DATABASE(), ''), CONNECTION_ID()"
    );
    let row: Option<Row> = client.query_first(text).await.map_err(error::connect_error)?;
    let found = |at: usize| row.as_ref().and_then(|row| row.get_opt::<String, _>(at)).and_then(Result::ok);
    let (timeout, recursions) = (timeout.as_millis().to_string(), RECURSIONS.to_string());
    let expected = [
        ("transaction_read_only", "1"),
        ("time_zone", "+00:00"),
        ("character_set_client", "utf8mb4"),
        ("character_set_connection", "utf8mb4"),
        ("character_set_results", "utf8mb4"),
        ("character_set_server", "utf8mb4"),
        ("character_set_database", "utf8mb4"),
        ("autocommit", "1"),
        ("max_statement_time", &timeout),
        ("max_recursive_iterations", &recursions),
        ("database", ""),
    ];
    let modes = |text: &str| text.split(',').map(str::to_owned).collect::<BTreeSet<_>>();
    if found(0).is_none_or(|found| modes(&found) != modes(SQL_MODE)) {
        return Err(unfit(Unfit::NotPinned("sql_mode")));
    }
    for (at, (name, expected)) in expected.into_iter().enumerate() {
        if found(at + 1).as_deref() != Some(expected) {
            return Err(unfit(Unfit::NotPinned(name)));
        }
    }
    let id = found(expected.len() + 1).and_then(|id| id.parse().ok());
    id.ok_or_else(|| unfit(Unfit::NotPinned("connection_id")))
}

fn unfit(unfit: Unfit) -> BackendError {
    BackendError::new(ErrorKind::Unavailable, unfit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_by_its_version() {
        for (version, flavour) in [
            ("10.11.19-MariaDB-0+deb12u1", Some(Flavour::MariaDb)),
            ("11.4.2-MariaDB", Some(Flavour::MariaDb)),
            ("10.6.18-MariaDB", None),
            ("8.0.36", Some(Flavour::MySql)),
            ("8.4.0-commercial", Some(Flavour::MySql)),
            ("5.7.44-log", None),
            ("5.7.25-TiDB-v7.5.0", None),
            ("", None),
        ] {
            assert_eq!(Flavour::of(version), flavour, "{version}");
        }
    }
}
