//! PostgreSQL against a throw-away server of its own.

mod calls;
mod check_lists;
mod costs;
mod faults;
mod functions;
mod introspection;
mod large;
mod logins;
mod urls;
mod values;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tollgate_core::{
    catalog::Catalog,
    names::{ResultForm, Value},
    sql::{CheckedStatement, ParamShape, Request, RestrictedColumn, Restriction, Restrictions, check, tree::Slot},
};

use super::connect;
use crate::{
    Backend, BackendError, Executed, Execution, PoolLimits, ReadLimits,
    testing::postgres::{PostgresServer, TestDatabase},
};

/// A fresh database; `None` where no server is installed, which has been said loudly by then.
async fn database(setup: &str) -> Option<Arc<TestDatabase>> {
    Some(Arc::new(PostgresServer::shared()?.database(setup).await))
}

/// A backend and the catalog it found, every table and column of it open.
struct Opened {
    backend: Arc<dyn Backend>,
    catalog: Catalog,
}

impl Opened {
    async fn at(url: &str, limits: PoolLimits) -> Self {
        let backend = connect(url, limits).unwrap();
        let catalog = backend.introspect().await.unwrap();
        Self { backend, catalog }
    }

    /// A statement with parameters of those names, each one value or, ending in `s`, a list.
    fn checked(&self, sql: &str, params: &[&str]) -> Arc<CheckedStatement> {
        let open = |table: &tollgate_core::catalog::Table| {
            let column =
                |column: &tollgate_core::catalog::Column| RestrictedColumn { name: column.name.clone(), mask: None };
            let columns = table.columns.iter().map(column).collect();
            (table.id.clone(), Restriction { columns, filter: None, hides_rows: false, min_group_size: None })
        };
        let restrictions = Restrictions { tables: self.catalog.tables().iter().map(open).collect(), mask_key: None };
        let shape = |name: &&str| {
            let shape = if name.ends_with('s') { ParamShape::List } else { ParamShape::Single };
            (name.parse().unwrap(), shape)
        };
        let params: BTreeMap<_, _> = params.iter().map(shape).collect();
        let request = Request { sql, catalog: &self.catalog, restrictions: &restrictions, params: &params };
        Arc::new(check(&request).unwrap())
    }

    async fn run(&self, statement: &Arc<CheckedStatement>, asked: Asked<'_>) -> Result<Executed, BackendError> {
        let values: Vec<Value> = statement.slots().iter().map(|slot| asked.value(&slot.slot)).collect();
        let execution = Execution {
            statement,
            values: &values,
            limits: asked.limits,
            cost_max: asked.cost_max,
            form: ResultForm::Rows,
            deadline: Instant::now() + asked.within,
            cancel: &asked.cancel,
        };
        self.backend.execute(execution).await
    }

    /// The rows of a statement without parameters.
    async fn rows(&self, sql: &str) -> String {
        let executed = self.run(&self.checked(sql, &[]), Asked::default()).await.unwrap();
        String::from_utf8(executed.rows.json).unwrap()
    }
}

/// What a call asks for beside its statement.
#[derive(Clone)]
struct Asked<'a> {
    call_id: &'a str,
    values: &'a [(&'a str, Value)],
    limits: ReadLimits,
    cost_max: Option<u32>,
    within: Duration,
    cancel: CancellationToken,
}

impl Default for Asked<'_> {
    fn default() -> Self {
        Self {
            call_id: "call",
            values: &[],
            limits: ReadLimits { rows_max: 1000, bytes_max: 1 << 20 },
            cost_max: None,
            within: Duration::from_secs(10),
            cancel: CancellationToken::new(),
        }
    }
}

impl Asked<'_> {
    fn value(&self, slot: &Slot) -> Value {
        match slot {
            Slot::CallId => Value::Text(self.call_id.to_owned()),
            Slot::Limit => Value::Integer(i64::from(self.limits.rows_max) + 1),
            Slot::Offset => Value::Integer(0),
            Slot::MaskKey(_) => panic!("no test has a mask"),
            Slot::Param(name) | Slot::ParamList(name) => {
                self.values.iter().find(|(given, _)| *given == name.as_str()).unwrap().1.clone()
            }
            Slot::Claim(_) | Slot::ClaimList(_) => panic!("no test here has claims"),
            Slot::After(_) => panic!("no test here is paged by a key"),
        }
    }
}
