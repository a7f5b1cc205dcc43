//! The kinds of expressions, as far as they decide whether an engine must convert a value before it can use it. A conversion can fail.

use super::arithmetic::{self, Operand};
use super::constant::{Reach, has_edge};
use super::context::SQUARES;
use super::{Context, given};
use crate::catalog::{SqlType, TypeKind};
use crate::names::Dialect;
use crate::sql::functions::{self, FunctionKind, FunctionSpec, Leak, ResultType};
use crate::sql::tree::{
    BinaryOp, Elements, Expr, Function, FunctionArgs, Literal, OpClass, SetExpr, Slot, Subscript, UnaryOp,
};
use crate::sql::walk;

/// What is known of an expression's type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A string literal, NULL or a bound value: takes the type of what it meets, when the statement is read.
    Constant(Reach),
    /// A number literal: converted once, when the statement is planned.
    Number,
    /// An integer or an exact decimal: what a choice of numbers becomes when some are literals.
    Exact,
    /// A type of that kind.
    Typed(TypeKind),
    /// Not known here.
    Unknown,
    /// Types that cannot meet without a conversion that may fail.
    Clash,
}

impl Kind {
    /// Whether comparing the two needs no conversion that can fail.
    pub(super) fn compares_with(&self, other: &Kind) -> bool {
        use TypeKind as T;
        match (self, other) {
            (Kind::Clash, _) | (_, Kind::Clash) => false,
            (Kind::Typed(kind), _) | (_, Kind::Typed(kind)) if !has_equality(kind) => false,
            // A collation of its own wins over the ordinary one.
            (Kind::Constant(_) | Kind::Number, _)
            | (_, Kind::Constant(_) | Kind::Number)
            | (Kind::Typed(T::Collated(_)), Kind::Typed(T::Text))
            | (Kind::Typed(T::Text), Kind::Typed(T::Collated(_))) => true,
            (Kind::Typed(a), Kind::Typed(b)) if is_time(a) && is_time(b) => true,
            _ => !matches!(Kind::merge([self.clone(), other.clone()]), Some(Kind::Clash)),
        }
    }

    /// The kind of what a choice between rows' values yields: it is computed while rows are read, so a conversion above it is no
    /// longer one that is done, or fails, when the statement is planned.
    pub(super) fn computed(self) -> Kind {
        match self {
            Kind::Constant(_) => Kind::Typed(TypeKind::Text),
            Kind::Number => Kind::Exact,
            kind @ (Kind::Exact | Kind::Typed(_) | Kind::Unknown | Kind::Clash) => kind,
        }
    }

    /// What a query around the one that yields it reads: a constant has become a text there.
    pub(super) fn into_read(self) -> Option<TypeKind> {
        match self {
            Kind::Typed(kind) => Some(kind),
            Kind::Constant(_) => Some(TypeKind::Text),
            Kind::Number | Kind::Exact | Kind::Unknown | Kind::Clash => None,
        }
    }

    /// The kind of what an arm of a set operation yields: a number beside a column of floats is converted row by row.
    pub(super) fn of_arm(self) -> Kind {
        match self {
            Kind::Number => Kind::Exact,
            kind => kind,
        }
    }

    /// The kind that several expressions end up in where they must become one, as in CASE; `None` of none.
    pub(super) fn merge(kinds: impl IntoIterator<Item = Kind>) -> Option<Kind> {
        kinds.into_iter().reduce(Kind::merge_with)
    }

    #[expect(
        clippy::match_same_arms,
        reason = "a number beside a constant stays a number, so the order of the arms counts"
    )]
    fn merge_with(self, other: Kind) -> Kind {
        use TypeKind as T;
        match (self, other) {
            (Kind::Clash, _) | (_, Kind::Clash) => Kind::Clash,
            (Kind::Constant(a), Kind::Constant(b)) => Kind::Constant(a.max(b)),
            // Below, a function could fail over what the literal becomes.
            (Kind::Constant(Reach::Edge), Kind::Number | Kind::Exact)
            | (Kind::Number | Kind::Exact, Kind::Constant(Reach::Edge)) => Kind::Clash,
            (Kind::Constant(Reach::Edge), Kind::Typed(kind)) | (Kind::Typed(kind), Kind::Constant(Reach::Edge))
                if has_edge(&kind) =>
            {
                Kind::Clash
            }
            (Kind::Constant(_), kind) | (kind, Kind::Constant(_)) => kind,
            (Kind::Number, kind @ Kind::Typed(T::Decimal)) | (kind @ Kind::Typed(T::Decimal), Kind::Number) => kind,
            (Kind::Number | Kind::Exact, Kind::Exact | Kind::Typed(T::Int | T::BigInt))
            | (Kind::Exact | Kind::Typed(T::Int | T::BigInt), Kind::Number | Kind::Exact) => Kind::Exact,
            (Kind::Exact, kind @ Kind::Typed(T::Decimal)) | (kind @ Kind::Typed(T::Decimal), Kind::Exact) => kind,
            (Kind::Number, kind) | (kind, Kind::Number) => kind,
            (Kind::Exact, _) | (_, Kind::Exact) => Kind::Clash,
            // Whatever the database makes of an unlisted function's result beside text can only be text, of a collation of its own perhaps.
            (Kind::Unknown, Kind::Typed(T::Text)) | (Kind::Typed(T::Text), Kind::Unknown) => Kind::Unknown,
            (Kind::Unknown, _) | (_, Kind::Unknown) => Kind::Clash,
            (Kind::Typed(a), Kind::Typed(b)) => merge_types(a, b),
        }
    }
}

fn merge_types(a: TypeKind, b: TypeKind) -> Kind {
    use TypeKind as T;
    match (a, b) {
        (T::Other, _) | (_, T::Other) => Kind::Clash,
        (T::Array(a), T::Array(b)) => match merge_types(a.kind.clone(), b.kind) {
            Kind::Typed(kind) if kind == a.kind => Kind::Typed(T::Array(a)),
            _ => Kind::Clash,
        },
        (a, b) if a == b => Kind::Typed(a),
        (T::Int | T::BigInt, T::BigInt | T::Int) => Kind::Typed(T::BigInt),
        (T::Int | T::BigInt | T::Decimal, T::Decimal) | (T::Decimal, T::Int | T::BigInt) => Kind::Typed(T::Decimal),
        // From a decimal to a float there are values out of range; from an integer there are none.
        (T::Int | T::BigInt, T::Float) | (T::Float, T::Int | T::BigInt) => Kind::Typed(T::Float),
        _ => Kind::Clash,
    }
}

/// Whether values of a kind can be compared. Arrays of what cannot fail while rows are read; the type alone fails before.
fn has_equality(kind: &TypeKind) -> bool {
    match kind {
        TypeKind::Other => false,
        TypeKind::Array(element) => element.kind != TypeKind::Json && has_equality(&element.kind),
        _ => true,
    }
}

/// Whether values of a kind can be ordered.
fn has_order(kind: &Kind) -> bool {
    match kind {
        Kind::Typed(TypeKind::Json | TypeKind::Other | TypeKind::Any) | Kind::Unknown | Kind::Clash => false,
        Kind::Typed(TypeKind::Array(element)) => has_order(&Kind::Typed(element.kind.clone())),
        Kind::Constant(_) | Kind::Number | Kind::Exact | Kind::Typed(_) => true,
    }
}

fn is_time(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Date | TypeKind::Timestamp | TypeKind::TimestampTz)
}

/// The kind of an expression.
pub(super) fn of(expr: &Expr, cx: &Context) -> Kind {
    let merged = |kinds: &mut dyn Iterator<Item = &Expr>| {
        Kind::merge(kinds.map(|expr| of(expr, cx))).map_or(Kind::Unknown, Kind::computed)
    };
    match expr {
        Expr::Column(column) => match &column.ty {
            Some(ty) => Kind::Typed(ty.kind.clone()),
            None => Kind::Unknown,
        },
        Expr::Literal(Literal::Null | Literal::Unit(_)) => Kind::Constant(Reach::Ordinary),
        Expr::Literal(Literal::Text(text)) => Kind::Constant(Reach::of(text)),
        Expr::Literal(Literal::Number(_)) => Kind::Number,
        Expr::Slot(slot) => of_slot(slot, cx),
        Expr::Literal(Literal::Typed(ty, _)) => named(ty.as_str()),
        Expr::Cast { expr, ty } => match named(ty.as_str()) {
            // A cast between texts keeps the collation.
            Kind::Typed(TypeKind::Text) => collated([&of(expr, cx)]),
            kind => kind,
        },
        Expr::Unary { op: UnaryOp::Minus | UnaryOp::Plus, expr } => of(expr, cx),
        Expr::Binary { op, left, right } => binary(*op, left, right, cx),
        Expr::Unary { op: UnaryOp::BitNot, expr } => whole(of(expr, cx)),
        Expr::Literal(Literal::Blob(_)) => Kind::Typed(TypeKind::Bytes),
        Expr::Array(elements) => array(elements, cx),
        Expr::Subscript { expr, part } => match (of(expr, cx), part) {
            (Kind::Typed(TypeKind::Array(element)), Subscript::Index(_)) => Kind::Typed(element.kind),
            (kind @ Kind::Typed(TypeKind::Array(_)), Subscript::Slice { .. }) => kind,
            _ => Kind::Typed(TypeKind::Other),
        },
        Expr::Collate { expr, collation } => match of(expr, cx) {
            Kind::Constant(_) | Kind::Typed(TypeKind::Text | TypeKind::Collated(_)) => {
                Kind::Typed(TypeKind::Collated((*collation).to_owned()))
            }
            _ => Kind::Unknown,
        },
        Expr::Literal(Literal::Bool(_))
        | Expr::Unary { op: UnaryOp::Not, .. }
        | Expr::Is { .. }
        | Expr::Between { .. }
        | Expr::InList { .. }
        | Expr::InSlot { .. }
        | Expr::InQuery { .. }
        | Expr::Exists { .. }
        | Expr::Quantified { .. }
        | Expr::Like { .. } => Kind::Typed(TypeKind::Bool),
        Expr::Scalar(query) => first_column(&query.body, cx),
        Expr::Case { operand: _, branches, otherwise } => {
            merged(&mut branches.iter().map(|(_, then)| then).chain(otherwise.as_deref()))
        }
        Expr::Function(function) => result(function, cx),
        Expr::Row(_) | Expr::Added { .. } => Kind::Unknown,
    }
}

fn binary(op: BinaryOp, left: &Expr, right: &Expr, cx: &Context) -> Kind {
    if op.is_truth() {
        return Kind::Typed(TypeKind::Bool);
    }
    match (op.class(), op) {
        (OpClass::Concat, _) if cx.dialect == Dialect::Sqlite => Kind::Typed(TypeKind::Text),
        (OpClass::Concat, _) => concatenated(&of(left, cx), &of(right, cx)),
        (_, BinaryOp::JsonGetText | BinaryOp::JsonPathText) => Kind::Typed(TypeKind::Text),
        (OpClass::JsonPart, _) => Kind::Typed(TypeKind::Json),
        (OpClass::Bits, _) => Kind::merge([of(left, cx), of(right, cx)]).map_or(Kind::Unknown, whole),
        (OpClass::Arithmetic, _) => match (of(left, cx), of(right, cx)) {
            (Kind::Number, Kind::Number) => Kind::Number,
            _ if cx.dialect != Dialect::Postgres => Kind::Unknown,
            (of_left, of_right) => {
                let (left, right) = (Operand { expr: left, kind: of_left }, Operand { expr: right, kind: of_right });
                arithmetic::kind(op, &left, &right).map_or(Kind::Unknown, Kind::Typed)
            }
        },
        (OpClass::Logic | OpClass::Comparison | OpClass::Containment | OpClass::Pattern, _) => Kind::Unknown,
    }
}

/// An integer, or nothing that is known.
fn whole(kind: Kind) -> Kind {
    match kind {
        Kind::Number | Kind::Typed(TypeKind::Int | TypeKind::BigInt) => kind,
        _ => Kind::Unknown,
    }
}

/// PostgreSQL joins arrays and JSON by the operator that joins text to whatever is none of these.
pub(super) fn concatenated(left: &Kind, right: &Kind) -> Kind {
    let text = |kind: &Kind| matches!(kind, Kind::Constant(_) | Kind::Typed(TypeKind::Text | TypeKind::Collated(_)));
    let scalar = |kind: &Kind| match kind {
        Kind::Constant(_) | Kind::Number | Kind::Exact => true,
        Kind::Typed(kind) => !matches!(kind, TypeKind::Array(_) | TypeKind::Json | TypeKind::Bytes | TypeKind::Other),
        Kind::Unknown | Kind::Clash => false,
    };
    if scalar(left) && scalar(right) && (text(left) || text(right)) {
        return collated([left, right]);
    }
    Kind::Unknown
}

/// The text that is made of these: under the collation of its own that one has. With two the database knows of none.
fn collated<'k>(kinds: impl IntoIterator<Item = &'k Kind>) -> Kind {
    let mut own = kinds.into_iter().filter_map(|kind| match kind {
        Kind::Typed(TypeKind::Collated(collation)) => Some(collation),
        _ => None,
    });
    match own.next() {
        None => Kind::Typed(TypeKind::Text),
        Some(first) if own.all(|other| other == first) => Kind::Typed(TypeKind::Collated(first.clone())),
        Some(_) => Kind::Unknown,
    }
}

/// The kind of a written array, by what its elements become.
fn array(elements: &Elements, cx: &Context) -> Kind {
    let element = match elements {
        Elements::Of(array) => return of(array, cx),
        Elements::List(list) if list.iter().all(is_small) => Some(Kind::Typed(TypeKind::Int)),
        Elements::List(list) => Kind::merge(list.iter().map(|element| of(element, cx))).map(Kind::computed),
        Elements::Query(query) => Some(first_column(&query.body, cx)),
    };
    match element {
        Some(Kind::Typed(kind)) => Kind::Typed(TypeKind::Array(Box::new(SqlType { name: String::new(), kind }))),
        Some(Kind::Exact) => Kind::Unknown,
        // Whether elements can be compared shows only when two arrays are.
        _ => Kind::Typed(TypeKind::Other),
    }
}

/// Whether PostgreSQL reads a literal as an integer of 32 bits.
fn is_small(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(Literal::Number(text)) if text.parse::<i32>().is_ok())
}

/// Whether an expression is a `jsonb` of PostgreSQL, whose parts can be taken without fail. `json` is text until it is read, and
/// SQLite's documents are text or bytes that may be no documents.
pub(super) fn is_jsonb(expr: &Expr, cx: &Context) -> bool {
    if cx.dialect != Dialect::Postgres {
        return false;
    }
    match expr {
        Expr::Column(column) => column.ty.as_ref().is_some_and(|ty| ty.name == "jsonb"),
        Expr::Literal(Literal::Typed(ty, _)) | Expr::Cast { expr: _, ty } => ty.as_str() == "jsonb",
        Expr::Binary { op: BinaryOp::JsonGet | BinaryOp::JsonPath, left, right: _ } => is_jsonb(left, cx),
        _ => false,
    }
}

/// The kind of a bound value.
pub(super) fn of_slot(slot: &Slot, cx: &Context) -> Kind {
    match slot {
        Slot::Limit | Slot::Offset => Kind::Number,
        slot if cx.is_loose(slot) => Kind::Unknown,
        Slot::CallId
        | Slot::Param(_)
        | Slot::ParamList(_)
        | Slot::Claim(_)
        | Slot::ClaimList(_)
        | Slot::MaskKey(_)
        | Slot::After(_) => Kind::Constant(Reach::Ordinary),
    }
}

/// The kind of a subquery's one column, as it meets what stands outside.
pub(super) fn first_column(body: &SetExpr, cx: &Context) -> Kind {
    columns(body, cx).into_iter().next().map_or(Kind::Unknown, Kind::computed)
}

/// The kinds of what a query yields, column by column.
pub(super) fn columns(body: &SetExpr, cx: &Context) -> Vec<Kind> {
    match body {
        SetExpr::Select(select) => select.projection.iter().map(|item| of(&item.expr, cx)).collect(),
        SetExpr::Query(query) => columns(&query.body, cx),
        SetExpr::SetOperation { op: _, quantifier: _, left, right } => columns(left, cx)
            .into_iter()
            .zip(columns(right, cx))
            .map(|(left, right)| left.of_arm().merge_with(right.of_arm()))
            .collect(),
    }
}

fn result(function: &Function, cx: &Context) -> Kind {
    let Some(spec) = functions::lookup(cx.dialect, function.name) else {
        return Kind::Unknown;
    };
    let args = args(function);
    // What lies outside the rows around is the third argument of `lag` and `lead`.
    if let (FunctionKind::Window, [value, _, otherwise]) = (spec.kind, args) {
        return Kind::merge([of(value, cx), of(otherwise, cx)]).map_or(Kind::Unknown, Kind::computed);
    }
    if cx.dialect == Dialect::Postgres
        && let Some(moment) = of_moment(spec.name, args, cx)
    {
        return Kind::Typed(moment);
    }
    if let ("timestampadd", [_, _, moment]) = (spec.name, args)
        && matches!(of(moment, cx), Kind::Typed(kind) if is_time(&kind))
    {
        return Kind::Typed(TypeKind::Timestamp);
    }
    let kind = match spec.result {
        ResultType::Integer => TypeKind::Int,
        ResultType::BigInt => TypeKind::BigInt,
        ResultType::Float => TypeKind::Float,
        ResultType::Decimal => TypeKind::Decimal,
        ResultType::Text if cx.dialect == Dialect::Postgres => {
            let kinds: Vec<Kind> = args.iter().map(|arg| of(arg, cx)).collect();
            return collated(&kinds);
        }
        ResultType::Text => TypeKind::Text,
        ResultType::Bool => TypeKind::Bool,
        ResultType::Json | ResultType::Jsonb => TypeKind::Json,
        ResultType::Bytes => TypeKind::Bytes,
        ResultType::Date => TypeKind::Date,
        ResultType::Timestamp => TypeKind::Timestamp,
        ResultType::TimestampTz => TypeKind::TimestampTz,
        ResultType::FirstArgument if spec.is_syntax() => {
            return Kind::merge(args.iter().map(|arg| of(arg, cx))).map_or(Kind::Unknown, Kind::computed);
        }
        ResultType::FirstArgument => return args.first().map_or(Kind::Unknown, |arg| of(arg, cx).computed()),
        ResultType::Unknown => return Kind::Unknown,
    };
    Kind::Typed(kind)
}

/// What `date_trunc` and `timezone` make of a moment.
fn of_moment(name: &str, args: &[Expr], cx: &Context) -> Option<TypeKind> {
    // Asked for these two alone: a nest of calls would ask for each inner one twice.
    let [_, moment] = args else { return None };
    if !matches!(name, "date_trunc" | "timezone") {
        return None;
    }
    match (name, of(moment, cx)) {
        ("date_trunc", Kind::Typed(kind @ (TypeKind::Timestamp | TypeKind::TimestampTz))) => Some(kind),
        ("date_trunc", Kind::Typed(TypeKind::Date)) | ("timezone", Kind::Typed(TypeKind::Timestamp)) => {
            Some(TypeKind::TimestampTz)
        }
        ("timezone", Kind::Typed(TypeKind::TimestampTz)) => Some(TypeKind::Timestamp),
        _ => None,
    }
}

/// Whether a call cannot fail, whatever the rows hold.
pub(super) fn is_total(function: &Function, cx: &Context) -> bool {
    let Some(spec) = functions::lookup(cx.dialect, function.name) else {
        return false;
    };
    let args = args(function);
    // Arguments that become one type first: `coalesce(decimal, float)` converts.
    if cx.dialect != Dialect::Sqlite
        && spec.is_syntax()
        && spec.result == ResultType::FirstArgument
        && Kind::merge(args.iter().map(|arg| of(arg, cx))) == Some(Kind::Clash)
    {
        return false;
    }
    // Whether values can be ordered is looked up when the call is first prepared, in VALUES when a row is first read.
    if matches!(spec.name, "greatest" | "least") && !args.iter().all(|arg| has_order(&of(arg, cx))) {
        return cx.dialect == Dialect::Sqlite;
    }
    // Of moments only the clock is known to be far from the end of its type.
    if let ("timestampadd", [Expr::Literal(Literal::Unit(unit)), amount, Expr::Function(clock)]) = (spec.name, args) {
        return matches!(clock.name, "now" | "curdate") && arithmetic::is_short_move(amount, unit);
    }
    // A zone that every server knows.
    if let ("timezone", [Expr::Literal(Literal::Text(zone)), _]) = (spec.name, args) {
        return matches!(zone.as_str(), "UTC" | "GMT") && of_moment(spec.name, args, cx).is_some();
    }
    if cx.dialect == Dialect::Postgres && SQUARES.contains(&spec.name) && cx.growths > arithmetic::GROWTHS_MAX {
        return false;
    }
    // A function of texts asks for one collation.
    if cx.dialect == Dialect::Postgres && !spec.is_syntax() && args.len() > 1 {
        let kinds: Vec<Kind> = args.iter().map(|arg| of(arg, cx)).collect();
        if collated(&kinds) == Kind::Unknown {
            return false;
        }
    }
    // An ordered-set aggregate is judged by what it orders by; what it is called with are constants.
    if spec.kind == FunctionKind::OrderedSet {
        return match spec.leak {
            Leak::Total(over) => function.order.keys().iter().all(|key| fits(&key.expr, over, cx)),
            Leak::TotalGivenConstants { .. } | Leak::Leaky => false,
        };
    }
    // An aggregate is no exception: inside a correlated subquery it sums what the outer row gives it, hidden or not.
    spec_total(spec, args, cx) && spec.given.is_none_or(|given| given::holds(given, args, cx))
}

fn spec_total(spec: &FunctionSpec, args: &[Expr], cx: &Context) -> bool {
    match spec.leak {
        Leak::Leaky => false,
        Leak::Total(over) => args.iter().all(|arg| fits(arg, over, cx)),
        Leak::TotalGivenConstants { value, over } => args.iter().enumerate().all(|(position, arg)| {
            if position == value {
                fits(arg, over, cx)
            } else {
                matches!(arg, Expr::Literal(Literal::Text(_) | Literal::Number(_)))
            }
        }),
    }
}

fn fits(arg: &Expr, over: functions::Kinds, cx: &Context) -> bool {
    match of(arg, cx) {
        Kind::Constant(Reach::Ordinary) | Kind::Number => true,
        // Where the function would take it for a text.
        Kind::Constant(Reach::Edge) => cx.dialect == Dialect::Sqlite || over.contains(&TypeKind::Text),
        Kind::Exact => [TypeKind::Int, TypeKind::BigInt, TypeKind::Decimal].iter().all(|kind| over.contains(kind)),
        Kind::Typed(TypeKind::Collated(_)) if over.contains(&TypeKind::Text) => true,
        Kind::Typed(kind) => over.contains(&kind),
        // Any column of SQLite may hold anything: what is total there is total over all kinds.
        Kind::Unknown | Kind::Clash => cx.dialect == Dialect::Sqlite,
    }
}

fn args(function: &Function) -> &[Expr] {
    match &function.args {
        FunctionArgs::Star => &[],
        FunctionArgs::List(args) => args,
    }
}

/// Whether an aggregate stands in an expression, outside its subqueries.
pub(super) fn has_aggregate(expr: &Expr, cx: &Context) -> bool {
    let own = match expr {
        Expr::Function(function) => {
            function.over.is_none()
                && functions::lookup(cx.dialect, function.name).is_some_and(|spec| spec.kind.is_aggregate())
        }
        _ => false,
    };
    own || walk::parts(expr).into_iter().any(|part| has_aggregate(part, cx))
}

/// The kind behind a type name of PostgreSQL's or MariaDB's allow-list.
pub(super) fn named(ty: &str) -> Kind {
    if let Some(element) = ty.strip_suffix("[]") {
        return match named(element) {
            Kind::Typed(kind) => Kind::Typed(TypeKind::Array(Box::new(SqlType { name: element.to_owned(), kind }))),
            _ => Kind::Unknown,
        };
    }
    let bare = match (ty.split_once('('), ty.split_once(')')) {
        (Some((head, _)), Some((_, tail))) => format!("{head}{tail}"),
        _ => ty.to_owned(),
    };
    let kind = match bare.as_str() {
        "boolean" | "bool" => TypeKind::Bool,
        "smallint" | "integer" | "int2" | "int4" => TypeKind::Int,
        "bigint" | "int8" => TypeKind::BigInt,
        "numeric" | "decimal" => TypeKind::Decimal,
        "real" | "double precision" | "float4" | "float8" => TypeKind::Float,
        "text" | "character varying" | "varchar" | "character" | "char" | "bpchar" => TypeKind::Text,
        "bytea" => TypeKind::Bytes,
        "date" => TypeKind::Date,
        "time" | "time without time zone" => TypeKind::Time,
        "timestamp" | "timestamp without time zone" | "datetime" => TypeKind::Timestamp,
        "timestamptz" | "timestamp with time zone" => TypeKind::TimestampTz,
        "uuid" => TypeKind::Uuid,
        "json" | "jsonb" => TypeKind::Json,
        _ => return Kind::Unknown,
    };
    Kind::Typed(kind)
}

/// Whether a PostgreSQL cast from one kind to a type takes every value.
pub(super) fn widens(from: &TypeKind, ty: &str) -> bool {
    use TypeKind as T;
    // A precision makes a cast that can overflow; a length only cuts off.
    let bounded = ty.contains('(');
    match (from, named(ty)) {
        (
            T::Bool | T::Int | T::BigInt | T::Decimal | T::Float | T::Text | T::Date | T::Time | T::Uuid | T::Enum(_),
            Kind::Typed(T::Text),
        )
        | (T::Int, Kind::Typed(T::BigInt | T::Float))
        | (T::BigInt, Kind::Typed(T::Float)) => true,
        (T::Int | T::BigInt | T::Decimal, Kind::Typed(T::Decimal)) => !bounded,
        (from, Kind::Typed(to)) => *from == to && matches!(to, T::Bool | T::BigInt | T::Date | T::Uuid) && !bounded,
        (_, Kind::Constant(_) | Kind::Number | Kind::Exact | Kind::Unknown | Kind::Clash) => false,
    }
}
