//! Values into SQLite and back, exactly.

use super::*;

const ONE_OF_EACH: &str = "
CREATE TABLE t (n INTEGER, r REAL, s TEXT, b BLOB, d DECIMAL(10,2), y BOOLEAN, j JSON, at DATETIME, x);
INSERT INTO t VALUES (9007199254740993, 1e999, 'é', x'00ff', 12.5, 1, '{\"a\": [1, 2.50]}', '2026-01-31 12:00:00', 3);
INSERT INTO t VALUES ('text', 'text', 5, 'text', 'text', 'yes', '{', 1767225600, x'ff');
INSERT INTO t VALUES (1.5, 2, 2.5, 7, 9007199254740993, 2.5, 7, 0.5, 1.0);
INSERT INTO t VALUES (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO t VALUES (0, 0, CAST(x'61ff62' AS TEXT), x'', '', 0, '[]', '', char(0, 10, 8203));
";

#[tokio::test]
async fn what_comes_out_is_of_the_declared_type_or_a_string() {
    let fixture = Fixture::new(ONE_OF_EACH);
    let all = ["n", "r", "s", "b", "d", "y", "j", "at", "x"].map(|column| ("t", column));
    let rows = fixture.run("SELECT n, r, s, b, d, y, j, at, x FROM main.t", &footprint(&all, &[], &[]), &[]).await;
    let expected = [
        r#"{"a":"9007199254740993","b":"Infinity","c":"é","d":"AP8=","e":12.5,"f":true,"g":{"a": [1, 2.50]},"h":"2026-01-31 12:00:00","i":3}"#,
        r#"{"a":"text","b":"text","c":"5","d":"dGV4dA==","e":"text","f":"yes","g":"{","h":"1767225600","i":"/w=="}"#,
        r#"{"a":"1.5","b":2.0,"c":"2.5","d":"7","e":"9007199254740993","f":"2.5","g":7,"h":"0.5","i":1.0}"#,
        r#"{"a":null,"b":null,"c":null,"d":null,"e":null,"f":null,"g":null,"h":null,"i":null}"#,
        "{\"a\":0,\"b\":0.0,\"c\":\"a\u{fffd}b\",\"d\":\"\",\"e\":\"\",\"f\":false,\"g\":[],\"h\":\"\",\"i\":\"\\u0000\\n\\u200b\"}",
    ];
    assert_eq!(json(&rows.unwrap()), format!("[{}]", expected.join(",")));
}

#[tokio::test]
async fn what_goes_in_comes_back() {
    let fixture = Fixture::new(ONE_OF_EACH);
    let nothing = footprint(&[], &["typeof"], &[]);
    let text = |text: &str| Value::Text(text.to_owned());
    let number = |text: &str| Value::Number(text.to_owned());
    for (value, class, expected) in [
        (Value::Null, "null", "null"),
        (Value::Bool(true), "integer", "1"),
        (Value::Integer(i64::MIN), "integer", "\"-9223372036854775808\""),
        (Value::Integer(9_007_199_254_740_993), "integer", "\"9007199254740993\""),
        (number("9007199254740993"), "integer", "\"9007199254740993\""),
        (number("12.00"), "integer", "12"),
        (number("1e3"), "integer", "1000"),
        (number("-0.5"), "real", "-0.5"),
        (number("9223372036854775808"), "real", "9.223372036854776e18"),
        (text(""), "text", "\"\""),
        (text("'; DROP TABLE t; --"), "text", "\"'; DROP TABLE t; --\""),
        (text("é\u{1f600}"), "text", "\"é\u{1f600}\""),
        (Value::Json("{\"a\":1}".to_owned()), "text", "\"{\\\"a\\\":1}\""),
        (Value::Array(vec![text("a\"b"), number("1.5"), Value::Integer(2)]), "text", "\"[\\\"a\\\\\\\"b\\\",1.5,2]\""),
    ] {
        let rows = fixture.run("SELECT ?1, typeof(?1)", &nothing, std::slice::from_ref(&value)).await.unwrap();
        assert_eq!(json(&rows), format!(r#"[{{"a":{expected},"b":"{class}"}}]"#), "{value:?}");
    }
}

#[tokio::test]
async fn what_sqlite_cannot_hold_exactly_is_refused_as_data() {
    let fixture = Fixture::new(ONE_OF_EACH);
    let nothing = Footprint::default();
    for value in [
        Value::Text("a\0b".to_owned()),
        Value::Json("\0".to_owned()),
        Value::Array(vec![Value::Text("\0".to_owned())]),
        Value::Array(vec![Value::Array(vec![])]),
        Value::Number("1e999".to_owned()),
        Value::Number("NaN".to_owned()),
        Value::Number("infinity".to_owned()),
        Value::Number(String::new()),
    ] {
        let refused = fixture.run("SELECT ?1", &nothing, std::slice::from_ref(&value)).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Data, "{value:?}");
    }
}

#[tokio::test]
async fn lists_keep_their_kinds() {
    let fixture = Fixture::new(ONE_OF_EACH);
    let list = footprint(&[("t", "n"), ("t", "s"), ("t", "x")], &["json_each", "count"], &[]);
    for (text, items, expected) in [
        (
            "SELECT count(*) FROM main.t WHERE n IN (SELECT value FROM json_each(?1))",
            vec![Value::Integer(9_007_199_254_740_993)],
            1,
        ),
        (
            "SELECT count(*) FROM main.t WHERE n IN (SELECT value FROM json_each(?1))",
            vec![Value::Integer(9_007_199_254_740_992)],
            0,
        ),
        ("SELECT count(*) FROM main.t WHERE n IN (SELECT value FROM json_each(?1))", vec![], 0),
        (
            "SELECT count(*) FROM main.t WHERE s IN (SELECT value FROM json_each(?1))",
            vec![Value::Text("é".to_owned())],
            1,
        ),
        (
            "SELECT count(*) FROM main.t WHERE x IN (SELECT value FROM json_each(?1))",
            vec![Value::Bool(true), Value::Number("3.0".to_owned())],
            2,
        ),
    ] {
        let rows = fixture.run(text, &list, &[Value::Array(items)]).await.unwrap();
        assert_eq!(json(&rows), format!(r#"[{{"a":{expected}}}]"#), "{text}");
    }
}

#[tokio::test]
async fn errors_over_data_say_nothing_of_it() {
    let fixture = Fixture::new(ONE_OF_EACH);
    let footprint = footprint(&[("t", "s"), ("t", "n")], &["abs", "sum", "json_extract", "like"], &[]);
    for text in [
        "SELECT abs(-9223372036854775807 - 1)",
        "SELECT sum(x) FROM (SELECT 9223372036854775807 AS x UNION ALL SELECT 9223372036854775807)",
        "SELECT json_extract(s, '$.a') FROM main.t WHERE s = 'é'",
        "SELECT s LIKE 'a' ESCAPE 'xx' FROM main.t",
    ] {
        let error = fixture.run(text, &footprint, &[]).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Data, "`{text}`: {error} {:?}", error.source);
        assert!(error.database_code.is_some());
    }
}
