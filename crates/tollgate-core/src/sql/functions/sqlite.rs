//! SQLite: deterministic built-in functions, and the date functions, whose `'now'` is the statement's clock. Nearly all of them
//! answer NULL where other engines fail; `LEAKY` stands where one can raise an error. A column of SQLite may hold a value of
//! any kind whatever its declared type, so a function is total over all kinds or over none.

use super::Leak::{Leaky as LEAKY, Total};
use super::ResultType::{FirstArgument, Float, Integer, Json, Text, Unknown};
use super::{FunctionSpec, Kinds, aggregate, scalar};

/// The most arguments that a variadic function is given.
const MANY: usize = 50;

const ALL: Kinds = Kinds::KNOWN;

#[rustfmt::skip]
pub(super) const FUNCTIONS: &[FunctionSpec] = &[
    // Text.
    scalar("lower",        (1, 1),    Total(ALL), Text),
    scalar("upper",        (1, 1),    Total(ALL), Text),
    scalar("length",       (1, 1),    Total(ALL), Integer),
    scalar("trim",         (1, 2),    Total(ALL), Text),
    scalar("ltrim",        (1, 2),    Total(ALL), Text),
    scalar("rtrim",        (1, 2),    Total(ALL), Text),
    scalar("substr",       (2, 3),    Total(ALL), Text),
    scalar("instr",        (2, 2),    Total(ALL), Integer),
    // A long result fails with `string or blob too big`.
    scalar("replace",      (3, 3),    LEAKY,      Text),
    scalar("typeof",       (1, 1),    Total(ALL), Text),
    // Numbers. The smallest integer has no absolute value. `ceil` and `floor` are not in every build of SQLite.
    scalar("abs",          (1, 1),    LEAKY,      Unknown),
    scalar("round",        (1, 2),    Total(ALL), Float),
    scalar("sign",         (1, 1),    Total(ALL), Integer),
    // Choice.
    scalar("coalesce",     (2, MANY), Total(ALL), FirstArgument),
    scalar("ifnull",       (2, 2),    Total(ALL), FirstArgument),
    scalar("nullif",       (2, 2),    Total(ALL), FirstArgument),
    scalar("iif",          (3, 3),    Total(ALL), Unknown),
    // Dates and times: text in, text out, NULL for what is not a date.
    scalar("date",         (0, 10),   Total(ALL), Text),
    scalar("time",         (0, 10),   Total(ALL), Text),
    scalar("datetime",     (0, 10),   Total(ALL), Text),
    scalar("julianday",    (0, 10),   Total(ALL), Float),
    scalar("unixepoch",    (0, 10),   Total(ALL), Integer),
    scalar("strftime",     (1, 10),   Total(ALL), Text),
    // JSON: malformed text fails.
    scalar("json_valid",        (1, 1),    Total(ALL), Integer),
    scalar("json_extract",      (2, MANY), LEAKY,      Unknown),
    scalar("json_type",         (1, 2),    LEAKY,      Text),
    scalar("json_array_length", (1, 2),    LEAKY,      Integer),
    // Aggregates. A sum of integers can overflow; `total` is always a float.
    aggregate("count",        (0, 1), Total(ALL), Integer),
    aggregate("sum",          (1, 1), LEAKY,      Unknown),
    aggregate("total",        (1, 1), Total(ALL), Float),
    aggregate("avg",          (1, 1), Total(ALL), Float),
    aggregate("min",          (1, 1), Total(ALL), FirstArgument),
    aggregate("max",          (1, 1), Total(ALL), FirstArgument),
    aggregate("group_concat", (1, 2), LEAKY,      Text),
    aggregate("json_group_array", (1, 1), LEAKY,  Json),
];
