//! What a caller's statement costs, reckoned without its constants: hidden rows are in the statistics.

use std::{collections::BTreeMap, sync::Arc};

use tokio_postgres::SimpleQueryMessage;
use tollgate_core::sql::{CheckedStatement, Cost, RestrictedColumn, Restriction, Restrictions, check_own};

use super::{Asked, Opened};
use crate::{ErrorKind, Fault, PoolLimits, postgres::estimate};

const SETUP: &str = "CREATE TYPE mood AS ENUM ('sad', 'fine');
    CREATE TABLE notes (id integer PRIMARY KEY, note text NOT NULL, flag boolean NOT NULL, at timestamptz, mood mood, doc jsonb);
    INSERT INTO notes SELECT n, CASE WHEN n % 2 = 0 THEN 'SECRET' ELSE n::text END, n % 100 = 0, now(), 'sad', '{}'
        FROM generate_series(1, 20000) n;
    CREATE INDEX ON notes (note); ANALYZE notes;";

impl Opened {
    fn own(&self, sql: &str) -> Arc<CheckedStatement> {
        let mut restrictions = Restrictions { tables: BTreeMap::new(), mask_key: None };
        for table in self.catalog.tables() {
            let columns = table.columns.iter().map(|c| RestrictedColumn { name: c.name.clone(), mask: None }).collect();
            let restriction = Restriction { columns, filter: None, hides_rows: false, min_group_size: None };
            restrictions.tables.insert(table.id.clone(), restriction);
        }
        Arc::new(check_own(sql, &self.catalog, &restrictions, Cost::Bounded).unwrap_or_else(|e| panic!("{sql}: {e}")))
    }
}

#[tokio::test]
async fn a_cost_tells_nothing_of_a_constant() {
    let Some(database) = super::database(SETUP).await else { return };
    let opened = Opened::at(&database.url(), PoolLimits { max: 1, ..PoolLimits::default() }).await;
    let client = database.superuser().await;
    let cost = async |sql: &str| {
        let statement = opened.own(sql);
        let estimate = statement.estimate().unwrap();
        estimate::cost(&client, &estimate.text(1001, 0), estimate.params()).await.ok().unwrap()
    };
    for (one, other) in [
        ("note = 'SECRET'", "note = 'nothing of the kind'"),
        ("note > 'S'", "note > 'Z'"),
        ("note BETWEEN 'SECRET' AND 'SECRET'", "note BETWEEN 'x' AND 'y'"),
        ("note LIKE 'SEC%'", "note LIKE 'zzz%'"),
        ("note IN ('SECRET', 'a')", "note IN ('b', 'a')"),
        ("id < 10", "id < 19999"),
        ("flag = (1 = 1)", "flag = (1 = 2)"),
        ("note = 'S' || 'ECRET'", "note = 'x' || 'y'"),
        ("note = upper('secret')", "note = upper('y')"),
        ("note = chr(65 + CAST(TRUE AS integer))", "note = chr(83 + CAST(FALSE AS integer))"),
        ("id < CAST(CURRENT_DATE IS NULL AS integer)", "id < CAST(CURRENT_DATE IS NOT NULL AS integer)"),
        ("note = (SELECT 'SECRET')", "note = (SELECT 'x')"),
        ("note = coalesce(NULL, 'SECRET')", "note = coalesce(NULL, 'x')"),
        ("note = CASE WHEN TRUE THEN 'SECRET' ELSE 'x' END", "note = CASE WHEN FALSE THEN 'SECRET' ELSE 'x' END"),
        (
            "id IN (SELECT n.id FROM notes n WHERE n.note = 'SECRET')",
            "id IN (SELECT n.id FROM notes n WHERE n.note = 'x')",
        ),
    ] {
        let [one_cost, other_cost] = [one, other].map(|filter| format!("SELECT id FROM notes WHERE {filter}"));
        assert!((cost(&one_cost).await - cost(&other_cost).await).abs() < 1e-9, "{one}");
    }
    // The planner itself does know.
    let mut plans = Vec::new();
    for note in ["SECRET", "nothing"] {
        let plan = client.simple_query(&format!("EXPLAIN SELECT id FROM notes WHERE note = '{note}'")).await.unwrap();
        plans.push(
            plan.iter()
                .find_map(|m| if let SimpleQueryMessage::Row(row) = m { row.get(0).map(str::to_owned) } else { None }),
        );
    }
    assert_ne!(plans[0], plans[1]);
    assert!(cost("SELECT id FROM notes WHERE id = 7").await < 20.0);
    assert!(cost("SELECT count(*) FROM notes a, notes b").await > 1e6);
    // Nothing stays on the connection, whatever came of it.
    assert!(estimate::cost(&client, "SELECT no_such_column", 1).await.is_err());
    let left = "SELECT count(*), current_setting('plan_cache_mode'), current_setting('transaction_read_only') \
                FROM pg_prepared_statements WHERE name = 'tg_estimate'";
    let left = client.query_one(left, &[]).await.unwrap();
    assert_eq!((left.get(0), left.get(1), left.get(2)), (0_i64, "auto", "off"));
}

#[tokio::test]
async fn a_statement_over_its_cost_does_not_run() {
    let Some(database) = super::database(SETUP).await else { return };
    // Each statement alone, and in a transaction.
    for url in [database.url(), database.superuser_url()] {
        let opened = Opened::at(&url, PoolLimits { max: 1, ..PoolLimits::default() }).await;
        let run = async |sql: &str, most| {
            let asked = Asked { cost_max: Some(most), ..Asked::default() };
            opened.run(&opened.own(sql), asked).await.map(|executed| executed.rows.count).map_err(|error| error.kind)
        };
        let cheap = "SELECT note FROM notes WHERE id = 7";
        assert_eq!(run(cheap, 50).await, Ok(1));
        for costly in [
            "SELECT count(*) FROM notes a, notes b",
            "SELECT id FROM notes ORDER BY note DESC",
            "SELECT avg(id) FROM notes",
        ] {
            assert_eq!(run(costly, 50).await, Err(ErrorKind::Cost), "{costly}");
            assert_eq!(run(cheap, 50).await, Ok(1));
        }
        assert_eq!(run("SELECT avg(id) FROM notes", 1_000_000).await, Ok(1));
    }
}

#[tokio::test]
async fn what_the_database_takes_can_be_reckoned() {
    let Some(database) = super::database(SETUP).await else { return };
    let opened = Opened::at(&database.url(), PoolLimits { max: 1, ..PoolLimits::default() }).await;
    for sql in [
        "SELECT 'a' AS a, 1 AS b, NULL AS c, TRUE AS d, 1.5 AS e",
        "SELECT note || '-' || id AS t FROM notes WHERE mood = 'sad' AND note <> 'sad' LIMIT 1",
        "SELECT date_trunc('month', at) AS m, count(*) AS n FROM notes WHERE at > now() - INTERVAL '1 day' GROUP BY date_trunc('month', at)",
        "SELECT EXTRACT(year FROM at) AS y, at AT TIME ZONE 'UTC' AS z, at::date AS d FROM notes LIMIT 1",
        "SELECT doc -> 'a' AS a, doc ->> 'b' AS b, doc -> 0 AS c, doc @> '{\"a\": 1}' AS d FROM notes LIMIT 1",
        "SELECT CASE mood WHEN 'sad' THEN 'yes' ELSE NULL END AS m FROM notes LIMIT 1",
        "SELECT 'a' AS x UNION SELECT note FROM notes WHERE id = 1 UNION ALL SELECT NULL",
        "SELECT id FROM notes WHERE (id, note) IN ((1, '1'), (2, 'SECRET')) AND id = ANY (ARRAY[1, 2]) AND note = ANY ('{1,2}')",
        "SELECT id, lag(id, 1, 0) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS l FROM notes WHERE id < 4",
        "SELECT DISTINCT ON (id % 3) id FROM notes ORDER BY id % 3, id LIMIT 3",
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY id) AS p, string_agg(note, ',' ORDER BY id) AS s FROM notes WHERE id < 3",
        "SELECT s.i, round(1.234, 2) AS r, substring('abc' FROM 2 FOR 1) AS u, nullif(id, 0) AS n FROM notes, generate_series(1, 3) AS s(i) WHERE id = 1",
        "SELECT count(*) FILTER (WHERE flag) AS f, sum(CASE WHEN note LIKE 'SEC%' ESCAPE '!' THEN 1 ELSE 0 END) AS c FROM notes",
        "SELECT note LIKE 'a%' AS l, count(*) AS n FROM notes GROUP BY note LIKE 'a%' HAVING count(*) > 1 ORDER BY count(*) * 2",
        "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 3) SELECT i FROM r",
        "SELECT v.a FROM (VALUES (1, 'x'), (2, NULL)) AS v(a, b) WHERE v.b IS NULL",
        "SELECT id FROM notes WHERE at = '2020-01-01' OR at < DATE '2020-01-01' OR at::text = 'x' LIMIT 1",
        "SELECT to_char(at, 'YYYY') AS y FROM notes GROUP BY to_char(at, 'YYYY')",
        "SELECT id / 3.0 AS q, -id AS m, id::numeric(10, 2) AS p FROM notes WHERE NOT flag IS TRUE LIMIT 1",
    ] {
        let asked = Asked { cost_max: Some(u32::MAX), ..Asked::default() };
        let ran = opened.run(&opened.own(sql), asked).await;
        assert!(ran.is_ok(), "{sql}: {:?}", ran.map_err(|error| error.story()));
    }
    // One constant as two types, where it must stay one: the sentence says what to do.
    let sql = "SELECT note || 'sad' AS n, mood = 'sad' AS m FROM notes GROUP BY note || 'sad', mood = 'sad'";
    let asked = Asked { cost_max: Some(u32::MAX), ..Asked::default() };
    let refused = opened.run(&opened.own(sql), asked).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Statement(Fault::Unpriced));
}
