//! Stable error codes, by stage: 1xx config, 2xx identity, 3xx policy, 4xx SQL, 5xx database, 6xx admission, 7xx audit.
//!
//! A code never changes its meaning; a new meaning gets a new number. This is the one list of them.

use std::fmt;

use serde::Serialize;

#[cfg(test)]
mod tests;

/// A stable error code, printed as `TG301`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code {
    number: u16,
    title: &'static str,
}

impl Code {
    /// The number without its prefix.
    pub fn number(self) -> u16 {
        self.number
    }

    /// What the code means, in a few words.
    pub fn title(self) -> &'static str {
        self.title
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TG{}", self.number)
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

macro_rules! codes {
    ($($name:ident = $number:literal, $title:literal;)*) => {
        impl Code {
            $(
                #[doc = $title]
                pub const $name: Code = Code { number: $number, title: $title };
            )*
            /// Every code, in order, for the manual and for `check`.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];
        }
    };
}

codes! {
    // 1xx: the configuration. Seen by operators only.
    CONFIG_SYNTAX = 101, "the file is not valid YAML, or cannot be read";
    CONFIG_UNKNOWN_KEY = 102, "an unknown key";
    CONFIG_TYPE = 103, "a value of the wrong type or form";
    CONFIG_SECRET = 104, "an environment variable or secret file that is not there";
    CONFIG_DUPLICATE = 105, "the same thing declared twice";
    CONFIG_UNKNOWN_REFERENCE = 106, "a role, tool, database or agent that is not declared";
    CONFIG_UNKNOWN_TABLE = 110, "a table the database does not have";
    CONFIG_UNKNOWN_COLUMN = 111, "a column the table does not have, or that the role does not see";
    CONFIG_ROW_FILTER = 112, "a row filter that cannot be used";
    CONFIG_MASK = 113, "a mask that does not fit its column";
    CONFIG_FILTER_CYCLE = 114, "row filters that depend on each other in a circle";
    CONFIG_TOOL_SQL = 120, "a tool's statement that cannot be used";
    CONFIG_TOOL_PARAM = 121, "a parameter that does not fit its use";
    CONFIG_TOOL_ENUM = 122, "an enum value that the database does not have";
    CONFIG_TOOL_WRITES = 123, "a tool's statement that would write";
    CONFIG_TOOL_UNUSABLE = 124, "a tool that a role was given but cannot use";
    CONFIG_TOOL_VERSION = 125, "a deprecation that points nowhere or has no valid date";
    CONFIG_TOOL_DEFINER = 126, "a tool without row filters that is not declared in full, or whose groups a role can take apart";
    CONFIG_LIMIT = 130, "a limit outside its range";
    CONFIG_DATABASE = 140, "a database that cannot be reached or described";
    CONFIG_KEY = 141, "an API key hash that is malformed or used twice";
    CONFIG_LISTEN = 142, "a listener that would not be safe";
    CONFIG_LOGIN = 143, "a login that can do more than the policy needs";

    // 2xx: identity.
    UNAUTHENTICATED = 201, "no valid credential";
    UNKNOWN_AGENT = 202, "no such agent";

    // 3xx: policy.
    UNKNOWN_TOOL = 301, "no such tool for this caller";
    MISSING_CLAIM = 302, "a claim the policy needs is missing or of the wrong type";
    TOOL_SUNSET = 303, "a tool that is no longer served";
    INVALID_ARGUMENT = 310, "an argument that does not fit the tool's input schema";
    MISSING_ARGUMENT = 311, "a required argument is missing";
    UNKNOWN_ARGUMENT = 312, "an argument the tool does not have";
    INVALID_CURSOR = 313, "a cursor that is expired, altered, or of another call";
    MALFORMED_REQUEST = 320, "a request that is not well formed";
    REQUEST_TOO_LARGE = 321, "a request over the size limit";
    UNKNOWN_METHOD = 322, "a method that is not offered";
    UNSUPPORTED_VERSION = 323, "a protocol version that is not served";
    UNTRUSTED_ADDRESS = 324, "a Host or Origin that is not allowed";
    REQUEST_TIMEOUT = 325, "a request that did not arrive in time";

    // 4xx: SQL.
    SQL_SYNTAX = 401, "SQL that cannot be read";
    SQL_NOT_ONE_SELECT = 402, "something other than one SELECT";
    SQL_UNSUPPORTED = 403, "a construct that is not allowed";
    SQL_UNKNOWN_TABLE = 404, "an unknown table";
    SQL_UNKNOWN_COLUMN = 405, "an unknown column";
    SQL_AMBIGUOUS_COLUMN = 406, "an ambiguous column";
    SQL_FUNCTION = 407, "a function that is not allowed";
    SQL_TYPE = 408, "a type or cast that is not allowed";
    SQL_TOO_COMPLEX = 409, "SQL over a limit of length, depth or joins";
    SQL_DUPLICATE_COLUMN = 410, "two result columns of one name";
    SQL_PARAMETER = 411, "a parameter that is undeclared, unused or out of place";
    SQL_NOT_TAKEN = 412, "a statement of the caller's own that the database does not take";
    SQL_SINGLE_ROWS = 413, "a statement over single rows, where only groups may be seen";
    SQL_COST = 414, "a statement that would cost more than the role may spend";

    // 5xx: the database.
    DB_UNAVAILABLE = 501, "the database is not available";
    DB_TIMEOUT = 502, "the statement took too long";
    DB_CANCELLED = 503, "the call was cancelled";
    DB_DATA = 504, "a value the database cannot use in this statement";
    DB_REFUSED = 505, "the database refused the statement";
    DB_CHANGED = 506, "the database changed since the tool was checked";
    DB_INTERNAL = 507, "the database failed";
    DB_RESOURCES = 508, "the database is out of a resource or over one of its limits";
    DB_RECURSION = 509, "a recursive query with more rows than are read";
    DB_CONFLICT = 510, "other work in the database was in the way";
    PAGE_KEY = 511, "a page that ends at a key too large to continue from";

    // 6xx: admission.
    BUSY = 601, "no connection became free in time";
    DEADLINE = 602, "the deadline passed before the call ran";
    TOO_MANY_CALLS = 603, "over the caller's rate or concurrency limit";
    SHUTTING_DOWN = 604, "the server is shutting down";

    // 7xx: audit.
    AUDIT_UNAVAILABLE = 701, "the audit log cannot be written";
    INTERNAL = 790, "an internal error";
}

/// What an agent reads when something is refused: a code and one sentence that helps it ask again properly.
///
/// It is built from text that is safe by construction: never a host, a connection string, driver text or a hidden name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// One sentence, lower case, without a full stop.
    pub message: String,
    /// When a retry may work, in milliseconds from now; `None` where a retry changes nothing.
    pub retry_after_ms: Option<u64>,
}

impl Refusal {
    /// A refusal that a retry does not change.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: None }
    }

    /// The same, with a time after which a retry may work.
    #[must_use]
    pub fn retry_after_ms(mut self, milliseconds: u64) -> Self {
        self.retry_after_ms = Some(milliseconds);
        self
    }
}
