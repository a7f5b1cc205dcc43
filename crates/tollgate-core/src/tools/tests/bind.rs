//! Whole calls: `testdata/tools/bind/`. A snapshot shows the statements of the tool, then each call's values or refusal.

use std::fmt::Write as _;

use super::{
    declare::line,
    each_case,
    fixtures::{Case, shown},
};
use crate::tools::BoundCall;

#[test]
fn calls() {
    each_case("bind", |case| {
        let case = Case::parse(case);
        let mut said = format!("{}\n\n", case.about);
        let plan = match case.plan() {
            Ok(plan) => plan,
            Err(errors) => return said + &errors.iter().map(line).collect::<Vec<_>>().join("\n"),
        };
        for (kept, statement) in plan.statements() {
            let text: String = statement.text().split_whitespace().collect::<Vec<_>>().join(" ");
            writeln!(said, "{kept:b}: {text}").unwrap();
        }
        for call in &case.calls {
            let shown_call: String = call.get().chars().take(200).collect();
            let outcome = match case.bind(&plan, call.get()) {
                Ok(bound) => bound_text(&plan, &bound),
                Err(error) => format!("  {}", error.to_agent()),
            };
            let summary = plan.summarise(Some(call));
            let summary: Vec<String> = summary
                .iter()
                .map(|entry| {
                    let value = if entry.sensitive { "(hashed)" } else { entry.value.get() };
                    format!("{}={value}", entry.name)
                })
                .collect();
            write!(said, "\n{shown_call}\n{outcome}\n  logged: {}\n", summary.join(", ")).unwrap();
        }
        said
    });
}

fn bound_text(plan: &crate::tools::Plan, bound: &BoundCall) -> String {
    let kept = plan.statements().find(|(_, statement)| std::sync::Arc::ptr_eq(statement, &bound.statement)).unwrap().0;
    assert_eq!(bound.values.len(), bound.statement.slots().len());
    let slots = bound.statement.slots().iter().zip(&bound.values);
    let values: Vec<String> = slots.map(|(slot, value)| format!("{:?} = {}", slot.slot, shown(value))).collect();
    format!("  {kept:b}: {}", values.join("\n     "))
}

#[test]
fn arguments_that_are_no_object_are_refused() {
    let case = Case::parse(include_str!("../../../testdata/tools/bind/users_by_region.json"));
    let plan = case.plan().unwrap();
    for arguments in ["[]", "1", "\"x\"", "true", r#"{"\ud800": 1}"#] {
        let refusal = case.bind(&plan, arguments).unwrap_err().to_agent();
        assert_eq!(refusal.to_string(), "TG310: the arguments must be one JSON object", "{arguments}");
        assert!(
            plan.summarise(Some(&serde_json::value::RawValue::from_string(arguments.to_owned()).unwrap())).is_empty()
        );
    }
    let many: Vec<String> = (0..1000).map(|n| format!("\"a{n}\":1")).collect();
    let refusal = case.bind(&plan, &format!("{{{}}}", many.join(","))).unwrap_err().to_agent();
    assert_eq!(refusal.to_string(), "TG312: there are more than 256 arguments");
}
