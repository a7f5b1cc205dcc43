//! Whether the databases group operators as the core says that they do: texts without parentheses, made at random, as they are and
//! as they are rendered. Where the core takes one, both must come to the same.

use std::collections::BTreeMap;

use tollgate_core::{
    catalog::Catalog,
    names::Dialect,
    sql::{Request, Restrictions, check},
};

/// How many texts.
const TEXTS: u64 = 6000;

const BOTH: [&str; 22] = [
    "+",
    "-",
    "*",
    "/",
    "%",
    "&",
    "|",
    "=",
    "<>",
    "<",
    ">=",
    "AND",
    "OR",
    "IS NULL OR",
    "IS NOT NULL =",
    "||",
    "IS DISTINCT FROM",
    "LIKE",
    "NOT IN (3) =",
    "BETWEEN 1 AND",
    "IN (1, 2) AND",
    "NOT BETWEEN 0 AND",
];
const POSTGRES: [&str; 10] =
    ["^", "#", "<<", ">>", "~", "!~*", "~~", "= ANY (ARRAY[1, 2]) OR", "SIMILAR TO", "::text ||"];
const SQLITE: [&str; 3] = ["->>", "GLOB", "COLLATE NOCASE <"];
const MARIADB: [&str; 3] = ["<=>", "IS FALSE =", "NOT LIKE"];
const PREFIXES: [&str; 8] = ["", "", "", "", "", "-", "NOT", "~"];
const OPERANDS: [&str; 8] = ["1", "2", "3", "7", "'1'", "'2'", "TRUE", "NULL"];

struct Maker {
    state: u64,
}

impl Maker {
    /// One of some (xorshift64*).
    fn one_of<'l>(&mut self, list: &[&'l str]) -> &'l str {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let number = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        list[usize::try_from(number).unwrap() % list.len()]
    }

    /// Two to five operands.
    fn text(&mut self, dialect: Dialect) -> String {
        let own: &[&str] = match dialect {
            Dialect::Postgres => &POSTGRES,
            Dialect::Sqlite => &SQLITE,
            Dialect::MariaDb => &MARIADB,
        };
        // On PostgreSQL most mixes of types are refused: one sort of operands more often means something.
        let operands = match self.one_of(&["numbers", "numbers", "any"]) {
            "numbers" => &OPERANDS[..4],
            _ => &OPERANDS[..],
        };
        let mut text = format!("{} {}", self.one_of(&PREFIXES), self.one_of(operands));
        for _ in 0..self.one_of(&["a", "ab", "abc", "abcd"]).len() {
            let operator = match self.one_of(&["both", "both", "own"]) {
                "own" => self.one_of(own),
                _ => self.one_of(&BOTH),
            };
            text = format!("{text} {operator} {} {}", self.one_of(&PREFIXES), self.one_of(operands));
        }
        text
    }
}

/// Texts that the core takes, each as it is and as it is rendered.
fn pairs(dialect: Dialect) -> Vec<(String, String)> {
    let catalog = Catalog::new(dialect, "main".into(), "test".into(), Vec::new());
    let restrictions = Restrictions::default();
    let mut maker = Maker { state: 0x9e37_79b9_7f4a_7c15 };
    let mut pairs = Vec::new();
    for _ in 0..TEXTS {
        let raw = format!("SELECT {} AS a", maker.text(dialect));
        let request = Request { sql: &raw, catalog: &catalog, restrictions: &restrictions, params: &BTreeMap::new() };
        if let Ok(statement) = check(&request) {
            let text = statement.text();
            let page = text.rfind(" LIMIT ").unwrap();
            let rendered = text[..page].to_owned();
            pairs.push((raw, rendered));
        }
    }
    pairs
}

mod tests {
    use tokio_postgres::{Client, SimpleQueryMessage};
    use tollgate_core::names::Dialect;

    use super::pairs;
    use crate::testing::{mariadb::MariaDbServer, postgres::PostgresServer};

    /// What a text comes to; `None` where it fails.
    async fn outcome(client: &Client, text: &str) -> Option<Option<String>> {
        let messages = client.simple_query(text).await.ok()?;
        messages.into_iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).map(str::to_owned)),
            _ => None,
        })
    }

    #[tokio::test]
    async fn postgres_groups_as_the_core_says() {
        let Some(server) = PostgresServer::shared() else { return };
        let database = server.database("").await;
        let client = database.superuser().await;
        let (mut wrong, mut answered) = (Vec::new(), 0);
        for (raw, rendered) in pairs(Dialect::Postgres) {
            let (expected, actual) = (outcome(&client, &raw).await, outcome(&client, &rendered).await);
            answered += usize::from(actual.is_some());
            if expected != actual {
                wrong.push(format!("{raw}\n  {expected:?}\n  {actual:?}\n  {rendered}"));
            }
        }
        assert!(wrong.is_empty(), "{} of {answered}:\n{}", wrong.len(), wrong.join("\n"));
        assert!(answered > 300, "only {answered} texts were answered");
    }

    /// What each text comes to; `None` where it fails.
    fn outcomes(server: &MariaDbServer, texts: &[&str]) -> Vec<Option<Vec<String>>> {
        let mut outcomes = vec![None; texts.len()];
        let script = texts.iter().enumerate().map(|(at, text)| format!("SELECT 'text', {at}; {text};\n"));
        let mut at = 0;
        for row in server.ask_whatever_fails("mysql", &script.collect::<String>()) {
            match row.as_slice() {
                [mark, number] if mark == "text" => at = number.parse().unwrap(),
                _ => outcomes[at] = Some(row),
            }
        }
        outcomes
    }

    #[test]
    fn mariadb_groups_as_the_core_says() {
        let Some(server) = MariaDbServer::shared() else { return };
        let pairs = pairs(Dialect::MariaDb);
        let texts: Vec<&str> = pairs.iter().flat_map(|(raw, rendered)| [raw.as_str(), rendered.as_str()]).collect();
        let outcomes = outcomes(&server, &texts);
        let answered = outcomes.chunks(2).filter(|outcomes| outcomes[0].is_some()).count();
        let wrong: Vec<String> = texts
            .chunks(2)
            .zip(outcomes.chunks(2))
            // What the server does not read as it is written (`1 = NOT 2`) it cannot group in another way.
            .filter(|(_, outcomes)| outcomes[0].is_some() && outcomes[0] != outcomes[1])
            .map(|(texts, outcomes)| format!("{}\n  {:?}\n  {:?}\n  {}", texts[0], outcomes[0], outcomes[1], texts[1]))
            .collect();
        assert!(wrong.is_empty(), "{} of {answered}:\n{}", wrong.len(), wrong.join("\n"));
        assert!(answered > 1000, "only {answered} texts were answered");
    }

    #[test]
    fn sqlite_groups_as_the_core_says() {
        let client = rusqlite::Connection::open_in_memory().unwrap();
        let outcome =
            |text: &str| -> Option<rusqlite::types::Value> { client.query_row(text, [], |row| row.get(0)).ok() };
        let (mut wrong, mut answered) = (Vec::new(), 0);
        for (raw, rendered) in pairs(Dialect::Sqlite) {
            let (expected, actual) = (outcome(&raw), outcome(&rendered));
            answered += usize::from(actual.is_some());
            if expected != actual {
                wrong.push(format!("{raw}\n  {expected:?}\n  {actual:?}\n  {rendered}"));
            }
        }
        assert!(wrong.is_empty(), "{} of {answered}:\n{}", wrong.len(), wrong.join("\n"));
        assert!(answered > 1000, "only {answered} texts were answered");
    }
}
