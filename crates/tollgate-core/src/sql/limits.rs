//! The limits a statement's text must keep, so that no text can exhaust the parser, the stack or the planner.

/// Length of the text, in bytes.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Tokens of the text, white space and comments not counted.
pub const TOKENS_MAX: usize = 16_000;
/// Open parentheses, brackets and CASEs at one place.
pub const NESTING_MAX: usize = 40;
/// Tokens since the last comma, summed over the open parentheses: the parsed tree is never deeper than that.
pub const CHAIN_MAX: usize = 1_500;
/// Expressions that the parser may begin, each counted as often as it is tried. No statement of so many tokens that it reads at
/// the first attempt comes near.
pub const PARSED_MAX: usize = 30_000;
/// Depth of our own tree: expressions, queries and joins together.
pub const DEPTH_MAX: usize = 100;
/// Terms of one chain of AND or of OR.
pub const TERMS_MAX: usize = 500;
/// Relations in one FROM, and therefore joins.
pub const RELATIONS_MAX: usize = 32;
/// Relations in the whole statement, each common table expression counted as often as it is read.
pub const EXPANDED_MAX: usize = 500;
/// Keys of one GROUP BY, ORDER BY or DISTINCT ON.
pub const KEYS_MAX: usize = 250;
/// Sets that ROLLUP, CUBE and GROUPING SETS come to.
pub const GROUPING_SETS_MAX: usize = 128;
/// Rows that a recursive query is read for; one more is an error.
pub const RECURSION_ROWS_MAX: u64 = 100_000;
/// The function of one row's number, from 1, that SQLite needs for that: true up to the bound, and an error above it.
pub const RECURSION_FUNCTION: &str = "tg_recursion_row";
/// Rows of one VALUES.
pub const VALUES_MAX: usize = 1_000;
/// Columns that USING and NATURAL make one, in the whole statement: PostgreSQL's planner holds each beside every other, and nothing
/// interrupts it.
pub const MERGED_MAX: usize = 200;
/// Arms of one chain of set operations.
pub const ARMS_MAX: usize = 50;
/// Columns of one projection, wildcards expanded.
pub const PROJECTION_MAX: usize = 1_000;
/// Groupings that are looked at of a table with a minimum group size: each column that tells its rows apart doubles them, and one that
/// may be NULL makes three of each.
pub const GROUPINGS_MAX: usize = 128;
/// Elements of one IN list.
pub const IN_LIST_MAX: usize = 1_000;
/// Keys of one window, and of one order inside a call.
pub const WINDOW_KEYS_MAX: usize = 32;
/// Values of a row.
pub const ROW_MAX: usize = 32;
/// Expressions of a whole statement, those of a named window or an alias counted at each of its uses, and the columns of relations
/// and of `*`.
pub const NODES_MAX: usize = 50_000;
/// The same once a database has put the expression of each column of a subquery wherever the column is used.
pub const EXPANSION_MAX: u64 = 100_000;
/// Bytes of an alias. PostgreSQL cuts longer names off silently, which would make two names one.
pub const ALIAS_BYTES_MAX: usize = 63;
/// Bytes of an unknown name for which a similar one is looked for, and of that one.
pub const SIMILAR_BYTES_MAX: usize = 100;
/// Names among which it is.
pub const SIMILAR_NAMES_MAX: usize = 2_000;
/// Bytes of a pattern of LIKE or GLOB on SQLite, which may look for all of it at each place of a text.
pub const PATTERN_BYTES_MAX: usize = 1_000;
/// Characters of a number.
pub const NUMBER_CHARS_MAX: usize = 100;
/// Largest decimal exponent of a number, so that a short text is never a long value.
pub const EXPONENT_MAX: u32 = 308;
/// Optional clauses of a template: each set of them that can occur is a statement of its own.
pub const CLAUSES_MAX: usize = 8;
/// Checked statements of callers that are kept for a role in a database.
pub const KEPT_STATEMENTS_MAX: usize = 256;
/// The bytes that they take, with the texts that they were written as.
pub const KEPT_BYTES_MAX: usize = 2 << 20;
/// The stack that a statement is looked at on, since every stage goes down its tree by recursion. A thread that has as much left is
/// not given another one, which takes longer than a short statement.
pub const STACK_BYTES: usize = 32 << 20;
