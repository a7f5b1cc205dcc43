//! What the login can do beyond reading what the policy names. `check` and `serve` have all of it told to the operator. It never
//! refuses a login.

use std::collections::{BTreeMap, BTreeSet};

use mysql_async::{Conn, Row, prelude::Queryable as _};
use tollgate_core::{catalog::TableId, sql::Reach};

use super::{connect::Connection, error, introspect::SYSTEM};
use crate::{
    BackendError, ErrorKind,
    finding::{Beyond, Finding, FindingKind, LoginFindings},
};

/// The login by itself, and the privileges that it has been given: on the server, a database, or a table. Empty names stand for all.
const PRIVILEGES: &str = "SELECT '', '', PRIVILEGE_TYPE, IS_GRANTABLE FROM information_schema.USER_PRIVILEGES \
    UNION ALL SELECT TABLE_SCHEMA, '', PRIVILEGE_TYPE, IS_GRANTABLE FROM information_schema.SCHEMA_PRIVILEGES \
    UNION ALL SELECT TABLE_SCHEMA, TABLE_NAME, PRIVILEGE_TYPE, IS_GRANTABLE FROM information_schema.TABLE_PRIVILEGES \
    UNION ALL SELECT TABLE_SCHEMA, TABLE_NAME, PRIVILEGE_TYPE, IS_GRANTABLE FROM information_schema.COLUMN_PRIVILEGES";

/// What the login may do with each column, by whatever way: `select,insert,update,references`.
const COLUMNS: &str =
    "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, PRIVILEGES FROM information_schema.COLUMNS WHERE PRIVILEGES <> ''";

/// Routines that it can run or see, which have their definers' privileges unless they say otherwise.
const ROUTINES: &str =
    "SELECT ROUTINE_SCHEMA, ROUTINE_NAME FROM information_schema.ROUTINES WHERE SECURITY_TYPE = 'DEFINER'";

/// A privilege that reads or shows what a policy grants.
fn is_harmless(privilege: &str) -> bool {
    matches!(privilege, "USAGE" | "SELECT" | "REFERENCES" | "SHOW VIEW" | "SHOW DATABASES" | "EXECUTE")
}

/// What a privilege beyond reading is.
fn kind_of(privilege: &str) -> FindingKind {
    match privilege {
        "SUPER" | "SET USER" | "SYSTEM_USER" | "SYSTEM_VARIABLES_ADMIN" | "READ ONLY ADMIN" | "READ_ONLY ADMIN" => {
            FindingKind::Superuser
        }
        "CREATE USER" | "CREATE ROLE" | "DROP ROLE" | "ROLE_ADMIN" => FindingKind::CreateRole,
        "FILE" | "PROCESS" | "RELOAD" | "SHUTDOWN" | "CONNECTION ADMIN" | "CONNECTION_ADMIN" => {
            FindingKind::ServerFunctions
        }
        "CREATE"
        | "CREATE VIEW"
        | "CREATE ROUTINE"
        | "ALTER ROUTINE"
        | "EVENT"
        | "TRIGGER"
        | "INDEX"
        | "CREATE TEMPORARY TABLES"
        | "CREATE TABLESPACE" => FindingKind::CreateInSchema,
        replication if replication.contains("REPLICATION") || replication.contains("BINLOG") => {
            FindingKind::Replication
        }
        "INSERT" | "UPDATE" | "DELETE" | "DROP" | "ALTER" | "LOCK TABLES" | "DELETE HISTORY" => {
            FindingKind::WriteGrants
        }
        // What a later server has: more than reading in any case.
        _ => FindingKind::WriteGrants,
    }
}

/// All that the login can do beyond reading `reach`; nothing is said of what it reads where that is not known.
pub(super) async fn examine(connection: &mut Connection, reach: Option<&Reach>) -> Result<Vec<Finding>, BackendError> {
    let client = connection.client()?;
    let name =
        client.query_first::<Option<String>, _>("SELECT CURRENT_USER()").await.map_err(error::backend_error)?.flatten();
    let mut examined = Examined(LoginFindings::new("login", &name.unwrap_or_default()));
    examined.privileges(&ask(client, PRIVILEGES).await?)?;
    examined.roles(client).await?;
    examined.columns(&ask(client, COLUMNS).await?, reach)?;
    let routines: Vec<String> = ask(client, &format!("{ROUTINES} AND ROUTINE_SCHEMA NOT IN ({SYSTEM})"))
        .await?
        .iter()
        .map(|row| Ok(format!("{}.{}", get(row, 0)?, get(row, 1)?)))
        .collect::<Result<_, BackendError>>()?;
    examined.0.add_named(FindingKind::DefinerFunctions, "can run", &routines, ", which have their owners' privileges");
    Ok(examined.0.into_all())
}

async fn ask(client: &mut Conn, text: &str) -> Result<Vec<Row>, BackendError> {
    client.query(text).await.map_err(error::backend_error)
}

fn get(row: &Row, at: usize) -> Result<String, BackendError> {
    row.get_opt::<String, _>(at).and_then(Result::ok).ok_or_else(|| BackendError::of(ErrorKind::Internal))
}

struct Examined(LoginFindings);

impl Examined {
    fn privileges(&mut self, rows: &[Row]) -> Result<(), BackendError> {
        let mut given: BTreeMap<FindingKind, BTreeSet<String>> = BTreeMap::new();
        let mut passed_on = BTreeSet::new();
        for row in rows {
            let (schema, table, privilege) = (get(row, 0)?, get(row, 1)?, get(row, 2)?);
            let on = match (schema.as_str(), table.as_str()) {
                ("", _) => "everything".to_owned(),
                (schema, "") => schema.to_owned(),
                (schema, table) => format!("{schema}.{table}"),
            };
            if get(row, 3)? == "YES" {
                passed_on.insert(on.clone());
            }
            if !is_harmless(&privilege) {
                given.entry(kind_of(&privilege)).or_default().insert(format!("{privilege} on {on}"));
            }
        }
        for (kind, what) in given {
            let what: Vec<String> = what.into_iter().collect();
            self.0.add_named(kind, "has", &what, ": SELECT on what the policy names is all it needs");
        }
        let passed_on: Vec<String> = passed_on.into_iter().collect();
        self.0.add_named(FindingKind::CreateRole, "can pass its privileges on, those on", &passed_on, "");
        Ok(())
    }

    /// Roles that it has or can take on. Whether it has is told by a table that MySQL has in another form.
    async fn roles(&mut self, client: &mut Conn) -> Result<(), BackendError> {
        let asked = "SELECT DISTINCT ROLE_NAME FROM information_schema.APPLICABLE_ROLES";
        let names: Vec<String> = client.query(asked).await.map_err(error::backend_error)?;
        let so = ": grant what it needs to the login itself";
        self.0.add_named(FindingKind::OtherRoles, "can become", &names, so);
        Ok(())
    }

    fn columns(&mut self, rows: &[Row], reach: Option<&Reach>) -> Result<(), BackendError> {
        let (mut written, mut tables, mut columns) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        for row in rows {
            let id = TableId { schema: get(row, 0)?, name: get(row, 1)? };
            let (column, privileges) = (get(row, 2)?, get(row, 3)?);
            let has = |privilege: &str| privileges.split(',').any(|one| one == privilege);
            // What everybody may read there is the login's own session, and lists of what it may see.
            if matches!(id.schema.as_str(), "information_schema" | "performance_schema") {
                continue;
            }
            if has("insert") || has("update") {
                written.insert(id.to_string());
            }
            let Some(reach) = reach.filter(|_| has("select")) else { continue };
            match reach.tables().get(&id) {
                None => {
                    tables.insert(id.to_string());
                }
                Some(needed) if needed.iter().any(|needed| needed.eq_ignore_ascii_case(&column)) => {}
                Some(_) => columns.push(format!("{id}.{column}")),
            }
        }
        let mut beyond = Beyond { tables: tables.into_iter().collect(), columns, ..Beyond::default() };
        // What it writes to was said with its privileges.
        if !self.0.has(FindingKind::WriteGrants) {
            beyond.written = written.into_iter().collect();
        }
        self.0.add_beyond(&beyond);
        Ok(())
    }
}
