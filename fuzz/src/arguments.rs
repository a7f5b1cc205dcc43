//! A call's arguments: refused, or a value for every slot.

use std::{collections::BTreeSet, sync::Arc, thread_local};

use serde_json::value::RawValue;
use tollgate_core::{
    catalog::{SqlType, TypeKind},
    names::{AgentId, Claims, Dialect, Origin, Presentation, Principal},
    policy::Grants,
    sql::Described,
    tools::{
        Bound, Call, Callable, CompileRequest, ConstraintDeclaration, CursorSeal, Declaration, ParamDeclaration,
        ParamType, Plan, Tool, bind,
    },
};

use crate::shop;

/// The parameters, of every type that SQLite's columns can be compared with.
const PARAMS: [(&str, ParamType); 9] = [
    ("name", ParamType::String),
    ("region", ParamType::String),
    ("age", ParamType::Integer),
    ("score", ParamType::Number),
    ("active", ParamType::Boolean),
    ("born", ParamType::Date),
    ("since", ParamType::Timestamp),
    ("token", ParamType::Uuid),
    ("count", ParamType::Integer),
];
const SQL: &str = "SELECT id FROM users WHERE name LIKE :name [[ AND region = :region ]] [[ AND id > :age ]] [[ AND score > :score ]] \
    [[ AND active = :active ]] [[ AND born = :born ]] [[ AND created_at > :since ]] [[ AND email = :token ]] ORDER BY id LIMIT :count";

fn declaration() -> Option<Declaration> {
    let param = |(name, ty): (&str, ParamType)| {
        let constraints = ConstraintDeclaration {
            ty,
            allowed: None,
            minimum: None,
            maximum: None,
            min_length: None,
            max_length: (name == "name").then_some(20),
            pattern: (name == "region").then(|| "[a-z]+\\d?".to_owned()),
        };
        Some(ParamDeclaration {
            name: name.parse().ok()?,
            constraints,
            items: None,
            max_items: None,
            default: None,
            required: Some(matches!(name, "name" | "count")),
            description: None,
            sensitive: false,
        })
    };
    Some(Declaration {
        name: "every_type".parse().ok()?,
        title: None,
        description: "Every type.".to_owned(),
        database: "shop".parse().ok()?,
        params: PARAMS.into_iter().map(param).collect::<Option<_>>()?,
        sql: SQL.to_owned(),
        rows_max: None,
        page: None,
        definer: None,
        result: None,
        fence: None,
        deprecated: None,
    })
}

thread_local! {
    static GRANTS: Grants<Callable> = shop::with(Dialect::Sqlite, grants);
}

fn grants(shop: &shop::Shop) -> Grants<Callable> {
    let Some(declared) = declaration() else { panic!("a name is none") };
    let tool = Arc::new(Tool::declare(&declared, Dialect::Sqlite).unwrap_or_else(|errors| panic!("{errors:?}")));
    let request = CompileRequest {
        tool: &tool,
        catalog: &shop.catalog,
        restrictions: shop.role.restrictions(),
        rows_max: None,
        presentation: Presentation::default(),
        granted: &BTreeSet::new(),
        sensitive: &BTreeSet::new(),
    };
    let draft = Plan::compile(&request).unwrap_or_else(|errors| panic!("{errors:?}"));
    let any = || SqlType { name: "any".to_owned(), kind: TypeKind::Any };
    let described: Vec<Described> = draft
        .statements()
        .map(|statement| Described {
            params: vec![None; statement.slots().len()],
            columns: statement
                .columns()
                .iter()
                .map(|column| (column.name.clone(), column.ty.clone().unwrap_or_else(any)))
                .collect(),
        })
        .collect();
    let plan = draft.verify(&described, &shop.catalog).unwrap_or_else(|errors| panic!("{errors:?}"));
    Grants::new([(tool.name().clone(), Callable::Tool(Arc::new(plan)))])
}

/// No cursor is ever taken.
struct NoSeal;

impl CursorSeal for NoSeal {
    fn seal(&self, _: &[u8], _: &[u8; 32]) -> Option<String> {
        None
    }

    fn open(&self, _: &str, _: &[u8; 32]) -> Option<Vec<u8>> {
        None
    }
}

/// Tool arguments.
pub fn arguments(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(raw) = RawValue::from_string(text.to_owned()) else { return };
    let claims: Claims = serde_json::from_str(r#"{"org": 7}"#).unwrap_or_else(|error| panic!("{error}"));
    let (Ok(agent), Ok(role)) = ("agent".parse(), "support".parse()) else { return };
    let caller = Principal::new(AgentId::new(agent, Origin::Key), role, claims);
    let Ok(today) = "2026-01-31".parse() else { return };
    let call =
        Call { caller: &caller, arguments: Some(&raw), call_id: "01J", today, cursors: &NoSeal, policy_hash: &[7; 32] };
    GRANTS.with(|grants| {
        let Some(tool) = grants.authorize("every_type") else { panic!("the tool is gone") };
        match bind(&tool, &call) {
            Ok(Bound::Call(bound)) => assert_eq!(bound.values.len(), bound.statement.slots().len(), "{text}"),
            Ok(Bound::Answer(_)) => panic!("an answer without a statement: {text}"),
            Err(error) => {
                let told = error.to_agent().to_string();
                assert!(told.len() < 16_384, "a refusal of {} bytes for {text}", told.len());
            }
        }
    });
}
