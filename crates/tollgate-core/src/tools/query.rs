//! `query`: the tool that runs a caller's own SELECTs, under the policy that its role's tools run under. What it may name is
//! what the role sees; the statement is checked when the call comes, by the same `sql` that checks tools. It sends nothing.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value as Json, value::RawValue};
use sha2::{Digest as _, Sha256};

use super::{
    ClaimError, arguments,
    bind::{self, BoundCall, Call, Chosen},
    cursor::Callee,
    declare::{ConstraintDeclaration, ParamDeclaration, ParamType},
    error::BindError,
    fit,
    param::Param,
    plan::Variant,
    schema::{self, Listing},
    summary::{self, SummaryEntry, SummaryKind},
};
use crate::{
    catalog::{Catalog, TableId},
    names::{
        ClaimName, Claims, DatabaseName, Dialect, ParamName, Presentation, ResultForm, ToolName, Value, is_invisible,
    },
    policy,
    sql::{self, Author, CheckedStatement, Described, SqlError, limits::TEXT_BYTES_MAX, tree::Slot},
};

/// Its name, which no declared tool may have beside it.
pub const QUERY: &str = "query";
/// The argument with the statement.
const SQL: &str = "sql";
/// The argument that chooses the database.
const DATABASE: &str = "database";
/// Tables of one database that the description names.
const TABLES_NAMED_MAX: usize = 50;

/// What the tool is compiled for.
#[derive(Debug)]
pub struct QueryRequest<'a> {
    /// The databases that the role may query; `None` for one that did not answer.
    pub databases: BTreeMap<DatabaseName, Option<Queryable>>,
    /// The role's limit of rows.
    pub rows_max: u32,
    /// How the role's results are shown.
    pub presentation: Presentation,
    /// Names of parameters and claims that the operator's `audit.sensitive` lists.
    pub sensitive: &'a BTreeSet<String>,
}

/// A database as a role may query it.
#[derive(Clone, Debug)]
pub struct Queryable {
    /// Its schema.
    pub catalog: Arc<Catalog>,
    /// What the role sees of it.
    pub role: Arc<policy::Role>,
}

/// The tool for one role, before the databases were asked whether they take what the policy makes of its tables.
#[derive(Debug)]
pub struct QueryDraft {
    tool: QueryTool,
    probes: Vec<Probe>,
}

/// A statement that reads all that a role sees of one table. The database describes it, so that a row filter it does not take
/// is found when the configuration is checked and not by a caller.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Where.
    pub database: DatabaseName,
    /// Which table.
    pub table: TableId,
    /// `SELECT` of every visible column.
    pub statement: Arc<CheckedStatement>,
}

/// The tool, ready to be called under one role.
#[derive(Clone, Debug)]
pub struct QueryTool {
    name: ToolName,
    sql: ParamName,
    database: ParamName,
    params: Vec<Param>,
    databases: BTreeMap<DatabaseName, Option<Queryable>>,
    rows_max: u32,
    presentation: Presentation,
    /// The statements of the role's tables, for what they say of claims.
    tables: Vec<Variant>,
    sensitive_claims: BTreeSet<ClaimName>,
    fingerprint: [u8; 32],
    listing: Listing,
}

impl QueryTool {
    /// The tool of a role, and what the databases must be asked before it is served.
    pub fn compile(request: QueryRequest<'_>) -> Result<QueryDraft, SqlError> {
        let QueryRequest { databases, rows_max, presentation, sensitive } = request;
        let mut probes = Vec::new();
        for (name, queryable) in &databases {
            let Some(queryable) = queryable else { continue };
            for table in queryable.role.restrictions().tables.keys() {
                let statement = Arc::new(whole_table(queryable, table)?);
                probes.push(Probe { database: name.clone(), table: table.clone(), statement });
            }
        }
        let mut params = params(databases.keys().map(DatabaseName::as_str).collect());
        params.iter_mut().filter(|param| sensitive.contains(param.name().as_str())).for_each(Param::mark_sensitive);
        let claims = probes.iter().flat_map(|probe| probe.statement.slots()).filter_map(|slot| match &slot.slot {
            Slot::Claim(name) | Slot::ClaimList(name) if slot.masked || sensitive.contains(name.as_str()) => Some(name),
            _ => None,
        });
        let tool = QueryTool {
            name: ToolName::fixed(QUERY),
            sql: ParamName::fixed(SQL),
            database: ParamName::fixed(DATABASE),
            sensitive_claims: claims.cloned().collect(),
            fingerprint: fingerprint(&databases),
            listing: listing(&databases, &params, rows_max, presentation.result),
            params,
            databases,
            rows_max,
            presentation,
            tables: Vec::new(),
        };
        Ok(QueryDraft { tool, probes })
    }

    /// What `tools/list` says of it.
    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    /// The databases that it may be asked of.
    pub fn databases(&self) -> impl Iterator<Item = &DatabaseName> {
        self.databases.keys()
    }

    /// Rows that one call delivers at most.
    pub fn rows_max(&self) -> u32 {
        self.rows_max
    }

    /// SHA-256 over what it takes: its version in the audit log, and part of what a cursor is bound to.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// The claims whose values the audit log may keep only as keyed hashes.
    pub fn sensitive_claims(&self) -> &BTreeSet<ClaimName> {
        &self.sensitive_claims
    }

    /// Which claims keep a caller from reading some table of its role.
    pub fn unfit_claims(&self, claims: &Claims) -> Vec<ClaimError> {
        let mut errors = Vec::new();
        for variant in &self.tables {
            variant.unfit_claims(claims, &mut errors);
        }
        errors
    }

    /// The arguments for the audit log. A statement that compares a masked column with a value has that value in its text.
    pub(super) fn summarise(&self, raw: Option<&RawValue>, bound: &BoundCall) -> Vec<SummaryEntry> {
        let sensitive = match bound.statement.author() {
            Author::Caller { compares_masked } => compares_masked,
            // Not one of its statements: nothing of it is known.
            Author::Operator => true,
        };
        let mut entries = summary::summarise(&self.params, raw);
        for entry in entries.iter_mut().filter(|entry| entry.name == SQL) {
            entry.sensitive |= sensitive;
            entry.kind = SummaryKind::Statement;
        }
        entries
    }

    /// The statement among the arguments.
    pub(super) fn written(raw: Option<&RawValue>) -> Cow<'_, str> {
        let entries = arguments::entries(raw).unwrap_or_default();
        let written = entries.into_iter().find(|(name, _)| name == SQL);
        written.and_then(|(_, raw)| arguments::string(raw)).unwrap_or_default()
    }

    /// Checks the caller's statement and binds the call.
    pub(super) fn bind(&self, call: &Call<'_>) -> Result<BoundCall, BindError> {
        // Texts are read alike for every dialect.
        let given = bind::read_arguments(&self.params, true, Dialect::Postgres, call.arguments)?;
        let text = |name| match given.values.get(name) {
            Some(Value::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        let chosen = match text(&self.database) {
            Some(name) => self.databases.get_key_value(name),
            None => self.databases.iter().next(),
        };
        let (database, queryable) = chosen.ok_or(BindError::Internal("a database that was listed is not there"))?;
        let queryable = queryable.as_ref().ok_or_else(|| BindError::Unavailable(database.clone()))?;
        let written = text(&self.sql).ok_or(BindError::Internal("a required argument is not there"))?;
        let statement = sql::check_own(written, &queryable.catalog, queryable.role.restrictions())?;
        let slot_types = statement.slots().iter().map(|slot| slot.ty.clone()).collect();
        let pageable = statement.page().ordered;
        let variant = Variant { statement: Arc::new(statement), slot_types };
        let callee = Callee { database, tool: &self.name, fingerprint: &self.fingerprint };
        let (rows_max, presentation) = (self.rows_max, self.presentation);
        bind::bind_statement(&Chosen { callee, variant: &variant, pageable, rows_max, presentation }, &given, call)
    }
}

impl QueryDraft {
    /// What the databases must describe, in order.
    pub fn probes(&self) -> &[Probe] {
        &self.probes
    }

    /// The tool, with what the databases said of each probe, in their order.
    pub fn verify(self, described: &[Described]) -> QueryTool {
        let tables = self.probes.iter().zip(described).map(|(probe, described)| Variant {
            statement: Arc::clone(&probe.statement),
            slot_types: fit::slot_types(&probe.statement, described),
        });
        QueryTool { tables: tables.collect(), ..self.tool }
    }
}

/// Everything that the role sees of a table.
fn whole_table(queryable: &Queryable, table: &TableId) -> Result<CheckedStatement, SqlError> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let text = format!("SELECT * FROM {}.{}", quoted(&table.schema), quoted(&table.name));
    sql::check_own(&text, &queryable.catalog, queryable.role.restrictions())
}

/// What it takes. A database must be chosen where there are several.
fn params(databases: Vec<&str>) -> Vec<Param> {
    let text = |max_length, allowed| ConstraintDeclaration {
        ty: ParamType::String,
        allowed,
        minimum: None,
        maximum: None,
        min_length: None,
        max_length,
        pattern: None,
    };
    let declared = |name, constraints, required, description: &str| ParamDeclaration {
        name: ParamName::fixed(name),
        constraints,
        items: None,
        max_items: None,
        default: None,
        required: Some(required),
        description: Some(description.to_owned()),
        sensitive: false,
    };
    let several = databases.len() > 1;
    let names = databases.into_iter().map(Json::from).collect();
    let declarations = [
        declared(SQL, text(Some(TEXT_BYTES_MAX as u64), None), true, "One SELECT statement."),
        declared(DATABASE, text(None, Some(names)), several, "The database to ask."),
    ];
    // Declarations of our own have no mistakes; a test holds them to that.
    declarations.iter().filter_map(|it| Param::declare(it, Dialect::Postgres, SQL, &mut Vec::new())).collect()
}

fn fingerprint(databases: &BTreeMap<DatabaseName, Option<Queryable>>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"tollgate query 1");
    for name in databases.keys() {
        hash.update((name.as_str().len() as u64).to_be_bytes());
        hash.update(name.as_str());
    }
    hash.finalize().into()
}

fn listing(
    databases: &BTreeMap<DatabaseName, Option<Queryable>>,
    params: &[Param],
    rows_max: u32,
    form: ResultForm,
) -> Listing {
    Listing {
        name: ToolName::fixed(QUERY),
        title: "Query".to_owned(),
        description: description(databases, rows_max),
        input_schema: Arc::new(schema::input(params, &super::variants::Clauses::none(), true)),
        output_schema: Arc::new(schema::any_rows(form)),
        read_only: true,
        meta: None,
    }
}

/// What a model must know to write a statement that is taken.
fn description(databases: &BTreeMap<DatabaseName, Option<Queryable>>, rows_max: u32) -> String {
    let mut text = format!(
        "Run one SELECT of your own. Only the tables and columns that you may see exist, and only their rows that you may see. \
         Write values into the statement; there are no parameters. At most {rows_max} rows come back; with an ORDER BY, \
         `next_cursor` continues a result that was cut."
    );
    for (name, queryable) in databases {
        let Some(Queryable { catalog, role }) = queryable else { continue };
        let dialect = match catalog.dialect() {
            Dialect::Postgres => "PostgreSQL",
            Dialect::Sqlite => "SQLite",
        };
        let ids: Vec<&TableId> = role.restrictions().tables.keys().collect();
        let mut tables: Vec<String> = ids.iter().take(TABLES_NAMED_MAX).map(|id| table_name(id, catalog)).collect();
        if ids.len() > TABLES_NAMED_MAX {
            tables.push("…".to_owned());
        }
        text.push_str(&format!(" Database `{name}` speaks {dialect} and has {}.", tables.join(", ")));
    }
    text
}

/// A table as a statement may name it, with nothing in it that does not show.
fn table_name(table: &TableId, catalog: &Catalog) -> String {
    let is_default = catalog.default_schema() == table.schema;
    let name = if is_default { table.name.clone() } else { table.to_string() };
    let shown = |c: char| if is_invisible(c) { c.escape_unicode().to_string() } else { c.to_string() };
    format!("`{}`", name.chars().map(shown).collect::<String>())
}

#[cfg(test)]
mod tests;
