//! What one engine says otherwise than another, or lacks, as far as it is a matter of words.

use tollgate_core::names::Dialect;

/// An engine's words.
pub(super) struct Words {
    /// Around names.
    pub(super) quote: &'static str,
    /// A backslash in a string.
    pub(super) backslash: &'static str,
    /// The schema of the tables, where a text may name it on every side.
    pub(super) schema: Option<&'static str>,
    /// Comparisons to which NULLs are equal.
    pub(super) distinct: &'static [&'static str],
    /// Operators of patterns, beside LIKE.
    pub(super) patterns: &'static [&'static str],
    pub(super) arithmetic: &'static [&'static str],
    /// Functions that choose: those that begin with `i` by a condition, the others one of two; and `ifnull`.
    pub(super) choices: &'static [&'static str],
    /// The length of a text in characters.
    pub(super) length: &'static str,
    pub(super) joins: &'static [&'static str],
    pub(super) set_operators: &'static [&'static str],
    /// Where NULLs stand in an order.
    pub(super) nulls: &'static [&'static str],
    pub(super) materialized: &'static [&'static str],
    /// Frames that treat equal rows alike.
    pub(super) frames: &'static [&'static str],
}

const JOINS: [&str; 6] = [" JOIN ", " INNER JOIN ", " LEFT JOIN ", " LEFT OUTER JOIN ", " RIGHT JOIN ", " FULL JOIN "];
const SET_OPERATORS: [&str; 6] =
    [" UNION ", " UNION ALL ", " INTERSECT ", " EXCEPT ", " INTERSECT ALL ", " EXCEPT ALL "];
const FRAMES: [&str; 6] = [
    "",
    "",
    " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
    " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
    " GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
    " GROUPS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE GROUP",
];

const POSTGRES: Words = Words {
    quote: "\"",
    backslash: "\\",
    schema: Some("public"),
    distinct: &[" IS DISTINCT FROM ", " IS NOT DISTINCT FROM "],
    patterns: &[" LIKE "],
    arithmetic: &[" + ", " - ", " * ", " / ", " % "],
    choices: &["greatest", "LEAST"],
    length: "char_length",
    joins: &JOINS,
    set_operators: &SET_OPERATORS,
    nulls: &["", "", " NULLS FIRST", " NULLS LAST"],
    materialized: &[" MATERIALIZED", " NOT MATERIALIZED"],
    frames: &FRAMES,
};

const SQLITE: Words = Words {
    schema: Some("main"),
    patterns: &[" GLOB "],
    choices: &["iif"],
    length: "length",
    set_operators: SET_OPERATORS.split_at(4).0,
    ..POSTGRES
};

const MARIADB: Words = Words {
    quote: "`",
    backslash: "\\\\",
    schema: None,
    distinct: &[" <=> "],
    patterns: &[" REGEXP ", " LIKE "],
    arithmetic: &[" + ", " - ", " * ", " / ", " % ", " DIV "],
    choices: &["if", "if", "ifnull", "greatest", "LEAST"],
    joins: JOINS.split_at(5).0,
    set_operators: SET_OPERATORS.split_at(4).0,
    nulls: &[""],
    materialized: &[""],
    frames: FRAMES.split_at(4).0,
    ..POSTGRES
};

/// The words of an engine.
pub(super) fn words(dialect: Dialect) -> &'static Words {
    match dialect {
        Dialect::Postgres => &POSTGRES,
        Dialect::Sqlite => &SQLITE,
        Dialect::MariaDb => &MARIADB,
    }
}
