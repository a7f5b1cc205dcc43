//! The script that makes a login as narrow as a role: the database itself then refuses what the policy does not name. It is text for
//! the database's administrator to read and to run; Tollgate never runs it. Running it twice changes nothing more.

use std::{collections::BTreeSet, fmt::Write as _};

use tokio_postgres::Client;
use tollgate_core::{catalog::TableId, names::is_invisible};

use self::surroundings::{Concern, Surroundings};
use super::{connect, error, login};
use crate::{BackendError, NarrowLogin, PoolLimits, RowFilter};

mod surroundings;

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

/// The script for a login, as the database is now. `login.name` must be of letters, digits, `_` and `-`.
pub(super) async fn script(
    client: &Client,
    login: &NarrowLogin<'_>,
    limits: &PoolLimits,
) -> Result<String, BackendError> {
    let surroundings = Surroundings::ask(client, login.reach).await.map_err(error::backend_error)?;
    Ok(surroundings.script(login, limits))
}

impl Surroundings {
    fn script(&self, login: &NarrowLogin<'_>, limits: &PoolLimits) -> String {
        let mut out = Script::default();
        self.head(&mut out, login);
        out.line("BEGIN;");
        make_role(&mut out, login.name);
        self.revokes(&mut out, login);
        self.grants(&mut out, login);
        session(&mut out, login.name, limits);
        self.everybody(&mut out);
        out.line("\nCOMMIT;");
        rows(&mut out, login);
        left(&mut out);
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

    fn revokes(&self, out: &mut Script, login: &NarrowLogin<'_>) {
        let name = quoted(login.name);
        out.title("What it had before, if it was there");
        for schema in self.schemas.iter().map(|schema| quoted(schema)) {
            for objects in ["TABLES", "SEQUENCES", "ROUTINES"] {
                out.line(&format!("REVOKE ALL ON ALL {objects} IN SCHEMA {schema} FROM {name};"));
            }
            out.line(&format!("REVOKE ALL ON SCHEMA {schema} FROM {name};"));
        }
        out.line(&format!("REVOKE ALL ON DATABASE {} FROM {name};", quoted(&self.database)));
        for (_, function) in &self.added {
            out.line(&format!("REVOKE ALL ON FUNCTION {function} FROM {name};"));
        }
        nothing_left(out, login.name);
    }

    fn grants(&self, out: &mut Script, login: &NarrowLogin<'_>) {
        let name = quoted(login.name);
        out.title("What the policy reads; columns that only masks and row filters read are among them");
        out.line(&format!("GRANT CONNECT ON DATABASE {} TO {name};", quoted(&self.database)));
        let needed = login::with_views(login.reach, &self.views);
        let schemas = needed.keys().map(|table| table.schema.as_str());
        let schemas: BTreeSet<&str> = schemas.chain(self.added.iter().map(|(schema, _)| schema.as_str())).collect();
        for schema in schemas {
            out.line(&format!("GRANT USAGE ON SCHEMA {} TO {name};", quoted(schema)));
        }
        for (table, columns) in &needed {
            let columns: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
            for read in self.views.iter().filter(|read| read.table == **table) {
                out.remark(&format!("The view {} has its caller's privileges and reads this:", relation(&read.view)));
            }
            // A table without columns has rows to count all the same.
            let columns = if columns.is_empty() { String::new() } else { format!(" ({})", columns.join(", ")) };
            out.line(&format!("GRANT SELECT{columns} ON TABLE {} TO {name};", relation(table)));
        }
        for (_, function) in &self.added {
            out.line(&format!("GRANT EXECUTE ON FUNCTION {function} TO {name};"));
        }
        for (table, server) in &self.foreign {
            out.remark(&format!(
                "{table} is on another server, which it logs in to by a mapping of its own, unless there is one for everybody: \
                 CREATE USER MAPPING FOR {name} SERVER {server} OPTIONS (…);"
            ));
        }
    }

    fn everybody(&self, out: &mut Script) {
        out.title("What everybody may do cannot be taken from one login. Grant it back to the roles that use it");
        for schema in &self.creatable {
            out.line(&format!("REVOKE CREATE ON SCHEMA {} FROM PUBLIC;", quoted(schema)));
        }
        let functions = LARGE_OBJECT_FUNCTIONS.map(|function| format!("pg_catalog.{function}"));
        out.line(&format!("REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC;", functions.join(",\n    ")));
        out.remark("The rest your applications may live by: it is left for you to judge. Until it is revoked, this login has it too.");
        for (concern, why) in [
            (Concern::Opened, "Kept from everybody when the server or an extension was set up, and opened since:"),
            (Concern::Definer, "With their owners' privileges:"),
            (
                Concern::Untrusted,
                "In C or in another language that no grant holds back; those of dblink connect to other servers:",
            ),
            (
                Concern::Effects,
                "Of PostgreSQL itself, with effects on others: locks, notifications, transaction ids, waiting:",
            ),
        ] {
            let functions = self.public_functions.get(&concern).map_or(&[][..], Vec::as_slice);
            revocable(out, why, "EXECUTE ON ROUTINE", functions);
        }
        revocable(out, "Tables, views and sequences:", "ALL ON TABLE", &self.public_tables);
        revocable(out, "Foreign servers:", "USAGE ON FOREIGN SERVER", &self.public_servers);
        revocable(out, "Large objects:", "ALL ON LARGE OBJECT", &self.public_large_objects);
        let database = [quoted(&self.database)];
        revocable(
            out,
            "Temporary tables, and the transaction ids that they use up:",
            "TEMPORARY ON DATABASE",
            &database,
        );
        let why = "Other databases of the server, whose own PUBLIC it is there:";
        revocable(out, why, "CONNECT ON DATABASE", &self.other_databases);
    }
}

fn left(out: &mut Script) {
    out.title("What PostgreSQL has no way to take from a login");
    out.remark("The system catalogs can be read: names, definitions and comments of what is not granted.");
    out.remark("Settings of its session can be set back: what keeps it from writing is that no grant lets it.");
    out.remark("NOTIFY needs no privilege, and each one that is committed uses up a transaction id.");
    out.remark("It can use time and memory, as far as its statements' limits go, which are settings of its session.");
    out.remark("Tollgate's own rewriting and its list of functions are what keep agents from all of these.");
}

/// Statements to be judged, each a remark.
fn revocable(out: &mut Script, why: &str, what: &str, from: &[String]) {
    if !from.is_empty() {
        out.remark(why);
    }
    for object in from {
        out.remark(&format!("REVOKE {what} {object} FROM PUBLIC;"));
    }
}

/// Whatever else was granted to it is not for this script to know: it does not go on.
fn nothing_left(out: &mut Script, login: &str) {
    out.line(&format!(
        "DO $tollgate$
DECLARE
    objects text;
BEGIN
    SELECT pg_catalog.string_agg(DISTINCT pg_catalog.pg_describe_object(classid, objid, 0), ', ') INTO objects
    FROM pg_catalog.pg_shdepend
    WHERE refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND deptype = 'a'
      AND refobjid = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = {login})
      AND classid <> 'pg_catalog.pg_database'::pg_catalog.regclass
      AND dbid IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()));
    IF objects IS NOT NULL THEN
        RAISE EXCEPTION 'the role has privileges that this script does not take back, on: %', objects
            USING HINT = 'Revoke them, or choose another name.';
    END IF;
END
$tollgate$;",
        login = literal(login)
    ));
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
               WHERE refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND refobjid = me.oid AND deptype = 'o'
                 -- The login's own mappings to foreign servers count as its own.
                 AND classid <> 'pg_catalog.pg_user_mapping'::pg_catalog.regclass) THEN
        RAISE EXCEPTION 'the role owns something; choose another name';
    END IF;
END
$tollgate$;
ALTER ROLE {name} LOGIN NOINHERIT;"
    ));
}

fn session(out: &mut Script, login: &str, limits: &PoolLimits) {
    let PoolLimits { statement_timeout, session, .. } = limits;
    let name = quoted(login);
    let timeout = statement_timeout.as_millis();
    let lock = (*statement_timeout).min(connect::LOCK_TIMEOUT_MAX).as_millis();
    out.title("What its sessions begin with, whoever connects");
    for (setting, value) in [
        ("default_transaction_read_only", "on".to_owned()),
        ("statement_timeout", timeout.to_string()),
        ("lock_timeout", lock.to_string()),
        ("idle_in_transaction_session_timeout", timeout.to_string()),
        ("search_path", "''".to_owned()),
        ("work_mem", literal(&format!("{}kB", session.work_mem_kib))),
        ("max_parallel_workers_per_gather", session.parallel_workers.to_string()),
        ("\"TimeZone\"", literal("UTC")),
        ("IntervalStyle", literal("iso_8601")),
        ("row_security", "on".to_owned()),
    ] {
        out.line(&format!("ALTER ROLE {name} SET {setting} = {value};"));
    }
    let files = session.temp_files_kib;
    out.line(&format!(
        "DO $tollgate$
BEGIN
    ALTER ROLE {name} SET temp_file_limit = '{files}kB';
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
