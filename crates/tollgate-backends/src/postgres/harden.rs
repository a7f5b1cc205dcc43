//! The script that makes a login as narrow as a role: the database itself then refuses what the policy does not name. It is text for
//! the database's administrator to read and to run; Tollgate never runs it. Running it twice changes nothing more.

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use tokio_postgres::Client;
use tollgate_core::{catalog::TableId, names::is_invisible};

use super::{connect, error};
use crate::{BackendError, NarrowLogin, RowFilter};

const SURROUNDINGS: &str = include_str!("harden/surroundings.sql");

/// The functions that make, change or remove large objects. Everybody may run them by default, and nobody's grants on tables
/// matter to them.
const LARGE_OBJECT_FUNCTIONS: [&str; 9] = [
    "lo_creat(integer)",
    "lo_create(oid)",
    "lo_from_bytea(oid, bytea)",
    "lo_open(oid, integer)",
    "lo_put(oid, bigint, bytea)",
    "lo_truncate(integer, integer)",
    "lo_truncate64(integer, bigint)",
    "lo_unlink(oid)",
    "lowrite(integer, bytea)",
];

/// What stands around the login in the database: what everybody may do there.
pub(super) struct Surroundings {
    database: String,
    schemas: Vec<String>,
    creatable: Vec<String>,
    public_tables: Vec<String>,
    definer_functions: Vec<String>,
    invoker_views: Vec<TableId>,
}

impl Surroundings {
    pub(super) async fn ask(client: &Client) -> Result<Self, BackendError> {
        let row = client.query_typed_one(SURROUNDINGS, &[]).await.map_err(error::backend_error)?;
        let names = |index| row.try_get::<_, Vec<String>>(index).map_err(error::backend_error);
        let views = names(5)?.into_iter().zip(names(6)?);
        Ok(Self {
            database: row.try_get(0).map_err(error::backend_error)?,
            schemas: names(1)?,
            creatable: names(2)?,
            public_tables: names(3)?,
            definer_functions: names(4)?,
            invoker_views: views.map(|(schema, name)| TableId { schema, name }).collect(),
        })
    }

    /// The script. `login.name` must be of letters, digits, `_` and `-`.
    pub(super) fn script(&self, login: &NarrowLogin<'_>, statement_timeout: Duration) -> String {
        let mut out = Script::default();
        self.head(&mut out, login);
        out.line("BEGIN;");
        make_role(&mut out, login.name);
        self.grants(&mut out, login);
        session(&mut out, login.name, statement_timeout);
        self.everybody(&mut out);
        out.line("\nCOMMIT;");
        rows(&mut out, login);
        self.left(&mut out);
        out.0
    }

    fn head(&self, out: &mut Script, login: &NarrowLogin<'_>) {
        out.remark(&format!(
            "A login as narrow as {} in the database {}: it can read what that policy reads, and nothing else.",
            login.roles, self.database
        ));
        out.remark("Read it, run it in that database as its owner or a superuser, then give the login a password:");
        out.remark("    psql -v ON_ERROR_STOP=1 -f FILE DATABASE");
        out.remark(&format!("    \\password {}", login.name));
        out.remark("It may be run again, after each change of the policy.\n");
    }

    fn grants(&self, out: &mut Script, login: &NarrowLogin<'_>) {
        let name = quoted(login.name);
        out.title("What it had before, if it was there");
        for schema in self.schemas.iter().map(|schema| quoted(schema)) {
            for objects in ["TABLES", "SEQUENCES", "ROUTINES"] {
                out.line(&format!("REVOKE ALL ON ALL {objects} IN SCHEMA {schema} FROM {name};"));
            }
            out.line(&format!("REVOKE ALL ON SCHEMA {schema} FROM {name};"));
        }
        let database = quoted(&self.database);
        out.line(&format!("REVOKE ALL ON DATABASE {database} FROM {name};"));
        out.title("What the policy reads; columns that only masks and row filters read are among them");
        out.line(&format!("GRANT CONNECT ON DATABASE {database} TO {name};"));
        let schemas: BTreeSet<&str> = login.reach.tables().keys().map(|table| table.schema.as_str()).collect();
        for schema in schemas {
            out.line(&format!("GRANT USAGE ON SCHEMA {} TO {name};", quoted(schema)));
        }
        for (table, columns) in login.reach.tables() {
            let columns: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
            out.line(&format!("GRANT SELECT ({}) ON TABLE {} TO {name};", columns.join(", "), relation(table)));
            if self.invoker_views.contains(table) {
                out.remark("That view has its caller's privileges: grant what it reads, too.");
            }
        }
    }

    fn everybody(&self, out: &mut Script) {
        out.title("What everybody may do cannot be taken from one login. Grant it back to the roles that use it");
        for schema in &self.creatable {
            out.line(&format!("REVOKE CREATE ON SCHEMA {} FROM PUBLIC;", quoted(schema)));
        }
        let functions = LARGE_OBJECT_FUNCTIONS.map(|function| format!("pg_catalog.{function}"));
        out.line(&format!("REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC;", functions.join(",\n    ")));
        if !self.definer_functions.is_empty() || !self.public_tables.is_empty() {
            out.remark("What your applications may live by is left for you to judge; until it is revoked, this login has it too:");
        }
        for function in &self.definer_functions {
            out.remark(&format!("REVOKE EXECUTE ON ROUTINE {function} FROM PUBLIC;"));
        }
        for table in &self.public_tables {
            out.remark(&format!("REVOKE ALL ON TABLE {table} FROM PUBLIC;"));
        }
    }

    fn left(&self, out: &mut Script) {
        out.title("What PostgreSQL has no way to take from a login");
        out.remark("The system catalogs can be read, names and definitions of tables that are not granted among them.");
        out.remark("Session settings can be set back: what keeps it from writing is that no grant lets it.");
        out.remark("It can wait, send notifications, take advisory locks, and end other sessions of the same login.");
        out.remark(&format!(
            "Temporary tables can be made unless that is revoked from everybody: REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC;",
            quoted(&self.database)
        ));
        out.remark("Tollgate's own rewriting and its list of functions are what keep agents from all of these.");
    }
}

fn make_role(out: &mut Script, login: &str) {
    let (name, text) = (quoted(login), literal(login));
    out.title("The login: nothing but a login");
    out.line(&format!(
        "DO $tollgate$
DECLARE
    me pg_catalog.pg_roles;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {text}) THEN
        CREATE ROLE {name};
    END IF;
    SELECT * INTO STRICT me FROM pg_catalog.pg_roles WHERE rolname = {text};
    IF me.rolsuper OR me.rolcreaterole OR me.rolcreatedb OR me.rolreplication OR me.rolbypassrls THEN
        RAISE EXCEPTION 'the role has attributes that a reader must not have; choose another name';
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_auth_members WHERE member = me.oid) THEN
        RAISE EXCEPTION 'the role is a member of others; choose another name';
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_shdepend
               WHERE refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND refobjid = me.oid AND deptype = 'o') THEN
        RAISE EXCEPTION 'the role owns something; choose another name';
    END IF;
END
$tollgate$;
ALTER ROLE {name} LOGIN NOINHERIT;"
    ));
}

fn session(out: &mut Script, login: &str, statement_timeout: Duration) {
    let name = quoted(login);
    let timeout = statement_timeout.as_millis();
    let lock = statement_timeout.min(connect::LOCK_TIMEOUT_MAX).as_millis();
    out.title("What its sessions begin with, whoever connects");
    for (setting, value) in [
        ("default_transaction_read_only", "on".to_owned()),
        ("statement_timeout", timeout.to_string()),
        ("lock_timeout", lock.to_string()),
        ("idle_in_transaction_session_timeout", timeout.to_string()),
        ("search_path", "''".to_owned()),
        ("work_mem", literal("16MB")),
        ("row_security", "on".to_owned()),
    ] {
        out.line(&format!("ALTER ROLE {name} SET {setting} = {value};"));
    }
    out.line(&format!(
        "DO $tollgate$
BEGIN
    ALTER ROLE {name} SET temp_file_limit = '1GB';
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'temp_file_limit was not set: only a superuser can';
END
$tollgate$;"
    ));
}

/// Row security, as remarks: it would bind every login of the table, and claims are a call's and not a login's.
fn rows(out: &mut Script, login: &NarrowLogin<'_>) {
    let (same, by_claims): (Vec<&RowFilter>, Vec<_>) = login.filters.iter().partition(|filter| filter.same_for_all);
    if login.filters.is_empty() {
        return;
    }
    out.title("Rows: grants know none, and row filters are Tollgate's work");
    if !same.is_empty() {
        out.remark("These are the same for every caller, so that row security could hold them too. Once it is enabled it binds every");
        out.remark("login but the owner: write policies for the others first. Names must be those that an empty search_path finds.");
    }
    for filter in same {
        let table = relation(&filter.table);
        let conditions: Vec<String> = filter.conditions.iter().map(|condition| format!("({condition})")).collect();
        out.remark(&format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"));
        out.remark(&format!("DROP POLICY IF EXISTS {} ON {table};", quoted(login.name)));
        out.remark(&format!(
            "CREATE POLICY {name} ON {table} FOR SELECT TO {name} USING ({});",
            conditions.join(" AND "),
            name = quoted(login.name)
        ));
    }
    for filter in by_claims {
        out.remark(&format!(
            "{} is filtered by claims, which are a call's and not a login's.",
            relation(&filter.table)
        ));
    }
}

/// The text as it grows.
#[derive(Default)]
struct Script(String);

impl Script {
    fn line(&mut self, text: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{text}");
    }

    fn title(&mut self, text: &str) {
        self.line("");
        self.remark(&format!("{text}."));
    }

    /// A comment that ends where it seems to end, whatever a name or a condition in it holds.
    fn remark(&mut self, text: &str) {
        let (text, end) = text.strip_suffix('\n').map_or((text, ""), |text| (text, "\n"));
        let one_line: String = text.chars().map(|c| if c.is_control() || is_invisible(c) { ' ' } else { c }).collect();
        self.line(&format!("-- {one_line}{end}"));
    }
}

fn relation(table: &TableId) -> String {
    format!("{}.{}", quoted(&table.schema), quoted(&table.name))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
