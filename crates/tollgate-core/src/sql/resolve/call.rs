//! Calls of listed functions, and the constructs with a syntax of their own that are functions underneath.

use sqlparser::ast;

use super::expr::{Aggregates, At};
use super::limit::within_limits;
use super::names::any_column;
use super::set_call::SetCall;
use super::window::inside_window;
use super::{Resolver, mariadb, refused};
use crate::names::Dialect;
use crate::sql::error::{SqlError, shown};
use crate::sql::functions::{FunctionKind, FunctionSpec, lookup};
use crate::sql::tree::{CallOrder, CastType, Expr, Function, FunctionArgs, Literal};
use crate::sql::walk;

/// Units of `date_trunc`.
const TRUNC_UNITS: &[&str] = &[
    "microseconds",
    "milliseconds",
    "second",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "decade",
    "century",
    "millennium",
];

/// Fields of `EXTRACT`.
const EXTRACT_FIELDS: &[&str] = &[
    "century",
    "day",
    "decade",
    "dow",
    "doy",
    "epoch",
    "hour",
    "isodow",
    "isoyear",
    "julian",
    "microseconds",
    "millennium",
    "milliseconds",
    "minute",
    "month",
    "quarter",
    "second",
    "timezone",
    "timezone_hour",
    "timezone_minute",
    "week",
    "year",
];

/// The parameters of `make_interval`, in their order.
const INTERVAL_PARTS: [&str; 7] = ["years", "months", "weeks", "days", "hours", "mins", "secs"];

impl Resolver<'_> {
    /// Functions in all their forms; what is none of them is refused.
    pub(super) fn call_like(&mut self, expr: &ast::Expr, at: At<'_>) -> Result<Expr, SqlError> {
        match expr {
            ast::Expr::Function(function) => self.function(function, at),
            ast::Expr::Ceil { expr, field } => self.rounding("ceil", expr, field, at),
            ast::Expr::Floor { expr, field } => self.rounding("floor", expr, field, at),
            ast::Expr::Substring { expr, substring_from, substring_for, special: _, shorthand: _ } => {
                self.substring(expr, substring_from.as_deref(), substring_for.as_deref(), at)
            }
            ast::Expr::Trim { trim_where, trim_what, expr, trim_characters } => {
                self.trim(trim_where.as_ref(), (trim_what.as_deref(), trim_characters.as_deref()), expr, at)
            }
            ast::Expr::Position { expr, r#in } if self.dialect == Dialect::MariaDb => {
                let args = vec![self.expr(expr, at)?, self.expr(r#in, at)?];
                within_limits(self.spec("locate")?, &args)?;
                self.listed("locate", args)
            }
            ast::Expr::Position { expr, r#in } if self.dialect == Dialect::Postgres => {
                let args = vec![self.expr(r#in, at)?, self.expr(expr, at)?];
                self.listed("strpos", args)
            }
            ast::Expr::AtTimeZone { timestamp, time_zone } if self.dialect == Dialect::Postgres => {
                let args = vec![self.expr(time_zone, at)?, self.expr(timestamp, at)?];
                self.listed("timezone", args)
            }
            ast::Expr::Overlay { expr, overlay_what, overlay_from, overlay_for }
                if self.dialect == Dialect::Postgres =>
            {
                let mut args = vec![self.expr(expr, at)?, self.expr(overlay_what, at)?, self.expr(overlay_from, at)?];
                if let Some(length) = overlay_for {
                    args.push(self.expr(length, at)?);
                }
                self.listed("overlay", args)
            }
            ast::Expr::Extract { field, syntax: ast::ExtractSyntax::From, expr }
                if self.dialect == Dialect::Postgres =>
            {
                let field = Expr::Literal(Literal::Text(extract_field(field)?.to_owned()));
                let args = vec![field, self.expr(expr, at)?];
                self.listed("extract", args)
            }
            ast::Expr::Extract { field, syntax: ast::ExtractSyntax::From, expr }
                if self.dialect == Dialect::MariaDb =>
            {
                let name = part_of_moment(field)?;
                let args = vec![self.expr(expr, at)?];
                self.listed(name, args)
            }
            other => Err(refused::expression(other)),
        }
    }

    /// A call of a function that the grammar guarantees to be listed.
    pub(super) fn listed(&self, name: &str, args: Vec<Expr>) -> Result<Expr, SqlError> {
        let spec = lookup(self.dialect, name).ok_or_else(|| not_listed(name))?;
        Ok(Expr::Function(Function::plain(spec.name, args)))
    }

    fn rounding(
        &mut self,
        name: &str,
        expr: &ast::Expr,
        field: &ast::CeilFloorKind,
        at: At<'_>,
    ) -> Result<Expr, SqlError> {
        match field {
            ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime) => {
                let args = vec![self.expr(expr, at)?];
                self.listed(name, args)
            }
            ast::CeilFloorKind::DateTimeField(_) | ast::CeilFloorKind::Scale(_) => {
                Err(SqlError::function(name, "takes one argument"))
            }
        }
    }

    /// `SUBSTRING(x FROM a FOR b)`, `substring(x, a, b)` and `substr(x, a, b)`. The form with a regular expression is none of
    /// them: the database then wants a number.
    fn substring(
        &mut self,
        expr: &ast::Expr,
        from: Option<&ast::Expr>,
        length: Option<&ast::Expr>,
        at: At<'_>,
    ) -> Result<Expr, SqlError> {
        let text = self.expr(expr, at)?;
        let from = match from {
            Some(from) => self.expr(from, at)?,
            None => Expr::Literal(Literal::Number("1".into())),
        };
        let is_text = matches!(from, Expr::Literal(Literal::Text(_)));
        refused::when(is_text, "SUBSTRING with a pattern")?;
        let mut args = vec![text, from];
        if let Some(length) = length {
            args.push(self.expr(length, at)?);
        }
        self.listed("substr", args)
    }

    fn trim(
        &mut self,
        side: Option<&ast::TrimWhereField>,
        (what, characters): (Option<&ast::Expr>, Option<&[ast::Expr]>),
        expr: &ast::Expr,
        at: At<'_>,
    ) -> Result<Expr, SqlError> {
        let name = match (side, self.dialect) {
            (Some(ast::TrimWhereField::Leading), _) => "ltrim",
            (Some(ast::TrimWhereField::Trailing), _) => "rtrim",
            (None | Some(ast::TrimWhereField::Both), Dialect::Postgres) => "btrim",
            (None | Some(ast::TrimWhereField::Both), Dialect::Sqlite | Dialect::MariaDb) => "trim",
        };
        if self.dialect == Dialect::MariaDb && (what.is_some() || characters.is_some()) {
            return Err(SqlError::function("trim", "takes no characters of its own; it removes spaces"));
        }
        let mut args = vec![self.expr(expr, at)?];
        match (what, characters) {
            (None, None) => {}
            (Some(what), None) | (None, Some([what])) => args.push(self.expr(what, at)?),
            _ => return Err(SqlError::function("trim", "takes one set of characters")),
        }
        self.listed(name, args)
    }

    fn function(&mut self, function: &ast::Function, at: At<'_>) -> Result<Expr, SqlError> {
        let ast::Function { name, uses_odbc_syntax, parameters, args, within_group, filter, null_treatment, over } =
            function;
        refused::when(*uses_odbc_syntax, "a function in braces")?;
        refused::when(!matches!(parameters, ast::FunctionArguments::None), "a function with two lists")?;
        refused::when(null_treatment.is_some(), "IGNORE or RESPECT NULLS")?;
        if let Some(SetCall { call, column }) = &at.names.set_call
            && call == function
            && matches!(at.aggregates, Aggregates::Allowed)
        {
            at.names.references.borrow_mut().push(column.clone());
            return Ok(Expr::Column(column.clone()));
        }
        if let Some(added) = self.added(name)? {
            return self.added_call(added, function, at);
        }
        let written = self.function_name(name)?;
        let list = match args {
            ast::FunctionArguments::List(list) => list,
            ast::FunctionArguments::None => return self.clock(&written),
            ast::FunctionArguments::Subquery(query) if self.dialect == Dialect::Postgres && written == "array" => {
                return self.array_of_query(query, at);
            }
            ast::FunctionArguments::Subquery(_) => {
                return Err(SqlError::function(
                    &written,
                    "may not take a bare subquery; put it in parentheses of its own",
                ));
            }
        };
        if self.dialect == Dialect::MariaDb
            && let Some(sign) = mariadb::moves(&written)
        {
            return self.moving_call(&written, sign, function, at);
        }
        let spec = self.spec(&written)?;
        let ast::FunctionArgumentList { duplicate_treatment, args, clauses } = list;
        let distinct = *duplicate_treatment == Some(ast::DuplicateTreatment::Distinct);
        let (order, separator) = self.argument_clauses(spec, clauses)?;
        let clauses = Clauses { distinct, order, within_group, filter: filter.as_deref(), over: over.as_ref() };
        clauses.fit(spec)?;
        let inner = argument_place(spec, &clauses, at)?;
        let mut args = self.arguments(spec, args, inner)?;
        if let (Some(separator), FunctionArgs::List(args)) = (separator, &mut args) {
            args.push(separator);
        }
        if distinct && matches!(args, FunctionArgs::Star) {
            return Err(SqlError::function(spec.name, "takes no DISTINCT with `*`"));
        }
        let order = match spec.kind {
            FunctionKind::OrderedSet => CallOrder::WithinGroup(self.sort_keys(within_group, inner)?),
            _ if clauses.order.is_empty() => CallOrder::None,
            _ => CallOrder::Arguments(self.sort_keys(clauses.order, inner)?),
        };
        let filter = clauses.filter.map(|e| self.expr(e, inner)).transpose()?.map(Box::new);
        let over = clauses.over.map(|over| self.over(over, inner)).transpose()?.map(Box::new);
        let call = Function { name: spec.name, args, distinct, order, filter, over };
        if spec.kind.is_aggregate() && call.over.is_none() {
            self.aggregates_own_rows(&call, at)?;
        }
        Ok(Expr::Function(call))
    }

    /// A function's name alone; `pg_catalog` is where PostgreSQL's listed ones are.
    pub(super) fn function_name(&self, name: &ast::ObjectName) -> Result<String, SqlError> {
        let ast::ObjectName(parts) = name;
        match parts.as_slice() {
            [ast::ObjectNamePart::Identifier(ident)] => Ok(self.folded(ident)),
            [ast::ObjectNamePart::Identifier(schema), ast::ObjectNamePart::Identifier(ident)]
                if self.dialect == Dialect::Postgres && self.folded(schema) == "pg_catalog" =>
            {
                Ok(self.folded(ident))
            }
            _ => Err(SqlError::unsupported_use("a function with a schema", "write its name alone")),
        }
    }

    /// The function of that name, by the names it has elsewhere as well.
    pub(super) fn spec(&self, written: &str) -> Result<&'static FunctionSpec, SqlError> {
        let name = match (self.dialect, written.to_ascii_lowercase().as_str()) {
            (_, "substring") | (Dialect::MariaDb, "mid") => "substr",
            (_, "ceiling") => "ceil",
            (Dialect::Postgres | Dialect::MariaDb, "character_length") => "char_length",
            (Dialect::MariaDb, "lcase") => "lower",
            (Dialect::MariaDb, "ucase") => "upper",
            (Dialect::MariaDb, "day") => "dayofmonth",
            // A session's clock is UTC.
            (Dialect::MariaDb, "current_timestamp" | "localtime" | "localtimestamp" | "utc_timestamp") => "now",
            (Dialect::MariaDb, "current_date" | "utc_date") => "curdate",
            (Dialect::MariaDb, "current_time" | "utc_time") => "curtime",
            (Dialect::MariaDb, "nvl") => "ifnull",
            (Dialect::MariaDb, "octet_length") => "length",
            (Dialect::MariaDb, "atan2") => "atan",
            (Dialect::MariaDb, "std" | "stddev") => "stddev_pop",
            (Dialect::MariaDb, "variance") => "var_pop",
            (_, "pow") => "power",
            (Dialect::Sqlite, "string_agg") => "group_concat",
            (Dialect::Sqlite, "if") => "iif",
            _ => written,
        };
        let spec = lookup(self.dialect, name).ok_or_else(|| not_listed(written))?;
        // A quoted name is exact on PostgreSQL, where all listed names are in lower case.
        if self.dialect == Dialect::Postgres && name != spec.name {
            return Err(not_listed(written));
        }
        Ok(spec)
    }

    /// Refuses an aggregate that names only an outer query's columns: the engine would aggregate that query's rows with it.
    fn aggregates_own_rows(&self, call: &Function, at: At<'_>) -> Result<(), SqlError> {
        let args = match &call.args {
            FunctionArgs::Star => [].as_slice(),
            FunctionArgs::List(list) => list.as_slice(),
        };
        let keys = call.order.keys().iter().map(|key| &key.expr);
        let (mut own, mut others) = (false, false);
        for part in args.iter().chain(keys).chain(call.filter.as_deref()) {
            any_column(part, &mut |column| {
                let is_own = at.names.has_relation(self.dialect, &column.relation);
                own |= is_own;
                others |= !is_own;
            });
            others |= holds_subquery(part);
        }
        if others && !own {
            let construct = format!("the aggregate {} over an outer query's columns", shown(call.name));
            return Err(SqlError::unsupported(construct));
        }
        Ok(())
    }

    /// `make_interval(days => 7)` by position, with the zeros that stand for what is not named.
    fn interval_parts(
        &mut self,
        spec: &FunctionSpec,
        args: &[ast::FunctionArg],
        at: At<'_>,
    ) -> Result<FunctionArgs, SqlError> {
        let mut parts: [Option<Expr>; INTERVAL_PARTS.len()] = Default::default();
        for (index, arg) in args.iter().enumerate() {
            let (place, value) = match arg {
                ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(value)) => (Some(index), value),
                ast::FunctionArg::ExprNamed {
                    name: ast::Expr::Identifier(name),
                    arg: ast::FunctionArgExpr::Expr(value),
                    operator: ast::FunctionArgOperator::RightArrow,
                } => {
                    let name = self.folded(name);
                    (INTERVAL_PARTS.iter().position(|part| *part == name), value)
                }
                _ => return Err(SqlError::function(spec.name, "takes one value for each of its parameters")),
            };
            let part = place.and_then(|place| parts.get_mut(place)).filter(|part| part.is_none());
            let part = part.ok_or_else(|| {
                SqlError::function(spec.name, format!("takes each of {} once", INTERVAL_PARTS.join(", ")))
            })?;
            *part = Some(self.expr(value, at)?);
        }
        let last = parts.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        let zero = || Expr::number(0);
        Ok(FunctionArgs::List(parts.into_iter().take(last).map(|part| part.unwrap_or_else(zero)).collect()))
    }

    fn arguments(
        &mut self,
        spec: &FunctionSpec,
        args: &[ast::FunctionArg],
        at: At<'_>,
    ) -> Result<FunctionArgs, SqlError> {
        if spec.name == "count"
            && let [ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Wildcard)] = args
        {
            return Ok(FunctionArgs::Star);
        }
        let (fewest, most) = spec.arity;
        let fewest = if spec.name == "count" { 1 } else { fewest };
        if !(fewest..=most).contains(&args.len()) {
            let wanted = arguments_wanted((fewest, most));
            return Err(SqlError::function(spec.name, format!("takes {wanted}, not {}", args.len())));
        }
        if spec.name == "make_interval" && args.iter().any(|arg| matches!(arg, ast::FunctionArg::ExprNamed { .. })) {
            return self.interval_parts(spec, args, at);
        }
        let mut list = Vec::with_capacity(args.len());
        for arg in args {
            match arg {
                ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr))
                    if mariadb::wants_unit(spec, list.len()) =>
                {
                    list.push(mariadb::unit_of(expr)?);
                }
                ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) => list.push(self.expr(expr, at)?),
                ast::FunctionArg::Unnamed(
                    ast::FunctionArgExpr::Wildcard
                    | ast::FunctionArgExpr::QualifiedWildcard(_)
                    | ast::FunctionArgExpr::WildcardWithOptions(_),
                ) => return Err(SqlError::function(spec.name, "takes expressions, not `*`")),
                ast::FunctionArg::Named { .. } | ast::FunctionArg::ExprNamed { .. } => {
                    return Err(SqlError::function(spec.name, "takes its arguments by position"));
                }
            }
        }
        constants_that_hold(spec.name, &list)?;
        within_limits(spec, &list)?;
        Ok(FunctionArgs::List(list))
    }

    /// `CURRENT_DATE` and its like, which are written without parentheses.
    fn clock(&self, name: &str) -> Result<Expr, SqlError> {
        let call = |name: &str| self.listed(name, Vec::new());
        let cast = |ty: &str| Ok(Expr::Cast { expr: Box::new(call("now")?), ty: CastType(ty.to_owned()) });
        match (self.dialect, name.to_ascii_lowercase().as_str()) {
            (Dialect::Postgres | Dialect::MariaDb, "current_timestamp")
            | (Dialect::MariaDb, "localtime" | "localtimestamp") => call("now"),
            (Dialect::Postgres, "current_date") => cast("date"),
            (Dialect::Postgres, "current_time") => cast("time with time zone"),
            (Dialect::Postgres, "localtime") => cast("time without time zone"),
            (Dialect::Postgres, "localtimestamp") => cast("timestamp without time zone"),
            (Dialect::Sqlite, "current_timestamp") => call("datetime"),
            (Dialect::Sqlite, "current_date") => call("date"),
            (Dialect::Sqlite, "current_time") => call("time"),
            (Dialect::MariaDb, "current_date") => call("curdate"),
            (Dialect::MariaDb, "current_time") => call("curtime"),
            _ => Err(not_listed(name)),
        }
    }
}

/// What stands in and behind a call besides its arguments, as written.
struct Clauses<'f> {
    distinct: bool,
    order: &'f [ast::OrderByExpr],
    within_group: &'f [ast::OrderByExpr],
    filter: Option<&'f ast::Expr>,
    over: Option<&'f ast::WindowType>,
}

impl Clauses<'_> {
    /// Refuses what a function of its kind does not take.
    fn fit(&self, spec: &FunctionSpec) -> Result<(), SqlError> {
        let refuse = |there: bool, problem: &str| {
            if there { Err(SqlError::function(spec.name, problem)) } else { Ok(()) }
        };
        let (ordered, over) = (!self.order.is_empty(), self.over.is_some());
        let grouped = !self.within_group.is_empty();
        match spec.kind {
            FunctionKind::Scalar => {
                refuse(over, "is neither an aggregate nor a window function: no OVER")?;
                refuse(
                    self.distinct || self.filter.is_some() || ordered || grouped,
                    "is not an aggregate: no DISTINCT, no ORDER BY, no FILTER",
                )
            }
            FunctionKind::Aggregate => {
                refuse(grouped, "takes no WITHIN GROUP; write ORDER BY behind its arguments")?;
                refuse(over && self.distinct, "takes no DISTINCT with OVER")?;
                refuse(over && ordered, "takes no ORDER BY of its own with OVER")
            }
            FunctionKind::Window => {
                refuse(!over, "is a window function and needs OVER (…)")?;
                refuse(
                    self.distinct || self.filter.is_some() || ordered || grouped,
                    "is not an aggregate: no DISTINCT, no ORDER BY, no FILTER",
                )
            }
            FunctionKind::OrderedSet => {
                refuse(!grouped, "needs WITHIN GROUP (ORDER BY …)")?;
                refuse(over || self.distinct || ordered, "takes no DISTINCT, no ORDER BY of its own and no OVER")
            }
            FunctionKind::Set => refuse(true, "yields rows and may stand in FROM or as an output of SELECT only"),
        }
    }
}

/// Where the arguments stand: no aggregate inside another, no window function inside either, and none where `at` refuses it.
fn argument_place<'e>(spec: &FunctionSpec, clauses: &Clauses<'_>, at: At<'e>) -> Result<At<'e>, SqlError> {
    if clauses.over.is_some() {
        return inside_window(spec.name, at);
    }
    match (spec.kind.is_aggregate(), at.aggregates) {
        (false, _) => Ok(at),
        (true, Aggregates::Allowed | Aggregates::NoWindows(_)) => {
            at.names.aggregates.set(true);
            Ok(At { aggregates: Aggregates::Refused("inside another aggregate"), ..at })
        }
        (true, Aggregates::Refused(place)) => {
            Err(SqlError::unsupported(format!("the aggregate {} {place}", shown(spec.name))))
        }
    }
}

/// How many arguments a function takes, in words.
pub(super) fn arguments_wanted(arity: (usize, usize)) -> String {
    match arity {
        (0, 0) => "no argument".to_owned(),
        (1, 1) => "1 argument".to_owned(),
        (fewest, most) if fewest == most => format!("{most} arguments"),
        (fewest, most) => format!("{fewest} to {most} arguments"),
    }
}

fn not_listed(name: &str) -> SqlError {
    SqlError::function(name, "is not one of the functions that may be called")
}

fn holds_subquery(expr: &Expr) -> bool {
    walk::subquery(expr).is_some() || walk::parts(expr).into_iter().any(holds_subquery)
}

/// Refuses constant arguments that would fail on every row: `Leak::TotalGivenConstants` relies on it.
fn constants_that_hold(name: &str, args: &[Expr]) -> Result<(), SqlError> {
    match (name, args) {
        ("date_trunc", [Expr::Literal(Literal::Text(unit)), ..]) if !TRUNC_UNITS.contains(&unit.as_str()) => {
            Err(SqlError::function(name, format!("has no unit {}; one of: {}", shown(unit), TRUNC_UNITS.join(", "))))
        }
        ("date_trunc", [Expr::Literal(literal), ..]) if !matches!(literal, Literal::Text(_)) => {
            Err(SqlError::function(name, "takes its unit as a string"))
        }
        _ => Ok(()),
    }
}

/// The function of MariaDB that EXTRACT of a field is.
fn part_of_moment(field: &ast::DateTimeField) -> Result<&'static str, SqlError> {
    use ast::DateTimeField as Field;
    Ok(match field {
        Field::Year => "year",
        Field::Quarter => "quarter",
        Field::Month => "month",
        Field::Week(None) => "week",
        Field::Day => "dayofmonth",
        Field::Hour => "hour",
        Field::Minute => "minute",
        Field::Second => "second",
        Field::Microsecond => "microsecond",
        other => return Err(SqlError::function("extract", format!("has no field {}", shown(&other.to_string())))),
    })
}

/// The listed fields of EXTRACT, as words and in quotes.
fn extract_field(field: &ast::DateTimeField) -> Result<&'static str, SqlError> {
    let word = match field {
        ast::DateTimeField::Custom(ident) => ident.value.to_ascii_lowercase(),
        other => other.to_string().to_ascii_lowercase(),
    };
    EXTRACT_FIELDS
        .iter()
        .find(|field| **field == word)
        .copied()
        .ok_or_else(|| SqlError::function("extract", format!("has no field {}", shown(&word))))
}
