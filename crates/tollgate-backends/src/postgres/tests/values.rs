//! Values, exactly: what the server holds and what the agent reads.

use crate::{
    postgres::value::{Encoding, Raw},
    testing::postgres::TestDatabase,
};

/// What an expression's value becomes, or `text` where the database must write it.
async fn json(database: &TestDatabase, expression: &str) -> String {
    let client = database.superuser().await;
    client.batch_execute("SET search_path = '', 'public'; SET TimeZone = 'UTC'").await.unwrap();
    let rows = client.query(&format!("SELECT {expression}"), &[]).await.unwrap();
    let Some(encoding) = Encoding::of(rows[0].columns()[0].type_()) else { return "text".to_owned() };
    let Raw(raw) = rows[0].get(0);
    let mut out = Vec::new();
    encoding.write(&mut out, raw).unwrap();
    let json = String::from_utf8(out).unwrap();
    serde_json::from_str::<serde_json::Value>(&json).unwrap();
    json
}

#[tokio::test]
async fn every_common_type_is_written_exactly() {
    let setup = "CREATE TYPE mood AS ENUM ('ok', 'a \"b\"'); CREATE DOMAIN percent AS numeric(5,2) CHECK (VALUE >= 0)";
    let Some(database) = super::database(setup).await else { return };
    let cases = include_str!("../../../testdata/postgres/values.tsv");
    for case in cases.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (expression, expected) = case.split_once('\t').unwrap();
        assert_eq!(json(&database, expression).await, expected, "{expression}");
    }
}

#[tokio::test]
async fn random_numerics_dates_and_timestamps_agree_with_the_servers_text() {
    let Some(database) = super::database("").await else { return };
    let client = database.superuser().await;
    client.batch_execute("SELECT setseed(0.5); SET TimeZone = 'UTC'; SET DateStyle = 'ISO'").await.unwrap();
    let sql = "SELECT n, n::text, d, d::text, t, t::text FROM (SELECT \
        round((random() - 0.5)::numeric * (10::numeric ^ (random() * 40 - 20)::int), (random() * 20)::int) AS n, \
        date '4000-01-01 BC' + (random() * 6000000)::int AS d, \
        timestamp '4000-01-01 BC' + make_interval(days => (random() * 6000000)::int, secs => random() * 86400) AS t \
        FROM generate_series(1, 5000)) AS made";
    for row in client.query(sql, &[]).await.unwrap() {
        for (index, column) in row.columns().iter().enumerate().step_by(2) {
            let Raw(raw) = row.get(index);
            let mut out = Vec::new();
            Encoding::of(column.type_()).unwrap().write(&mut out, raw).unwrap();
            let ours = String::from_utf8(out).unwrap();
            let theirs: String = row.get(index + 1);
            // Common years are RFC 3339; all others are the server's own text.
            let common = theirs.len() <= 26 && !theirs.ends_with("BC") && theirs.find('-') == Some(4);
            let theirs = if index == 4 && common { theirs.replace(' ', "T") } else { theirs };
            assert_eq!(ours, format!("\"{theirs}\""));
        }
    }
}

#[test]
fn malformed_values_are_refused_and_never_panic() {
    let encodings = [
        Encoding::Bool,
        Encoding::Int2,
        Encoding::Int4,
        Encoding::Int8,
        Encoding::Float4,
        Encoding::Float8,
        Encoding::Numeric,
        Encoding::Uuid,
        Encoding::Date,
        Encoding::Time,
        Encoding::Timestamp,
        Encoding::TimestampTz,
        Encoding::Jsonb,
        Encoding::Array(Box::new(Encoding::Int4)),
    ];
    let patterns: [&[u8]; 6] = [
        b"",
        b"\x00",
        b"\xff\xff\xff",
        &[0xff; 21],
        // Dimensions beyond what there is, and a numeric of more groups than it has.
        &[0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 23, 0],
        &[0, 9, 0, 0, 0, 0, 0, 0, 0, 1],
    ];
    for encoding in &encodings {
        for raw in patterns {
            if raw.len() == 1 && *encoding == Encoding::Bool {
                continue;
            }
            assert!(encoding.write(&mut Vec::new(), Some(raw)).is_err(), "{encoding:?} {raw:?}");
        }
    }
    assert!(Encoding::Text.write(&mut Vec::new(), Some(b"\xff")).is_err());
}
