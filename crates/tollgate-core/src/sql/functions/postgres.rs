//! PostgreSQL: functions of `pg_catalog`, immutable or stable in every overload, none of which reads anything but its arguments
//! and the clock. Checked against `pg_proc` of PostgreSQL 15; `age` is out for its overload over transaction ids, and the
//! overloads of `min` and `max` over `oid` and `xid8` are out of reach, since no value here has these types.
//! `LEAKY` stands wherever some value makes one of the overloads fail.

use super::Leak::{Leaky as LEAKY, Total, TotalGivenConstants};
use super::ResultType::{BigInt, Bool, Decimal, FirstArgument, Float, Integer, Json, Text, TimestampTz, Unknown};
use super::{FunctionSpec, Kinds, aggregate, scalar};

/// The most arguments that a variadic function is given.
const MANY: usize = 50;

const TEXTS: Kinds = Kinds::TEXT;
const TEXT_AND_INT: Kinds = Kinds::TEXT.or(Kinds::INT);
const NUMBERS: Kinds = Kinds::EXACT.or(Kinds::FLOAT);

#[rustfmt::skip]
pub(super) const FUNCTIONS: &[FunctionSpec] = &[
    // Text.
    scalar("lower",        (1, 1),    Total(TEXTS),                                         Text),
    scalar("upper",        (1, 1),    Total(TEXTS),                                         Text),
    scalar("initcap",      (1, 1),    Total(TEXTS),                                         Text),
    scalar("length",       (1, 1),    Total(TEXTS),                                         Integer),
    scalar("char_length",  (1, 1),    Total(TEXTS),                                         Integer),
    scalar("octet_length", (1, 1),    Total(TEXTS),                                         Integer),
    scalar("btrim",        (1, 2),    Total(TEXTS),                                         Text),
    scalar("ltrim",        (1, 2),    Total(TEXTS),                                         Text),
    scalar("rtrim",        (1, 2),    Total(TEXTS),                                         Text),
    // A negative length fails.
    scalar("substr",       (2, 3),    TotalGivenConstants { value: 0, over: TEXTS },        Text),
    scalar("left",         (2, 2),    Total(TEXT_AND_INT),                                  Text),
    scalar("right",        (2, 2),    Total(TEXT_AND_INT),                                  Text),
    scalar("strpos",       (2, 2),    Total(TEXTS),                                         Integer),
    // A long result fails, at a length that the caller chooses by nesting.
    // A long replacement can make a result that is too long.
    scalar("replace",      (3, 3),    LEAKY,                                                Text),
    scalar("translate",    (3, 3),    Total(TEXTS),                                         Text),
    scalar("reverse",      (1, 1),    Total(TEXTS),                                         Text),
    scalar("starts_with",  (2, 2),    Total(TEXTS),                                         Bool),
    // Field number zero fails.
    scalar("split_part",   (3, 3),    LEAKY,                                                Text),
    scalar("concat",       (1, MANY), LEAKY,                                                Text),
    scalar("concat_ws",    (2, MANY), LEAKY,                                                Text),
    // Numbers. The smallest integer has no absolute value.
    scalar("abs",          (1, 1),    Total(Kinds::DECIMAL.or(Kinds::FLOAT)),               FirstArgument),
    scalar("sign",         (1, 1),    Total(NUMBERS),                                       Unknown),
    scalar("round",        (1, 2),    TotalGivenConstants { value: 0, over: NUMBERS },      Unknown),
    scalar("trunc",        (1, 2),    TotalGivenConstants { value: 0, over: NUMBERS },      Unknown),
    scalar("floor",        (1, 1),    Total(NUMBERS),                                       Unknown),
    scalar("ceil",         (1, 1),    Total(NUMBERS),                                       Unknown),
    scalar("mod",          (2, 2),    LEAKY,                                                Unknown),
    scalar("power",        (2, 2),    LEAKY,                                                Unknown),
    scalar("sqrt",         (1, 1),    LEAKY,                                                Unknown),
    scalar("ln",           (1, 1),    LEAKY,                                                Unknown),
    scalar("log",          (1, 2),    LEAKY,                                                Unknown),
    scalar("exp",          (1, 1),    LEAKY,                                                Unknown),
    // Choice.
    scalar("coalesce",     (1, MANY), Total(Kinds::KNOWN),                                  FirstArgument),
    scalar("nullif",       (2, 2),    Total(Kinds::KNOWN),                                  FirstArgument),
    scalar("greatest",     (1, MANY), Total(Kinds::KNOWN),                                  FirstArgument),
    scalar("least",        (1, MANY), Total(Kinds::KNOWN),                                  FirstArgument),
    // Dates and times. `now` is the transaction's clock; `resolve` checks the unit of `date_trunc` and `extract`.
    scalar("now",          (0, 0),    Total(Kinds::KNOWN),                                  TimestampTz),
    scalar("date_trunc",   (2, 2),    TotalGivenConstants { value: 1, over: Kinds::DATE_TIME }, Unknown),
    scalar("extract",      (2, 2),    LEAKY,                                                Decimal),
    scalar("date_part",    (2, 2),    LEAKY,                                                Float),
    scalar("timezone",     (2, 2),    LEAKY,                                                Unknown),
    scalar("make_date",    (3, 3),    LEAKY,                                                Unknown),
    scalar("to_char",      (2, 2),    LEAKY,                                                Text),
    scalar("to_date",      (2, 2),    LEAKY,                                                Unknown),
    scalar("to_timestamp", (1, 2),    LEAKY,                                                TimestampTz),
    scalar("justify_days", (1, 1),    LEAKY,                                                Unknown),
    // JSON.
    scalar("jsonb_array_length",      (1, 1),    LEAKY,                                     Integer),
    scalar("json_array_length",       (1, 1),    LEAKY,                                     Integer),
    scalar("jsonb_typeof",            (1, 1),    Total(Kinds::OTHER_KNOWN),                 Text),
    scalar("json_typeof",             (1, 1),    LEAKY,                                     Text),
    scalar("jsonb_extract_path_text", (2, MANY), LEAKY,                                     Text),
    scalar("json_extract_path_text",  (2, MANY), LEAKY,                                     Text),
    // Aggregates. A sum of binary floats can overflow; sums of integers are wider than any table is long.
    aggregate("count",     (0, 1),    Total(Kinds::KNOWN),                                  BigInt),
    aggregate("sum",       (1, 1),    Total(Kinds::EXACT),                                  Unknown),
    aggregate("avg",       (1, 1),    Total(Kinds::EXACT),                                  Unknown),
    aggregate("min",       (1, 1),    Total(Kinds::KNOWN),                                  FirstArgument),
    aggregate("max",       (1, 1),    Total(Kinds::KNOWN),                                  FirstArgument),
    aggregate("bool_and",  (1, 1),    Total(Kinds::BOOL),                                   Bool),
    aggregate("bool_or",   (1, 1),    Total(Kinds::BOOL),                                   Bool),
    aggregate("string_agg",(2, 2),    LEAKY,                                                Text),
    aggregate("array_agg", (1, 1),    LEAKY,                                                Unknown),
    aggregate("json_agg",  (1, 1),    LEAKY,                                                Json),
    aggregate("jsonb_agg", (1, 1),    LEAKY,                                                Json),
    aggregate("stddev",    (1, 1),    LEAKY,                                                Unknown),
    aggregate("variance",  (1, 1),    LEAKY,                                                Unknown),
];
