//! A workbench over one backend: texts become checked statements that may see every table, and run.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value as Json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tollgate_core::{
    catalog::Catalog,
    names::{Dialect, ParamName, ResultForm, Value},
    sql::{
        CheckedStatement, ClaimUse, ParamShape, Request, RestrictedColumn, Restriction, Restrictions, Scope, check,
        resolve_predicate, restrict_predicate, tree::Slot,
    },
};

use super::Fixture;
use crate::{Backend, BackendError, Executed, Execution, PoolLimits, ReadLimits, Rows};

/// Limits that no case comes near.
pub(super) const WIDE: ReadLimits = ReadLimits { rows_max: 10_000, bytes_max: 1 << 20 };

/// A statement that takes minutes.
pub(super) const ENDLESS: &str = "SELECT count(*) AS n FROM series a, series b, series c WHERE a.n + b.n + c.n > 0";

pub(super) type Params = Vec<(String, Json)>;

pub(super) struct Bench<F> {
    pub(super) fixture: F,
    pub(super) catalog: Catalog,
    restrictions: Restrictions,
}

/// What a call brings beside its statement.
pub(super) struct Terms<'a> {
    pub(super) params: &'a Params,
    pub(super) limits: ReadLimits,
    pub(super) offset: i64,
    pub(super) deadline: Instant,
    pub(super) cancel: CancellationToken,
}

impl Terms<'_> {
    /// No parameters, wide limits, ten seconds.
    pub(super) fn plain() -> Self {
        const NONE: &Params = &Vec::new();
        Self {
            params: NONE,
            limits: WIDE,
            offset: 0,
            deadline: Instant::now() + Duration::from_secs(10),
            cancel: CancellationToken::new(),
        }
    }
}

impl<F: Fixture> Bench<F> {
    /// `None` where the engine is not installed.
    pub(super) async fn new(limits: PoolLimits) -> Option<Self> {
        Some(Self::over(F::start(limits).await?).await)
    }

    pub(super) async fn over(fixture: F) -> Self {
        let catalog = fixture.backend().introspect().await.unwrap();
        let mut restrictions = Restrictions::default();
        for table in catalog.tables() {
            let column = |name: &String| RestrictedColumn { name: name.clone(), mask: None };
            let columns = table.columns.iter().map(|c| column(&c.name)).collect();
            let restriction = Restriction { columns, filter: None, hides_rows: false, min_group_size: None };
            restrictions.tables.insert(table.id.clone(), restriction);
        }
        Self { fixture, catalog, restrictions }
    }

    /// Hides the rows of a table that do not meet a predicate.
    pub(super) fn restrict(&mut self, table: &str, predicate: &str) {
        let table = self.catalog.table(None, table).unwrap();
        let scope = Scope {
            catalog: &self.catalog,
            visible: &self.restrictions,
            params: &BTreeMap::new(),
            claims: ClaimUse::Allowed,
        };
        let resolved = resolve_predicate(predicate, table, &scope).unwrap();
        let filter = restrict_predicate(resolved, &self.restrictions, self.catalog.dialect()).unwrap();
        let restriction = self.restrictions.tables.get_mut(&table.id).unwrap();
        restriction.filter = Some(filter);
        restriction.hides_rows = true;
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.catalog.dialect()
    }

    pub(super) fn backend(&self) -> &Arc<dyn Backend> {
        self.fixture.backend()
    }

    pub(super) fn check(&self, sql: &str, params: &Params) -> Arc<CheckedStatement> {
        let shape = |value: &Json| if value.is_array() { ParamShape::List } else { ParamShape::Single };
        let params: BTreeMap<ParamName, ParamShape> =
            params.iter().map(|(name, value)| (name.parse().unwrap(), shape(value))).collect();
        let request = Request { sql, catalog: &self.catalog, restrictions: &self.restrictions, params: &params };
        Arc::new(check(&request).unwrap_or_else(|error| panic!("{sql}: {error}")))
    }

    pub(super) async fn execute(&self, sql: &str, terms: Terms<'_>) -> Result<Executed, BackendError> {
        let statement = self.check(sql, terms.params);
        let values = values(&statement, &terms);
        let execution = Execution {
            statement: &statement,
            values: &values,
            limits: terms.limits,
            cost_max: None,
            form: ResultForm::Rows,
            deadline: terms.deadline,
            cancel: &terms.cancel,
        };
        self.backend().execute(execution).await
    }

    pub(super) async fn rows(&self, sql: &str, terms: Terms<'_>) -> Result<Rows, BackendError> {
        self.execute(sql, terms).await.map(|executed| executed.rows)
    }
}

/// A value for each slot, as `tools::bind` would give it.
pub(super) fn values(statement: &CheckedStatement, terms: &Terms<'_>) -> Vec<Value> {
    let param = |name: &ParamName| {
        let found = terms.params.iter().find(|(given, _)| given == name.as_str());
        value(&found.unwrap_or_else(|| panic!("no value for `{name}`")).1)
    };
    let slots = statement.slots().iter();
    slots
        .map(|slot| match &slot.slot {
            Slot::CallId => Value::Text("01CONFORMANCE".to_owned()),
            Slot::Param(name) | Slot::ParamList(name) => param(name),
            Slot::Claim(_) | Slot::ClaimList(_) => panic!("no case has a policy"),
            Slot::Limit => Value::Integer(i64::from(terms.limits.rows_max) + 1),
            Slot::Offset => Value::Integer(terms.offset),
            Slot::After(_) => panic!("no statement here is paged by a key"),
            Slot::MaskKey(_) => panic!("no case has a mask"),
        })
        .collect()
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => number.as_i64().map_or_else(|| Value::Number(number.to_string()), Value::Integer),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::Array(items.iter().map(value).collect()),
        Json::Object(_) => Value::Json(json.to_string()),
    }
}
