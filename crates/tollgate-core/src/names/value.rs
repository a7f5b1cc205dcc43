//! A value on its way into a statement. Always bound, never text in SQL.

/// A bound value. Numbers that a float could not hold exactly travel as decimal text.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A truth value.
    Bool(bool),
    /// A 64-bit integer.
    Integer(i64),
    /// A decimal number as its text, `-12.50` or `1e3`.
    Number(String),
    /// Text, and everything whose text form the database reads: dates, timestamps, UUIDs.
    Text(String),
    /// A JSON document as its text.
    Json(String),
    /// An array of values of one kind; no arrays inside, no NULL inside.
    Array(Vec<Value>),
}
