//! The kinds of values that the tables hold, how each engine declares them, and values at which operations fail or engines differ.

use tollgate_core::names::{Dialect, Value};

use super::{random::Random, words::words};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    Int,
    BigInt,
    Decimal,
    Float,
    Text,
    Bool,
    Date,
    Timestamp,
    Json,
    Mood,
    Texts,
    Ints,
}

/// A value as the text that the engine reads it from; `None` for NULL.
pub(super) type Cell = Option<String>;

/// The labels of the enumeration.
pub(super) const MOODS: [&str; 3] = ["sad", "glad", "Odd one"];

const TEXTS: [&str; 30] = [
    "",
    "a",
    "b",
    "c",
    "a",
    "b",
    "A",
    "abc",
    "ab",
    "%",
    "_",
    "\\",
    "a\\",
    "%\\%",
    "'",
    "\"",
    "é",
    "日本",
    " a ",
    "x@y.z",
    "joe@example.com",
    "ann.b@corp.io",
    "no at sign.com",
    "two@at@signs.com",
    "123456789",
    "4111-1111-1111-1111",
    "1",
    "-5",
    "2024-01-01",
    "{}",
];

impl Kind {
    pub(super) fn all(dialect: Dialect) -> &'static [Kind] {
        use Kind::{BigInt, Bool, Date, Decimal, Float, Int, Ints, Json, Mood, Text, Texts, Timestamp};
        match dialect {
            Dialect::Postgres => &[Int, BigInt, Decimal, Float, Text, Bool, Date, Timestamp, Json, Mood, Texts, Ints],
            Dialect::Sqlite => &[Int, BigInt, Decimal, Float, Text, Bool, Date, Timestamp, Json],
            Dialect::MariaDb => &[Int, BigInt, Decimal, Float, Text, Bool, Date, Timestamp, Json, Mood],
        }
    }

    /// Its type in a table's definition.
    pub(super) fn declared(self, dialect: Dialect) -> &'static str {
        let (postgres, sqlite, mariadb) = match self {
            Kind::Int => ("integer", "INTEGER", "INT"),
            Kind::BigInt => ("bigint", "BIGINT", "BIGINT"),
            Kind::Decimal => ("numeric(12,2)", "NUMERIC", "DECIMAL(12,2)"),
            Kind::Float => ("double precision", "REAL", "DOUBLE"),
            Kind::Text => ("text", "TEXT", "VARCHAR(500)"),
            Kind::Bool => ("boolean", "BOOLEAN", "BOOLEAN"),
            Kind::Date => ("date", "DATE", "DATE"),
            Kind::Timestamp => ("timestamp", "TEXT", "DATETIME"),
            Kind::Json => ("jsonb", "TEXT", "JSON"),
            Kind::Mood => ("mood", "TEXT", "ENUM('sad', 'glad', 'Odd one')"),
            Kind::Texts => ("text[]", "TEXT", "TEXT"),
            Kind::Ints => ("integer[]", "TEXT", "TEXT"),
        };
        match dialect {
            Dialect::Postgres => postgres,
            Dialect::Sqlite => sqlite,
            Dialect::MariaDb => mariadb,
        }
    }

    /// Its type in a cast.
    pub(super) fn cast(self, dialect: Dialect) -> &'static str {
        match (self, dialect) {
            (Kind::Decimal, Dialect::Postgres) => "numeric",
            (Kind::BigInt | Kind::Bool, Dialect::Sqlite) => "INTEGER",
            (Kind::Date, Dialect::Sqlite) => "TEXT",
            (Kind::Int | Kind::BigInt | Kind::Bool, Dialect::MariaDb) => "SIGNED",
            (Kind::Decimal, Dialect::MariaDb) => "DECIMAL(20,4)",
            (Kind::Text | Kind::Json | Kind::Mood, Dialect::MariaDb) => "CHAR",
            _ => self.declared(dialect),
        }
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Kind::Int | Kind::BigInt | Kind::Decimal | Kind::Float)
    }

    /// A constant that either engine reads as one of this kind, for a finding that is being made small.
    pub(super) fn plain_constant(self) -> &'static str {
        match self {
            Kind::Int | Kind::BigInt => "1",
            Kind::Decimal | Kind::Float => "1.5",
            Kind::Text => "'a'",
            Kind::Bool => "TRUE",
            Kind::Date | Kind::Timestamp => "'2024-01-01'",
            Kind::Json => "'{}'",
            Kind::Mood => "'sad'",
            Kind::Texts | Kind::Ints => "NULL",
        }
    }

    /// A value for a column.
    pub(super) fn cell(self, random: &mut Random, dialect: Dialect) -> Cell {
        if random.percent(18) {
            return None;
        }
        let postgres = dialect == Dialect::Postgres;
        let text = match self {
            Kind::Int if random.percent(8) => *random.one_of(&["2147483647", "-2147483648", "100"]),
            Kind::BigInt if random.percent(8) => {
                *random.one_of(&["9223372036854775807", "-9223372036854775808", "9007199254740993"])
            }
            Kind::Int | Kind::BigInt => *random.one_of(&["0", "1", "2", "3", "-1", "5"]),
            Kind::Decimal => *random.one_of(&["0.00", "1.50", "-2.75", "10.00", "999999.99", "0.25"]),
            Kind::Float if postgres && random.percent(6) => *random.one_of(&["NaN", "Infinity", "1e300"]),
            Kind::Float => *random.one_of(&["0.5", "1.0", "2.25", "-3.5", "0.0"]),
            Kind::Text if random.percent(3) => return Some("wide é%\\".repeat(40)),
            Kind::Text => *random.one_of(&TEXTS),
            Kind::Bool if postgres => *random.one_of(&["t", "f"]),
            Kind::Bool => *random.one_of(&["1", "0"]),
            Kind::Date if postgres && random.percent(4) => "infinity",
            Kind::Date => *random.one_of(&["2024-01-31", "2024-02-29", "1999-12-31", "2024-03-01", "0001-01-01"]),
            Kind::Timestamp => *random.one_of(&[
                "2024-01-31 10:00:00",
                "2024-01-31 23:59:59",
                "1970-01-01 00:00:00",
                "2024-02-29 12:30:00",
            ]),
            Kind::Json => *random.one_of(&[
                "{\"a\": 1}",
                "[1, 2]",
                "\"s\"",
                "null",
                "{}",
                "{\"a\": {\"b\": \"x\"}}",
                "[{\"a\": 2}]",
            ]),
            Kind::Mood => *random.one_of(&MOODS),
            Kind::Texts => *random.one_of(&["{}", "{a}", "{a,b}", "{b,NULL}", "{\"\",\"%\"}"]),
            Kind::Ints => *random.one_of(&["{}", "{1}", "{1,2}", "{3,NULL}", "{2,2,1}"]),
        };
        Some(text.to_owned())
    }

    /// A cell as it stands in an INSERT.
    pub(super) fn stored(self, cell: &Cell, dialect: Dialect) -> String {
        match cell {
            None => "NULL".to_owned(),
            Some(text) if dialect != Dialect::Postgres && (self.is_number() || self == Kind::Bool) => text.clone(),
            Some(text) => quoted(text, dialect),
        }
    }

    /// A value that a tool may be called with, and the same as a constant.
    pub(super) fn argument(self, random: &mut Random, dialect: Dialect) -> Option<(Value, String)> {
        let text = self.cell(random, dialect)?;
        let literal = match self {
            Kind::Int | Kind::BigInt if text.starts_with('-') => format!("({text})"),
            Kind::Int | Kind::BigInt => text.clone(),
            Kind::Bool => if matches!(text.as_str(), "t" | "1") { "TRUE" } else { "FALSE" }.to_owned(),
            Kind::Decimal | Kind::Float if dialect == Dialect::MariaDb => format!("({text})"),
            _ => quoted(&text, dialect),
        };
        let value = match (self, dialect) {
            (Kind::Int | Kind::BigInt, _) => Value::Integer(text.parse().unwrap()),
            (Kind::Bool, _) => Value::Bool(literal == "TRUE"),
            (Kind::Decimal | Kind::Float, Dialect::Postgres) if text.parse::<f64>().unwrap().is_finite() => {
                Value::Number(text)
            }
            (Kind::Decimal | Kind::Float, Dialect::MariaDb) => Value::Number(text),
            (Kind::Json, Dialect::Postgres) => Value::Json(text),
            (Kind::Text | Kind::Date | Kind::Timestamp | Kind::Mood | Kind::Json, _) => Value::Text(text),
            (Kind::Decimal | Kind::Float | Kind::Texts | Kind::Ints, _) => return None,
        };
        Some((value, literal))
    }

    /// A constant of this kind in a query.
    pub(super) fn literal(self, random: &mut Random, dialect: Dialect) -> String {
        let cell = loop {
            if let Some(cell) = self.cell(random, dialect) {
                break cell;
            }
        };
        match (self, dialect) {
            (Kind::Int | Kind::BigInt | Kind::Decimal, _) | (Kind::Float, Dialect::Sqlite | Dialect::MariaDb) => {
                if cell.starts_with('-') { format!("({cell})") } else { cell }
            }
            (Kind::Bool, _) => if matches!(cell.as_str(), "t" | "1") { "TRUE" } else { "FALSE" }.to_owned(),
            (Kind::Float, Dialect::Postgres) => format!("CAST('{cell}' AS double precision)"),
            (Kind::Date, Dialect::Postgres) => format!("DATE '{cell}'"),
            (Kind::Timestamp, Dialect::Postgres) => format!("TIMESTAMP '{cell}'"),
            (Kind::Json, Dialect::Postgres) => format!("CAST('{cell}' AS jsonb)"),
            (Kind::Mood | Kind::Texts | Kind::Ints, _) => format!("'{cell}'"),
            (Kind::Text | Kind::Date | Kind::Timestamp | Kind::Json, _) => quoted(&cell, dialect),
        }
    }
}

/// A string in single quotes.
pub(super) fn quoted(text: &str, dialect: Dialect) -> String {
    format!("'{}'", text.replace('\\', words(dialect).backslash).replace('\'', "''"))
}

/// A quoted name.
pub(super) fn name(text: &str, dialect: Dialect) -> String {
    let quote = words(dialect).quote;
    format!("{quote}{}{quote}", text.replace(quote, &quote.repeat(2)))
}
