//! `query`: the tool that runs a caller's own SELECTs, under the policy that its role's tools run under. What it may name is
//! what the role sees; the statement is checked when the call comes, by the same `sql` that checks tools. It sends nothing.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

use serde_json::{Value as Json, value::RawValue};
use sha2::{Digest as _, Sha256};

use super::{
    ClaimError, arguments,
    bind::{self, BoundCall, Call, Chosen, Given},
    cursor::Callee,
    declare::{ConstraintDeclaration, ParamDeclaration, ParamType},
    discover::{FilterDisclosure, SchemaLimits, SchemaTool},
    error::BindError,
    fit,
    param::Param,
    plan::{Pages, Variant},
    queryable::Queryable,
    schema::{self, Listing},
    summary::{self, SummaryEntry, SummaryKind},
};
use crate::{
    catalog::TableId,
    names::{
        ClaimName, Claims, DatabaseName, Dialect, ParamName, Presentation, ResultForm, ToolName, Value, is_invisible,
    },
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
    /// The role's limits.
    pub limits: SchemaLimits,
    /// Whether its agents may read what its row filters say.
    pub disclosure: FilterDisclosure,
    /// How the role's results are shown.
    pub presentation: Presentation,
    /// Names of parameters and claims that the operator's `audit.sensitive` lists.
    pub sensitive: &'a BTreeSet<String>,
}

/// The databases that a role may query; `None` for one that did not answer.
pub(super) type Databases = BTreeMap<DatabaseName, Option<Queryable>>;

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
    params: Vec<Param>,
    databases: Arc<Databases>,
    limits: SchemaLimits,
    disclosure: FilterDisclosure,
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
        let QueryRequest { databases, limits, disclosure, presentation, sensitive } = request;
        let mut probes = Vec::new();
        for (name, queryable) in &databases {
            let Some(queryable) = queryable else { continue };
            for (table, _) in queryable.visible() {
                let statement =
                    Arc::new(sql::check_whole_table(table, queryable.catalog(), queryable.role().restrictions())?);
                probes.push(Probe { database: name.clone(), table: table.clone(), statement });
            }
        }
        let statement = text_param(SQL, TEXT_BYTES_MAX as u64, "One SELECT statement.");
        let mut params = declared(&[statement, database_param(&databases)]);
        params.iter_mut().filter(|param| sensitive.contains(param.name().as_str())).for_each(Param::mark_sensitive);
        let claims = probes.iter().flat_map(|probe| probe.statement.slots()).filter_map(|slot| match &slot.slot {
            Slot::Claim(name) | Slot::ClaimList(name) if slot.masked || sensitive.contains(name.as_str()) => Some(name),
            _ => None,
        });
        let tool = QueryTool {
            name: ToolName::fixed(QUERY),
            sql: ParamName::fixed(SQL),
            sensitive_claims: claims.cloned().collect(),
            fingerprint: fingerprint(&databases),
            listing: listing(&databases, &params, limits.rows_max, presentation.result),
            params,
            databases: Arc::new(databases),
            limits,
            disclosure,
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

    /// The tools that tell of what its statements may name.
    pub fn schema_tools(&self) -> [SchemaTool; 2] {
        SchemaTool::both(&self.databases, self.limits, self.disclosure, self.presentation.marking)
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
    pub(super) fn summarise(&self, raw: Option<&RawValue>, author: Option<Author>) -> Vec<SummaryEntry> {
        let sensitive = match author {
            Some(Author::Caller { compares_masked }) => compares_masked,
            // Not one of its statements: nothing of it is known.
            Some(Author::Operator) | None => true,
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

    /// Whether binding a call takes no longer than that of a declared tool: its statement is kept, or it is refused before that.
    pub(super) fn binds_at_once(&self, raw: Option<&RawValue>) -> bool {
        let Ok(given) = bind::read_arguments(&self.params, true, Dialect::Postgres, raw) else { return true };
        let Ok((_, queryable)) = chosen(&self.databases, &given) else { return true };
        matches!(given.values.get(&self.sql), Some(Value::Text(written)) if queryable.keeps(written))
    }

    /// Checks the caller's statement and binds the call.
    pub(super) fn bind(&self, call: &Call<'_>) -> Result<BoundCall, BindError> {
        // Texts are read alike for every dialect.
        let given = bind::read_arguments(&self.params, true, Dialect::Postgres, call.arguments)?;
        let (database, queryable) = chosen(&self.databases, &given)?;
        let Some(Value::Text(written)) = given.values.get(&self.sql) else {
            return Err(BindError::Internal("a required argument is not there"));
        };
        let statement = queryable.check(written)?;
        let slot_types = statement.slots().iter().map(|slot| slot.ty.clone()).collect();
        let pageable = statement.page().ordered;
        let first = Variant { statement, slot_types };
        let pages = Pages { first, next: None };
        let callee = Callee { database, tool: &self.name, fingerprint: &self.fingerprint };
        let (rows_max, presentation) = (self.limits.rows_max, self.presentation);
        bind::bind_statement(&Chosen { callee, pages: &pages, pageable, rows_max, presentation }, &given, call)
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

/// The database that a call asks for: the one it names, or the only one there is.
pub(super) fn chosen<'d>(
    databases: &'d Databases,
    given: &Given<'_>,
) -> Result<(&'d DatabaseName, &'d Queryable), BindError> {
    let named = given.values.iter().find(|(name, _)| name.as_str() == DATABASE);
    let chosen = match named {
        Some((_, Value::Text(name))) => databases.get_key_value(name.as_str()),
        _ => databases.iter().next(),
    };
    let (database, queryable) = chosen.ok_or(BindError::Internal("a database that was listed is not there"))?;
    let queryable = queryable.as_ref().ok_or_else(|| BindError::Unavailable(database.clone()))?;
    Ok((database, queryable))
}

/// A parameter for a text that must be given.
pub(super) fn text_param(name: &'static str, length_max: u64, description: &str) -> ParamDeclaration {
    ParamDeclaration {
        name: ParamName::fixed(name),
        constraints: ConstraintDeclaration {
            ty: ParamType::String,
            allowed: None,
            minimum: None,
            maximum: None,
            min_length: None,
            max_length: Some(length_max),
            pattern: None,
        },
        items: None,
        max_items: None,
        default: None,
        required: Some(true),
        description: Some(description.to_owned()),
        sensitive: false,
    }
}

/// The parameter that chooses the database, which must be given where there are several.
pub(super) fn database_param(databases: &Databases) -> ParamDeclaration {
    let names = databases.keys().map(|name| Json::from(name.as_str())).collect();
    let mut param = text_param(DATABASE, 64, "The database to ask.");
    param.constraints.allowed = Some(names);
    param.constraints.max_length = None;
    param.required = Some(databases.len() > 1);
    param
}

/// Declarations of our own, which have no mistakes; a test holds them to that.
pub(super) fn declared(declarations: &[ParamDeclaration]) -> Vec<Param> {
    declarations.iter().filter_map(|it| Param::declare(it, Dialect::Postgres, "", &mut Vec::new())).collect()
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
         `next_cursor` continues a result that was cut. `list_tables` and `describe_table` say what there is."
    );
    for (name, queryable) in databases {
        let Some(queryable) = queryable else { continue };
        let dialect = queryable.catalog().dialect().name();
        let names = queryable.visible().map(|(id, _)| shown(&queryable.name_of(id)));
        let mut tables: Vec<String> = names.take(TABLES_NAMED_MAX + 1).collect();
        if tables.len() > TABLES_NAMED_MAX {
            tables.truncate(TABLES_NAMED_MAX);
            tables.push("more".to_owned());
        }
        let tables = if tables.is_empty() { "no table".to_owned() } else { tables.join(", ") };
        // Writing to a string cannot fail.
        let _ = write!(text, " Database `{name}` speaks {dialect} and has {tables}.");
    }
    text
}

/// A name in backticks, with nothing in it that does not show.
fn shown(name: &str) -> String {
    let shown = |c: char| if is_invisible(c) { c.escape_unicode().to_string() } else { c.to_string() };
    format!("`{}`", name.chars().map(shown).collect::<String>())
}

#[cfg(test)]
mod tests;
