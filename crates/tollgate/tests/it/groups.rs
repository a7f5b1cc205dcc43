//! Minimum group sizes on each engine: what is seen of a small table by every way round that we know, and, over random tables, that
//! no answer and no difference of two tells of fewer rows than the minimum.

use std::{collections::BTreeMap, fmt::Write as _, path::Path, sync::Arc, time::Duration};

use serde_json::{Value as Json, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tollgate_backends::{
    Backend, Execution, PoolLimits, ReadLimits,
    testing::{mariadb::MariaDbServer, postgres::PostgresServer},
};
use tollgate_core::{
    catalog::Catalog,
    names::{Dialect, ResultForm, Value},
    policy::{ColumnsGrant, Role, RoleGrant, RowsGrant, TableGrant},
    sql::{Cost, check_own, check_whole_table, tree::Slot},
};

/// The smallest group that is seen in these tests.
const LEAST: u32 = 5;

/// A database and a role that sees its one table in groups.
struct Grouped {
    backend: Arc<dyn Backend>,
    catalog: Catalog,
    role: Role,
}

impl Grouped {
    /// The role as it is loaded: the database describes all that it sees of the table.
    async fn over(backend: Arc<dyn Backend>, columns: &[&str]) -> Self {
        let catalog = backend.introspect().await.unwrap();
        let table = TableGrant {
            key: "db.people".to_owned(),
            schema: None,
            table: "people".to_owned(),
            columns: ColumnsGrant::These(columns.iter().map(|&column| column.to_owned()).collect()),
            masks: Vec::new(),
            rows: Some(RowsGrant::One("all".to_owned())),
            min_group_size: LEAST.try_into().ok(),
        };
        let role = Role::compile(&RoleGrant { tables: vec![table], mask_key: None }, &catalog).unwrap();
        let (people, _) = role.restrictions().tables.first_key_value().unwrap();
        let whole = check_whole_table(people, &catalog, role.restrictions()).unwrap();
        backend.describe(&whole).await.unwrap();
        Self { backend, catalog, role }
    }

    /// Whether a statement is one.
    fn takes(&self, sql: &str) -> bool {
        check_own(sql, &self.catalog, self.role.restrictions(), Cost::Unbounded).is_ok()
    }

    /// The rows, or the code of the refusal.
    async fn ask(&self, sql: &str) -> Result<Json, String> {
        let statement = check_own(sql, &self.catalog, self.role.restrictions(), Cost::Unbounded);
        let statement = Arc::new(statement.map_err(|error| error.to_agent().code.to_string())?);
        let value = |slot: &Slot| match slot {
            Slot::CallId => Value::Text("call".to_owned()),
            Slot::Limit => Value::Integer(1_000),
            Slot::Offset => Value::Integer(0),
            other => panic!("no statement here has {other:?}"),
        };
        let values: Vec<Value> = statement.slots().iter().map(|used| value(&used.slot)).collect();
        let execution = Execution {
            statement: &statement,
            values: &values,
            limits: ReadLimits { rows_max: 1_000, bytes_max: 1 << 20 },
            deadline: Instant::now() + Duration::from_secs(30),
            cancel: &CancellationToken::new(),
            cost_max: None,
            form: ResultForm::Rows,
        };
        let executed = self.backend.execute(execution).await;
        let executed = executed.unwrap_or_else(|error| panic!("{sql}: {error:?}: {}", statement.text()));
        Ok(serde_json::from_slice(&executed.rows.json).unwrap())
    }
}

/// 22 people: 12 of department `a`, 8 of `b`, 2 of `c`. Two have a note.
fn people() -> String {
    let mut setup = "CREATE TABLE people (id integer PRIMARY KEY, name text NOT NULL, dept text NOT NULL, salary integer NOT NULL, note text, bonus integer)".to_owned();
    for id in 1..=22 {
        let dept = match id {
            1..=12 => "a",
            13..=20 => "b",
            _ => "c",
        };
        let note = if dept == "c" { "'SECRET'" } else { "NULL" };
        let bonus = if id == 7 { "77" } else { "NULL" };
        write!(setup, "; INSERT INTO people VALUES ({id}, 'p{id}', '{dept}', {}, {note}, {bonus})", 1_000 + id)
            .unwrap();
    }
    setup
}

async fn ways_round(grouped: &Grouped, dialect: Dialect) {
    let everybody = json!([{"n": 22}]);
    let nobody = json!([{"n": 0}]);
    let nothing = json!([{"s": null}]);
    let single = Err("TG413".to_owned());
    let list = match dialect {
        Dialect::Postgres => "string_agg(name, ',')",
        Dialect::Sqlite => "group_concat(name, ',')",
        Dialect::MariaDb => "group_concat(name)",
    };
    let cases = [
        ("SELECT count(*) AS n FROM people".to_owned(), Ok(everybody.clone())),
        ("SELECT count(DISTINCT id) AS n FROM people".to_owned(), Ok(everybody)),
        // `c` is too small, and `b` goes with it: everybody less `a` and `b` would be `c`.
        ("SELECT dept, count(*) AS n FROM people GROUP BY dept".to_owned(), Ok(json!([{"dept": "a", "n": 12}]))),
        ("SELECT count(*) AS n FROM people WHERE dept <> 'c'".to_owned(), Ok(json!([{"n": 12}]))),
        (
            "SELECT count(*) AS n FROM people WHERE NOT (dept = 'c' AND note = 'SECRET')".to_owned(),
            Ok(json!([{"n": 12}])),
        ),
        ("SELECT count(*) AS n FROM people WHERE id = 7".to_owned(), single.clone()),
        ("SELECT count(*) AS n FROM people WHERE id < 8".to_owned(), single.clone()),
        ("SELECT sum(salary * CASE WHEN id = 7 THEN 1 ELSE 0 END) AS s FROM people".to_owned(), single.clone()),
        (
            "SELECT sum(p.salary) AS s FROM people p JOIN people q ON p.id = q.id AND q.name = 'p7'".to_owned(),
            single.clone(),
        ),
        ("SELECT id FROM people".to_owned(), single),
        ("SELECT count(*) AS n FROM people WHERE name = 'p7'".to_owned(), Ok(nobody.clone())),
        ("SELECT count(*) AS n FROM people WHERE name <> 'p7'".to_owned(), Ok(nobody.clone())),
        ("SELECT sum(salary) AS s FROM people WHERE name = 'p7'".to_owned(), Ok(nothing.clone())),
        ("SELECT sum(CASE WHEN name = 'p7' THEN salary END) AS s FROM people".to_owned(), Ok(nothing.clone())),
        ("SELECT sum(salary) FILTER (WHERE name = 'p7') AS s FROM people".to_owned(), Ok(nothing.clone())),
        // One value among NULLs is not a sum over many.
        ("SELECT sum(bonus) AS s FROM people".to_owned(), Ok(nothing.clone())),
        ("SELECT avg(bonus) AS s FROM people WHERE dept = 'a'".to_owned(), Ok(nothing.clone())),
        ("SELECT count(bonus) AS n FROM people".to_owned(), Ok(nobody.clone())),
        ("SELECT max(salary) AS s FROM people".to_owned(), Ok(nothing.clone())),
        (
            "SELECT sum(s) AS s FROM (SELECT salary AS s FROM people ORDER BY name LIMIT 1) AS one".to_owned(),
            Ok(nothing.clone()),
        ),
        (format!("SELECT {list} AS s FROM people"), Ok(nothing.clone())),
        (
            "SELECT sum(p.salary) AS s FROM people p JOIN (SELECT 'p7' AS x) v ON v.x = p.name".to_owned(),
            Ok(nothing.clone()),
        ),
        (
            "SELECT sum(salary) AS s FROM people WHERE name IN (SELECT name FROM people WHERE salary = 1007)"
                .to_owned(),
            Ok(nothing),
        ),
        ("SELECT name FROM people".to_owned(), Ok(json!([]))),
        ("SELECT DISTINCT dept FROM people".to_owned(), Ok(json!([{"dept": "a"}]))),
        (
            "SELECT count(*) AS n FROM people WHERE EXISTS (SELECT 1 FROM people q WHERE q.name = 'p7')".to_owned(),
            Ok(nobody),
        ),
        (
            "SELECT count(*) AS n FROM people HAVING sum(salary) > 0 AND count(*) > 21".to_owned(),
            Ok(json!([{"n": 22}])),
        ),
    ];
    for (sql, expected) in cases {
        // MariaDB has no FILTER.
        let expected =
            if dialect == Dialect::MariaDb && sql.contains("FILTER") { Err("TG401".to_owned()) } else { expected };
        assert_eq!(grouped.ask(&sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn groups_hold_on_postgresql() {
    let Some(server) = PostgresServer::shared() else { return };
    let database = server.database(&people()).await;
    let backend = tollgate_backends::open(&database.url(), Path::new("."), PoolLimits::default()).unwrap();
    let grouped = Grouped::over(backend, &["id", "name", "dept", "salary", "note", "bonus"]).await;
    ways_round(&grouped, Dialect::Postgres).await;
    // A value of a group that is not seen cannot make the statement fail.
    let failing = "SELECT count(*) AS n FROM people WHERE note::integer > 0";
    assert_eq!(grouped.ask(failing).await, Ok(json!([{"n": 0}])));
    grouped.backend.close().await;
}

#[tokio::test]
async fn groups_hold_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    rusqlite::Connection::open(folder.path().join("db")).unwrap().execute_batch(&people()).unwrap();
    let backend = tollgate_backends::open("sqlite:db", folder.path(), PoolLimits::default()).unwrap();
    let grouped = Grouped::over(backend, &["id", "name", "dept", "salary", "note", "bonus"]).await;
    ways_round(&grouped, Dialect::Sqlite).await;
    grouped.backend.close().await;
}

#[tokio::test]
async fn groups_hold_on_mariadb() {
    let Some(server) = MariaDbServer::shared() else { return };
    let database = server.database(&people().replace("text", "varchar(20)"));
    let backend = tollgate_backends::open(&database.url(), Path::new("."), PoolLimits::default()).unwrap();
    let grouped = Grouped::over(backend, &["id", "name", "dept", "salary", "note", "bonus"]).await;
    ways_round(&grouped, Dialect::MariaDb).await;
    grouped.backend.close().await;
}

/// One of `people` has a value that is equal to all others', and is not the same.
async fn odd_one_is_not_told(grouped: &Grouped, tells: &[&str]) {
    for tell in tells {
        for sql in [
            format!("SELECT {tell} AS x, sum(salary) AS s FROM people GROUP BY 1"),
            format!("SELECT sum(salary) AS s FROM people GROUP BY {tell}"),
        ] {
            let rows = grouped.ask(&sql).await.unwrap();
            assert!(rows.as_array().unwrap().len() <= 1, "{sql}: {rows}");
        }
    }
}

#[tokio::test]
async fn equal_values_that_are_not_the_same_are_groups_of_their_own_on_postgresql() {
    let Some(server) = PostgresServer::shared() else { return };
    let setup = "CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TABLE people (id integer PRIMARY KEY, salary integer, n numeric, f float8, j jsonb, i interval, a numeric[],
          r numrange, c text COLLATE caseless, b character(4), d json, v varchar(9), e text, t timestamptz);
        INSERT INTO people SELECT g, 1000 + g, '1.0', '0', '1.0', '24 hours', '{1.0}', '[1.0,2]', 'ann', 'x', '1', 'v', 'e', now()
          FROM generate_series(1, 20) g;
        UPDATE people SET n = '1.00', f = '-0', j = '1.00', i = '1 day', a = '{1.00}', r = '[1.00,2]', c = 'ANN' WHERE id = 7";
    let database = server.database(setup).await;
    let backend = tollgate_backends::open(&database.url(), Path::new("."), PoolLimits::default()).unwrap();
    let columns = ["id", "salary", "n", "f", "j", "i", "a", "r", "c", "b", "d", "v", "e", "t"];
    let grouped = Grouped::over(backend, &columns).await;
    let tells =
        ["n::text", "scale(n)", "f::text", "j::text", "i::text", "a::text", "r::text", "c COLLATE \"C\"", "ascii(c)"];
    let taken = tells.iter().filter(|tell| grouped.takes(&format!("SELECT {tell} AS x FROM people")));
    let taken: Vec<&str> = taken.copied().collect();
    assert!(taken.len() >= 6, "{taken:?}");
    odd_one_is_not_told(&grouped, &taken).await;
    for column in ["b", "d::text", "v", "e"] {
        let sql = format!("SELECT count({column}) AS n FROM people WHERE {column} IS NOT NULL");
        assert_eq!(grouped.ask(&sql).await, Ok(json!([{"n": 20}])), "{sql}");
    }
    grouped.backend.close().await;
}

#[tokio::test]
async fn equal_values_that_are_not_the_same_are_groups_of_their_own_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let setup = "CREATE TABLE people (id integer PRIMARY KEY, salary integer, n, c text COLLATE NOCASE);
        WITH RECURSIVE r(g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM r WHERE g < 20)
          INSERT INTO people SELECT g, 1000 + g, 1, 'ann' FROM r;
        UPDATE people SET n = 1.0, c = 'ANN' WHERE id = 7";
    rusqlite::Connection::open(folder.path().join("db")).unwrap().execute_batch(setup).unwrap();
    let backend = tollgate_backends::open("sqlite:db", folder.path(), PoolLimits::default()).unwrap();
    let grouped = Grouped::over(backend, &["id", "salary", "n", "c"]).await;
    odd_one_is_not_told(
        &grouped,
        &["typeof(n)", "CAST(n AS TEXT)", "n || ''", "quote(n)", "c COLLATE BINARY", "unicode(c)"],
    )
    .await;
    grouped.backend.close().await;
}

/// Of a FLOAT the server writes six digits, and windows look at the first 1,024 bytes of a text.
#[tokio::test]
async fn equal_values_that_are_not_the_same_are_groups_of_their_own_on_mariadb() {
    let Some(server) = MariaDbServer::shared() else { return };
    let setup = "CREATE TABLE people (id integer PRIMARY KEY, salary integer, f float NOT NULL, c varchar(9), l longtext, b blob, j json)
          CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;
        INSERT INTO people SELECT seq, 1000 + seq, 1234568, 'ann', concat(repeat('x', 2000), 'plain'), concat(repeat('x', 2000), 'plain'),
          '{\"a\": 1}' FROM seq_1_to_20;
        UPDATE people SET f = 1234567, c = 'ANN ', l = concat(repeat('x', 2000), 'secret'), b = concat(repeat('x', 2000), 'secret'),
          j = '{\"a\":1}' WHERE id = 7";
    let database = server.database(setup);
    let backend = tollgate_backends::open(&database.url(), Path::new("."), PoolLimits::default()).unwrap();
    let grouped = Grouped::over(backend, &["id", "salary", "f", "c", "l", "b", "j"]).await;
    let tells = [
        "f < 1234568",
        "f",
        "ascii(c)",
        "length(c)",
        "char_length(c)",
        "right(l, 6)",
        "l LIKE '%secret%'",
        "length(b)",
        "length(j)",
    ];
    let taken: Vec<&str> =
        tells.iter().copied().filter(|tell| grouped.takes(&format!("SELECT {tell} AS x FROM people"))).collect();
    assert!(taken.len() >= 6, "{taken:?}");
    odd_one_is_not_told(&grouped, &taken).await;
    grouped.backend.close().await;
}

/// Of a coarse group less what a finer statement shows of it, enough are left: every coarser grouping is looked at, and a statement
/// with too many of them is refused.
#[tokio::test]
async fn a_finer_statement_tells_of_no_row_by_what_it_leaves_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut setup = "CREATE TABLE people (id integer PRIMARY KEY, salary integer, dept text NOT NULL, city text NOT NULL, sex text, age integer, lvl integer)".to_owned();
    let mut seed = 11;
    for id in 1..=300 {
        let (dept, city) = (next(&mut seed) % 3, next(&mut seed) % 3);
        let value = |seed: &mut u64| if next(seed).is_multiple_of(40) { "NULL" } else { "1" };
        let (sex, age, lvl) = (value(&mut seed), value(&mut seed), value(&mut seed));
        write!(setup, "; INSERT INTO people VALUES ({id}, {id}, 'd{dept}', 'c{city}', {sex}, {age}, {lvl})").unwrap();
    }
    rusqlite::Connection::open(folder.path().join("db")).unwrap().execute_batch(&setup).unwrap();
    let backend = tollgate_backends::open("sqlite:db", folder.path(), PoolLimits::default()).unwrap();
    let grouped = Grouped::over(backend, &["id", "salary", "dept", "city", "sex", "age", "lvl"]).await;
    for finer in ["sex = sex", "sex = sex AND age = age", "sex = sex AND age = age AND lvl = lvl"] {
        for (dept, city) in (0..3).flat_map(|dept| (0..3).map(move |city| (dept, city))) {
            let count = async |rest: &str| {
                let sql = format!("SELECT count(*) AS n FROM people WHERE dept = 'd{dept}' AND city = 'c{city}'{rest}");
                grouped.ask(&sql).await.unwrap()[0]["n"].as_u64().unwrap()
            };
            let left = count("").await - count(&format!(" AND {finer}")).await;
            assert!(left == 0 || left >= u64::from(LEAST), "{finer}: {left} of d{dept}, c{city}");
        }
    }
    let many =
        "SELECT count(*) AS n FROM people WHERE (dept, city, sex, age, lvl) = ('a', 'b', 'c', 1, 2) AND salary > 1";
    assert_eq!(grouped.ask(many).await, Err("TG409".to_owned()));
    grouped.backend.close().await;
}

/// A column's sum tells which rows have a value, and its values tell them apart: what the first has beyond the second is enough rows.
#[tokio::test]
async fn a_value_is_not_the_sum_less_the_values_that_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let setup = "CREATE TABLE people (id integer PRIMARY KEY, bonus integer);
        INSERT INTO people (bonus) VALUES (10), (10), (10), (10), (10), (10), (4242), (NULL), (NULL), (NULL), (NULL), (NULL)";
    rusqlite::Connection::open(folder.path().join("db")).unwrap().execute_batch(setup).unwrap();
    let backend = tollgate_backends::open("sqlite:db", folder.path(), PoolLimits::default()).unwrap();
    let grouped = Grouped::over(backend, &["id", "bonus"]).await;
    let whole = grouped.ask("SELECT sum(bonus) AS s, count(bonus) AS n FROM people").await;
    assert_eq!(whole, Ok(json!([{"s": 4_302, "n": 7}])));
    for sql in [
        "SELECT sum(bonus) AS s, count(*) AS n FROM people WHERE bonus <> 3",
        "SELECT sum(bonus) AS s, count(*) AS n FROM people WHERE bonus IN (10, 11)",
    ] {
        assert_eq!(grouped.ask(sql).await, Ok(json!([{"s": null, "n": 0}])), "{sql}");
    }
    grouped.backend.close().await;
}

/// A small generator of numbers, so that a failure repeats.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// Each cell of each table over three columns: shown whole or not at all, never when too small; and what a total has beyond the cells
/// that are shown is nothing, or enough.
#[tokio::test]
async fn neither_a_group_nor_a_difference_is_smaller_than_the_minimum() {
    const DIMENSIONS: [&str; 3] = ["a", "b", "c"];
    let mut seed = 7;
    let mut shown_in_all = 0;
    for round in 0..25 {
        let rows: Vec<[u64; 3]> =
            (0..20 + round * 4).map(|_| [next(&mut seed) % 3, next(&mut seed) % 2, next(&mut seed) % 4 / 3]).collect();
        let folder = tempfile::tempdir().unwrap();
        let mut setup = "CREATE TABLE people (id integer PRIMARY KEY, a integer, b integer, c integer)".to_owned();
        for [a, b, c] in &rows {
            write!(setup, "; INSERT INTO people (a, b, c) VALUES ({a}, {b}, {c})").unwrap();
        }
        rusqlite::Connection::open(folder.path().join("db")).unwrap().execute_batch(&setup).unwrap();
        let backend = tollgate_backends::open("sqlite:db", folder.path(), PoolLimits::default()).unwrap();
        let grouped = Grouped::over(backend, &["id", "a", "b", "c"]).await;
        for subset in 1..8_usize {
            let picked: Vec<usize> = (0..3).filter(|index| subset & (1 << index) != 0).collect();
            let names: Vec<&str> = picked.iter().map(|&index| DIMENSIONS[index]).collect();
            let sql = format!("SELECT {0}, count(*) AS n FROM people GROUP BY {0}", names.join(", "));
            let answer = grouped.ask(&sql).await.unwrap();
            let shown: BTreeMap<Vec<u64>, u64> = answer
                .as_array()
                .unwrap()
                .iter()
                .map(|row| (names.iter().map(|name| row[name].as_u64().unwrap()).collect(), row["n"].as_u64().unwrap()))
                .collect();
            let count = |columns: &[usize]| {
                let mut cells: BTreeMap<Vec<u64>, u64> = BTreeMap::new();
                for row in &rows {
                    *cells.entry(columns.iter().map(|&index| row[index]).collect()).or_default() += 1;
                }
                cells
            };
            let cells = count(&picked);
            for (cell, n) in &shown {
                assert!(*n >= u64::from(LEAST) && cells[cell] == *n, "{sql}: {cell:?} {n}");
            }
            shown_in_all += shown.len();
            for kept in 0..(1_usize << picked.len()) - 1 {
                let places: Vec<usize> = (0..picked.len()).filter(|place| kept & (1 << place) != 0).collect();
                let coarser: Vec<usize> = places.iter().map(|&place| picked[place]).collect();
                for (group, total) in count(&coarser) {
                    let of_group = shown
                        .iter()
                        .filter(|(cell, _)| places.iter().map(|&place| cell[place]).eq(group.iter().copied()));
                    let left = total - of_group.map(|(_, n)| n).sum::<u64>();
                    let harmless = left == 0 || left >= u64::from(LEAST) || total < u64::from(LEAST);
                    assert!(harmless, "{sql}: {left} of {group:?} are told by a difference");
                }
            }
        }
        grouped.backend.close().await;
    }
    assert!(shown_in_all > 300, "only {shown_in_all} groups were seen");
}
