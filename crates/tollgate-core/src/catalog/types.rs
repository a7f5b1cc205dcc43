//! Column and result types, in the few kinds that decide how a value is bound, compared and encoded.

/// A type as the database names it, and the kind it falls under.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SqlType {
    /// The database's own spelling, `character varying(20)`.
    pub name: String,
    /// What it is for binding, comparing and encoding.
    pub kind: TypeKind,
}

impl SqlType {
    /// Plain text, as every engine calls it.
    pub fn text() -> Self {
        Self { name: "text".to_owned(), kind: TypeKind::Text }
    }
}

/// The kinds of types that the core tells apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeKind {
    /// A truth value.
    Bool,
    /// An integer of at most 32 bits.
    Int,
    /// A 64-bit integer: JSON numbers up to 2^53, strings beyond.
    BigInt,
    /// Exact decimals: strings in JSON.
    Decimal,
    /// Binary floating point; NaN and infinities are strings in JSON.
    Float,
    /// Character strings under the database's ordinary comparison.
    Text,
    /// Character strings under a deterministic collation of their own, by its name. PostgreSQL fails where two such meet.
    Collated(String),
    /// Byte strings: base64 in JSON.
    Bytes,
    /// A calendar date, `2026-01-31`.
    Date,
    /// A time of day.
    Time,
    /// A timestamp without a zone.
    Timestamp,
    /// A timestamp with a zone: RFC 3339 in JSON.
    TimestampTz,
    /// A UUID.
    Uuid,
    /// A JSON document: stays JSON.
    Json,
    /// An enumeration with its labels, in order.
    Enum(Vec<String>),
    /// An array of one kind.
    Array(Box<SqlType>),
    /// SQLite's columns without a type, whose values say themselves what they are.
    Any,
    /// Anything else: the database's text.
    Other,
}
