//! What the printer refuses: each of these trees could only come from a mistake further up.

use super::super::cases;
use super::super::check::check_own;
use super::super::statement::Cost;
use super::reread::{self, Tokens};
use super::{RenderError, render};
use crate::catalog::TableId;
use crate::names::Dialect;
use crate::sql::tree::{
    ColumnRef, Cte, Distinct, Expr, Function, Literal, Materialized, Projection, Query, Relation, Select, SetExpr, Slot,
};

fn select(expr: Expr, from: Vec<Relation>) -> Query {
    let projection = vec![Projection { expr, name: "x".to_owned() }];
    let body = Select {
        distinct: Distinct::All,
        projection,
        from,
        filter: None,
        group_by: Vec::new(),
        grouping_sets: Vec::new(),
        having: None,
    };
    Query { with: Vec::new(), body: SetExpr::Select(Box::new(body)), order_by: Vec::new(), limit: None, offset: None }
}

fn value(expr: Expr) -> Query {
    select(expr, Vec::new())
}

fn text(text: &str) -> Expr {
    Expr::Literal(Literal::Text(text.to_owned()))
}

fn number(text: &str) -> Expr {
    Expr::Literal(Literal::Number(text.to_owned()))
}

fn printed(expr: Expr, dialect: Dialect) -> String {
    render(&value(expr), dialect).unwrap().text
}

const BOTH: [Dialect; 2] = [Dialect::Postgres, Dialect::Sqlite];

#[test]
fn a_bare_base_table_cannot_be_printed() {
    let table = TableId { schema: "public".to_owned(), name: "users".to_owned() };
    let base = Relation::Base { table: table.clone(), alias: "u".to_owned() };
    let inner = select(number("1"), vec![base.clone()]);
    let derived = Relation::Derived { query: Box::new(inner.clone()), alias: "d".to_owned(), lateral: false };
    for dialect in BOTH {
        for query in [
            select(number("1"), vec![base.clone()]),
            select(number("1"), vec![derived.clone()]),
            value(Expr::Exists { query: Box::new(inner.clone()), negated: false }),
            value(Expr::Scalar(Box::new(inner.clone()))),
        ] {
            assert_eq!(render(&query, dialect), Err(RenderError::Unrestricted(table.clone())));
        }
    }
}

#[test]
fn a_cte_is_known_only_where_its_with_defines_it() {
    let named = || Relation::Cte { name: "secrets".to_owned(), alias: "s".to_owned() };
    let definition = |query| Cte {
        name: "secrets".to_owned(),
        columns: vec!["x".to_owned()],
        materialized: Materialized::Auto,
        recursive: false,
        query,
    };
    for dialect in BOTH {
        let unknown = Err(RenderError::UnknownCte("secrets".to_owned()));
        assert_eq!(render(&select(number("1"), vec![named()]), dialect), unknown);
        let mut itself = select(number("1"), vec![named()]);
        itself.with = vec![definition(select(number("1"), vec![named()]))];
        assert_eq!(render(&itself, dialect), unknown);
        let mut fine = select(number("1"), vec![named()]);
        fine.with = vec![definition(value(number("1")))];
        assert!(render(&fine, dialect).is_ok());
    }
}

#[test]
fn nothing_ends_its_quotes_early() {
    assert_eq!(printed(text("it's"), Dialect::Sqlite), "SELECT 'it''s' AS \"x\"");
    assert_eq!(printed(text("\\' OR 1=1 --"), Dialect::Sqlite), "SELECT '\\'' OR 1=1 --' AS \"x\"");
    assert_eq!(printed(text("\\' OR 1=1 --"), Dialect::Postgres), "SELECT E'\\\\'' OR 1=1 --' AS \"x\"");
    for dialect in BOTH {
        assert_eq!(render(&value(text("a\0b")), dialect), Err(RenderError::Nul));
        let column = |name: &str| {
            Expr::Column(ColumnRef {
                relation: "r".to_owned(),
                name: name.to_owned(),
                origin: None,
                ty: None,
                masked: false,
                nullable: true,
            })
        };
        assert_eq!(printed(column("a\"; DROP"), dialect), "SELECT \"r\".\"a\"\"; DROP\" AS \"x\"");
        assert_eq!(render(&value(column("a\0")), dialect), Err(RenderError::Nul));
    }
}

#[test]
fn words_and_numbers_are_what_they_say() {
    for dialect in BOTH {
        for bad in ["", ".", "1e", "1e+", "0x1", "1_0", "-1", "1;2", "1 2", "1.2.3", "é"] {
            assert_eq!(render(&value(number(bad)), dialect), Err(RenderError::Number(bad.to_owned())), "{bad}");
        }
        for good in ["0", "1.", ".5", "1e10", "1.5E-3"] {
            assert!(render(&value(number(good)), dialect).is_ok(), "{good}");
        }
    }
    for bad in ["int; DROP", "int)", "\"x\"", "int(1", "numeric(1,a)", "", " int", "numeric(1)(2)", "int--"] {
        assert!(!super::is_type_name(bad), "{bad}");
    }
    for good in ["character varying(20)", "numeric(12,2)", "text[]", "timestamp(3) with time zone", "public.mood"] {
        assert!(super::is_type_name(good), "{good}");
    }
    let call = Expr::Function(Function::plain("lower(x), pg_sleep", Vec::new()));
    assert!(matches!(render(&value(call), Dialect::Postgres), Err(RenderError::Word(_))));
}

#[test]
fn slots_stand_where_they_may() {
    for dialect in BOTH {
        assert_eq!(render(&value(Expr::Slot(Slot::CallId)), dialect), Err(RenderError::CallId));
        let list = Slot::ParamList("ids".parse().unwrap());
        assert!(render(&value(Expr::Slot(list)), dialect).is_err());
        let one =
            Expr::InSlot { expr: Box::new(number("1")), slot: Slot::Param("id".parse().unwrap()), negated: false };
        assert!(render(&value(one), dialect).is_err());
    }
}

fn meant(build: impl Fn(&mut Tokens)) -> Tokens {
    let mut tokens = Tokens::default();
    build(&mut tokens);
    tokens
}

#[test]
fn what_was_meant_is_read() {
    let tokens = meant(|t| {
        t.plain("SELECT ");
        t.name("a\"b");
        t.plain(", ");
        t.string("it's \\ -- /* ; $$ 漢é");
        t.plain(" - 1.5E-3 FROM x");
    });
    let postgres = r#"SELECT "a""b", E'it''s \\ -- /* ; $$ 漢é' - 1.5E-3 FROM x"#;
    assert_eq!(reread::check(postgres, &tokens, Dialect::Postgres), Ok(()));
    let sqlite = r#"SELECT "a""b", 'it''s \ -- /* ; $$ 漢é' - 1.5E-3 FROM x"#;
    assert_eq!(reread::check(sqlite, &tokens, Dialect::Sqlite), Ok(()));
    assert_eq!(reread::check(sqlite, &tokens, Dialect::Postgres), Ok(()), "strings are standard ones");
    assert_eq!(reread::check(postgres, &tokens, Dialect::Sqlite), Err(RenderError::Misread));
}

#[test]
fn anything_else_is_not() {
    let tokens = meant(|t| {
        t.plain("SELECT ");
        t.string("a' OR 'b");
    });
    for text in [
        "SELECT 'a' OR 'b'",
        "SELECT 'a'' OR ''b",
        "SELECT 'a'' OR ''b' --",
        "SELECT 'a'' OR ''b' /**/",
        "SELECT 'a'' OR ''b';",
        "SELECT/**/'a'' OR ''b'",
        "SELECT\n'a'' OR ''b'",
        "SELECT N'a'' OR ''b'",
        "SELECT E'a\\' OR \\'b'",
        "SELECT $$a' OR 'b$$",
        "SELECT U&'a'' OR ''b'",
        "SELECT \"a' OR 'b\"",
        "SELECT `a' OR 'b`",
    ] {
        for dialect in [Dialect::Postgres, Dialect::Sqlite] {
            assert_eq!(reread::check(text, &tokens, dialect), Err(RenderError::Misread), "{text}");
        }
    }
    let adjacent = meant(|t| t.plain("- - 1"));
    assert_eq!(reread::check("--1", &adjacent, Dialect::Postgres), Err(RenderError::Misread));
    assert_eq!(
        reread::check("SELECT [a]", &meant(|t| t.plain("SELECT [a]")), Dialect::Sqlite),
        Err(RenderError::Misread)
    );
}

/// What a planner is asked about a caller's statement.
fn reckoned(sql: &str) -> String {
    let (catalog, visible) = cases::shop(Dialect::Postgres);
    let statement = check_own(sql, &catalog, &visible, Cost::Bounded).unwrap_or_else(|error| panic!("{sql}: {error}"));
    statement.estimate().unwrap().text(11, 0)
}

#[test]
fn nothing_is_reckoned_with_a_constant() {
    for (one, other) in [
        (
            "SELECT id FROM users WHERE name = 'Ada' AND id > 5",
            "SELECT id FROM users WHERE name = 'Bob' AND id > 70000",
        ),
        ("SELECT id FROM users WHERE name LIKE 'A%'", "SELECT id FROM users WHERE name LIKE '%zzz'"),
        (
            "SELECT id FROM users WHERE id IN (1, 2) OR score < 1.5",
            "SELECT id FROM users WHERE id IN (3, 4) OR score < 8e3",
        ),
        ("SELECT id FROM users WHERE (id = 1) = TRUE", "SELECT id FROM users WHERE (id = 2) = FALSE"),
        (
            "SELECT id FROM users WHERE created_at > DATE '2020-01-01' + INTERVAL '1 day'",
            "SELECT id FROM users WHERE created_at > DATE '1990-12-31' + INTERVAL '9 years'",
        ),
        (
            "WITH few AS (SELECT id FROM orders WHERE total > 7) SELECT count(*) FROM few GROUP BY id % 2",
            "WITH few AS (SELECT id FROM orders WHERE total > 9) SELECT count(*) FROM few GROUP BY id % 3",
        ),
        (
            "SELECT u.id FROM users u JOIN (VALUES ('x')) v(c) ON v.c = u.name",
            "SELECT u.id FROM users u JOIN (VALUES ('y')) v(c) ON v.c = u.name",
        ),
    ] {
        assert_eq!(reckoned(one), reckoned(other));
    }
    // What is made of no constant is none, and what is made of a call alone is one.
    for constant in ["pi()", "now()", "CURRENT_DATE"] {
        let text = reckoned(&format!("SELECT id FROM users WHERE {constant} IS NOT NULL"));
        assert!(text.contains("(SELECT pg_catalog."), "{text}");
    }
    let text = reckoned(
        "SELECT count(*) AS n, row_number() OVER () AS r FROM users WHERE id = CAST(NULL IS NULL AS integer) LIMIT 3",
    );
    assert!(!text.contains("TRUE") && !text.contains("NULL IS") && text.ends_with(" LIMIT 11 OFFSET 0"), "{text}");
    // A constant that is grouped by is the same in both places.
    let text = reckoned("SELECT name || 'x' AS n FROM users GROUP BY name || 'x'");
    assert_eq!(text.matches("$2").count(), 2, "{text}");
}
