//! Reads the lists: a row each, columns between tabs, `-` for nothing. Never makes a function of a row that it does not understand.

use super::{FunctionKind, FunctionSpec, Given, Kinds, Leak, Limit, ResultType};

/// The most arguments that a variadic function is given.
const MANY: usize = 50;

/// The functions of a list in the order of their names, its head left out.
pub(super) fn functions(list: &'static str) -> Vec<FunctionSpec> {
    let mut functions: Vec<FunctionSpec> = list.lines().skip(1).filter_map(function).collect();
    functions.sort_by_key(|function| function.name);
    functions
}

/// The function that a row describes.
pub(super) fn function(row: &'static str) -> Option<FunctionSpec> {
    let mut columns = row.split('\t');
    let mut column = || columns.next();
    let name = column()?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || !name.bytes().all(plain) {
        return None;
    }
    let spec = FunctionSpec {
        name,
        kind: kind(column()?)?,
        arity: arity(column()?)?,
        leak: leak(column()?)?,
        given: given(column()?)?,
        limits: limits(column()?)?,
        result: result(column()?)?,
        notes: column().unwrap_or(""),
    };
    columns.next().is_none().then_some(spec)
}

fn kind(word: &str) -> Option<FunctionKind> {
    Some(match word {
        "scalar" => FunctionKind::Scalar,
        "aggregate" => FunctionKind::Aggregate,
        "window" => FunctionKind::Window,
        "ordered-set" => FunctionKind::OrderedSet,
        "set" => FunctionKind::Set,
        _ => return None,
    })
}

/// `2`, `1-3`, `2+`.
fn arity(word: &str) -> Option<(usize, usize)> {
    if let Some(fewest) = word.strip_suffix('+') {
        return Some((fewest.parse().ok()?, MANY));
    }
    let (fewest, most) = word.split_once('-').unwrap_or((word, word));
    let (fewest, most) = (fewest.parse().ok()?, most.parse().ok()?);
    (fewest <= most && most <= MANY).then_some((fewest, most))
}

/// `-`, `text int`, `text @1`: over what it cannot fail, and the one argument that may vary, counted from 1.
fn leak(words: &str) -> Option<Leak> {
    if words == "-" {
        return Some(Leak::Leaky);
    }
    let mut over = Kinds::NONE;
    let mut value = None;
    for word in words.split(' ') {
        match word.strip_prefix('@') {
            Some(position) => value = Some(position.parse::<usize>().ok()?.checked_sub(1)?),
            None => over = over.or(kinds(word)?),
        }
    }
    Some(match value {
        Some(value) => Leak::TotalGivenConstants { value, over },
        None => Leak::Total(over),
    })
}

fn kinds(word: &str) -> Option<Kinds> {
    Some(match word {
        "bool" => Kinds::BOOL,
        "int" => Kinds::INT,
        "bigint" => Kinds::BIG_INT,
        "decimal" => Kinds::DECIMAL,
        "float" => Kinds::FLOAT,
        "text" => Kinds::TEXT,
        "bytes" => Kinds::BYTES,
        "datetime" => Kinds::DATE_TIME,
        "other" => Kinds::OTHER_KNOWN,
        "exact" => Kinds::EXACT,
        "numbers" => Kinds::EXACT.or(Kinds::FLOAT),
        "known" => Kinds::KNOWN,
        _ => return None,
    })
}

/// `Some(None)` for a function whose constants need not be anything.
#[expect(clippy::option_option, reason = "a row that says nothing differs from one that cannot be read")]
fn given(word: &str) -> Option<Option<Given>> {
    Some(Some(match word {
        "-" => return Some(None),
        "field" => Given::Field,
        "unit" => Given::Unit,
        "template" => Given::Template,
        "numbers" => Given::Numbers,
        "no-longer" => Given::NoLonger,
        "counts" => Given::Counts,
        "nonzero" => Given::NonZero,
        _ => return None,
    }))
}

/// `-`, `1:text..100 2:0..1000`: positions are counted from 1.
fn limits(words: &str) -> Option<Vec<(usize, Limit)>> {
    if words == "-" {
        return Some(Vec::new());
    }
    words
        .split(' ')
        .map(|word| {
            let (position, limit) = word.split_once(':')?;
            let limit = match limit.split_once("..") {
                Some(("text", most)) => Limit::Text(most.parse().ok()?),
                Some(("short", most)) => Limit::Short(most.parse().ok()?),
                Some((fewest, most)) => Limit::Whole(fewest.parse().ok()?, most.parse().ok()?),
                None if limit == "fraction" => Limit::Fraction,
                None if limit == "format" => Limit::Format,
                None if limit == "unit" => Limit::Unit,
                None => return None,
            };
            Some((position.parse::<usize>().ok()?.checked_sub(1)?, limit))
        })
        .collect()
}

fn result(word: &str) -> Option<ResultType> {
    Some(match word {
        "integer" => ResultType::Integer,
        "bigint" => ResultType::BigInt,
        "float" => ResultType::Float,
        "decimal" => ResultType::Decimal,
        "text" => ResultType::Text,
        "bool" => ResultType::Bool,
        "json" => ResultType::Json,
        "jsonb" => ResultType::Jsonb,
        "bytes" => ResultType::Bytes,
        "date" => ResultType::Date,
        "timestamp" => ResultType::Timestamp,
        "timestamptz" => ResultType::TimestampTz,
        "first" => ResultType::FirstArgument,
        "unknown" => ResultType::Unknown,
        _ => return None,
    })
}
