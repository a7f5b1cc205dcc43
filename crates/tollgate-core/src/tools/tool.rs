//! A declared tool that makes sense by itself. Knows no role and no database yet.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::{
    arguments::nearest,
    cursor,
    declare::Declaration,
    deprecation::Deprecation,
    error::{Problem, ToolError},
    param::{Param, Presence},
};
use crate::{
    names::{DatabaseName, Dialect, Presentation, ResultForm, ToolName},
    policy::DefinerGrant,
    sql::{SqlError, template::Template},
};

/// Parameters of one tool at most.
const PARAMS_MAX: usize = 64;
/// Characters of a tool's description at most.
const DESCRIPTION_MAX: usize = 4_096;
/// Columns of a page's key at most.
const KEY_COLUMNS_MAX: usize = 8;
/// The largest `rows_max` a tool may ask for.
const ROWS_MAX_MAX: u32 = 1_000_000;

/// A declared tool that makes sense by itself: its template is well formed, its parameters are consistent, and the two agree.
#[derive(Clone, Debug)]
pub struct Tool {
    name: ToolName,
    title: String,
    description: String,
    database: DatabaseName,
    dialect: Dialect,
    params: Vec<Param>,
    template: Template,
    rows_max: Option<u32>,
    page_key: Option<Vec<String>>,
    definer: Option<DefinerGrant>,
    result: Option<ResultForm>,
    fence: Option<bool>,
    deprecation: Option<Deprecation>,
    fingerprint: [u8; 32],
}

impl Tool {
    /// Checks a declaration by itself, for a database of that dialect. Finds every mistake, not only the first.
    pub fn declare(written: &Declaration, dialect: Dialect) -> Result<Tool, Vec<ToolError>> {
        let mut errors = Vec::new();
        check_texts(written, &mut errors);
        let params = params(written, dialect, &mut errors);
        let template = match Template::parse(dialect, &written.sql) {
            Ok(template) => Some(template),
            Err(error) => {
                errors.push(ToolError::sql(error));
                None
            }
        };
        if let Some(template) = &template {
            check_use(written, &params, template, &mut errors);
        }
        let deprecation = match &written.deprecated {
            None => None,
            Some(deprecated) => Deprecation::declare(&written.name, deprecated, &mut errors),
        };
        let fingerprint = fingerprint(written).map_err(|error| errors.push(error)).unwrap_or_default();
        let (Some(template), true) = (template, errors.is_empty()) else { return Err(errors) };
        Ok(Tool {
            name: written.name.clone(),
            title: written.title.clone().unwrap_or_else(|| title_of(&written.name)),
            description: written.description.trim().to_owned(),
            database: written.database.clone(),
            dialect,
            params,
            template,
            rows_max: written.rows_max,
            definer: written.definer.clone(),
            page_key: written.page.as_ref().map(|page| page.key.clone()),
            result: written.result,
            fence: written.fence,
            deprecation,
            fingerprint,
        })
    }

    /// Its name.
    pub fn name(&self) -> &ToolName {
        &self.name
    }

    /// Its title for people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What it does, as written.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The database it asks.
    pub fn database(&self) -> &DatabaseName {
        &self.database
    }

    /// The dialect of its statement.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Its parameters, in the order of the declaration.
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// Its statement with its optional clauses.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Rows at most, where the declaration says so.
    pub fn rows_max(&self) -> Option<u32> {
        self.rows_max
    }

    /// The columns of a unique key that a cut result is continued by, where the declaration says so.
    pub fn page_key(&self) -> Option<&[String]> {
        self.page_key.as_deref()
    }

    /// What it reads without its caller's row filters, where it runs so.
    pub fn definer(&self) -> Option<&DefinerGrant> {
        self.definer.as_ref()
    }

    /// How its result is shown to a role that shows results like this.
    pub fn presentation(&self, role: Presentation) -> Presentation {
        role.or(self.result, self.fence)
    }

    /// What replaces it and until when it is served, when it is deprecated.
    pub fn deprecation(&self) -> Option<&Deprecation> {
        self.deprecation.as_ref()
    }

    /// SHA-256 over the declaration: the tool's version in the audit log, and part of what a cursor is bound to.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }
}

fn check_texts(written: &Declaration, errors: &mut Vec<ToolError>) {
    if written.description.trim().is_empty() {
        errors.push(ToolError::new("description", Problem::EmptyDescription));
    }
    if written.description.chars().count() > DESCRIPTION_MAX {
        errors.push(ToolError::new(
            "description",
            Problem::TooLarge { what: "description", max: DESCRIPTION_MAX as u64 },
        ));
    }
    if written.title.as_ref().is_some_and(|title| title.trim().is_empty()) {
        errors.push(ToolError::new("title", Problem::EmptyTitle));
    }
    if written.rows_max.is_some_and(|rows| rows == 0 || rows > ROWS_MAX_MAX) {
        errors.push(ToolError::new("rows_max", Problem::RowsMax { max: ROWS_MAX_MAX }));
    }
    if written.definer.as_ref().is_some_and(|definer| definer.min_group_size.get() < 2) {
        errors.push(ToolError::new("min_group_size", Problem::GroupOfOne));
    }
    if let Some(page) = &written.page {
        let distinct: BTreeSet<&String> = page.key.iter().collect();
        if distinct.len() != page.key.len() || !(1..=KEY_COLUMNS_MAX).contains(&page.key.len()) {
            errors.push(ToolError::new("page.key", Problem::PageKey { max: KEY_COLUMNS_MAX }));
        }
    }
    if written.params.len() > PARAMS_MAX {
        errors.push(ToolError::new("params", Problem::TooLarge { what: "list of parameters", max: PARAMS_MAX as u64 }));
    }
}

fn params(written: &Declaration, dialect: Dialect, errors: &mut Vec<ToolError>) -> Vec<Param> {
    let mut seen = BTreeSet::new();
    let mut params = Vec::new();
    for declared in written.params.iter().take(PARAMS_MAX) {
        let place = format!("params.{}", declared.name);
        if declared.name.as_str() == cursor::ARGUMENT {
            errors.push(ToolError::new(&place, Problem::ReservedParam { name: declared.name.clone() }));
        }
        if !seen.insert(&declared.name) {
            errors.push(ToolError::new(&place, Problem::DuplicateParam { name: declared.name.clone() }));
        }
        params.extend(Param::declare(declared, dialect, &place, errors));
    }
    params
}

/// Each declared parameter is used, each used one is declared, and one that may be absent stands only where it may drop.
fn check_use(written: &Declaration, params: &[Param], template: &Template, errors: &mut Vec<ToolError>) {
    let used = template.params();
    for declared in &written.params {
        if !used.contains(&declared.name) {
            let at = format!("params.{}", declared.name);
            errors.push(ToolError::new(&at, Problem::UnusedParam { name: declared.name.clone() }));
        }
    }
    for name in used {
        if !written.params.iter().any(|declared| declared.name == *name) {
            let names = written.params.iter().map(|declared| declared.name.as_str());
            let near = nearest(name.as_str(), names).map(str::to_owned);
            errors.push(ToolError::new("sql", Problem::UndeclaredParam { name: name.clone(), near }));
        }
    }
    for param in params {
        let optional = matches!(param.presence(), Presence::Optional);
        if optional && template.always().contains(param.name()) {
            let at = format!("params.{}", param.name());
            errors.push(ToolError::new(&at, Problem::OptionalOutsideClause { name: param.name().clone() }));
        }
    }
}

/// `query_users_by_region_v2` becomes `Query users by region v2`.
fn title_of(name: &ToolName) -> String {
    let words: Vec<&str> = name.as_str().split(['_', '-']).filter(|word| !word.is_empty()).collect();
    let mut title = words.join(" ");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    if title.is_empty() { name.as_str().to_owned() } else { title }
}

/// Over the declaration's JSON, every field in the order of the types: a new field is part of it without a line here.
fn fingerprint(written: &Declaration) -> Result<[u8; 32], ToolError> {
    match serde_json::to_vec(written) {
        Ok(json) => Ok(Sha256::digest(json).into()),
        Err(_) => Err(ToolError::new("", Problem::NotSerializable)),
    }
}

impl ToolError {
    fn sql(error: SqlError) -> ToolError {
        ToolError::new("sql", Problem::Sql(error))
    }
}
