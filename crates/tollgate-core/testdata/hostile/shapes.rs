//! Statements that are long, deep or multiply, up to the limits of a text and past them: for `benches/hostile.rs` and `sql::hostile`.

use std::fmt::Write as _;

/// `count` texts, joined.
fn joined(count: usize, between: &str, each: impl Fn(usize) -> String) -> String {
    (0..count).map(each).collect::<Vec<_>>().join(between)
}

fn around(count: usize, before: &str, inside: &str, after: &str) -> String {
    format!("{}{inside}{}", before.repeat(count), after.repeat(count))
}

/// A statement of each shape, by name. `users` and `orders` are tables; `wide` has a thousand columns, `c0` to `c999`.
pub fn shapes() -> Vec<(&'static str, String)> {
    let mut all = columns();
    all.extend(queries());
    all.extend(relations());
    all.extend(expressions());
    all.extend(texts());
    all
}

fn columns() -> Vec<(&'static str, String)> {
    vec![
        ("union of wide tables", joined(50, " UNION ", |_| "SELECT * FROM wide".to_owned())),
        ("nested unions of wide tables", {
            let inner = joined(10, " UNION ALL ", |_| "SELECT * FROM wide".to_owned());
            joined(10, " UNION ALL ", |at| format!("SELECT * FROM ({inner}) AS q{at}"))
        }),
        ("wide tables inside one another", around(38, "SELECT * FROM (", "SELECT * FROM wide", ") AS q")),
        ("wide tables side by side", {
            let many = joined(400, ", ", |at| format!("(SELECT count(*) FROM (SELECT * FROM wide) AS w{at}) AS n{at}"));
            format!("SELECT {many}")
        }),
        ("common table expressions of wide tables", {
            let many = joined(100, ", ", |at| format!("q{at} AS (SELECT * FROM wide)"));
            format!("WITH {many} SELECT 1 AS x")
        }),
        ("a chain of common table expressions of wide tables", {
            let many = joined(100, ", ", |at| format!("q{} AS (SELECT * FROM q{at})", at + 1));
            format!("WITH q0 AS (SELECT * FROM wide), {many} SELECT count(*) AS n FROM q100")
        }),
        ("natural joins of wide tables", {
            let many = joined(31, " NATURAL JOIN ", |at| format!("wide AS w{at}"));
            format!("SELECT count(*) AS n FROM {many}")
        }),
        ("full joins of wide tables", {
            let many = joined(31, " NATURAL FULL JOIN ", |at| format!("wide AS w{at}"));
            format!("SELECT c0 FROM {many}")
        }),
        ("joins of wide tables, by every column", {
            let all = joined(1_000, ", ", |at| format!("c{at}"));
            format!("SELECT a.c0 FROM wide a JOIN wide b USING ({all}) JOIN wide c USING ({all})")
        }),
        ("all columns by name", {
            let all = joined(1_000, ", ", |at| format!("c{at}"));
            format!("SELECT {all} FROM wide GROUP BY {all} ORDER BY {all}")
        }),
        ("grouping by the key, naming the rest", {
            let many = joined(900, ", ", |at| format!("max(c{at}) + c{} AS x{at}", at + 1));
            format!("SELECT {many} FROM wide GROUP BY c0")
        }),
        ("distinct on all columns", {
            let all = joined(1_000, ", ", |at| format!("c{at}"));
            format!("SELECT DISTINCT ON ({all}) * FROM wide ORDER BY {all}")
        }),
        ("grouping by numbers", {
            let numbers = joined(1_000, ", ", |at| (at + 1).to_string());
            format!("SELECT * FROM wide GROUP BY {numbers} ORDER BY {numbers}")
        }),
    ]
}

fn queries() -> Vec<(&'static str, String)> {
    vec![
        ("union of many", joined(2_000, " UNION ALL ", |at| format!("SELECT {at} AS x"))),
        ("unions in a from", {
            let union = joined(50, " UNION ALL ", |_| "SELECT id FROM users".to_owned());
            format!("SELECT * FROM ({union}) AS a, ({union}) AS b, ({union}) AS c")
        }),
        ("common table expressions", {
            let many = joined(400, ", ", |at| format!("q{at} AS (SELECT id FROM users)"));
            format!("WITH {many} SELECT id FROM q399")
        }),
        ("doubling common table expressions", {
            let many = joined(30, ", ", |at| format!("q{} AS (SELECT a.id FROM q{at} a, q{at} b)", at + 1));
            format!("WITH q0 AS (SELECT id FROM users), {many} SELECT id FROM q30")
        }),
        ("recursion in recursion", {
            let inner = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 9)";
            around(12, &format!("{inner} SELECT i FROM ("), "SELECT 1 AS i", ") AS q")
        }),
        ("recursion whose right arm is resolved twice", {
            let mut text = "SELECT email FROM users".to_owned();
            for at in 0..20 {
                text = format!(
                    "WITH RECURSIVE r{at} AS (SELECT email FROM users UNION ALL SELECT a.email FROM r{at} a, ({text}) b) \
                     SELECT email FROM r{at}"
                );
            }
            text
        }),
        ("many windows", {
            let many = joined(700, ", ", |at| format!("sum(id) OVER (PARTITION BY region ORDER BY id) AS w{at}"));
            format!("SELECT {many} FROM users")
        }),
        ("a long window, named often", {
            let keys = joined(31, ", ", |_| "id + id + id".to_owned());
            let many = joined(900, ", ", |at| format!("sum(id) OVER w AS w{at}"));
            format!("SELECT {many} FROM users WINDOW w AS (PARTITION BY {keys})")
        }),
        ("scalar subqueries", {
            let many =
                joined(400, ", ", |at| format!("(SELECT max(o.id) FROM orders o WHERE o.user_id = u.id) AS s{at}"));
            format!("SELECT {many} FROM users u")
        }),
    ]
}

fn relations() -> Vec<(&'static str, String)> {
    vec![
        ("subqueries in one another", {
            around(12, "SELECT id FROM users WHERE id IN (", "SELECT user_id FROM orders", ")")
        }),
        ("joins in parentheses", {
            format!("SELECT 1 AS x FROM {}", around(30, "(users JOIN ", "orders", " ON true)"))
        }),
        ("derived tables in parentheses", {
            let mut text = "SELECT 1 AS id".to_owned();
            for at in 0..18 {
                text = format!("SELECT a{at}.id FROM ((({text}) AS a{at} CROSS JOIN orders AS b{at}))");
            }
            text
        }),
        ("parentheses that never become a table", around(39, "SELECT * FROM (", "", ")")),
        ("rows of values", format!("VALUES {}", joined(5_000, ", ", |at| format!("({at})")))),
        ("wide rows of values", {
            let row = joined(10, ", ", |at| at.to_string());
            format!("SELECT * FROM (VALUES {}) AS v", joined(700, ", ", |_| format!("({row})")))
        }),
        (
            "cubes",
            format!(
                "SELECT count(*) AS n FROM users GROUP BY {}",
                around(1, "CUBE (", &joined(16, ", ", |_| "id".to_owned()), ")")
            ),
        ),
        ("a long rollup", {
            format!("SELECT 1 AS x FROM users GROUP BY ROLLUP ({})", joined(7_000, ", ", |_| "id".to_owned()))
        }),
        ("sets of sets", {
            let cube = "CUBE (id, name, region)";
            format!("SELECT count(*) AS n FROM users GROUP BY {}", joined(20, ", ", |_| cube.to_owned()))
        }),
        ("grouping sets", {
            let sets = joined(128, ", ", |_| "(id, name, region, score)".to_owned());
            format!("SELECT count(*) AS n FROM users GROUP BY GROUPING SETS ({sets})")
        }),
        ("lateral chains", {
            let many = joined(30, ", ", |at| format!("LATERAL (SELECT u.id FROM orders WHERE user_id = u.id) l{at}"));
            format!("SELECT 1 AS x FROM users u, {many}")
        }),
        (
            "sort keys",
            format!("SELECT id FROM users ORDER BY {}", joined(7_000, ", ", |at| format!("id % {}", at + 1))),
        ),
        ("group keys", {
            format!("SELECT 1 AS x FROM users GROUP BY {}", joined(3_000, ", ", |at| format!("id % {}", at + 1)))
        }),
    ]
}

fn expressions() -> Vec<(&'static str, String)> {
    let selected = |expr: String| format!("SELECT {expr} AS x FROM users");
    let mut all = vec![
        ("doubling aliases", {
            let many = joined(60, ", ", |at| format!("a{at} & a{at} AS a{}", at + 1));
            format!("SELECT id AS a0, {many} FROM users WHERE a60 = 1")
        }),
        ("a long alias, used often", {
            let long = format!("CASE {} END", joined(700, " ", |at| format!("WHEN id = {at} THEN {at}")));
            let often = joined(900, ", ", |_| "a".to_owned());
            format!("SELECT {long} AS a FROM users WHERE a IN ({often})")
        }),
        ("a long alias, used in groups and orders", {
            let long = format!("CASE {} END", joined(700, " ", |at| format!("WHEN id = {at} THEN {at}")));
            let often = joined(900, ", ", |at| format!("a + {at}"));
            format!("SELECT {long} AS a FROM users GROUP BY {often} ORDER BY {often}")
        }),
        ("concatenations", selected(joined(1_400, " || ", |_| "name".to_owned()))),
        ("sums", selected(joined(1_400, " + ", |_| "id".to_owned()))),
        ("chains of bits", {
            let chain = joined(90, " & ", |_| "id".to_owned());
            format!("SELECT {} FROM users", joined(70, ", ", |at| format!("{chain} AS x{at}")))
        }),
        ("conjunctions", {
            let terms = joined(450, " AND ", |at| format!("id <> {at}"));
            format!("SELECT id FROM users WHERE {terms}")
        }),
        ("disjunctions of conjunctions", {
            let terms = joined(300, " OR ", |at| format!("(id = {at} AND name = 'x')"));
            format!("SELECT id FROM users WHERE {terms}")
        }),
        ("negations", format!("SELECT id FROM users WHERE {} id = 1", "NOT ".repeat(700))),
        ("signs", selected(format!("{} id", "- ".repeat(700)))),
        ("parentheses", selected(around(5_000, "(", "1", ")"))),
        ("parentheses within the limit", selected(around(39, "(", "id", ")"))),
        ("nested cases", selected(around(39, "CASE WHEN id = 1 THEN ", "1", " END"))),
        ("cases in operands", selected(around(38, "CASE (", "id", ") WHEN 1 THEN 1 END"))),
        ("a flat case", selected(format!("CASE {} END", joined(3_000, " ", |at| format!("WHEN id = {at} THEN {at}"))))),
        ("a list", format!("SELECT id FROM users WHERE id IN ({})", joined(10_000, ", ", |at| at.to_string()))),
        ("lists", {
            let list = joined(900, ", ", |at| at.to_string());
            format!("SELECT id FROM users WHERE {}", joined(8, " OR ", |_| format!("id IN ({list})")))
        }),
        ("lists of columns", {
            let list = joined(900, ", ", |_| "id".to_owned());
            format!("SELECT id FROM users WHERE {}", joined(8, " OR ", |_| format!("id IN ({list})")))
        }),
        ("nested calls", selected(around(39, "lower(", "name", ")"))),
        ("nested coalesce", selected(around(38, "coalesce(name, ", "name", ")"))),
        ("nested choices of kinds", { selected(around(19, "coalesce(nullif(name, 'x'), ", "name", ")")) }),
        ("nested truncation", selected(around(38, "date_trunc('day', ", "created_at", ")"))),
        ("casts", selected(format!("id{}", "::text".repeat(1_400)))),
        (
            "chains of between",
            format!("SELECT id FROM users WHERE {}", joined(200, " AND ", |_| "id BETWEEN 1 AND 2".into())),
        ),
        ("chains of is", selected(format!("id{}", " IS NULL".repeat(1_300)))),
        ("chains of glob", selected(joined(40, " GLOB ", |_| "name".to_owned()))),
        ("subscripts", selected(format!("ARRAY[1]{}", "[1]".repeat(700)))),
        ("arrays in arrays", selected(around(39, "ARRAY[", "1", "]"))),
        ("document paths", selected(format!("profile{}", " -> 'a'".repeat(700)))),
    ];
    all.push(("patterns", {
        let pattern = format!("'{}'", "%_".repeat(2_000));
        format!("SELECT id FROM users WHERE {}", joined(14, " OR ", |_| format!("name LIKE {pattern}")))
    }));
    all
}

fn texts() -> Vec<(&'static str, String)> {
    vec![
        ("a long name", format!("SELECT {} FROM users", "a".repeat(60_000))),
        (
            "long names",
            format!("SELECT {} FROM users", joined(900, ", ", |at| format!("id AS \"{}{at}\"", "é".repeat(25)))),
        ),
        ("an unknown long name beside wide tables", format!("SELECT {} FROM wide a, wide b", "c".repeat(60_000))),
        ("many unknown names", format!("SELECT {} FROM wide", joined(5_000, ", ", |at| format!("c1000{at}")))),
        ("a long string", format!("SELECT '{}' AS x", "''".repeat(30_000))),
        ("a long comment", format!("SELECT 1 AS x /*{}*/", "/*".repeat(20_000))),
        ("nested comments", format!("SELECT 1 AS x {}", around(10_000, "/*", "", "*/"))),
        ("characters of four bytes", format!("SELECT '{}' AS x", "\u{1f600}".repeat(16_000))),
        ("dollars", format!("SELECT {} AS x", "$a".repeat(20_000))),
        ("commas", format!("SELECT {}", ",".repeat(60_000))),
        ("brackets", "[".repeat(60_000)),
        ("selects", "SELECT ".repeat(9_000)),
        ("cases without an end", format!("SELECT {}", "CASE ".repeat(10_000))),
        ("cases as names", format!("SELECT {} c", "case-".repeat(700))),
        ("intervals", format!("SELECT {}1", "INTERVAL ".repeat(700))),
        ("positions in one another", { format!("SELECT {}", around(38, "position(", "'a', 'b'", ")")) }),
        ("positions in calls that fail", format!("SELECT {}", "position(position(a.f(".repeat(12))),
        ("calls of columns", format!("SELECT {}", around(38, "a.f(", "1 1", ")"))),
        ("lists in lists", {
            format!("SELECT 1 FROM users WHERE {}", around(30, "id IN ((SELECT 1 WHERE id IN (", "1 1", ")))"))
        }),
        ("tables in parentheses", format!("SELECT 1 FROM {}", around(38, "(", "users", ")"))),
        ("parentheses and joins", {
            format!("SELECT 1 FROM {}", around(38, "(", "(SELECT 1 AS x) AS a", " CROSS JOIN users)"))
        }),
        ("substrings in one another", format!("SELECT {}", around(38, "substring(", "'a'", " FROM 1)"))),
        ("extracts in one another", format!("SELECT {}", around(38, "extract(year FROM ", "created_at", ")"))),
        ("casts in one another", format!("SELECT {}", around(38, "CAST(", "1", " AS text)"))),
        ("trims in one another", format!("SELECT {}", around(38, "trim(BOTH 'x' FROM ", "name", ")"))),
        ("intervals in parentheses", format!("SELECT {}", around(38, "INTERVAL (", "1", ")"))),
        ("tests in one another", {
            format!("SELECT 1 FROM users WHERE {}", around(19, "NOT EXISTS (SELECT 1 FROM users WHERE ", "true", ")"))
        }),
        ("clocks in calls", format!("SELECT {}", "current_time(".repeat(39))),
        ("calls that never end", format!("SELECT {}", "f(a, ".repeat(39))),
        ("joins without conditions", format!("SELECT 1 FROM a {}", "JOIN a ".repeat(60))),
        ("placeholders", format!("SELECT {}", joined(5_000, ", ", |at| format!(":p{at}")))),
        ("lines", {
            let mut text = "SELECT 1".to_owned();
            for _ in 0..30_000 {
                let _ = writeln!(text);
            }
            text
        }),
    ]
}
