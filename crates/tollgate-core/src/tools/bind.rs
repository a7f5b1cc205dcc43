//! One call's arguments, claims and page into the values of one checked statement. The only way from an argument to a database.

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;
use serde_json::value::RawValue;

use super::{
    arguments::{self, nearest},
    callable::Callable,
    claims::{self, ClaimSlot},
    cursor::{self, BoundPage, Callee, CursorSeal, Paging, Position, SEALED_MAX},
    discover::Answer,
    error::{ArgumentError, BindError, ClaimError},
    param::{Param, Presence},
    plan::{Pages, Plan, Variant},
};
use crate::{
    catalog::SqlType,
    names::{Claims, DatabaseName, Dialect, ParamName, Presentation, Principal, Value},
    policy::Authorized,
    sql::{self, CheckedStatement, SlotUse, tree::Slot},
};

/// Problems that one refusal tells.
const ERRORS_MAX: usize = 5;
/// Arguments that a refusal lists.
const NAMES_LISTED_MAX: usize = 20;

/// One call of a tool.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// Who calls.
    pub caller: &'a Principal,
    /// The arguments' own JSON text.
    pub arguments: Option<&'a RawValue>,
    /// The call's id, bound where the dialect has a place for it.
    pub call_id: &'a str,
    /// Today's date in UTC.
    pub today: Date,
    /// What seals and opens cursors.
    pub cursors: &'a dyn CursorSeal,
    /// The hash of the policy in force.
    pub policy_hash: &'a [u8; 32],
}

/// A call that may run: a checked statement and a value for each of its slots.
#[derive(Clone, Debug)]
pub struct BoundCall {
    /// The database it runs in.
    pub database: DatabaseName,
    /// The statement.
    pub statement: Arc<CheckedStatement>,
    /// What later pages are read by, where that is another one.
    pub next: Option<Arc<CheckedStatement>>,
    /// A value for each of its slots, in order.
    pub values: Vec<Value>,
    /// The page it reads.
    pub page: BoundPage,
    /// Rows that it delivers at most.
    pub rows_max: u32,
    /// How its result is shown.
    pub presentation: Presentation,
}

/// Binds a call of what a role may call. Every argument that does not fit is told, up to a bound, in one refusal.
pub fn bind(callable: &Authorized<'_, Callable>, call: &Call<'_>) -> Result<Bound, BindError> {
    match callable.tool() {
        Callable::Tool(plan) => bind_plan(plan, call).map(Bound::Call),
        Callable::Query(query) => query.bind(call).map(Bound::Call),
        Callable::Schema(schema) => schema.answer(call).map(Bound::Answer),
    }
}

/// What a call comes to before any database is asked.
#[derive(Clone, Debug)]
pub enum Bound {
    /// A statement to run.
    Call(BoundCall),
    /// The answer itself, which needs no database.
    Answer(Answer),
}

impl Bound {
    /// The database that it is about.
    pub fn database(&self) -> &DatabaseName {
        match self {
            Bound::Call(call) => &call.database,
            Bound::Answer(answer) => &answer.database,
        }
    }

    /// The statement that runs, where one does.
    pub fn statement(&self) -> Option<&Arc<CheckedStatement>> {
        match self {
            Bound::Call(call) => Some(&call.statement),
            Bound::Answer(_) => None,
        }
    }
}

/// Apart from `bind` for the tests of this module, which make plans and no roles.
pub(super) fn bind_plan(plan: &Plan, call: &Call<'_>) -> Result<BoundCall, BindError> {
    if let Some(deprecation) = plan.tool().deprecation() {
        deprecation.refuse_past_sunset(plan.tool().name(), call.today, plan.replacement())?;
    }
    let given = read_arguments(plan.params(), plan.pageable(), plan.tool().dialect(), call.arguments)?;
    let kept = plan.clauses().kept(|name| given.values.contains_key(name));
    let pages = plan.pages(kept).ok_or(BindError::Internal("a set of clauses has no statement"))?;
    let tool = plan.tool();
    let callee = Callee { database: tool.database(), tool: tool.name(), fingerprint: tool.fingerprint() };
    let chosen = Chosen {
        callee,
        pages,
        pageable: plan.pageable(),
        rows_max: plan.rows_max(),
        presentation: plan.presentation(),
    };
    bind_statement(&chosen, &given, call)
}

/// The statement that a call's arguments chose.
pub(super) struct Chosen<'a> {
    pub(super) callee: Callee<'a>,
    pub(super) pages: &'a Pages,
    /// Whether a cursor may continue it.
    pub(super) pageable: bool,
    pub(super) rows_max: u32,
    pub(super) presentation: Presentation,
}

/// Page, patterns and values of the chosen statement.
pub(super) fn bind_statement(chosen: &Chosen<'_>, given: &Given<'_>, call: &Call<'_>) -> Result<BoundCall, BindError> {
    let Chosen { callee, pages, pageable, rows_max, presentation } = chosen;
    let binding = pageable.then(|| {
        let arguments = given.values.iter().map(|(name, value)| (*name, value));
        cursor::binding(*callee, call.caller, call.policy_hash, pages.first.statement.fingerprint(), arguments)
    });
    let start = match (&given.cursor, &binding) {
        (None, _) => None,
        (Some(sealed), Some(binding)) => {
            let position = call.cursors.open(sealed, binding);
            let columns = pages.first.statement.key().map_or(0, <[usize]>::len);
            Some(position.and_then(|bytes| Position::decode(&bytes, columns)).ok_or(BindError::Cursor)?)
        }
        (Some(_), None) => return Err(BindError::Cursor),
    };
    let variant = match (&start, &pages.next) {
        (Some(_), Some(next)) => next,
        _ => &pages.first,
    };
    let paging = if pages.next.is_some() { Paging::Key } else { Paging::Offset };
    let start = start.unwrap_or_default();
    let bounds = variant.statement.page();
    let bound = |bound| cursor::page_bound(bound, |name| given.values.get(name)).map_err(BindError::Internal);
    let (limit, offset) = (bound(bounds.limit.as_ref())?, bound(bounds.offset.as_ref())?);
    let page = BoundPage::new(limit, offset, start.rows, *rows_max, paging, binding).ok_or(BindError::Cursor)?;
    refuse_unfinished_patterns(variant, given)?;
    let values = slot_values(variant, given, (&page, &start.key), call)?;
    Ok(BoundCall {
        database: callee.database.clone(),
        statement: Arc::clone(&variant.statement),
        next: pages.next.as_ref().map(|next| Arc::clone(&next.statement)),
        values,
        page,
        rows_max: *rows_max,
        presentation: *presentation,
    })
}

/// The arguments as bound: those given and those in force by default.
pub(super) struct Given<'p> {
    pub(super) values: BTreeMap<&'p ParamName, Value>,
    cursor: Option<String>,
}

/// Reads the arguments of a call by what the tool takes.
pub(super) fn read_arguments<'p>(
    params: &'p [Param],
    pageable: bool,
    dialect: Dialect,
    raw: Option<&RawValue>,
) -> Result<Given<'p>, BindError> {
    let entries = arguments::entries(raw).map_err(|error| BindError::Arguments(vec![error]))?;
    let mut given = Given { values: BTreeMap::new(), cursor: None };
    let mut errors = Vec::new();
    for (name, raw) in &entries {
        if errors.len() == ERRORS_MAX {
            return Err(BindError::Arguments(errors));
        }
        // A null is an argument that is not given: a model often fills in every property it sees.
        let is_null = raw.get() == "null";
        let read = match params.iter().find(|param| param.name().as_str() == &**name) {
            Some(_) if is_null => Ok(()),
            Some(param) => param.read(raw, dialect).map(|value| {
                given.values.insert(param.name(), value);
            }),
            None if **name == *cursor::ARGUMENT && pageable && is_null => Ok(()),
            None if **name == *cursor::ARGUMENT && pageable => {
                read_cursor(raw).map(|sealed| given.cursor = Some(sealed))
            }
            None => {
                let is_first = !errors.iter().any(|error| matches!(error, ArgumentError::Unknown { .. }));
                Err(unknown(params, name, is_first.then(|| takes(params))))
            }
        };
        errors.extend(read.err());
    }
    for param in params {
        let is_named = entries.iter().any(|(name, raw)| **name == *param.name().as_str() && raw.get() != "null");
        match param.presence() {
            _ if is_named => {}
            Presence::Required => {
                errors.push(ArgumentError::Missing { name: param.name().to_string(), wanted: param.wanted() });
            }
            Presence::Default { value, .. } => {
                given.values.insert(param.name(), value.clone());
            }
            Presence::Optional => {}
        }
    }
    errors.truncate(ERRORS_MAX);
    if errors.is_empty() { Ok(given) } else { Err(BindError::Arguments(errors)) }
}

fn read_cursor(raw: &RawValue) -> Result<String, ArgumentError> {
    let sealed = arguments::string(raw).filter(|sealed| sealed.len() <= SEALED_MAX);
    sealed.map(std::borrow::Cow::into_owned).ok_or_else(|| ArgumentError::Invalid {
        name: cursor::ARGUMENT.to_owned(),
        wanted: "must be the `next_cursor` of an earlier result".to_owned(),
        got: None,
    })
}

fn unknown(params: &[Param], name: &str, takes: Option<String>) -> ArgumentError {
    let names = params.iter().map(|param| param.name().as_str());
    ArgumentError::Unknown { name: arguments::echo(name), near: nearest(name, names).map(str::to_owned), takes }
}

fn takes(params: &[Param]) -> String {
    match params {
        [] => "this tool takes none".to_owned(),
        params if params.len() <= NAMES_LISTED_MAX => {
            let names: Vec<String> = params.iter().map(|param| format!("`{}`", param.name())).collect();
            format!("this tool takes {}", names.join(", "))
        }
        _ => "the tool's input schema lists what it takes".to_owned(),
    }
}

/// A LIKE pattern that ends in its escape character fails in the database, but only once a value matches that far: the failure
/// would tell of rows that the caller may not see.
fn refuse_unfinished_patterns(variant: &Variant, given: &Given<'_>) -> Result<(), BindError> {
    let mut errors = Vec::new();
    for slot in variant.statement.slots() {
        let (Slot::Param(name), Some(escape)) = (&slot.slot, slot.like_escape) else { continue };
        if let Some(Value::Text(pattern)) = given.values.get(name)
            && sql::ends_in_escape(pattern, escape)
        {
            let wanted = format!("is a LIKE pattern and must not end in a single `{escape}`");
            errors.push(ArgumentError::Invalid { name: name.to_string(), wanted, got: None });
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(BindError::Arguments(errors)) }
}

fn slot_values(
    variant: &Variant,
    given: &Given<'_>,
    (page, key): (&BoundPage, &[Value]),
    call: &Call<'_>,
) -> Result<Vec<Value>, BindError> {
    let dialect = variant.statement.dialect();
    let slots = variant.statement.slots().iter().zip(&variant.slot_types);
    slots
        .map(|(slot, ty)| match &slot.slot {
            Slot::CallId => Ok(Value::Text(call.call_id.to_owned())),
            Slot::Param(name) | Slot::ParamList(name) => {
                given.values.get(name).cloned().ok_or(BindError::Internal("a kept clause has no argument"))
            }
            Slot::MaskKey(pad) => variant.statement.mask_key(*pad).ok_or(BindError::Internal("a hash has no key")),
            Slot::Limit => Ok(Value::Integer(page.limit_value)),
            Slot::Offset => Ok(Value::Integer(page.offset_value)),
            Slot::After(place) => key.get(*place).cloned().ok_or(BindError::Internal("a page comes behind no key")),
            Slot::Claim(_) | Slot::ClaimList(_) => {
                let value = claim(call.caller.claims(), slot, ty.as_ref(), dialect);
                Ok(value.ok_or(BindError::Internal("a claim's slot is none"))??)
            }
        })
        .collect()
}

/// The value of a claim's slot; `None` for a slot that is no claim's.
pub(super) fn claim(
    claims: &Claims,
    slot: &SlotUse,
    ty: Option<&SqlType>,
    dialect: Dialect,
) -> Option<Result<Value, ClaimError>> {
    let claim_slot = ClaimSlot { ty, dialect };
    let (name, bound) = match &slot.slot {
        Slot::Claim(name) => (name, claims::bind_one(claims, name, claim_slot)),
        Slot::ClaimList(name) => (name, claims::bind_list(claims, name, claim_slot)),
        Slot::CallId
        | Slot::Param(_)
        | Slot::ParamList(_)
        | Slot::MaskKey(_)
        | Slot::Limit
        | Slot::Offset
        | Slot::After(_) => return None,
    };
    Some(match (bound, slot.like_escape) {
        (Ok(Value::Text(pattern)), Some(escape)) if sql::ends_in_escape(&pattern, escape) => {
            Err(ClaimError::Unfit { name: name.clone() })
        }
        (bound, _) => bound,
    })
}
