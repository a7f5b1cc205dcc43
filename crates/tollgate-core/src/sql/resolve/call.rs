//! Calls of listed functions, and the constructs with a syntax of their own that are functions underneath.

use sqlparser::ast;

use super::expr::{Aggregates, At};
use super::limit::within_limits;
use super::names::any_column;
use super::{Resolver, refused};
use crate::names::Dialect;
use crate::sql::error::{SqlError, shown};
use crate::sql::functions::{FunctionKind, FunctionSpec, lookup};
use crate::sql::tree::{CastType, Expr, Function, FunctionArgs, Literal};
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
            ast::Expr::Position { expr, r#in } if self.dialect == Dialect::Postgres => {
                let args = vec![self.expr(r#in, at)?, self.expr(expr, at)?];
                self.listed("strpos", args)
            }
            ast::Expr::AtTimeZone { timestamp, time_zone } if self.dialect == Dialect::Postgres => {
                let args = vec![self.expr(time_zone, at)?, self.expr(timestamp, at)?];
                self.listed("timezone", args)
            }
            ast::Expr::Extract { field, syntax: ast::ExtractSyntax::From, expr }
                if self.dialect == Dialect::Postgres =>
            {
                let field = Expr::Literal(Literal::Text(extract_field(field)?.to_owned()));
                let args = vec![field, self.expr(expr, at)?];
                self.listed("extract", args)
            }
            other => Err(refused::expression(other)),
        }
    }

    /// A call of a function that the grammar guarantees to be listed.
    fn listed(&self, name: &str, args: Vec<Expr>) -> Result<Expr, SqlError> {
        let spec = lookup(self.dialect, name).ok_or_else(|| not_listed(name))?;
        Ok(Expr::Function(Function { name: spec.name, args: FunctionArgs::List(args), distinct: false, filter: None }))
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
            (None | Some(ast::TrimWhereField::Both), Dialect::Sqlite) => "trim",
        };
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
        refused::when(over.is_some(), "a window function (OVER)")?;
        refused::when(*uses_odbc_syntax, "a function in braces")?;
        refused::when(!matches!(parameters, ast::FunctionArguments::None), "a function with two lists")?;
        refused::when(!within_group.is_empty(), "WITHIN GROUP")?;
        refused::when(null_treatment.is_some(), "IGNORE or RESPECT NULLS")?;
        let ast::ObjectName(parts) = name;
        let [ast::ObjectNamePart::Identifier(ident)] = parts.as_slice() else {
            return Err(SqlError::unsupported_use("a function with a schema", "write its name alone"));
        };
        let written = self.folded(ident);
        let list = match args {
            ast::FunctionArguments::List(list) => list,
            ast::FunctionArguments::None => return self.clock(&written),
            ast::FunctionArguments::Subquery(_) => {
                return Err(SqlError::function(
                    &written,
                    "may not take a bare subquery; put it in parentheses of its own",
                ));
            }
        };
        let spec = self.spec(&written)?;
        let ast::FunctionArgumentList { duplicate_treatment, args, clauses } = list;
        refused::when(!clauses.is_empty(), "ORDER BY or another clause inside a function's arguments")?;
        let distinct = *duplicate_treatment == Some(ast::DuplicateTreatment::Distinct);
        let inner = argument_place(spec, at)?;
        let args = self.arguments(spec, args, inner)?;
        match spec.kind {
            FunctionKind::Scalar if distinct || filter.is_some() => {
                return Err(SqlError::function(spec.name, "is not an aggregate: no DISTINCT, no FILTER"));
            }
            FunctionKind::Scalar | FunctionKind::Aggregate => {}
            FunctionKind::Window => return Err(SqlError::function(spec.name, "is a window function: it needs OVER")),
            FunctionKind::OrderedSet => {
                return Err(SqlError::function(spec.name, "is an ordered-set aggregate: it needs WITHIN GROUP"));
            }
            FunctionKind::Set => {
                return Err(SqlError::function(spec.name, "makes many rows: it may not stand in an expression"));
            }
        }
        if distinct && matches!(args, FunctionArgs::Star) {
            return Err(SqlError::function(spec.name, "takes no DISTINCT with `*`"));
        }
        let filter = filter.as_ref().map(|e| self.expr(e, inner)).transpose()?.map(Box::new);
        if spec.kind == FunctionKind::Aggregate {
            self.aggregates_own_rows(spec, &args, filter.as_deref(), at)?;
        }
        Ok(Expr::Function(Function { name: spec.name, args, distinct, filter }))
    }

    /// The function of that name, by the names it has elsewhere as well.
    fn spec(&self, written: &str) -> Result<&'static FunctionSpec, SqlError> {
        let name = match (self.dialect, written.to_ascii_lowercase().as_str()) {
            (_, "substring") => "substr",
            (_, "ceiling") => "ceil",
            (Dialect::Postgres, "character_length") => "char_length",
            (Dialect::Postgres, "pow") => "power",
            (Dialect::Sqlite, "string_agg") => "group_concat",
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
    fn aggregates_own_rows(
        &self,
        spec: &FunctionSpec,
        args: &FunctionArgs,
        filter: Option<&Expr>,
        at: At<'_>,
    ) -> Result<(), SqlError> {
        let args = match args {
            FunctionArgs::Star => [].as_slice(),
            FunctionArgs::List(list) => list.as_slice(),
        };
        let (mut own, mut others) = (false, false);
        for part in args.iter().chain(filter) {
            any_column(part, &mut |column| {
                let is_own = at.names.has_relation(self.dialect, &column.relation);
                own |= is_own;
                others |= !is_own;
            });
            others |= holds_subquery(part);
        }
        if others && !own {
            let construct = format!("the aggregate {} over an outer query's columns", shown(spec.name));
            return Err(SqlError::unsupported(construct));
        }
        Ok(())
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
            let wanted = match (fewest, most) {
                (0, 0) => "no argument".to_owned(),
                (1, 1) => "1 argument".to_owned(),
                _ if fewest == most => format!("{most} arguments"),
                _ => format!("{fewest} to {most} arguments"),
            };
            return Err(SqlError::function(spec.name, format!("takes {wanted}, not {}", args.len())));
        }
        let mut list = Vec::with_capacity(args.len());
        for arg in args {
            match arg {
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
        match (self.dialect, name.to_ascii_lowercase().as_str()) {
            (Dialect::Postgres, "current_timestamp") => call("now"),
            (Dialect::Postgres, "current_date") => {
                Ok(Expr::Cast { expr: Box::new(call("now")?), ty: CastType("date".into()) })
            }
            (Dialect::Sqlite, "current_timestamp") => call("datetime"),
            (Dialect::Sqlite, "current_date") => call("date"),
            (Dialect::Sqlite, "current_time") => call("time"),
            _ => Err(not_listed(name)),
        }
    }
}

/// Where the arguments stand: no aggregate inside another, and none where `at` refuses it.
fn argument_place<'e>(spec: &FunctionSpec, at: At<'e>) -> Result<At<'e>, SqlError> {
    match (spec.kind, at.aggregates) {
        (FunctionKind::Scalar | FunctionKind::Window | FunctionKind::Set, _) => Ok(at),
        (FunctionKind::Aggregate | FunctionKind::OrderedSet, Aggregates::Allowed) => {
            at.names.aggregates.set(true);
            Ok(At { aggregates: Aggregates::Refused("inside another aggregate"), ..at })
        }
        (FunctionKind::Aggregate | FunctionKind::OrderedSet, Aggregates::Refused(place)) => {
            Err(SqlError::unsupported(format!("the aggregate {} {place}", shown(spec.name))))
        }
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

/// The listed fields of EXTRACT.
fn extract_field(field: &ast::DateTimeField) -> Result<&'static str, SqlError> {
    use ast::DateTimeField as F;
    match field {
        F::Year => Ok("year"),
        F::Month => Ok("month"),
        F::Week(None) => Ok("week"),
        F::Day => Ok("day"),
        F::Hour => Ok("hour"),
        F::Minute => Ok("minute"),
        F::Second => Ok("second"),
        F::Century => Ok("century"),
        F::Decade => Ok("decade"),
        F::Millennium => Ok("millennium"),
        F::Dow => Ok("dow"),
        F::Doy => Ok("doy"),
        F::Isodow => Ok("isodow"),
        F::Isoyear => Ok("isoyear"),
        F::Quarter => Ok("quarter"),
        F::Epoch => Ok("epoch"),
        F::Milliseconds => Ok("milliseconds"),
        F::Microseconds => Ok("microseconds"),
        other => Err(SqlError::function("extract", format!("has no field {}", shown(&other.to_string())))),
    }
}
