//! What the writer writes, byte for byte, and what a JSON reader reads back.

use std::convert::Infallible;

use super::{Keys, Reading, RowsWriter, boolean, bytes, document, double, float, integer, null, plain, string};
use crate::{ReadLimits, Rows, Truncation};

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn integers_beyond_two_to_the_53rd_are_strings() {
    let cases = [
        (0, "0"),
        (-1, "-1"),
        (9_007_199_254_740_991, "9007199254740991"),
        (9_007_199_254_740_992, "9007199254740992"),
        (9_007_199_254_740_993, "\"9007199254740993\""),
        (-9_007_199_254_740_992, "-9007199254740992"),
        (-9_007_199_254_740_993, "\"-9007199254740993\""),
        (i64::MAX, "\"9223372036854775807\""),
        (i64::MIN, "\"-9223372036854775808\""),
    ];
    for (value, expected) in cases {
        assert_eq!(written(|out| integer(out, value)), expected);
    }
}

#[test]
fn floats_are_numbers_that_read_back_the_same_or_strings() {
    for value in [0.0, -0.0, 1.0, 0.1, 1e16, 1e300, 5e-324, f64::MAX, f64::MIN_POSITIVE, 1.0 / 3.0] {
        let text = written(|out| double(out, value));
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read.as_f64().unwrap().to_bits(), value.to_bits(), "{text}");
    }
    assert_eq!(written(|out| double(out, f64::NAN)), "\"NaN\"");
    assert_eq!(written(|out| double(out, f64::INFINITY)), "\"Infinity\"");
    assert_eq!(written(|out| double(out, f64::NEG_INFINITY)), "\"-Infinity\"");
    assert_eq!(written(|out| float(out, 0.1)), "0.1");
    assert_eq!(written(|out| float(out, f32::NEG_INFINITY)), "\"-Infinity\"");
}

#[test]
fn every_character_reads_back_and_invisible_ones_show() {
    for character in (0..=0x0010_ffff_u32).filter_map(char::from_u32) {
        let text = format!("a{character}b");
        let json = written(|out| string(out, &text));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        assert!(json.chars().all(|c| !c.is_control()), "U+{:04X}", u32::from(character));
    }
    for (text, expected) in [
        ("", r#""""#),
        ("\"\\/", r#""\"\\/""#),
        ("a\nb\tc\r\0\u{1f}\u{7f}", r#""a\nb\tc\r\u0000\u001f\u007f""#),
        ("é\u{a0}漢😀", "\"é\u{a0}漢😀\""),
        ("a\u{200b}\u{202e}\u{feff}", r#""a\u200b\u202e\ufeff""#),
        ("\u{e0041}", r#""\udb40\udc41""#),
    ] {
        assert_eq!(written(|out| string(out, text)), expected);
    }
}

#[test]
fn documents_stay_json_only_when_every_reader_can_read_them() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for same in ["1", "null", r#"{"a": [1, 2.50, "\u00e9"], "b": {"c": "é"}}"#, " [1,\n\t2]\n", &deep(64)] {
        assert_eq!(written(|out| document(out, same)), same);
    }
    for not_json in
        ["", "{", "{a:1}", "1 2", "'x'", "NaN", "1e999", r#""\ud800""#, "\"a\nb\"", &deep(65), &deep(100_000)]
    {
        let json = written(|out| document(out, not_json));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), not_json);
    }
    assert_eq!(written(|out| document(out, "{\"\u{200b}\": \"\u{7f}\"}")), r#"{"\u200b": "\u007f"}"#);
}

#[test]
fn bytes_and_the_rest() {
    assert_eq!(written(|out| bytes(out, b"")), r#""""#);
    assert_eq!(written(|out| bytes(out, &[0xff])), r#""/w==""#);
    assert_eq!(written(|out| bytes(out, &[0, 1, 2, 0xff])), r#""AAEC/w==""#);
    assert_eq!(written(|out| plain(out, "2026-01-31 12:00")), r#""2026-01-31 12:00""#);
    assert_eq!(written(|out| boolean(out, true)), "true");
    assert_eq!(written(null), "null");
}

fn rows(limits: ReadLimits, available: u32) -> (Rows, u32) {
    let keys = Keys::new(["id", "a\"b"]);
    let mut writer = RowsWriter::new(&keys, limits);
    let mut read = 0;
    for row in 0..available {
        read += 1;
        let reading = writer.row::<Infallible>(|index, out| {
            if index == 0 {
                integer(out, i64::from(row));
            } else {
                string(out, "xx");
            }
            Ok(())
        });
        let Ok(reading) = reading;
        if reading == Reading::Full {
            break;
        }
    }
    (writer.finish(), read)
}

#[test]
fn rows_max_is_exact_and_truncation_honest() {
    let limits = ReadLimits { rows_max: 3, bytes_max: 1_000 };
    for (available, count, truncated) in [(0, 0, None), (2, 2, None), (3, 3, None), (4, 3, Some(Truncation::Rows))] {
        let (rows, read) = rows(limits, available);
        assert_eq!((rows.count, rows.truncated, read), (count, truncated, available));
        let json: Vec<serde_json::Value> = serde_json::from_slice(&rows.json).unwrap();
        assert_eq!(json.len(), count as usize);
    }
    let (none, _) = rows(ReadLimits { rows_max: 0, bytes_max: 1_000 }, 1);
    assert_eq!((none.json.as_slice(), none.truncated), (b"[]".as_slice(), Some(Truncation::Rows)));
}

#[test]
fn bytes_max_counts_the_encoded_array_and_leaves_the_row_out_that_would_pass_it() {
    let three = br#"[{"id":0,"a\"b":"xx"},{"id":1,"a\"b":"xx"},{"id":2,"a\"b":"xx"}]"#;
    let exact = ReadLimits { rows_max: 10, bytes_max: three.len() };
    let (all, _) = rows(exact, 3);
    assert_eq!((all.json.as_slice(), all.count, all.truncated), (three.as_slice(), 3, None));
    let (fewer, _) = rows(ReadLimits { bytes_max: three.len() - 1, ..exact }, 3);
    assert_eq!((fewer.count, fewer.truncated), (2, Some(Truncation::Bytes)));
    assert_eq!(fewer.json, br#"[{"id":0,"a\"b":"xx"},{"id":1,"a\"b":"xx"}]"#);
    let (none, _) = rows(ReadLimits { bytes_max: 0, ..exact }, 3);
    assert_eq!((none.json.as_slice(), none.truncated), (b"[]".as_slice(), Some(Truncation::Bytes)));
}

#[test]
fn a_value_that_cannot_be_written_leaves_no_half_row() {
    let keys = Keys::new(["a", "b"]);
    let mut writer = RowsWriter::new(&keys, ReadLimits { rows_max: 9, bytes_max: 99 });
    let nulls_up_to = |last: usize| {
        move |index: usize, out: &mut Vec<u8>| {
            null(out);
            if index > last { Err("no") } else { Ok(()) }
        }
    };
    assert_eq!(writer.row(nulls_up_to(1)), Ok(Reading::More));
    let failed = writer.row(nulls_up_to(0));
    assert_eq!(failed, Err("no"));
    assert_eq!(writer.finish().json, br#"[{"a":null,"b":null}]"#);
}

#[test]
fn rows_can_be_lists_without_the_names() {
    let keys = Keys::new(["id", "name"]);
    let list = keys.of(tollgate_core::names::ResultForm::Table);
    let mut writer = RowsWriter::new(&list, ReadLimits { rows_max: 9, bytes_max: 99 });
    for id in 1..3 {
        let row = |index, out: &mut Vec<u8>| -> Result<(), ()> {
            if index == 0 {
                integer(out, id);
            } else {
                string(out, "a");
            }
            Ok(())
        };
        assert_eq!(writer.row(row), Ok(Reading::More));
    }
    assert_eq!(writer.finish().json, br#"[[1,"a"],[2,"a"]]"#);
}
