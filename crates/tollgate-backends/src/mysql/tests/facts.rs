//! What the dialect rests on, asked of the server itself. Never tests Tollgate's own text.

use super::SQL_MODE;
use crate::testing::mariadb::MariaDbServer;

#[test]
fn the_server_does_what_the_dialect_rests_on() {
    let Some(server) = MariaDbServer::shared() else { return };
    let database = server.database(include_str!("../../../testdata/mariadb/facts.sql"));
    let mut wrong = Vec::new();
    let facts = include_str!("../../../testdata/mariadb/facts.tsv").lines().filter(|line| !line.starts_with('#'));
    for fact in facts {
        let (query, wanted) = fact.split_once('\t').unwrap();
        let got = match database.try_ask(&format!("SET SESSION sql_mode = '{SQL_MODE}'; {query}")) {
            Ok(rows) if rows.is_empty() => "no rows".to_owned(),
            Ok(rows) => rows.iter().map(|row| row.join(" ")).collect::<Vec<_>>().join(" / "),
            Err(error) => match error.split("ERROR ").nth(1).and_then(|rest| rest.split_once(' ')) {
                Some((number, _)) => format!("ERROR {number}"),
                None => error,
            },
        };
        if got != wanted {
            wrong.push(format!("{query}\n  wanted {wanted}\n  got    {got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
