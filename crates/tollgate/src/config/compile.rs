//! The written configuration against the live databases: roles, then tools, then the two together. Collects every mistake.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    sync::Arc,
};

use tollgate_backends::{BackendError, Finding};
use tollgate_core::{
    names::{AgentName, Code, DatabaseName, Dialect, Presentation, RoleName, ToolName},
    policy::{self, DatabaseMatrix, Grants, Matrix, PathPart, RoleMatrix, RowAccess},
    sql::{CheckedStatement, Cost, Described, MaskKey, RestrictedColumn, Restriction, Restrictions, SqlError},
    tools::{
        Callable, CompileRequest, Draft, FilterDisclosure, Plan, Problem, QueryRequest, QueryTool, Queryable,
        SchemaLimits, SchemaTool, Tool, ToolError,
    },
};

use super::{
    Loaded, Settings,
    databases::{self, Opened},
    declaration::declaration,
    diagnostics::{Diagnostic, Diagnostics},
    file,
    policy_hash::policy_hash,
    reach, references,
    scalar::TableKey,
    source::Path,
};
use crate::{
    gateway::{Gateway, Limits, Role},
    identity::Registration,
    protocol::host::{ResourceListing, ToolListing},
};

/// What a configuration comes to.
#[derive(Debug)]
pub struct Compiled {
    /// What calls are served from.
    pub gateway: Gateway,
    /// Everything beside the policy.
    pub settings: Settings,
    /// Who may see what.
    pub matrix: Matrix,
    /// What is probably not as it was meant. Holds no errors.
    pub diagnostics: Diagnostics,
    /// What each database's login can do beyond what the policy needs; the grave ones stand among the diagnostics too.
    pub findings: BTreeMap<DatabaseName, Vec<Finding>>,
    /// Each role's policy.
    pub policies: BTreeMap<RoleName, Policies>,
}

/// Compiles a configuration against its databases, which are opened as `open` says.
pub async fn compile_with(loaded: &Loaded, open: databases::Open<'_>) -> Result<Compiled, Diagnostics> {
    let mut diagnostics = loaded.diagnostics.clone();
    let settings = loaded.settings(&mut diagnostics);
    references::check(loaded, &mut diagnostics);
    let opened = databases::open(loaded, open, &mut diagnostics).await;
    let compiler = Compiler {
        loaded,
        file: &loaded.file,
        databases: &opened.ready,
        sensitive: settings.audit.sensitive.iter().cloned().collect(),
        described: BTreeMap::new(),
        policies: BTreeMap::new(),
        diagnostics: &mut diagnostics,
    };
    let (roles, matrix, policy_hash, policies) = compiler.compile().await;
    let reach_of = |database: &DatabaseName| {
        let catalog = opened.ready.get(database).map(|opened| &*opened.catalog);
        reach::reach(roles.values(), &policies, database, catalog)
    };
    let reach_of = (!diagnostics.has_errors()).then_some(&reach_of as databases::ReachOf<'_>);
    let findings = databases::examine(loaded, &opened.ready, reach_of, &mut diagnostics).await;
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let gateway = Gateway {
        databases: opened.ready.into_iter().map(|(name, opened)| (name, opened.into_database())).collect(),
        unavailable: opened.unavailable,
        roles,
        agents: loaded.file.agents.iter().map(|(name, written)| (name.clone(), agent(name, written))).collect(),
        policy_hash,
        config_hash: loaded.hash,
    };
    Ok(Compiled { gateway, settings, matrix, diagnostics, findings, policies })
}

fn agent(name: &AgentName, written: &file::Agent) -> Registration {
    Registration {
        name: name.clone(),
        keys: written.keys.clone(),
        local: written.local,
        role: written.role.clone(),
        claims: written.claims.clone(),
    }
}

struct Compiler<'a> {
    loaded: &'a Loaded,
    file: &'a file::File,
    databases: &'a BTreeMap<DatabaseName, Opened>,
    sensitive: BTreeSet<String>,
    /// What the databases said, by the statement's fingerprint: many roles share statements.
    described: BTreeMap<[u8; 32], Described>,
    policies: BTreeMap<RoleName, Policies>,
    diagnostics: &'a mut Diagnostics,
}

/// A role's policy, by database.
pub type Policies = BTreeMap<DatabaseName, Arc<policy::Role>>;

impl Compiler<'_> {
    async fn compile(mut self) -> (BTreeMap<RoleName, Role>, Matrix, [u8; 32], BTreeMap<RoleName, Policies>) {
        let tools = self.tools().await;
        let mut roles = BTreeMap::new();
        let mut matrix = Matrix::default();
        for (name, written) in &self.file.roles {
            let policies = self.policies(name, written);
            let role = self.role(name, written, &policies, &tools).await;
            self.claims(&role);
            matrix.roles.insert(name.clone(), self.matrix(written, &policies, &role));
            roles.insert(name.clone(), role);
            self.policies.insert(name.clone(), policies);
        }
        let hash = policy_hash(&roles, &matrix);
        (roles, matrix, hash, self.policies)
    }

    fn report(&mut self, diagnostic: Diagnostic, path: &Path) {
        let place = self.loaded.tree.place_of(path);
        self.diagnostics.push(diagnostic.at(place));
    }

    /// What a role may see of each database that is there.
    fn policies(&mut self, name: &RoleName, written: &file::Role) -> Policies {
        let mut policies = Policies::new();
        let mask_key = self.file.mask_key.as_ref().map(|secret| Arc::new(MaskKey::of_role(&secret.0, name.as_str())));
        for (database, opened) in self.databases {
            let grant = grant(database, written, mask_key.clone());
            match policy::Role::compile(&grant, &opened.catalog) {
                Ok(role) => {
                    for warning in role.warnings() {
                        self.policy_problem(name, warning, Diagnostic::warning);
                    }
                    policies.insert(database.clone(), Arc::new(role));
                }
                Err(errors) => {
                    for error in &errors {
                        self.policy_problem(name, error, Diagnostic::error);
                    }
                }
            }
        }
        policies
    }

    fn policy_problem(
        &mut self,
        role: &RoleName,
        problem: &policy::PolicyError,
        diagnostic: fn(Code, String) -> Diagnostic,
    ) {
        let path = below(Path::root().key("roles").key(role), &problem.path);
        self.report(diagnostic(problem.problem.code(), format!("role `{role}`: {problem}")), &path);
    }

    /// Every tool that makes sense, by itself and for somebody who may see everything. What is wrong here is the tool's own
    /// mistake, whoever has it.
    async fn tools(&mut self) -> BTreeMap<ToolName, Arc<Tool>> {
        let mut tools = BTreeMap::new();
        for (name, written) in &self.file.tools {
            let Some(database) = references::database_of(self.file, written) else { continue };
            let Some(opened) = self.databases.get(database) else { continue };
            let declaration = declaration(name, database, written, &self.loaded.tree, self.diagnostics);
            let tool = match Tool::declare(&declaration, opened.catalog.dialect()) {
                Ok(tool) => Arc::new(tool),
                Err(errors) => {
                    self.tool_errors(name, &errors);
                    continue;
                }
            };
            let nobody = policy::Role::default();
            let Some(restrictions) = self.restrictions(&tool, &nobody, opened) else { continue };
            let restrictions = restrictions.unwrap_or_else(|| everything(&opened.catalog));
            let request = CompileRequest {
                tool: &tool,
                catalog: &opened.catalog,
                restrictions: &restrictions,
                rows_max: None,
                presentation: Presentation::default(),
                granted: &BTreeSet::new(),
                sensitive: &self.sensitive,
            };
            match Plan::compile(&request) {
                Ok(draft) => {
                    tools.insert(name.clone(), tool);
                    // The statements that will run are described role by role.
                    if !self.file.roles.values().any(|role| role.tools.contains(name)) {
                        self.verify(draft, opened).await;
                    }
                }
                Err(errors) => self.tool_errors(name, &errors),
            }
        }
        tools
    }

    /// What the tool itself says that its statement sees; `None` within where it sees what the role does, and where that cannot be.
    #[expect(clippy::option_option, reason = "that it says nothing is no mistake")]
    fn restrictions(&mut self, tool: &Tool, caller: &policy::Role, opened: &Opened) -> Option<Option<Restrictions>> {
        let Some(definer) = tool.definer() else { return Some(None) };
        let errors = match definer.restrictions(caller, &opened.catalog) {
            Ok(restrictions) => return Some(Some(restrictions)),
            Err(errors) => errors,
        };
        for error in &errors {
            let path = below(Path::root().key("tools").key(tool.name()), &error.path);
            let message = format!("tool `{}`: {error}", tool.name());
            self.report(Diagnostic::error(error.problem.code(), message), &path);
        }
        None
    }

    /// Tables of a tool without row filters that the role sees by itself too.
    fn seen_beside(&mut self, role: &RoleName, index: usize, tool: &Tool, policy: &policy::Role, opened: &Opened) {
        let Some(definer) = tool.definer() else { return };
        for table in definer.seen_beside(policy, &opened.catalog) {
            let (name, least) = (tool.name(), definer.min_group_size);
            let message = format!(
                "role `{role}` sees `{table}` by itself too: what `{name}` shows, less those rows, may be of fewer than {least}"
            );
            let path = Path::root().key("roles").key(role).key("tools").index(index);
            self.report(Diagnostic::warning(Code::CONFIG_TOOL_DEFINER, message), &path);
        }
    }

    fn tool_errors(&mut self, name: &ToolName, errors: &[ToolError]) {
        for error in errors {
            let path = Path::root().key("tools").key(name).below(&error.at);
            self.report(Diagnostic::error(error.code(), format!("tool `{name}`: {error}")), &path);
        }
    }

    /// Has the database describe each variant of a draft, and compares.
    async fn verify(&mut self, draft: Draft, opened: &Opened) -> Option<Plan> {
        let name = draft.tool().name().clone();
        let statements: Vec<_> = draft.statements().cloned().collect();
        let mut described = Vec::with_capacity(statements.len());
        for statement in &statements {
            match self.describe(statement, opened).await {
                Ok(description) => described.push(description),
                Err(error) => {
                    let message = format!(
                        "tool `{name}`: the database does not take its statement: {}",
                        databases::chain(&error)
                    );
                    let path = Path::root().key("tools").key(&name).key("sql");
                    self.report(Diagnostic::error(Code::CONFIG_TOOL_SQL, message), &path);
                    return None;
                }
            }
        }
        match draft.verify(&described, &opened.catalog) {
            Ok(plan) => Some(plan),
            Err(errors) => {
                self.tool_errors(&name, &errors);
                None
            }
        }
    }

    /// What the database says of a statement, asked once.
    async fn describe(&mut self, statement: &CheckedStatement, opened: &Opened) -> Result<Described, BackendError> {
        if let Some(known) = self.described.get(statement.fingerprint()) {
            return Ok(known.clone());
        }
        let described = opened.backend.describe(statement).await?;
        self.described.insert(*statement.fingerprint(), described.clone());
        Ok(described)
    }

    async fn role(
        &mut self,
        name: &RoleName,
        written: &file::Role,
        policies: &Policies,
        tools: &BTreeMap<ToolName, Arc<Tool>>,
    ) -> Role {
        let limits = self.limits(name, written);
        let granted: BTreeSet<ToolName> = written.tools.iter().cloned().collect();
        let mut callables = Vec::new();
        let mut unavailable = BTreeMap::new();
        for (i, tool_name) in written.tools.iter().enumerate() {
            let database = self.file.tools.get(tool_name).and_then(|tool| references::database_of(self.file, tool));
            // An undeclared tool and an undeclared database were reported by their names.
            let Some(database) = database else { continue };
            let Some(opened) = self.databases.get(database) else {
                unavailable.insert(tool_name.clone(), database.clone());
                continue;
            };
            // What is wrong with the tool or the role's tables was reported there.
            let (Some(tool), Some(policy)) = (tools.get(tool_name), policies.get(database)) else { continue };
            let Some(own) = self.restrictions(tool, policy, opened) else { continue };
            let request = CompileRequest {
                tool,
                catalog: &opened.catalog,
                restrictions: own.as_ref().unwrap_or_else(|| policy.restrictions()),
                rows_max: Some(limits.rows_max),
                presentation: presentation(written),
                granted: &granted,
                sensitive: &self.sensitive,
            };
            match Plan::compile(&request) {
                Ok(draft) => {
                    self.seen_beside(name, i, tool, policy, opened);
                    let plan = self.verify(draft, opened).await;
                    callables.extend(plan.map(|plan| Callable::Tool(Arc::new(plan))));
                }
                Err(errors) => self.unusable(name, tool_name, i, &errors),
            }
        }
        if !written.query.is_empty() {
            let query = self.query(name, written, policies, limits).await;
            let schema = query.iter().flat_map(QueryTool::schema_tools).map(|tool| Callable::Schema(Arc::new(tool)));
            callables.extend(schema.collect::<Vec<_>>());
            callables.extend(query.map(|query| Callable::Query(Arc::new(query))));
        }
        let listings = callables.iter().map(listing).collect::<Vec<_>>();
        let resources = callables.iter().find_map(Callable::schema).map(|schema| resources(schema));
        let granted = callables.into_iter().map(|callable| (callable.listing().name.clone(), callable));
        let (name, listings) = (name.clone(), listings.into());
        Role { name, tools: Grants::new(granted), unavailable, limits, listings, resources }
    }

    /// The tool `query` of a role. Each of its tables is described under the role's policy, so that a row filter that the
    /// database does not take is found here.
    async fn query(
        &mut self,
        role: &RoleName,
        written: &file::Role,
        policies: &Policies,
        limits: Limits,
    ) -> Option<QueryTool> {
        let cost = limits.cost_max.map_or(Cost::Unbounded, |_| Cost::Bounded);
        let mut databases = BTreeMap::new();
        for name in written.query.iter().filter(|name| self.file.databases.contains_key(*name)) {
            let queryable = match (self.databases.get(name), policies.get(name)) {
                (Some(opened), Some(policy)) => {
                    Some(Queryable::new(Arc::clone(&opened.catalog), Arc::clone(policy), cost))
                }
                (None, _) => None,
                // What is wrong with the role's tables was reported there.
                (Some(_), None) => return None,
            };
            databases.insert(name.clone(), queryable);
        }
        let request = QueryRequest {
            databases,
            limits: SchemaLimits { rows_max: limits.rows_max, bytes_max: limits.bytes_max },
            disclosure: if written.disclose_filters { FilterDisclosure::Disclosed } else { FilterDisclosure::Silent },
            presentation: presentation(written),
            sensitive: &self.sensitive,
        };
        let draft = match QueryTool::compile(request) {
            Ok(draft) => draft,
            Err(error) => {
                let message = format!("role `{role}` cannot be given `query`: {error}");
                let path = Path::root().key("roles").key(role).key("query");
                self.report(Diagnostic::error(Code::CONFIG_TOOL_UNUSABLE, message), &path);
                return None;
            }
        };
        let mut described = Vec::with_capacity(draft.probes().len());
        for probe in draft.probes() {
            let Some(opened) = self.databases.get(&probe.database) else { continue };
            match self.describe(&probe.statement, opened).await {
                Ok(description) => described.push(description),
                Err(error) => {
                    let (database, table) = (&probe.database, &probe.table);
                    let message = format!(
                        "role `{role}`: database `{database}` does not take what the role sees of `{table}`: {}",
                        databases::chain(&error)
                    );
                    let mut keys = written.tables.keys().filter(|key| key.database == *database);
                    let named = |key: &&TableKey| {
                        opened.catalog.table(key.schema.as_deref(), &key.table).is_some_and(|found| found.id == *table)
                    };
                    let path = Path::root().key("roles").key(role).key("tables");
                    let path = keys.find(named).map_or_else(|| path.clone(), |key| path.key(key));
                    self.report(Diagnostic::error(Code::CONFIG_ROW_FILTER, message), &path);
                    return None;
                }
            }
        }
        Some(draft.verify(&described))
    }

    /// A tool that is sound, and asks for more than the role may see.
    fn unusable(&mut self, role: &RoleName, tool: &ToolName, index: usize, errors: &[ToolError]) {
        let statement = self.loaded.tree.place_of(&Path::root().key("tools").key(tool).key("sql"));
        for error in errors {
            let message = format!("role `{role}` was given tool `{tool}` and cannot use it: {error}");
            let mut diagnostic = Diagnostic::error(Code::CONFIG_TOOL_UNUSABLE, message);
            if let Problem::Sql(SqlError::UnknownTable { .. } | SqlError::UnknownColumn { .. }) = error.problem {
                diagnostic = diagnostic.help("it exists, but not for this role");
            }
            let diagnostic = diagnostic.related("the statement is here", statement);
            self.report(diagnostic, &Path::root().key("roles").key(role).key("tools").index(index));
        }
    }

    fn limits(&mut self, name: &RoleName, written: &file::Role) -> Limits {
        const BYTES_MIN: u64 = 1 << 10;
        const BYTES_MAX: u64 = 256 << 20;
        let bytes_max = written.limits.bytes_max.0;
        if !(BYTES_MIN..=BYTES_MAX).contains(&bytes_max) {
            let message = format!("role `{name}`: `bytes_max` must be from 1KiB to 256MiB");
            let path = Path::root().key("roles").key(name).key("limits").key("bytes_max");
            self.report(Diagnostic::error(Code::CONFIG_LIMIT, message), &path);
        }
        self.cost_max(name, written);
        Limits {
            rows_max: written.limits.rows_max,
            bytes_max: usize::try_from(bytes_max).unwrap_or(usize::MAX),
            cost_max: written.limits.cost_max,
        }
    }

    /// A bound on costs where nothing can be held to it.
    fn cost_max(&mut self, name: &RoleName, written: &file::Role) {
        let path = Path::root().key("roles").key(name).key("limits").key("cost_max");
        let is_silent = |opened: &&Opened| opened.catalog.dialect() != Dialect::Postgres;
        let silent = written.query.iter().filter_map(|database| self.databases.get(database)).find(is_silent);
        let why = match (written.limits.cost_max, silent) {
            (Some(_), Some(silent)) => {
                let engine = silent.catalog.dialect().name();
                format!("{engine} does not say what a statement costs, and `{}` is one", silent.name)
            }
            (Some(_), None) if written.query.is_empty() => {
                "it bounds statements of `query`, which the role does not have".to_owned()
            }
            _ => return,
        };
        self.report(
            Diagnostic::error(Code::CONFIG_LIMIT, format!("role `{name}` cannot have `cost_max`: {why}")),
            &path,
        );
    }

    /// Agents that lack a claim which their role's tools cannot do without.
    fn claims(&mut self, role: &Role) {
        for (agent, written) in self.file.agents.iter().filter(|(_, agent)| agent.role == role.name) {
            let mut refused: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for authorized in role.tools.iter() {
                for error in authorized.tool().unfit_claims(&written.claims) {
                    refused.entry(error.to_string()).or_default().push(format!("`{}`", authorized.name()));
                }
            }
            for (reason, tools) in refused {
                let message = format!("agent `{agent}` cannot use {}: {reason}", tools.join(", "));
                let path = Path::root().key("agents").key(agent).key("claims");
                self.report(Diagnostic::warning(Code::CONFIG_ROW_FILTER, message), &path);
            }
        }
    }

    fn matrix(&self, written: &file::Role, policies: &Policies, role: &Role) -> RoleMatrix {
        let of = |(name, policy): (&DatabaseName, &Arc<policy::Role>)| {
            let opened = self.databases.get(name)?;
            Some((name.clone(), DatabaseMatrix::of(policy, &opened.catalog)))
        };
        let definers = plans(role).filter_map(|plan| {
            let (definer, database) = (plan.tool().definer()?, plan.tool().database());
            let (policy, opened) = (policies.get(database)?, self.databases.get(database)?);
            Some((plan.tool().name().clone(), definer.matrix(policy, &opened.catalog)))
        });
        RoleMatrix {
            definers: definers.collect(),
            databases: policies.iter().filter_map(of).collect(),
            tools: plans(role).map(|plan| plan.tool().name().clone()).chain(role.unavailable.keys().cloned()).collect(),
            query: written.query.iter().cloned().collect(),
        }
    }
}

/// The way to a key below another.
fn below(path: Path, parts: &[PathPart]) -> Path {
    parts.iter().fold(path, |path, part| match part {
        PathPart::Key(key) => path.key(key),
        PathPart::Index(index) => path.index(*index),
    })
}

/// A role's grants in one database, in the core's words.
fn grant(database: &DatabaseName, written: &file::Role, mask_key: Option<Arc<MaskKey>>) -> policy::RoleGrant {
    let tables = written.tables.iter().filter(|(key, _)| key.database == *database);
    policy::RoleGrant {
        mask_key,
        tables: tables
            .map(|(key, table)| policy::TableGrant {
                key: key.to_string(),
                schema: key.schema.clone(),
                table: key.table.clone(),
                columns: match &table.columns {
                    file::Columns::These(names) => policy::ColumnsGrant::These(names.clone()),
                    file::Columns::AllExcept(written) => policy::ColumnsGrant::AllExcept(written.all_except.clone()),
                },
                masks: table.masks.iter().map(|(column, mask)| (column.clone(), mask_grant(mask))).collect(),
                rows: Some(match &table.rows {
                    file::Rows::One(condition) => policy::RowsGrant::One(condition.clone()),
                    file::Rows::All(conditions) => policy::RowsGrant::List(conditions.clone()),
                    file::Rows::Owner(written) => {
                        policy::RowsGrant::Owner { sql: written.sql.clone(), tables: written.owner.clone() }
                    }
                }),
                min_group_size: table.min_group_size.or(written.min_group_size).and_then(NonZeroU32::new),
            })
            .collect(),
    }
}

fn mask_grant(written: &file::Mask) -> policy::MaskGrant {
    match written {
        file::Mask::Named(name) => policy::MaskGrant::Named(name.clone()),
        file::Mask::Sql(text) => policy::MaskGrant::Sql(text.clone()),
    }
}

/// How a role's results are shown, where a tool does not say.
fn presentation(written: &file::Role) -> Presentation {
    Presentation::default().or(Some(written.result.into()), Some(written.fence))
}

/// The restrictions of somebody who may see everything: for finding out what is wrong with a tool by itself. Nothing runs under them.
fn everything(catalog: &tollgate_core::catalog::Catalog) -> Restrictions {
    let tables = catalog.tables().iter().map(|table| {
        let columns = table.columns.iter().map(|c| RestrictedColumn { name: c.name.clone(), mask: None }).collect();
        (table.id.clone(), Restriction { columns, filter: None, hides_rows: false, min_group_size: None })
    });
    Restrictions { tables: tables.collect(), mask_key: None }
}

/// The tables that a role may read about.
fn resources(schema: &SchemaTool) -> Arc<[ResourceListing]> {
    let listing =
        |(database, table): (&DatabaseName, String)| ResourceListing { database: database.to_string(), table };
    schema.tables().map(listing).collect()
}

/// The declared tools that a role may call.
pub(super) fn plans(role: &Role) -> impl Iterator<Item = &Arc<Plan>> {
    role.tools.iter().filter_map(|callable| callable.tool().plan())
}

fn listing(callable: &Callable) -> ToolListing {
    let listing = callable.listing();
    ToolListing {
        name: listing.name.to_string(),
        title: Some(listing.title.clone()),
        description: listing.description.clone(),
        input_schema: Arc::clone(&listing.input_schema),
        output_schema: Arc::clone(&listing.output_schema),
        read_only: listing.read_only,
        meta: listing.meta.clone(),
    }
}

/// How many tables of a database exist for a role.
pub fn visible_tables(database: &DatabaseMatrix) -> usize {
    database.tables.values().filter(|table| table.rows != RowAccess::None).count()
}
