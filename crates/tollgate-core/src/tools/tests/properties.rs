//! What holds for every call: the schema and `bind` accept the same, and nothing panics.

use proptest::prelude::*;
use serde_json::{Map, Value, json, value::RawValue};

use super::fixtures::Case;
use crate::tools::{Plan, decimal::Decimal, pattern::Pattern};

fn every_type() -> (Case, Plan, jsonschema::Validator) {
    let case = Case::parse(include_str!("../../../testdata/tools/every_type.json"));
    let plan = case.plan().unwrap();
    let schema = Value::Object((*plan.listing().input_schema).clone());
    let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap();
    (case, plan, validator)
}

/// Values near what the parameters take, and far from it. Null is left out: for `bind` it is an argument not given.
fn value() -> impl Strategy<Value = Value> {
    let texts = [
        "",
        "a",
        "ab",
        "abc",
        "abcd",
        "abcde",
        "ab1",
        "ab12",
        "aB",
        "ab\n",
        "eu",
        "us-west",
        "apac",
        "EU",
        "2026-01-31",
        "2026-02-30",
        "2024-02-29",
        "2026-01-31T09:30:00Z",
        "2026-01-31T09:30:00",
        "2026-01-31T25:30:00Z",
        "2026-01-31t09:30:00.5+02:00",
        "2026-02-29T09:30:00Z",
        "123e4567-e89b-42d3-a456-426614174000",
        "123E4567-E89B-42D3-A456-426614174000",
        "123e4567e89b42d3a456426614174000",
        "äö",
        "a٣",
        "😀😀",
    ];
    let text = prop::sample::select(texts.map(str::to_owned).to_vec());
    let numbers = [
        json!(0),
        json!(1),
        json!(-5),
        json!(-6),
        json!(100),
        json!(101),
        json!(300),
        json!(0.5),
        json!(0.49),
        json!(1.0),
        json!(2.0),
        json!(50),
        json!(51),
        json!(1e3),
        json!(1000.5),
        json!(1.5),
        json!(-0.0),
    ];
    let number = prop::sample::select(numbers.to_vec());
    let leaf = prop_oneof![
        text.prop_map(Value::String),
        number,
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(Value::from)
    ];
    leaf.prop_recursive(2, 8, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec(("[a-c]", inner), 0..3).prop_map(|pairs| Value::Object(Map::from_iter(pairs))),
        ]
    })
}

/// A good value of each parameter, so that one bad argument does not hide what another would have shown.
fn good(name: &str) -> Value {
    match name {
        "name" => json!("ab"),
        "region" => json!("eu"),
        "age" | "count" => json!(5),
        "score" => json!(300),
        "balance" => json!(0.5),
        "active" => json!(true),
        "born" => json!("2024-02-29"),
        "since" | "until" => json!("2026-01-31T09:30:00Z"),
        "token" => json!("123e4567-e89b-42d3-a456-426614174000"),
        "settings" => json!({"a": [1]}),
        "ids" => json!([1, 2]),
        "regions" => json!(["eu"]),
        other => panic!("no parameter {other}"),
    }
}

#[derive(Clone, Debug)]
enum Given {
    Absent,
    Good,
    Any(Value),
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_schema_accepts_what_bind_accepts(
        given in prop::collection::vec(
            prop_oneof![3 => Just(Given::Absent), 5 => Just(Given::Good), 1 => value().prop_map(Given::Any)],
            14,
        ),
        extra in prop::option::weighted(0.05, value()),
    ) {
        thread_local!(static EVERY: (Case, Plan, jsonschema::Validator) = every_type());
        EVERY.with(|(case, plan, validator)| {
            let mut arguments = Map::new();
            for (param, given) in plan.params().iter().zip(given) {
                let name = param.name().to_string();
                match given {
                    Given::Absent => {}
                    Given::Good => { arguments.insert(name.clone(), good(&name)); }
                    Given::Any(value) => { arguments.insert(name, value); }
                }
            }
            if let Some(extra) = extra {
                arguments.insert("extra".to_owned(), extra);
            }
            let arguments = Value::Object(arguments);
            let bound = case.bind(plan, &arguments.to_string());
            prop_assert_eq!(validator.is_valid(&arguments), bound.is_ok(), "{} {:?}", arguments, bound.err());
            Ok(())
        })?;
    }

    #[test]
    fn decimals_agree_with_integers(a in any::<i64>(), b in any::<i64>(), zeros in 0_usize..5, point in 0_u32..4) {
        let scaled = |number: i64| format!("{}.{}e{}", number, "0".repeat(zeros + 1), point);
        let (left, right) = (Decimal::parse(&scaled(a)).unwrap(), Decimal::parse(&scaled(b)).unwrap());
        prop_assert_eq!(left.cmp(&right), a.cmp(&b));
        prop_assert_eq!(left.to_integer(), a.checked_mul(10_i64.pow(point)));
        prop_assert_eq!(Decimal::parse(&a.to_string()).unwrap().to_integer(), Some(a));
    }

    #[test]
    fn no_text_panics(text in prop_oneof![
        any::<String>(),
        "[\\[\\]{}\":,0-9a-z\\\\ue. -]{0,64}",
        value().prop_map(|value| json!({"name": value, "ids": value, "settings": value}).to_string()),
    ]) {
        thread_local!(static EVERY: (Case, Plan, jsonschema::Validator) = every_type());
        if let Ok(raw) = RawValue::from_string(text) {
            EVERY.with(|(case, plan, _)| {
                let _ = case.bind_as(plan, &raw, &case.caller()).map_err(|error| error.to_agent());
                let _ = plan.summarise(Some(&raw));
            });
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        thread_local!(static EVERY: (Case, Plan, jsonschema::Validator) = every_type());
        // What is not UTF-8 never becomes a text: the protocol refuses it. The rest goes on.
        if let Ok(Ok(raw)) = String::from_utf8(bytes).map(RawValue::from_string) {
            EVERY.with(|(case, plan, _)| { let _ = case.bind_as(plan, &raw, &case.caller()); });
        }
    }

    #[test]
    fn echoes_are_short_and_visible(text in any::<String>()) {
        let echo = crate::tools::arguments::echo(&text);
        let hidden = |c: char| {
            c.is_control() || matches!(c, '`' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        };
        prop_assert!(!echo.chars().any(hidden));
        prop_assert!(echo.chars().count() <= 65 * 10);
    }
}

proptest! {
    // Each case compiles two patterns, which is slow in a debug build.
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// A pattern means to us what it means to a client that reads it from the schema.
    #[test]
    fn patterns_mean_what_the_schema_means(
        pattern in prop::sample::select(vec![
            "[a-z]+", "\\d{2,3}", "\\w*", "\\s", ".", "a|bc", "[^a]", "[\\d\\-]+", "(?:ab)?c", "\\D\\W", "^a", "a$", "[\\w.]+@\\w+", "\\.\\/",
        ]),
        text in "[abc09_ .@/\\-\t\n\r٣ä\u{2028}\u{a0}😀]{0,4}",
    ) {
        // The oracle's `.` matches line ends other than `\n`, which ECMAScript's does not.
        prop_assume!(pattern != "." || !text.contains(['\r', '\u{2028}']));
        let ours = Pattern::compile(pattern).unwrap();
        let schema = json!({"type": "string", "pattern": ours.anchored()});
        let theirs = jsonschema::draft202012::new(&schema).unwrap();
        prop_assert_eq!(ours.matches(&text), theirs.is_valid(&json!(text)), "{} {:?}", pattern, text);
    }
}
