//! Single values: what each type takes from its JSON text, exactly, and what it refuses.

use std::cmp::Ordering;

use serde_json::{json, value::RawValue};

use crate::{
    names::{Dialect, Value},
    tools::{arguments, decimal::Decimal, declare::ParamDeclaration, param::Param},
};

fn param(json: serde_json::Value) -> Param {
    let mut json = json;
    json["name"] = json!("x");
    let written: ParamDeclaration = serde_json::from_value(json).unwrap();
    let mut errors = Vec::new();
    let param = Param::declare(&written, Dialect::Postgres, "params.x", &mut errors);
    assert!(errors.is_empty(), "{errors:?}");
    param.unwrap()
}

fn read(param: &Param, json: &str) -> Result<Value, String> {
    let raw = RawValue::from_string(json.to_owned()).unwrap();
    param.read(&raw, Dialect::Postgres).map_err(|error| error.to_string())
}

#[test]
fn integers_are_exact() {
    let integer = param(json!({"type": "integer"}));
    let fine = [
        ("0", 0),
        ("-0", 0),
        ("-0.0", 0),
        ("1.0", 1),
        ("1e2", 100),
        ("1.50e1", 15),
        ("12300e-2", 123),
        ("9007199254740993", 9_007_199_254_740_993),
        ("9223372036854775807", i64::MAX),
        ("-9223372036854775808", i64::MIN),
        ("922337203685477580.7e1", i64::MAX),
        ("0e400", 0),
    ];
    for (json, expected) in fine {
        assert_eq!(read(&integer, json), Ok(Value::Integer(expected)), "{json}");
    }
    for json in ["1.5", "1e-1", "\"1\"", "true", "[1]", "{}", "null", "1e999", "1e99999999999"] {
        assert!(read(&integer, json).is_err(), "{json}");
    }
    let range = "`x` must be an integer from -9223372036854775808 to 9223372036854775807, not `9223372036854775808`";
    assert_eq!(read(&integer, "9223372036854775808"), Err(range.to_owned()));
    assert!(read(&integer, "-9223372036854775809").is_err());
    assert!(read(&integer, "1e19").is_err());
}

#[test]
fn numbers_keep_their_text() {
    let number = param(json!({"type": "number", "minimum": -1000, "maximum": 1000.5}));
    for json in ["0.1", "-12.50", "1e2", "1E+2", "1000.5", "1000.50", "-1000", "0.30000000000000004"] {
        assert_eq!(read(&number, json), Ok(Value::Number(json.to_owned())), "{json}");
    }
    assert!(read(&number, &"1".repeat(1_000_000)).is_err());
    for json in ["1000.51", "-1000.0000000001", "1e4", "\"1\"", "1e-401"] {
        assert!(read(&number, json).is_err(), "{json}");
    }
    let digits = "9".repeat(101);
    assert!(read(&param(json!({"type": "number"})), &digits).is_err());
}

#[test]
fn decimals_compare_by_value() {
    let ascending = [
        "-1e3", "-999.9", "-1", "-0.001", "0", "1e-400", "0.001", "0.0011", "0.002", "1", "1.5", "10", "1e2", "1.01e2",
    ];
    for (i, left) in ascending.iter().enumerate() {
        for (j, right) in ascending.iter().enumerate() {
            let (a, b) = (Decimal::parse(left).unwrap(), Decimal::parse(right).unwrap());
            assert_eq!(a.cmp(&b), i.cmp(&j), "{left} {right}");
        }
    }
    for (left, right) in [("1", "1.0"), ("100", "1e2"), ("0", "-0.000"), ("1.50", "15e-1")] {
        let (a, b) = (Decimal::parse(left).unwrap(), Decimal::parse(right).unwrap());
        assert_eq!(a.cmp(&b), Ordering::Equal);
        assert_eq!(a.canonical(), b.canonical());
    }
    for text in ["", "-", ".5", "1.", "01", "+1", "1e", "1e+", "0x1", "1_0", "NaN", "Infinity", " 1", "٣"] {
        assert!(Decimal::parse(text).is_none(), "{text}");
    }
}

#[test]
fn strings_are_counted_in_characters_and_bounded_in_bytes() {
    let short = param(json!({"type": "string", "min_length": 1, "max_length": 3}));
    assert_eq!(read(&short, "\"äöü\""), Ok(Value::Text("äöü".to_owned())));
    assert_eq!(read(&short, r#""\ud83d\ude00""#), Ok(Value::Text("😀".to_owned())));
    for json in ["\"\"", "\"abcd\"", "5", r#""\ud83d""#, r#""a\u0000""#, "[]"] {
        assert!(read(&short, json).is_err(), "{json}");
    }
    let any = param(json!({"type": "string"}));
    assert!(read(&any, &format!("\"{}\"", "a".repeat(65_536))).is_ok());
    assert!(read(&any, &format!("\"{}\"", "a".repeat(65_537))).is_err());
}

#[test]
fn patterns_match_the_whole_value() {
    let code = param(json!({"type": "string", "pattern": "[a-z]{2}|\\d+"}));
    for json in ["\"ab\"", "\"123\""] {
        assert!(read(&code, json).is_ok(), "{json}");
    }
    for json in ["\"abc\"", "\"ab\\n\"", "\"xab\"", "\"12a\"", "\"\"", "\"٣\""] {
        assert!(read(&code, json).is_err(), "{json}");
    }
    let dot = param(json!({"type": "string", "pattern": "."}));
    for json in ["\"\\n\"", "\"\\r\"", "\"\\u2028\""] {
        assert!(read(&dot, json).is_err(), "{json}");
    }
}

#[test]
fn dates_exist() {
    let date = param(json!({"type": "date"}));
    for text in ["2026-01-31", "2024-02-29", "0001-01-01", "9999-12-31"] {
        assert_eq!(read(&date, &format!("\"{text}\"")), Ok(Value::Text(text.to_owned())));
    }
    for text in [
        "2026-02-29",
        "2026-00-01",
        "0000-00-00",
        "0000-01-01",
        "2026-1-1",
        "26-01-01",
        "2026-01-31T00:00:00Z",
        "today",
        "infinity",
        "٢٠٢٦-01-01",
    ] {
        assert!(read(&date, &format!("\"{text}\"")).is_err(), "{text}");
    }
}

#[test]
fn timestamps_have_an_offset_and_become_utc() {
    let timestamp = param(json!({"type": "timestamp"}));
    let cases = [
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00Z", "2026-01-31 09:30:00"),
        ("2026-01-31t09:30:00z", "2026-01-31T09:30:00Z", "2026-01-31 09:30:00"),
        ("2026-01-31T09:30:00.120+02:00", "2026-01-31T07:30:00.12Z", "2026-01-31 07:30:00.12"),
        ("2026-01-01T00:30:00+05:30", "2025-12-31T19:00:00Z", "2025-12-31 19:00:00"),
        ("2026-12-31T23:30:00-01:00", "2027-01-01T00:30:00Z", "2027-01-01 00:30:00"),
        ("2026-01-31T09:30:00.000Z", "2026-01-31T09:30:00Z", "2026-01-31 09:30:00"),
        ("2026-01-31T09:30:00.123456789Z", "2026-01-31T09:30:00.123456789Z", "2026-01-31 09:30:00.123456789"),
    ];
    for (text, postgres, sqlite) in cases {
        let raw = RawValue::from_string(format!("\"{text}\"")).unwrap();
        assert_eq!(timestamp.read(&raw, Dialect::Postgres), Ok(Value::Text(postgres.to_owned())));
        assert_eq!(timestamp.read(&raw, Dialect::Sqlite), Ok(Value::Text(sqlite.to_owned())));
    }
    let refused = [
        "2026-01-31T09:30:00",
        "2026-01-31 09:30:00Z",
        "2026-01-31",
        "2026-02-30T00:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T09:60:00Z",
        "2026-01-31T09:30:60Z",
        "2026-01-31T09:30Z",
        "2026-01-31T09:30:00.Z",
        "2026-01-31T09:30:00.1234567890Z",
        "2026-01-31T09:30:00+24:00",
        "2026-01-31T09:30:00+0200",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2026-01-31T09:30:00Z ",
        "ä026-01-31T09:30:00Z",
    ];
    for text in refused {
        assert!(read(&timestamp, &format!("\"{text}\"")).is_err(), "{text}");
    }
}

#[test]
fn uuids_are_canonical() {
    let uuid = param(json!({"type": "uuid"}));
    let lower = "123e4567-e89b-42d3-a456-426614174000";
    assert_eq!(read(&uuid, &format!("\"{}\"", lower.to_uppercase())), Ok(Value::Text(lower.to_owned())));
    for text in [
        "123e4567e89b42d3a456426614174000",
        "{123e4567-e89b-42d3-a456-426614174000}",
        "123e4567-e89b-42d3-a456-42661417400g",
        "",
    ] {
        assert!(read(&uuid, &format!("\"{text}\"")).is_err(), "{text}");
    }
}

#[test]
fn documents_are_checked_and_kept() {
    let document = param(json!({"type": "json"}));
    let kept = r#"{"a":[1,2.50,1e400,"x \" y"],"b":{"c":true,"d":null}}"#;
    let written = "{ \"a\" : [1, 2.50,\n1e400, \"x \\\" y\"], \"b\": {\"c\": true, \"d\": null} }";
    assert_eq!(read(&document, written), Ok(Value::Json(kept.to_owned())));
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(&document, &deep(64)).is_ok());
    assert!(read(&document, &deep(65)).is_err());
    assert!(read(&document, &deep(10_000)).is_err());
    for json in ["null", r#"{"a":1,"a":2}"#, r#"["\u0000"]"#, r#"{"\u0000":1}"#, r#"["\ud800"]"#, r#"{"\udc00":1}"#] {
        assert!(read(&document, json).is_err(), "{json}");
    }
    assert!(read(&document, &format!("\"{}\"", "a".repeat(65_536))).is_err());
}

#[test]
fn arrays_are_bounded_before_they_are_built() {
    let array = param(json!({"type": "array", "items": {"type": "integer", "minimum": 0}, "max_items": 3}));
    assert_eq!(read(&array, "[]"), Ok(Value::Array(vec![])));
    assert_eq!(read(&array, "[1,2.0]"), Ok(Value::Array(vec![Value::Integer(1), Value::Integer(2)])));
    assert_eq!(read(&array, "[1,2,3,4]"), Err("`x` must be an array of at most 3 integers".to_owned()));
    assert_eq!(read(&array, "[1,-2]"), Err("`x[1]` must be an integer of at least 0, not `-2`".to_owned()));
    assert_eq!(read(&array, "[1,null]"), Err("`x[1]` must be an integer of at least 0, not `null`".to_owned()));
    assert_eq!(read(&array, "[[1]]"), Err("`x[0]` must be an integer of at least 0, not an array".to_owned()));
    assert_eq!(read(&array, "1"), Err("`x` must be an array of at most 3 integers, not `1`".to_owned()));
    let million = format!("[{}1]", "1,".repeat(1_000_000));
    let million = RawValue::from_string(million).unwrap();
    assert!(array.read(&million, Dialect::Postgres).is_err());
    // The fourth item ends the reading: nothing is built of the rest.
    assert!(arguments::array(&million, 3).is_none());
}

#[test]
fn refusals_quote_little_and_nothing_of_what_is_sensitive() {
    let text = param(json!({"type": "string", "enum": ["eu", "us"]}));
    assert_eq!(read(&text, "\"EU\""), Err("`x` must be one of `eu`, `us`, not `EU`".to_owned()));
    let long = read(&text, &format!("\"{}\"", "secret ".repeat(100))).unwrap_err();
    assert!(long.chars().count() < 120, "{long}");
    let hostile = read(&text, r#""`\u202e\u200b\n\u001b[31m\u0000""#).unwrap_err();
    assert_eq!(hostile, r"`x` must not hold the character U+0000, not `\u{60}\u{202e}\u{200b}\u{a}\u{1b}[31m\u{0}`");
    let dashed = param(json!({"type": "string", "enum": ["a–b", "c€"]}));
    assert_eq!(read(&dashed, "\"\u{3164}\""), Err("`x` must be one of `a–b`, `c€`, not `\\u{3164}`".to_owned()));
    let sensitive = param(json!({"type": "string", "max_length": 2, "sensitive": true}));
    assert_eq!(read(&sensitive, "\"123-45\""), Err("`x` must be a string of at most 2 characters".to_owned()));
    let many = param(json!({"type": "integer", "enum": (0..30).collect::<Vec<i32>>()}));
    assert_eq!(
        read(&many, "99"),
        Err("`x` must be one of the 30 values that the tool's input schema lists, not `99`".to_owned())
    );
}
