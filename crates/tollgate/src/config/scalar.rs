//! The scalars with a form of their own: durations, sizes, dates, table keys, names. A value of one of these is well formed.

use std::{borrow::Cow, fmt, net::SocketAddr, str::FromStr, time};

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use tollgate_core::names::{AgentName, ClaimName, Code, DatabaseName, ParamName, RoleName, ToolName};

use crate::identity::KeyHash;

/// The keyword under which the schema says by which of our own forms a text is checked.
pub const FORM: &str = "x-tollgate-form";

/// A duration, `500ms`, `2s`, `5m`, `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub time::Duration);

/// A number of bytes, `1048576`, `64KiB`, `1MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// A calendar date, `2027-06-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(pub Date);

/// A table by its database, `db.table` or `db.schema.table`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableKey {
    /// The database.
    pub database: DatabaseName,
    /// The schema; the database's default one where it is not written.
    pub schema: Option<String>,
    /// The table.
    pub table: String,
}

/// A value as JSON text, with every digit that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonText(pub String);

/// A secret, which nothing shows.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl FromStr for Duration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a duration such as `500ms`, `2s`, `5m` or `1h`");
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let milliseconds = match unit {
            "ms" => Some(number),
            "s" => number.checked_mul(1_000),
            "m" => number.checked_mul(60_000),
            "h" => number.checked_mul(3_600_000),
            _ => None,
        };
        Ok(Self(time::Duration::from_millis(milliseconds.ok_or_else(wrong)?)))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_millis() {
            ms if ms % 1_000 != 0 => write!(f, "{ms}ms"),
            ms => write!(f, "{}s", ms / 1_000),
        }
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a size such as `1048576`, `64KiB` or `1MiB`");
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let factor = match unit {
            "" | "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            "kB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            _ => return Err(wrong()),
        };
        number.checked_mul(factor).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            n if n >= 1 << 20 && n % (1 << 20) == 0 => write!(f, "{}MiB", n >> 20),
            n if n >= 1 << 10 && n % (1 << 10) == 0 => write!(f, "{}KiB", n >> 10),
            n => write!(f, "{n}"),
        }
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let date = (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten();
        date.map(Self).ok_or_else(|| format!("`{text}` is not a date such as `2027-06-01`"))
    }
}

impl FromStr for TableKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a table's key: `database.table` or `database.schema.table`");
        let mut parts = text.split('.');
        let database = parts.next().and_then(|p| p.parse().ok()).ok_or_else(wrong)?;
        let names: Vec<_> = parts.collect();
        if names.iter().any(|n| n.is_empty() || n.len() > 128 || n.chars().any(char::is_control)) {
            return Err(wrong());
        }
        match names.as_slice() {
            [table] => Ok(Self { database, schema: None, table: (*table).to_owned() }),
            [schema, table] => Ok(Self { database, schema: Some((*schema).to_owned()), table: (*table).to_owned() }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for TableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{}.{schema}.{}", self.database, self.table),
            None => write!(f, "{}.{}", self.database, self.table),
        }
    }
}

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = JsonText;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_string<E>(self, text: String) -> Result<JsonText, E> {
                Ok(JsonText(text))
            }
            fn visit_str<E>(self, text: &str) -> Result<JsonText, E> {
                Ok(JsonText(text.to_owned()))
            }
        }
        deserializer.deserialize_newtype_struct(super::decode::JSON_TEXT, Visitor)
    }
}

/// The forms that texts and keys of the configuration may have to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// [`Duration`]
    Duration,
    /// [`Size`]
    Size,
    /// [`KeyHash`]
    KeyHash,
    /// [`Day`]
    Day,
    /// [`TableKey`]
    TableKey,
    /// An address and port to listen on.
    Address,
    /// [`DatabaseName`]
    Database,
    /// [`RoleName`]
    Role,
    /// [`AgentName`]
    Agent,
    /// [`ToolName`]
    Tool,
    /// [`ParamName`]
    Param,
    /// [`ClaimName`]
    Claim,
    /// A code of a refusal.
    Code,
}

const NAME: &str = "^[A-Za-z_][A-Za-z0-9_-]{0,63}$";
const WORD: &str = "^[A-Za-z_][A-Za-z0-9_]{0,63}$";

impl Form {
    /// Every form, with its name in the schema and a pattern that editors can use.
    const ALL: [(Form, &'static str, &'static str); 13] = [
        (Form::Duration, "duration", "^[0-9]+(ms|s|m|h)$"),
        (Form::Size, "size", "^[0-9]+(B|KiB|MiB|GiB|kB|MB|GB)?$"),
        (Form::KeyHash, "key-hash", "^sha256:[0-9A-Fa-f]{64}$"),
        (Form::Day, "date", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
        (Form::TableKey, "table-key", r"^[A-Za-z_][A-Za-z0-9_-]{0,63}(\.[^.]{1,128}){1,2}$"),
        (Form::Address, "address", r"^.+:[0-9]{1,5}$"),
        (Form::Database, "database-name", NAME),
        (Form::Role, "role-name", NAME),
        (Form::Agent, "agent-name", NAME),
        (Form::Tool, "tool-name", NAME),
        (Form::Param, "parameter-name", WORD),
        (Form::Claim, "claim-name", WORD),
        (Form::Code, "code", "^TG[2-7][0-9]{2}$"),
    ];

    /// The form of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, n, _)| *n == name).map(|(form, _, _)| *form)
    }

    /// Whether a text follows it, and what is wrong if not.
    pub fn check(self, text: &str) -> Result<(), String> {
        fn parses<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<(), String> {
            text.parse::<T>().map(drop).map_err(|error| error.to_string())
        }
        match self {
            Form::Duration => parses::<Duration>(text),
            Form::Size => parses::<Size>(text),
            Form::KeyHash => parses::<KeyHash>(text),
            Form::Day => parses::<Day>(text),
            Form::TableKey => parses::<TableKey>(text),
            Form::Address => parses::<SocketAddr>(text)
                .map_err(|_| format!("`{text}` is not an address and port such as `127.0.0.1:8642`")),
            Form::Database => parses::<DatabaseName>(text),
            Form::Role => parses::<RoleName>(text),
            Form::Agent => parses::<AgentName>(text),
            Form::Tool => parses::<ToolName>(text),
            Form::Param => parses::<ParamName>(text),
            Form::Claim => parses::<ClaimName>(text),
            Form::Code if Code::ALL.iter().any(|code| code.to_string() == text) => Ok(()),
            Form::Code => Err(format!("`{text}` is not a code such as `TG301`")),
        }
    }

    /// The schema of a text of this form.
    pub fn schema(self) -> Schema {
        let (name, pattern) = Self::ALL
            .iter()
            .find(|(form, _, _)| *form == self)
            .map_or(("", ""), |(_, name, pattern)| (*name, *pattern));
        json_schema!({ "type": "string", "pattern": pattern, FORM: name })
    }
}

/// Makes a type read by its `FromStr`, and gives it the schema of a form.
macro_rules! read_from_text {
    ($($type:ty => $form:expr;)*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $form.schema()
            }
        }
    )*};
}

read_from_text! {
    Duration => Form::Duration;
    KeyHash => Form::KeyHash;
    Day => Form::Day;
    TableKey => Form::TableKey;
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = Form::Size.schema();
        schema.insert("type".to_owned(), serde_json::json!(["string", "integer"]));
        schema
    }
}

impl JsonSchema for JsonText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Json".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!(true)
    }
}
