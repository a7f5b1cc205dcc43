//! What a test says of a reply.

use tollgate_core::names::{Code, Refusal};

use super::*;
use crate::config::scalar::JsonText;

fn rows(json: &str) -> CallReply {
    let json = RawValue::from_string(json.to_owned()).unwrap();
    CallReply::Rows { json, marked: None, call_id: "call".to_owned() }
}

fn texts(json: &[&str]) -> Vec<JsonText> {
    json.iter().map(|&text| JsonText(text.to_owned())).collect()
}

const TWO: &str = r#"{"rows":[{"id":1,"email":"j***@x.de"},{"id":2,"email":null}],"row_count":2,"truncated":false,"next_cursor":null}"#;

#[test]
fn rows_are_compared_by_the_columns_that_are_named() {
    let expect = |rows: &[&str]| Expect { rows: Some(texts(rows)), ..Expect::default() };
    assert!(judge(&expect(&[r#"{"id": 1}"#, r#"{"email": null, "id": 2}"#]), &rows(TWO)).is_empty());
    assert_eq!(
        judge(&expect(&[r#"{"id": 2, "ssn": 1}"#]), &rows(TWO)),
        ["it gave 2 rows, not 1", "row 1: `id` is 1, not 2", "row 1 has no column `ssn`"]
    );
    let table = r#"{"columns":["id","email"],"rows":[[1,"j***@x.de"],[2,null]],"row_count":2,"truncated":false}"#;
    assert!(judge(&expect(&[r#"{"id": 1}"#, r#"{"email": null, "id": 2}"#]), &rows(table)).is_empty());
}

#[test]
fn absence_is_looked_for_in_every_row() {
    let expect = Expect { no_columns: vec!["email".into()], no_values: texts(&["\"@x\"", "2"]), ..Expect::default() };
    assert_eq!(
        judge(&expect, &rows(TWO)),
        [
            "row 1 has the column `email`",
            "row 1 holds \"@x\" in `email`",
            "row 2 has the column `email`",
            "row 2 holds 2 in `id`"
        ]
    );
    let nested = r#"{"rows":[{"a":{"b":["x@x.de"]}}],"row_count":1,"truncated":true}"#;
    assert_eq!(judge(&expect, &rows(nested)).len(), 2);
    let none = r#"{"rows":[],"row_count":0,"truncated":false}"#;
    assert_eq!(judge(&expect, &rows(none)).len(), 1);
    assert!(judge(&Expect { row_count: Some(0), ..expect }, &rows(none)).is_empty());
}

#[test]
fn a_refusal_is_known_by_its_code() {
    let refused = CallReply::Refused { refusal: Refusal::new(Code::UNKNOWN_TOOL, "no"), call_id: "call".to_owned() };
    let expect = |code: &str| Expect { refused: Some(code.to_owned()), ..Expect::default() };
    assert!(judge(&expect("TG301"), &refused).is_empty());
    assert_eq!(judge(&expect("TG302"), &refused), ["it was refused with TG301: no, not TG302"]);
    assert_eq!(judge(&expect("TG301"), &rows(TWO)), ["it was answered, not refused with TG301"]);
    assert_eq!(judge(&Expect::default(), &refused), ["it was refused: TG301: no"]);
}
