//! Pages and the cursors between them.

use std::collections::BTreeSet;

use serde_json::{json, value::RawValue};

use super::fixtures::{Case, PlainSeal, caller};
use crate::{
    names::{AgentId, ClaimValue, Claims, Origin, Principal, Value},
    tools::{BindError, BoundPage, Call, Plan, bind::bind_plan, cursor::Paging},
};

fn case(sql: &str) -> Case {
    let case = json!({
        "about": "", "dialect": "postgres", "role_rows_max": 10, "filter": "region = :claims.region", "claims": {"region": "eu"},
        "tool": {"name": "t", "description": "d", "database": "shop", "sql": sql, "params": [
            {"name": "n", "type": "number", "default": 1.0},
            {"name": "age", "type": "integer", "required": false}
        ]}
    });
    Case::parse(&case.to_string())
}

const ORDERED: &str = "SELECT id FROM users WHERE balance > :n [[ AND age = :age ]] ORDER BY id";

fn slots(page: &BoundPage) -> (i64, i64) {
    (page.limit_value, page.offset_value)
}

#[test]
fn pages_clamp_and_continue() {
    let page = |limit, offset, start| BoundPage::new(limit, offset, start, 10, Paging::Offset, Some([0; 32])).unwrap();
    let next = |page: &BoundPage, delivered| {
        let sealed = page.next_cursor(delivered, None, &PlainSeal).unwrap()?;
        Some(sealed.split_once('@').unwrap().0.trim_matches(['[', ']']).parse::<u64>().unwrap())
    };
    // No bounds of its own: one row more than may be delivered.
    assert_eq!(slots(&page(None, None, 0)), (11, 0));
    assert_eq!(next(&page(None, None, 0), 10), Some(10));
    assert_eq!(slots(&page(None, None, 10)), (11, 10));
    assert_eq!(next(&page(None, None, 10), 7), Some(17));
    // Its own LIMIT counts over all pages.
    assert_eq!(slots(&page(Some(15), Some(100), 0)), (11, 100));
    assert_eq!(slots(&page(Some(15), Some(100), 10)), (5, 110));
    assert_eq!(next(&page(Some(15), None, 10), 5), None);
    assert_eq!(next(&page(Some(15), None, 10), 4), Some(14));
    assert_eq!(slots(&page(Some(15), None, 20)), (0, 20));
    assert_eq!(slots(&page(Some(0), None, 0)), (0, 0));
    // A first row that does not fit cannot be passed by asking again.
    assert_eq!(next(&page(None, None, 0), 0), None);
    // Past what an engine takes.
    assert!(BoundPage::new(None, Some(u64::MAX), 1, 10, Paging::Offset, None).is_none());
    assert!(BoundPage::new(None, Some(i64::MAX as u64), 1, 10, Paging::Offset, None).is_none());
    assert_eq!(
        BoundPage::new(None, None, 0, 10, Paging::Offset, None).unwrap().next_cursor(10, None, &PlainSeal).unwrap(),
        None
    );
    assert_eq!(
        slots(&BoundPage::new(Some(u64::MAX), None, 0, u32::MAX, Paging::Offset, None).unwrap()).0,
        i64::from(u32::MAX) + 1
    );
}

#[test]
fn a_cursor_continues_the_same_call() {
    let case = case(ORDERED);
    let plan = case.plan().unwrap();
    let first = case.bind(&plan, "{}").unwrap();
    assert_eq!(first.rows_max, 10);
    let cursor = first.page.next_cursor(10, None, &PlainSeal).unwrap().unwrap();
    for same in ["{}", r#"{"n": 1}"#, r#"{"n": 1.00, "age": null}"#] {
        let arguments = same.replacen('{', &format!("{{\"cursor\": \"{cursor}\","), 1).replace(",}", "}");
        let second = case.bind(&plan, &arguments).unwrap();
        assert_eq!(second.page.start(), 10);
        assert_eq!(second.values.last(), Some(&Value::Integer(10)));
    }
    for other in [r#"{"n": 2}"#, r#"{"age": 5}"#] {
        let arguments = other.replacen('{', &format!("{{\"cursor\": \"{cursor}\","), 1);
        assert_eq!(case.bind(&plan, &arguments).unwrap_err(), BindError::Cursor);
    }
}

#[test]
fn an_unordered_statement_has_no_cursor() {
    let case = case("SELECT id FROM users WHERE balance > :n [[ AND age = :age ]]");
    let plan = case.plan().unwrap();
    assert!(!plan.listing().input_schema["properties"].as_object().unwrap().contains_key("cursor"));
    assert_eq!(case.bind(&plan, "{}").unwrap().page.next_cursor(10, None, &PlainSeal).unwrap(), None);
    let refusal = case.bind(&plan, r#"{"cursor": "10@00"}"#).unwrap_err().to_agent();
    assert!(refusal.message.starts_with("there is no argument `cursor`"), "{refusal}");
}

fn sealed(plan: &Plan, caller: &Principal, policy_hash: [u8; 32], arguments: &str) -> String {
    let arguments = RawValue::from_string(arguments.to_owned()).unwrap();
    let call = Call {
        caller,
        arguments: Some(&arguments),
        call_id: "any",
        today: jiff::civil::date(2026, 1, 31),
        cursors: &PlainSeal,
        policy_hash: &policy_hash,
    };
    bind_plan(plan, &call).unwrap().page.next_cursor(10, None, &PlainSeal).unwrap().unwrap()
}

fn text(text: &str) -> ClaimValue {
    ClaimValue::Text(text.to_owned())
}

/// Every field of the binding, changed alone, changes the binding.
#[test]
fn a_cursor_is_bound_to_everything() {
    let base = case(ORDERED);
    let plan = base.plan().unwrap();
    let by = |caller: &Principal| sealed(&plan, caller, [7; 32], "{}");
    let mut all = vec![
        by(&base.caller()),
        sealed(&plan, &base.caller(), [8; 32], "{}"),
        sealed(&plan, &base.caller(), [7; 32], r#"{"n": 2}"#),
        sealed(&plan, &base.caller(), [7; 32], r#"{"age": 2}"#),
    ];
    let claims = |more: Option<ClaimValue>| -> Claims {
        let region = ("region".parse().unwrap(), text("eu"));
        std::iter::once(region).chain(more.map(|value| ("x".parse().unwrap(), value))).collect()
    };
    all.push(by(&caller("support-us", claims(None))));
    for more in [
        ClaimValue::Bool(true),
        ClaimValue::Integer(1),
        text("ab"),
        ClaimValue::List(vec![text("a"), text("b")]),
        ClaimValue::List(vec![text("ab")]),
    ] {
        all.push(by(&caller("support-eu", claims(Some(more)))));
    }
    let local = |user: &str| Origin::Local { os_user: user.to_owned() };
    for (origin, role) in [(Origin::Key, "analyst"), (local("jo"), "support"), (local("al"), "support")] {
        let agent = AgentId::new("support-eu".parse().unwrap(), origin);
        all.push(by(&Principal::new(agent, role.parse().unwrap(), claims(None))));
    }
    let changes: [fn(&mut Case); 4] = [
        |case| case.tool.name = "u".parse().unwrap(),
        |case| case.tool.database = "mart".parse().unwrap(),
        |case| case.tool.description = "another version".to_owned(),
        |case| case.filter = Some("region = :claims.region AND id > 0".to_owned()),
    ];
    for change in changes {
        let mut other = case(ORDERED);
        change(&mut other);
        all.push(sealed(&other.plan().unwrap(), &base.caller(), [7; 32], "{}"));
    }
    let different: BTreeSet<&String> = all.iter().collect();
    assert_eq!(different.len(), all.len());
}
