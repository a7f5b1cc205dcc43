//! A tool made ready for one role: every variant checked under the role's policy, then agreed with by the database.
//! A draft has not been described yet and cannot be called; a plan can, and only `bind` calls it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::value::RawValue;

use super::{
    error::{ClaimError, Problem, ToolError},
    fit,
    param::{Form, Param},
    schema::{self, Listing},
    summary::{self, SummaryEntry},
    tool::Tool,
    variants::Clauses,
};
use crate::{
    catalog::{Catalog, SqlType},
    names::{ClaimName, Claims, ParamName, Presentation, ToolName},
    sql::{
        self, CheckedStatement, Described, Keyset, PageBound, ParamShape, Request, Restrictions, SqlError, tree::Slot,
    },
};

/// Rows at most where neither the role nor the tool says.
pub const ROWS_MAX_DEFAULT: u32 = 1_000;

/// What a tool is compiled for.
#[derive(Clone, Copy, Debug)]
pub struct CompileRequest<'a> {
    /// The tool.
    pub tool: &'a Arc<Tool>,
    /// The schema of its database.
    pub catalog: &'a Catalog,
    /// What the role sees there.
    pub restrictions: &'a Restrictions,
    /// The role's limit of rows.
    pub rows_max: Option<u32>,
    /// How the role's results are shown, where the tool does not say.
    pub presentation: Presentation,
    /// The tools the role may call: a replacement that is not among them is not named to the agent.
    pub granted: &'a BTreeSet<ToolName>,
    /// Names of parameters and claims that the operator's `audit.sensitive` lists.
    pub sensitive: &'a BTreeSet<String>,
}

/// A tool whose every variant passed `sql::check` for one role. Not yet described by the database.
#[derive(Clone, Debug)]
pub struct Draft {
    tool: Arc<Tool>,
    params: Vec<Param>,
    clauses: Clauses,
    variants: Vec<(u32, Sent)>,
    replacement: Option<ToolName>,
    rows_max: u32,
    presentation: Presentation,
    sensitive_claims: BTreeSet<ClaimName>,
}

/// A tool ready to be called under one role.
#[derive(Clone, Debug)]
pub struct Plan {
    tool: Arc<Tool>,
    params: Vec<Param>,
    clauses: Clauses,
    variants: BTreeMap<u32, Pages>,
    replacement: Option<ToolName>,
    rows_max: u32,
    presentation: Presentation,
    sensitive_claims: BTreeSet<ClaimName>,
    pageable: bool,
    listing: Listing,
}

/// What is sent for one set of clauses: one statement for every page, or another one for those behind the first.
#[derive(Clone, Debug)]
struct Sent {
    first: Arc<CheckedStatement>,
    next: Option<Arc<CheckedStatement>>,
}

impl Sent {
    fn check(request: &Request<'_>, key: Option<&[String]>) -> Result<Self, SqlError> {
        match key {
            None => Ok(Self { first: Arc::new(sql::check(request)?), next: None }),
            Some(key) => {
                let Keyset { first, next } = sql::check_keyset(request, key)?;
                Ok(Self { first: Arc::new(first), next: Some(Arc::new(next)) })
            }
        }
    }

    fn statements(&self) -> impl Iterator<Item = &Arc<CheckedStatement>> {
        std::iter::once(&self.first).chain(&self.next)
    }
}

/// The same once the database has described it.
#[derive(Clone, Debug)]
pub(super) struct Pages {
    pub(super) first: Variant,
    pub(super) next: Option<Variant>,
}

impl Pages {
    fn variants(&self) -> impl Iterator<Item = &Variant> {
        std::iter::once(&self.first).chain(&self.next)
    }
}

/// One statement of a plan.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    pub(super) statement: Arc<CheckedStatement>,
    /// The type of each slot, where the database or the compared column says one.
    pub(super) slot_types: Vec<Option<SqlType>>,
}

impl Variant {
    /// The claims that no call of it could bind, those that are not among `errors` yet.
    pub(super) fn unfit_claims(&self, claims: &Claims, errors: &mut Vec<ClaimError>) {
        for (slot, ty) in self.statement.slots().iter().zip(&self.slot_types) {
            if let Some(Err(error)) = super::bind::claim(claims, slot, ty.as_ref(), self.statement.dialect())
                && !errors.contains(&error)
            {
                errors.push(error);
            }
        }
    }
}

impl Plan {
    /// Checks every variant of a tool under a role's policy. Finds the mistakes of all variants, each once.
    pub fn compile(request: &CompileRequest<'_>) -> Result<Draft, Vec<ToolError>> {
        let tool = request.tool;
        let shapes: BTreeMap<ParamName, ParamShape> = tool.params().iter().map(shape).collect();
        let clauses = tool.template().clauses().iter().map(sql::template::Clause::params);
        let clauses = Clauses::new(clauses, tool.params()).map_err(|problem| vec![ToolError::new("sql", problem)])?;
        let mut errors = Vec::new();
        let mut variants = Vec::new();
        for kept in clauses.possible() {
            let text = tool.template().variant(kept);
            let asked =
                Request { sql: &text, catalog: request.catalog, restrictions: request.restrictions, params: &shapes };
            match Sent::check(&asked, tool.page_key()) {
                Ok(sent) => variants.push((kept, sent)),
                Err(error) => {
                    let at = if matches!(error, SqlError::Keyset(_)) { "page.key" } else { "sql" };
                    push_once(&mut errors, ToolError::new(at, Problem::Sql(error)));
                }
            }
        }
        let mut params = tool.params().to_vec();
        bound_pages(&mut params, &variants, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let sensitive_claims = mark_sensitive(&mut params, &variants, request.sensitive);
        Ok(Draft {
            tool: Arc::clone(tool),
            params,
            clauses,
            variants,
            replacement: replacement(tool, request.granted),
            rows_max: rows_max(request.rows_max, tool.rows_max()),
            presentation: tool.presentation(request.presentation),
            sensitive_claims,
        })
    }

    /// The tool.
    pub fn tool(&self) -> &Arc<Tool> {
        &self.tool
    }

    /// Its parameters, with what this role's statements add: page bounds are not negative, some are sensitive.
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// Rows that one call delivers at most: the smaller limit of role and tool.
    pub fn rows_max(&self) -> u32 {
        self.rows_max
    }

    /// What `tools/list` says of it.
    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    /// Its statements, for `explain` and the policy's hash, in the order of their clauses' bits. One that is paged by a key is
    /// two, the first page's first.
    pub fn statements(&self) -> impl Iterator<Item = (u32, &Arc<CheckedStatement>)> {
        self.variants.iter().flat_map(|(kept, pages)| pages.variants().map(|variant| (*kept, &variant.statement)))
    }

    /// How many sets of clauses it has statements for.
    pub fn variants(&self) -> usize {
        self.variants.len()
    }

    /// Whether any of its statements had to be fenced.
    pub fn fenced(&self) -> bool {
        self.statements().any(|(_, statement)| statement.fenced())
    }

    /// The claims whose values the audit log may keep only as keyed hashes.
    pub fn sensitive_claims(&self) -> &BTreeSet<ClaimName> {
        &self.sensitive_claims
    }

    /// The claims its statements need.
    pub fn claims(&self) -> BTreeSet<&ClaimName> {
        let slots = self.statements().flat_map(|(_, statement)| statement.slots());
        slots.filter_map(|slot| claim_of(&slot.slot)).collect()
    }

    /// Which of these claims every call would be refused for: what `check` tells of an agent before it calls.
    pub fn unfit_claims(&self, claims: &Claims) -> Vec<ClaimError> {
        let mut errors = Vec::new();
        for variant in self.variants.values().flat_map(Pages::variants) {
            variant.unfit_claims(claims, &mut errors);
        }
        errors
    }

    /// The arguments for the audit log, whether they can be bound or not.
    pub fn summarise(&self, arguments: Option<&RawValue>) -> Vec<SummaryEntry> {
        summary::summarise(&self.params, arguments)
    }

    pub(super) fn clauses(&self) -> &Clauses {
        &self.clauses
    }

    pub(super) fn pages(&self, kept: u32) -> Option<&Pages> {
        self.variants.get(&kept)
    }

    pub(super) fn presentation(&self) -> Presentation {
        self.presentation
    }

    pub(super) fn replacement(&self) -> Option<&ToolName> {
        self.replacement.as_ref()
    }

    pub(super) fn pageable(&self) -> bool {
        self.pageable
    }
}

impl Draft {
    /// The tool.
    pub fn tool(&self) -> &Arc<Tool> {
        &self.tool
    }

    /// The statements that the database must describe, in order.
    pub fn statements(&self) -> impl Iterator<Item = &Arc<CheckedStatement>> {
        self.variants.iter().flat_map(|(_, sent)| sent.statements())
    }

    /// Compares the tool with what the database says of each of `statements()`, in their order.
    pub fn verify(self, described: &[Described], catalog: &Catalog) -> Result<Plan, Vec<ToolError>> {
        let checked = self.statements().count();
        if described.len() != checked {
            let problem = Problem::VariantCount { described: described.len(), checked };
            return Err(vec![ToolError::new("sql", problem)]);
        }
        let mut errors = Vec::new();
        let mut variants = BTreeMap::new();
        let mut answers = described.iter();
        let mut fitted = |statement: &Arc<CheckedStatement>| {
            let described = answers.next()?;
            let slot_types = fit::slot_types(statement, described);
            for error in fit::check(&self.params, statement, described, &slot_types, catalog) {
                push_once(&mut errors, error);
            }
            Some(Variant { statement: Arc::clone(statement), slot_types })
        };
        for (kept, sent) in &self.variants {
            let (first, next) = (fitted(&sent.first), sent.next.as_ref().and_then(&mut fitted));
            variants.extend(first.map(|first| (*kept, Pages { first, next })));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        // A later page continues an earlier one only where every variant is ordered.
        let pageable = self.statements().all(|statement| statement.page().ordered);
        let results: Vec<schema::Columns<'_>> =
            self.statements().zip(described).map(|(statement, described)| (&**statement, described)).collect();
        let listing = Listing {
            name: self.tool.name().clone(),
            title: self.tool.title().to_owned(),
            description: schema::description(&self.tool, self.replacement.as_ref()),
            input_schema: Arc::new(schema::input(&self.params, &self.clauses, pageable)),
            output_schema: Arc::new(schema::output(self.tool.dialect(), &results, self.presentation.result)),
            // A checked statement is a SELECT by construction.
            read_only: true,
            meta: self.tool.deprecation().map(|deprecation| deprecation.meta(self.replacement.as_ref())),
        };
        Ok(Plan {
            tool: self.tool,
            params: self.params,
            clauses: self.clauses,
            variants,
            replacement: self.replacement,
            rows_max: self.rows_max,
            presentation: self.presentation,
            sensitive_claims: self.sensitive_claims,
            pageable,
            listing,
        })
    }
}

fn shape(param: &Param) -> (ParamName, ParamShape) {
    let shape = match param.form {
        Form::One(_) => ParamShape::Single,
        Form::Many { .. } => ParamShape::List,
    };
    (param.name().clone(), shape)
}

fn push_once(errors: &mut Vec<ToolError>, error: ToolError) {
    if !errors.contains(&error) {
        errors.push(error);
    }
}

/// The smaller of the two limits wins.
fn rows_max(role: Option<u32>, tool: Option<u32>) -> u32 {
    match (role, tool) {
        (Some(role), Some(tool)) => role.min(tool),
        (Some(rows), None) | (None, Some(rows)) => rows,
        (None, None) => ROWS_MAX_DEFAULT,
    }
}

/// A replacement that the role may not call does not exist for it.
fn replacement(tool: &Tool, granted: &BTreeSet<ToolName>) -> Option<ToolName> {
    tool.deprecation().map(super::Deprecation::replacement).filter(|name| granted.contains(*name)).cloned()
}

/// Parameters that bound a page count rows: integers from zero on.
fn bound_pages(params: &mut [Param], variants: &[(u32, Sent)], errors: &mut Vec<ToolError>) {
    let bounds = variants.iter().flat_map(|(_, sent)| {
        let page = sent.first.page();
        [page.limit.clone(), page.offset.clone()].into_iter().flatten()
    });
    let names: BTreeSet<ParamName> = bounds
        .filter_map(|bound| match bound {
            PageBound::Param(name) => Some(name),
            PageBound::Constant(_) => None,
        })
        .collect();
    for param in params.iter_mut().filter(|param| names.contains(param.name())) {
        if !param.bound_page() {
            let problem = Problem::PageParam { name: param.name().clone() };
            errors.push(ToolError::new(&format!("params.{}.type", param.name()), problem));
        }
    }
}

/// Marks the parameters, and returns the claims, that are listed or compared with a masked column.
fn mark_sensitive(params: &mut [Param], variants: &[(u32, Sent)], listed: &BTreeSet<String>) -> BTreeSet<ClaimName> {
    let mut claims = BTreeSet::new();
    for param in params.iter_mut().filter(|param| listed.contains(param.name().as_str())) {
        param.mark_sensitive();
    }
    for slot in variants.iter().flat_map(|(_, sent)| sent.statements()).flat_map(|statement| statement.slots()) {
        match &slot.slot {
            Slot::Param(name) | Slot::ParamList(name) if slot.masked => {
                params.iter_mut().filter(|param| param.name() == name).for_each(Param::mark_sensitive);
            }
            Slot::Claim(name) | Slot::ClaimList(name) if slot.masked || listed.contains(name.as_str()) => {
                claims.insert(name.clone());
            }
            _ => {}
        }
    }
    claims
}

fn claim_of(slot: &Slot) -> Option<&ClaimName> {
    match slot {
        Slot::Claim(name) | Slot::ClaimList(name) => Some(name),
        Slot::CallId
        | Slot::Param(_)
        | Slot::ParamList(_)
        | Slot::MaskKey(_)
        | Slot::Limit
        | Slot::Offset
        | Slot::After(_) => None,
    }
}
