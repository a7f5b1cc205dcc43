//! Operations whose work is the product of two lengths. PostgreSQL and MariaDB run them without looking at a timeout, or at being told to
//! stop, so that of all of a statement together that product has a limit. SQLite bounds what they work on.

use super::error::SqlError;
use super::functions::{Limit, ResultType, lookup};
use super::leak::type_of_all;
use super::regular;
use super::tree::{BinaryOp, Elements, Expr, Function, FunctionArgs, Literal, OpClass, Query, UnaryOp};
use super::walk::{self, Node};
use crate::catalog::TypeKind;
use crate::names::Dialect;

/// Bytes that a stored or bound value counts for: the operator answers for longer ones.
const STORED_BYTES: u64 = 100;
/// Bytes that a value counts for which a statement can make as long as it likes.
const BUILT_BYTES: u64 = 1_000_000;
/// Bytes of a stored text that says no length, for what is worse than a product.
const SEARCHED_BYTES: u64 = 10_000;
/// Places compared for a row: some seconds of work if all of it comes to pass.
const WORK_MAX: u64 = 250_000_000;
/// Bytes that are moved in the time in which one place is compared.
const MOVED_BYTES: u64 = 16;
/// The longest that a length is counted as, so that the product of two is a number still.
const LENGTH_MAX: u64 = u32::MAX as u64;
/// Elements of a written array that counts as short.
const SHORT_ELEMENTS: usize = 64;
/// Concatenations of one statement that make no text long: each at the most doubles one.
const CONCATENATIONS: usize = 8;

/// Functions whose texts are about as long as their arguments at the most, all together.
const NO_LONGER: [&str; 27] = [
    "btrim",
    "char",
    "chr",
    "coalesce",
    "concat",
    "concat_ws",
    "greatest",
    "if",
    "ifnull",
    "json_unquote",
    "least",
    "left",
    "lower",
    "ltrim",
    "max",
    "min",
    "nullif",
    "reverse",
    "right",
    "rtrim",
    "split_part",
    "substr",
    "substring_index",
    "to_char",
    "translate",
    "trim",
    "upper",
];

/// Functions that yield numbers or moments, of a type that the list leaves to the database.
const NUMBERS_AND_MOMENTS: [&str; 24] = [
    "age",
    "avg",
    "ceil",
    "date_bin",
    "date_trunc",
    "exp",
    "floor",
    "gcd",
    "justify_days",
    "justify_hours",
    "justify_interval",
    "lcm",
    "ln",
    "log",
    "log10",
    "make_interval",
    "mod",
    "mode",
    "percentile_cont",
    "percentile_disc",
    "power",
    "round",
    "sign",
    "sum",
];

/// Refuses a statement that works so on values which it could make too long.
pub(super) fn refuse(query: &Query, dialect: Dialect) -> Result<(), SqlError> {
    if dialect == Dialect::Sqlite {
        return Ok(());
    }
    let most = longest(query, dialect);
    let (mut work, mut refused) = (0_u64, None);
    walk::each_in_query(query, &mut |node| {
        if let Node::Expr(expr) = node
            && let Some((what, bytes)) = multiplies(expr, dialect, most)
        {
            work = work.saturating_add(bytes);
            if work > WORK_MAX {
                refused.get_or_insert(what);
            }
        }
    });
    refused.map_or(Ok(()), |what| Err(what.refused()))
}

/// What works on the product of two lengths.
enum Product {
    /// Two values are held against one another by this.
    Between(String),
    /// A pattern is looked for in a text.
    Regular,
}

impl Product {
    fn refused(self) -> SqlError {
        match self {
            Self::Between(what) => SqlError::unsupported_use(
                format!("{what} between two values that the statement itself makes"),
                "write one of them out, shorter, or use a column of a table for it",
            ),
            Self::Regular => SqlError::unsupported_use(
                "a regular expression with a repeated group, or with so many repetitions over a text that may be so long",
                "write LIKE, or fewer of `*`, `+`, `?` and `{…}`",
            ),
        }
    }
}

/// Bytes that a value is taken to have which the statement makes: by anything that is not known not to make it long.
fn longest(query: &Query, dialect: Dialect) -> u64 {
    let (mut builds, mut concatenations, mut written, mut growth) = (false, 0, 0_u64, 1_u64);
    walk::each_in_query(query, &mut |node| match node {
        Node::Query(query) => builds |= query.with.iter().any(|cte| cte.recursive),
        Node::Expr(Expr::Literal(literal)) => written = written.saturating_add(spelled(literal)),
        Node::Expr(Expr::Array(elements)) => builds |= !is_plain(elements),
        Node::Expr(Expr::Function(function)) => {
            builds |= !keeps_short(function, dialect);
            match (function.name, &function.args) {
                ("concat" | "concat_ws", FunctionArgs::List(args)) => concatenations += args.len(),
                ("replace", FunctionArgs::List(args)) => growth = growth.saturating_mul(lengthening(args)),
                _ => {}
            }
        }
        Node::Expr(Expr::Added { .. }) => builds = true,
        Node::Expr(Expr::Binary { op: BinaryOp::Concat, .. }) => concatenations += 1,
        _ => {}
    });
    if builds || concatenations > CONCATENATIONS {
        BUILT_BYTES.saturating_mul(growth)
    } else {
        (written / 2).max(STORED_BYTES)
    }
}

/// How many times as long as its first argument the result of a `replace` may be.
fn lengthening(args: &[Expr]) -> u64 {
    match args {
        [_, Expr::Literal(Literal::Text(from)), Expr::Literal(Literal::Text(to))] => {
            (bytes(to) / bytes(from).max(1)).max(1)
        }
        [_, _, to] => written(to, STORED_BYTES).unwrap_or(BUILT_BYTES).max(1),
        _ => BUILT_BYTES,
    }
}

/// Bytes that a `replace` moves on MariaDB, which moves the rest of the text at each place unless both texts are equally long, and
/// does not look at being told to stop.
fn moved(args: &[Expr], length: impl Fn(&Expr) -> u64) -> u64 {
    let [within, from, to] = args else { return u64::MAX };
    let within = length(within).min(LENGTH_MAX);
    let shortest = match (from, to) {
        (Expr::Literal(Literal::Text(from)), Expr::Literal(Literal::Text(to))) if from.len() == to.len() => return 0,
        (Expr::Literal(Literal::Text(from)), _) => bytes(from).max(1),
        _ => 1,
    };
    within.saturating_mul(within / shortest).saturating_mul(lengthening(args))
}

fn bytes(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

/// Bytes at most of what a literal spells out.
fn spelled(literal: &Literal) -> u64 {
    match literal {
        Literal::Text(text) | Literal::Typed(_, text) | Literal::Blob(text) => bytes(text),
        Literal::Null | Literal::Bool(_) | Literal::Number(_) | Literal::Unit(_) => 0,
    }
}

/// Whether an array is written out, of few elements that are no arrays.
fn is_plain(elements: &Elements) -> bool {
    match elements {
        Elements::List(list) => list.len() <= SHORT_ELEMENTS && !list.iter().any(|e| matches!(e, Expr::Array(_))),
        Elements::Of(_) => true,
        Elements::Query(_) => false,
    }
}

/// Whether what a function yields is no longer than its arguments.
fn keeps_short(function: &Function, dialect: Dialect) -> bool {
    let Some(spec) = lookup(dialect, function.name) else { return false };
    match spec.result {
        ResultType::Integer
        | ResultType::BigInt
        | ResultType::Float
        | ResultType::Decimal
        | ResultType::Bool
        | ResultType::Date
        | ResultType::Timestamp
        | ResultType::TimestampTz
        | ResultType::FirstArgument => true,
        ResultType::Text => NO_LONGER.contains(&function.name),
        ResultType::Unknown => NUMBERS_AND_MOMENTS.contains(&function.name),
        ResultType::Json | ResultType::Jsonb | ResultType::Bytes => false,
    }
}

/// What an expression does between two values, if it does such a thing, and the product of their lengths, where what the statement
/// makes has at the `most` so many bytes.
fn multiplies(expr: &Expr, dialect: Dialect, most: u64) -> Option<(Product, u64)> {
    let length = |expr: &Expr| written(expr, STORED_BYTES).unwrap_or(most);
    let between = |what: &str, left: &Expr, right: &Expr| {
        Some((Product::Between(what.to_owned()), length(left).saturating_mul(length(right))))
    };
    match expr {
        Expr::Like { expr, pattern, .. } => between("LIKE", expr, pattern),
        Expr::Quantified { expr: left, op, over, .. } if op.class() == OpClass::Pattern => {
            let patterns = match over {
                Elements::List(patterns) => patterns.iter().map(length).fold(0, u64::saturating_add),
                Elements::Of(_) | Elements::Query(_) => most,
            };
            Some((Product::Between("LIKE".to_owned()), length(left).saturating_mul(patterns)))
        }
        Expr::Binary { op, left, right } => match (op.class(), op) {
            (OpClass::Containment, _) => between("a containment operator", left, right),
            (_, BinaryOp::Like | BinaryOp::ILike | BinaryOp::NotLike | BinaryOp::NotILike) => {
                between("LIKE", left, right)
            }
            // PostgreSQL's look at being told to stop.
            (_, BinaryOp::Regex) if dialect == Dialect::MariaDb => {
                let Expr::Literal(Literal::Text(pattern)) = &**right else { return Some((Product::Regular, u64::MAX)) };
                let places = regular::places(pattern, searched(left, most)).unwrap_or(u64::MAX);
                Some((Product::Regular, places))
            }
            // Of documents the keys of an array are taken away.
            (_, BinaryOp::Subtract) if may_be_array(right, dialect) => between("`-`", left, right),
            _ => None,
        },
        Expr::Function(Function { name, args: FunctionArgs::List(args), .. }) => {
            let spec = lookup(dialect, name)?;
            let short = spec.limits.iter().filter(|(_, limit)| matches!(limit, Limit::Short(_)));
            let sought = short.filter_map(|(place, _)| args.get(*place)).map(length).fold(0, u64::saturating_add);
            let within = args.iter().map(length).max()?;
            let moved = if (dialect, *name) == (Dialect::MariaDb, "replace") { moved(args, length) } else { 0 };
            let work = within.saturating_mul(sought).saturating_add(moved / MOVED_BYTES);
            (sought > 0).then(|| (Product::Between(format!("`{name}`")), work))
        }
        _ => None,
    }
}

/// Bytes of a text in which a regular expression is looked for, whose cost is a power of it: of a column what it may hold.
fn searched(expr: &Expr, most: u64) -> u64 {
    let mut longest = 0;
    walk::each_in_expr(expr, &mut |node| {
        if let Node::Expr(Expr::Column(column)) = node {
            longest = longest.max(column.ty.as_ref().and_then(|ty| declared(&ty.name)).unwrap_or(SEARCHED_BYTES));
        }
    });
    written(expr, longest).unwrap_or(most.max(longest))
}

/// The characters of a `varchar(n)` or `char(n)`.
fn declared(name: &str) -> Option<u64> {
    let (kind, rest) = name.split_once('(')?;
    if !matches!(kind, "varchar" | "char") {
        return None;
    }
    rest.split(')').next()?.parse().ok()
}

/// Whether an expression may be an array or a document, by its form and its type.
fn may_be_array(expr: &Expr, dialect: Dialect) -> bool {
    match expr {
        Expr::Literal(_) | Expr::Slot(_) | Expr::Binary { .. } | Expr::Unary { .. } => false,
        Expr::Function(Function {
            name: "coalesce" | "max" | "min" | "nullif",
            args: FunctionArgs::List(args),
            ..
        }) => args.iter().any(|arg| may_be_array(arg, dialect)),
        Expr::Function(function) => !keeps_short(function, dialect),
        expr => match type_of_all(dialect, std::iter::once(expr)) {
            Some(kind) => matches!(kind, TypeKind::Array(_) | TypeKind::Json | TypeKind::Other | TypeKind::Any),
            None => !matches!(expr, Expr::Column(_)),
        },
    }
}

/// Whether a caller cannot make a value longer than so many bytes beyond what is stored.
pub(super) fn is_short(expr: &Expr, most: usize) -> bool {
    written(expr, 0).is_some_and(|bytes| bytes <= u64::try_from(most).unwrap_or(u64::MAX))
}

/// Bytes at most of a value that is written, bound or `stored`, the latter two with so many, and at the most cut or spelled otherwise;
/// `None` of what the statement makes in any other way.
fn written(expr: &Expr, stored: u64) -> Option<u64> {
    let sum = |parts: &[Expr]| parts.iter().map(|part| written(part, stored)).sum::<Option<u64>>();
    match expr {
        Expr::Literal(literal) => Some(spelled(literal)),
        Expr::Slot(_) => Some(stored),
        Expr::Column(column) => column.origin.is_some().then_some(stored),
        Expr::Cast { expr, ty: _ } | Expr::Unary { op: UnaryOp::Minus | UnaryOp::Plus, expr } => written(expr, stored),
        Expr::Binary { op: BinaryOp::Concat, left, right } => Some(written(left, stored)? + written(right, stored)?),
        Expr::Array(Elements::List(list)) if list.len() <= SHORT_ELEMENTS => sum(list),
        Expr::Case { operand: _, branches, otherwise } => {
            branches.iter().map(|(_, then)| then).chain(otherwise.as_deref()).map(|arm| written(arm, stored)).sum()
        }
        Expr::Function(Function { name, args: FunctionArgs::List(args), .. }) if NO_LONGER.contains(name) => sum(args),
        // Beyond what is stored nothing is known of how much longer it makes that.
        Expr::Function(Function { name: "replace", args: FunctionArgs::List(args), .. }) => match lengthening(args) {
            times if times > 1 && stored == 0 => None,
            times => Some(written(args.first()?, stored)?.saturating_mul(times).min(LENGTH_MAX)),
        },
        _ => None,
    }
}
