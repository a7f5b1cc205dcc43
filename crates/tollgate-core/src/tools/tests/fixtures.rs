//! A schema of every kind of column, what a role sees of it, and plans made from a case's declaration.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    catalog::{Catalog, Column, SqlType, Table, TableId, TableKind, TypeKind},
    names::{AgentId, AgentName, Claims, Dialect, Origin, Presentation, Principal, Value},
    sql::{
        CheckedStatement, ClaimUse, ColumnMask, Described, RestrictedColumn, Restriction, Restrictions, Scope,
        resolve_predicate,
        tree::{Expr, Literal, Slot},
    },
    tools::{
        BindError, BoundCall, Call, CompileRequest, CursorSeal, Declaration, Draft, Plan, Tool, ToolError,
        bind::bind_plan,
    },
};

/// A case: a tool, and the policy it is compiled under.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) about: String,
    pub(super) dialect: Dialect,
    pub(super) tool: Declaration,
    /// The row filter of `users`.
    #[serde(default)]
    pub(super) filter: Option<String>,
    /// The masked columns of `users`.
    #[serde(default)]
    pub(super) masked: Vec<String>,
    #[serde(default)]
    pub(super) claims: Claims,
    #[serde(default)]
    pub(super) sensitive: BTreeSet<String>,
    #[serde(default)]
    pub(super) granted: BTreeSet<crate::names::ToolName>,
    #[serde(default)]
    pub(super) role_rows_max: Option<u32>,
    /// What the database says of slots, by the parameter's name, where that is not the compared column's type.
    #[serde(default)]
    pub(super) inferred: BTreeMap<String, String>,
    /// The arguments' texts, one call each.
    #[serde(default)]
    pub(super) calls: Vec<Box<RawValue>>,
    #[serde(default)]
    pub(super) today: Option<String>,
}

impl Case {
    pub(super) fn parse(case: &str) -> Case {
        serde_json::from_str(case).unwrap()
    }

    pub(super) fn catalog(&self) -> Catalog {
        catalog(self.dialect)
    }

    pub(super) fn draft(&self) -> Result<Draft, Vec<ToolError>> {
        let tool = Arc::new(Tool::declare(&self.tool, self.dialect)?);
        let catalog = self.catalog();
        Plan::compile(&CompileRequest {
            tool: &tool,
            catalog: &catalog,
            restrictions: &self.restrictions(&catalog),
            rows_max: self.role_rows_max,
            presentation: Presentation::default(),
            granted: &self.granted,
            sensitive: &self.sensitive,
        })
    }

    pub(super) fn plan(&self) -> Result<Plan, Vec<ToolError>> {
        let draft = self.draft()?;
        let described: Vec<Described> = draft.statements().map(|statement| self.describe(statement)).collect();
        draft.verify(&described, &self.catalog())
    }

    /// What a database would say of the statement.
    pub(super) fn describe(&self, statement: &CheckedStatement) -> Described {
        let param = |slot: &crate::sql::SlotUse| {
            let ty = match &slot.slot {
                Slot::Limit | Slot::Offset => sql_type("bigint"),
                Slot::Param(name) | Slot::ParamList(name) if self.inferred.contains_key(name.as_str()) => {
                    sql_type(&self.inferred[name.as_str()])
                }
                _ => slot.ty.clone().unwrap_or(sql_type("text")),
            };
            match slot.slot {
                Slot::ParamList(_) | Slot::ClaimList(_) => {
                    SqlType { name: format!("{}[]", ty.name), kind: TypeKind::Array(Box::new(ty)) }
                }
                _ => ty,
            }
        };
        let params = statement.slots().iter().map(|slot| match self.dialect {
            Dialect::Postgres => Some(param(slot)),
            Dialect::Sqlite | Dialect::MariaDb => None,
        });
        let columns = statement.columns().iter();
        let columns = columns.map(|column| (column.name.clone(), column.ty.clone().unwrap_or(sql_type("any"))));
        Described { params: params.collect(), columns: columns.collect() }
    }

    fn restrictions(&self, catalog: &Catalog) -> Restrictions {
        let mut visible = Restrictions::default();
        for table in catalog.tables() {
            let column = |column: &Column| RestrictedColumn {
                name: column.name.clone(),
                mask: (table.id.name == "users" && self.masked.contains(&column.name)).then(|| ColumnMask {
                    expr: Expr::Literal(Literal::Text("masked".to_owned())),
                    ty: Some(column.ty.clone()),
                    leak: None,
                }),
            };
            let columns = table.columns.iter().map(column).collect();
            visible.tables.insert(
                table.id.clone(),
                Restriction { columns, filter: None, hides_rows: false, min_group_size: None },
            );
        }
        if let Some(filter) = &self.filter {
            let users = catalog.table(None, "users").unwrap();
            let scope = Scope { catalog, visible: &visible, params: &BTreeMap::new(), claims: ClaimUse::Allowed };
            let filter = resolve_predicate(filter, users, &scope).unwrap();
            let restriction = visible.tables.get_mut(&users.id).unwrap();
            restriction.filter = Some(filter);
            restriction.hides_rows = true;
        }
        visible
    }

    pub(super) fn caller(&self) -> Principal {
        caller("support-eu", self.claims.clone())
    }

    pub(super) fn bind(&self, plan: &Plan, arguments: &str) -> Result<BoundCall, BindError> {
        let raw = RawValue::from_string(arguments.to_owned()).unwrap();
        self.bind_as(plan, &raw, &self.caller())
    }

    pub(super) fn bind_as(
        &self,
        plan: &Plan,
        arguments: &RawValue,
        caller: &Principal,
    ) -> Result<BoundCall, BindError> {
        let call = Call {
            caller,
            arguments: Some(arguments),
            call_id: "01JCALL",
            today: self.today.as_deref().unwrap_or("2026-01-31").parse().unwrap(),
            cursors: &PlainSeal,
            policy_hash: &[7; 32],
        };
        bind_plan(plan, &call)
    }
}

pub(in crate::tools) fn caller(agent: &str, claims: Claims) -> Principal {
    let agent: AgentName = agent.parse().unwrap();
    Principal::new(AgentId::new(agent, Origin::Key), "support".parse().unwrap(), claims)
}

/// Seals nothing: the position and what it is bound to, readable.
pub(in crate::tools) struct PlainSeal;

impl CursorSeal for PlainSeal {
    fn seal(&self, position: &[u8], binding: &[u8; 32]) -> Option<String> {
        let binding: Vec<String> = binding.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(format!("{}@{}", std::str::from_utf8(position).unwrap(), binding.concat()))
    }

    fn open(&self, sealed: &str, binding: &[u8; 32]) -> Option<Vec<u8>> {
        let position = sealed.rsplit_once('@')?.0.as_bytes();
        (self.seal(position, binding)? == sealed).then(|| position.to_vec())
    }
}

/// A value, readable.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => format!("bool {truth}"),
        Value::Integer(integer) => format!("integer {integer}"),
        Value::Number(text) => format!("number {text}"),
        Value::Text(text) => format!("text {text:?}"),
        Value::Json(text) => format!("json {text}"),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
    }
}

pub(super) fn sql_type(name: &str) -> SqlType {
    let kind = match name {
        "boolean" => TypeKind::Bool,
        "integer" => TypeKind::Int,
        "bigint" => TypeKind::BigInt,
        "numeric" => TypeKind::Decimal,
        "double precision" => TypeKind::Float,
        "text" => TypeKind::Text,
        "bytea" => TypeKind::Bytes,
        "date" => TypeKind::Date,
        "time" => TypeKind::Time,
        "timestamp" => TypeKind::Timestamp,
        "timestamptz" => TypeKind::TimestampTz,
        "uuid" => TypeKind::Uuid,
        "jsonb" => TypeKind::Json,
        "text[]" => TypeKind::Array(Box::new(sql_type("text"))),
        "user_status" => TypeKind::Enum(vec!["active".to_owned(), "inactive".to_owned()]),
        "any" => TypeKind::Any,
        "inet" => TypeKind::Other,
        other => panic!("no type {other}"),
    };
    SqlType { name: name.to_owned(), kind }
}

/// `users` and `orders`. SQLite has neither enums nor types of their own for most.
pub(in crate::tools) fn catalog(dialect: Dialect) -> Catalog {
    let sqlite = dialect == Dialect::Sqlite;
    let column = |name: &str, ty: &str| {
        let ty = match ty {
            "user_status" | "uuid" | "inet" | "text[]" if sqlite => "text",
            ty => ty,
        };
        let allowed = match name {
            "region" => Some(["us-west", "us-east", "eu", "apac"].map(str::to_owned).to_vec()),
            "status" if sqlite => Some(["active", "inactive"].map(str::to_owned).to_vec()),
            _ => None,
        };
        Column { name: name.to_owned(), ty: sql_type(ty), nullable: name != "id", allowed, comment: None }
    };
    let schema = if sqlite { "main" } else { "public" };
    let table = |name: &str, columns: &[(&str, &str)]| Table {
        id: TableId { schema: schema.to_owned(), name: name.to_owned() },
        kind: TableKind::Table,
        columns: columns.iter().map(|(name, ty)| column(name, ty)).collect(),
        primary_key: vec!["id".to_owned()],
        unique_keys: vec![],
        foreign_keys: vec![],
        comment: None,
    };
    let users = [
        ("id", "bigint"),
        ("name", "text"),
        ("email", "text"),
        ("region", "text"),
        ("status", "user_status"),
        ("age", "integer"),
        ("balance", "numeric"),
        ("score", "double precision"),
        ("active", "boolean"),
        ("born", "date"),
        ("wakes", "time"),
        ("seen", "timestamp"),
        ("created_at", "timestamptz"),
        ("token", "uuid"),
        ("settings", "jsonb"),
        ("photo", "bytea"),
        ("address", "inet"),
        ("tags", "text[]"),
    ];
    let orders = [("id", "bigint"), ("user_id", "bigint"), ("total", "numeric")];
    let tables = vec![table("users", &users), table("orders", &orders)];
    Catalog::new(dialect, schema.to_owned(), "test".to_owned(), tables)
}
