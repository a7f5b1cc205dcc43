//! Cases are files under `testdata/`: statements before and after, the matrix, what is leaky, and what is wrong with a role.
//! With `UPDATE_CASES` set, expectations are written anew.

mod shop;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use self::shop::{catalog, grant, role};
use super::matrix::{DatabaseMatrix, Matrix, RoleMatrix};
use super::role::Role;
use crate::names::{Dialect, ParamName};
use crate::sql::tree::Slot;
use crate::sql::{CheckedStatement, ParamShape, Request, SqlError, check};

const BOTH: [Dialect; 2] = [Dialect::Postgres, Dialect::Sqlite];

fn testdata(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata").join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(testdata(path)).unwrap()
}

fn compare(path: &PathBuf, actual: &str) {
    if std::env::var_os("UPDATE_CASES").is_some() {
        std::fs::write(path, actual).unwrap();
        return;
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(actual == written, "{} should be:\n{actual}", path.display());
}

/// Runs a file's cases. Its first line is what `outcome` makes of it, a role or nothing; then come texts, each followed by what
/// becomes of it on lines that start with `=> `.
fn cases(directory: &str, outcome: impl Fn(&str, &str) -> String) {
    let mut files = 0;
    for entry in std::fs::read_dir(testdata(directory)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "case") {
            continue;
        }
        files += 1;
        let written = std::fs::read_to_string(&path).unwrap();
        let (header, texts) = written.split_once("\n\n").unwrap();
        let mut actual = format!("{header}\n");
        for case in texts.split("\n\n").map(str::trim).filter(|case| !case.is_empty()) {
            let text = case.split("\n=> ").next().unwrap();
            write!(actual, "\n{text}\n{}", outcome(header, text)).unwrap();
        }
        compare(&path, &actual);
    }
    assert!(files > 0, "no case in {directory}");
}

fn params() -> BTreeMap<ParamName, ParamShape> {
    let single = ["id", "name", "pattern", "status", "n", "email"].map(|n| (n.parse().unwrap(), ParamShape::Single));
    let list = [("ids".parse().unwrap(), ParamShape::List)];
    single.into_iter().chain(list).collect()
}

fn checked(dialect: Dialect, role: &Role, sql: &str) -> Result<CheckedStatement, SqlError> {
    let (catalog, params) = (catalog(dialect), params());
    check(&Request { sql, catalog: &catalog, restrictions: role.restrictions(), params: &params })
}

fn slot(used: &crate::sql::SlotUse) -> String {
    let mut text = match &used.slot {
        Slot::CallId => "call id".to_owned(),
        Slot::Param(name) => format!(":{name}"),
        Slot::ParamList(name) => format!(":{name}…"),
        Slot::Claim(name) => format!(":claims.{name}"),
        Slot::ClaimList(name) => format!(":claims.{name}…"),
        Slot::Limit => "limit".to_owned(),
        Slot::MaskKey(pad) => format!("{pad:?} block of the mask key"),
        Slot::Offset => "offset".to_owned(),
        Slot::After(place) => format!("key {place}"),
    };
    if let Some(column) = used.compared.first() {
        write!(text, " ~ {}.{}", column.table.name, column.column).unwrap();
    }
    if let Some(escape) = used.like_escape {
        write!(text, " LIKE '{escape}'").unwrap();
    }
    if used.masked {
        text.push_str(" (masked)");
    }
    text
}

/// Invariant **filter closed**, on the text: a base table's name stands nowhere but as the one relation of its restriction.
fn closed(dialect: Dialect, text: &str) {
    let schema = match dialect {
        Dialect::Postgres => "\"public\".",
        Dialect::Sqlite => "\"main\".",
        Dialect::MariaDb => "`shop`.",
    };
    for (at, _) in text.match_indices(schema) {
        let (before, after) = text.split_at(at);
        assert!(before.ends_with(" FROM "), "a base table outside a restriction: {text}");
        let name = after[schema.len()..].split('"').nth(1).unwrap();
        let behind = &after[schema.len() + name.len() + 2..];
        assert!(behind.starts_with(" AS \"tg_raw\""), "a base table without its restriction's alias: {text}");
        let behind = &behind[" AS \"tg_raw\"".len()..];
        let alone =
            [" WHERE ", ") AS ", " OFFSET 0) AS ", " LIMIT -1) AS "].iter().any(|next| behind.starts_with(next));
        assert!(alone, "a base table beside another relation: {text}");
    }
}

#[test]
fn rewrite() {
    cases("rewrite", |header, text| {
        let mut out = String::new();
        for dialect in BOTH {
            match checked(dialect, &role(dialect, header.trim()), text) {
                Ok(statement) => {
                    closed(dialect, statement.text());
                    let slots: Vec<String> = statement.slots().iter().map(slot).collect();
                    writeln!(out, "=> {}: {}", dialect.name(), statement.text()).unwrap();
                    writeln!(out, "=>   slots: {}", slots.join(", ")).unwrap();
                    if let Some(leak) = statement.fence() {
                        writeln!(out, "=>   fenced: {leak}").unwrap();
                    }
                }
                Err(error) => writeln!(out, "=> {}: {}", dialect.name(), error.to_agent()).unwrap(),
            }
        }
        out
    });
}

#[test]
fn leaky_operations() {
    cases("leak", |_, text| {
        let mut out = String::new();
        for dialect in BOTH {
            let verdict = match checked(dialect, &role(dialect, "support"), text) {
                Ok(statement) => statement.fence().map_or("safe".to_owned(), |leak| format!("leaky: {leak}")),
                Err(error) => error.to_agent().to_string(),
            };
            writeln!(out, "=> {}: {verdict}", dialect.name()).unwrap();
        }
        out
    });
}

#[test]
fn mistakes() {
    cases("policy", |_, text| {
        let dialect = Dialect::Postgres;
        let role = Role::compile(&grant(&serde_json::from_str(text).unwrap()), &catalog(dialect));
        let (word, list) = match &role {
            Ok(role) => ("warning", role.warnings()),
            Err(errors) => ("error", errors.as_slice()),
        };
        let mut out = String::new();
        for error in list {
            let path: Vec<String> = error.path.iter().map(ToString::to_string).collect();
            writeln!(out, "=> {word} {} at {}: {error}", error.problem.code(), path.join(" / ")).unwrap();
        }
        if list.is_empty() {
            out.push_str("=> fine\n");
        }
        out
    });
}

fn matrix() -> Matrix {
    let dialect = Dialect::Postgres;
    let mut matrix = Matrix::default();
    for name in ["support", "analyst", "auditor", "clerk", "manager"] {
        let shop = DatabaseMatrix::of(&role(dialect, name), &catalog(dialect));
        let tools = match name {
            "support" => vec!["orders_of_user".parse().unwrap(), "users_by_region".parse().unwrap()],
            "analyst" => vec!["orders_of_user".parse().unwrap()],
            _ => Vec::new(),
        };
        let databases = BTreeMap::from([("shop".parse().unwrap(), shop)]);
        let role = RoleMatrix { databases, tools: tools.into_iter().collect(), ..RoleMatrix::default() };
        matrix.roles.insert(name.parse().unwrap(), role);
    }
    matrix
}

#[test]
fn matrix_as_text() {
    compare(&testdata("policy/matrix.txt"), &matrix().to_string());
}

#[test]
fn matrix_as_json() {
    compare(&testdata("policy/matrix.json"), &format!("{:#}\n", serde_json::to_value(matrix()).unwrap()));
}

#[test]
fn footprint_names_what_the_text_touches() {
    let role = role(Dialect::Sqlite, "support");
    let sql =
        "WITH c AS (SELECT id FROM orders) SELECT count(*) AS n FROM users u WHERE u.id IN (:ids) AND u.name LIKE 'a%'";
    let statement = checked(Dialect::Sqlite, &role, sql).unwrap();
    let footprint = statement.footprint();
    let columns: Vec<String> = footprint.columns.iter().map(|c| format!("{}.{}", c.table.name, c.column)).collect();
    assert_eq!(columns, ["orders.id", "orders.user_id", "users.id", "users.name", "users.region"]);
    assert_eq!(footprint.functions.iter().collect::<Vec<_>>(), ["count", "json_each", "like"]);
    assert_eq!(footprint.ctes.iter().collect::<Vec<_>>(), ["tg_1"]);
    assert_eq!(footprint.tables.len(), 2);
}

#[test]
fn permission_is_a_value() {
    let grants = super::Grants::new([("users_by_region".parse().unwrap(), 1)]);
    assert_eq!(*grants.authorize("users_by_region").unwrap().tool(), 1);
    assert!(grants.authorize("drop_everything").is_none());
    assert!(grants.authorize("USERS_BY_REGION").is_none());
}
