//! The functions a statement may call: reviewed data, one table per dialect. A name that is not here is not callable.
//!
//! `postgres.tsv`, `sqlite.tsv` and `mariadb.tsv` are the lists, `*.left_out.tsv` what the catalogs offer besides and why it is left out. Tests of
//! the backends hold both to the catalogs of the engines at hand: a function that is new there is in neither until somebody
//! has read what it does. A row that cannot be read is no row, so its function cannot be called.

mod data;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use crate::catalog::TypeKind;
use crate::names::Dialect;

/// A listed function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionSpec {
    /// Its name, as it is rendered.
    pub name: &'static str,
    /// What it makes of how many rows.
    pub kind: FunctionKind,
    /// Fewest and most arguments; `count(*)` is counted as none.
    pub arity: (usize, usize),
    /// Whether it can betray a value by failing.
    pub leak: Leak,
    /// What its constants must be besides, so that it cannot.
    pub given: Option<Given>,
    /// Arguments that must be constants within a limit, by their positions.
    pub limits: Vec<(usize, Limit)>,
    /// The kind of its result.
    pub result: ResultType,
    /// For reviewers: why it is an exception, what makes it fail.
    pub notes: &'static str,
}

/// What a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    /// One value from the values of one row.
    Scalar,
    /// One value from the rows of a group.
    Aggregate,
    /// One value for each row, from the rows around it: only with OVER. Aggregates take OVER too.
    Window,
    /// One value from the rows of a group in an order of their own: only with WITHIN GROUP. `leak` is about what it orders by.
    OrderedSet,
    /// Many rows: a relation.
    Set,
}

impl FunctionKind {
    /// Whether it makes one value of the rows of a group.
    pub fn is_aggregate(self) -> bool {
        match self {
            Self::Aggregate | Self::OrderedSet => true,
            Self::Scalar | Self::Window | Self::Set => false,
        }
    }
}

/// What the constant arguments of a call must be, so that it cannot fail over any value of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// `extract`: a field that the type of the second argument has.
    Field,
    /// `date_trunc`: a unit and no time zone.
    Unit,
    /// `to_char` of a time: a template of known parts.
    Template,
    /// `printf`: conversions to numbers only, whose lengths are known.
    Numbers,
    /// `replace`: a replacement that is no longer than what it stands for.
    NoLonger,
    /// `substr`: all but the first are numbers as they are written, so none is negative.
    Counts,
    /// The last one is a number other than zero.
    NonZero,
}

/// What a constant argument may be; the function takes no other there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// A whole number between the two.
    Whole(u32, u32),
    /// A number between 0 and 1.
    Fraction,
    /// A string of at most so many bytes.
    Text(usize),
    /// The same, or what the statement does not make long: a parameter, a table's column, what is cut out of one. For arguments
    /// that the engine compares with each place of another, which no time limit interrupts.
    Short(usize),
    /// A unit of time as a bare word.
    Unit,
    /// A format whose widths and precisions have at most two digits.
    Format,
}

/// Whether a function can fail on some value, and so betray one that a row filter hides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leak {
    /// Cannot fail, whatever the values, when every argument is of one of these kinds. Left out of account are values at the
    /// very edge of what a type can hold (a timestamp of 4713 BC, a number of 131,072 digits), which no real row has.
    Total(Kinds),
    /// Cannot fail when every argument but the one at `value` is a constant (a string, or a number without a sign), and that
    /// one is of one of these kinds. `resolve` has refused constants that would fail.
    TotalGivenConstants {
        /// Position of the argument that may vary.
        value: usize,
        /// The kinds it may have.
        over: Kinds,
    },
    /// May fail.
    Leaky,
}

/// The kind of a function's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultType {
    /// Always of this kind.
    Integer,
    /// Always of this kind.
    BigInt,
    /// Always of this kind.
    Float,
    /// Always of this kind.
    Decimal,
    /// Always of this kind.
    Text,
    /// Always of this kind.
    Bool,
    /// Always of this kind.
    Json,
    /// Always of this kind.
    Jsonb,
    /// Always of this kind.
    Bytes,
    /// Always of this kind.
    Date,
    /// Always of this kind.
    Timestamp,
    /// Always of this kind.
    TimestampTz,
    /// That of its first argument.
    FirstArgument,
    /// Depends on the arguments in a way that only the database knows.
    Unknown,
}

/// A set of type kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u16);

impl Kinds {
    /// Nothing.
    pub const NONE: Kinds = Kinds(0);
    /// Truth values.
    pub const BOOL: Kinds = Kinds(1);
    /// Integers of at most 32 bits.
    pub const INT: Kinds = Kinds(2);
    /// 64-bit integers.
    pub const BIG_INT: Kinds = Kinds(4);
    /// Exact decimals.
    pub const DECIMAL: Kinds = Kinds(8);
    /// Binary floating point.
    pub const FLOAT: Kinds = Kinds(16);
    /// Character strings, enumerations not among them.
    pub const TEXT: Kinds = Kinds(32);
    /// Byte strings.
    pub const BYTES: Kinds = Kinds(64);
    /// Dates and timestamps of both sorts.
    pub const DATE_TIME: Kinds = Kinds(128);
    /// Times of day, UUIDs, JSON, enumerations, strings with a collation of their own.
    pub const OTHER_KNOWN: Kinds = Kinds(256);
    /// Values that say themselves what they are: a column without a type, or any column of SQLite.
    pub const ANY: Kinds = Kinds(512);
    /// Integers and exact decimals.
    pub const EXACT: Kinds = Kinds::INT.or(Kinds::BIG_INT).or(Kinds::DECIMAL);
    /// Every kind the core knows; arrays and the database's other types are never in.
    pub const KNOWN: Kinds = Kinds(1023);

    /// Both sets.
    #[must_use]
    pub const fn or(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    /// Whether a kind is in the set. A kind that is not told apart here never is.
    pub fn contains(self, kind: &TypeKind) -> bool {
        let bit = match kind {
            TypeKind::Bool => Kinds::BOOL,
            TypeKind::Int => Kinds::INT,
            TypeKind::BigInt => Kinds::BIG_INT,
            TypeKind::Decimal => Kinds::DECIMAL,
            TypeKind::Float => Kinds::FLOAT,
            TypeKind::Text => Kinds::TEXT,
            TypeKind::Bytes => Kinds::BYTES,
            TypeKind::Date | TypeKind::Timestamp | TypeKind::TimestampTz => Kinds::DATE_TIME,
            TypeKind::Time | TypeKind::Uuid | TypeKind::Json | TypeKind::Enum(_) | TypeKind::Collated(_) => {
                Kinds::OTHER_KNOWN
            }
            TypeKind::Any => Kinds::ANY,
            TypeKind::Array(_) | TypeKind::Other => return false,
        };
        self.0 & bit.0 != 0
    }
}

/// The function of that name, compared without case; `None` where it is not listed.
pub fn lookup(dialect: Dialect, name: &str) -> Option<&'static FunctionSpec> {
    let list = list(dialect);
    let order = |spec: &FunctionSpec| spec.name.bytes().cmp(name.bytes().map(|byte| byte.to_ascii_lowercase()));
    list.binary_search_by(order).ok().and_then(|at| list.get(at))
}

/// Every function of a dialect, by name.
pub fn list(dialect: Dialect) -> &'static [FunctionSpec] {
    static POSTGRES: LazyLock<Vec<FunctionSpec>> = LazyLock::new(|| data::functions(include_str!("postgres.tsv")));
    static SQLITE: LazyLock<Vec<FunctionSpec>> = LazyLock::new(|| data::functions(include_str!("sqlite.tsv")));
    static MARIADB: LazyLock<Vec<FunctionSpec>> = LazyLock::new(|| data::functions(include_str!("mariadb.tsv")));
    match dialect {
        Dialect::Postgres => &POSTGRES,
        Dialect::Sqlite => &SQLITE,
        Dialect::MariaDb => &MARIADB,
    }
}

/// The functions that a dialect's catalog offers and that are left out all the same, each with the reason.
pub fn left_out(dialect: Dialect) -> impl Iterator<Item = (&'static str, &'static str)> {
    let rows = match dialect {
        Dialect::Postgres => include_str!("postgres.left_out.tsv"),
        Dialect::Sqlite => include_str!("sqlite.left_out.tsv"),
        Dialect::MariaDb => include_str!("mariadb.left_out.tsv"),
    };
    rows.lines().skip(1).filter_map(|row| row.split_once('\t'))
}

impl FunctionSpec {
    /// Whether it is a construct of the grammar that looks like a function and lives in no schema (`coalesce`).
    pub fn is_syntax(&self) -> bool {
        matches!(self.name, "coalesce" | "nullif" | "greatest" | "least" | "grouping" | "iif" | "if")
    }
}
