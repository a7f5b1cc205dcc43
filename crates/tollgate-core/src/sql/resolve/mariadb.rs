//! What MariaDB and MySQL write in words of their own: moved dates, units, separators, regular expressions, CONVERT, the arrows of MySQL. Each is
//! lowered to what both servers have. Never takes a form that one of them would read in another way.

use sqlparser::ast;

use super::expr::{At, string};
use super::types::number;
use super::{Resolver, refused};
use crate::names::Dialect;
use crate::sql::error::{SqlError, shown};
use crate::sql::functions::{FunctionSpec, Limit};
use crate::sql::limits::PATTERN_BYTES_MAX;
use crate::sql::tree::{BinaryOp, Expr, Literal, UnaryOp};

/// The units that both servers take in `timestampadd`.
pub(in crate::sql) const UNITS: [&str; 9] =
    ["MICROSECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"];

/// Whether a date is moved forward or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Back,
}

/// The direction of a function that moves dates by an INTERVAL.
pub(super) fn moves(name: &str) -> Option<Direction> {
    match name.to_ascii_lowercase().as_str() {
        "date_add" | "adddate" => Some(Direction::Forward),
        "date_sub" | "subdate" => Some(Direction::Back),
        _ => None,
    }
}

/// Whether an argument of a function is a unit.
pub(super) fn wants_unit(spec: &FunctionSpec, position: usize) -> bool {
    spec.limits.contains(&(position, Limit::Unit))
}

/// The unit that an argument names.
pub(super) fn unit_of(written: &ast::Expr) -> Result<Expr, SqlError> {
    match written {
        ast::Expr::Identifier(ast::Ident { value, quote_style: None, span: _ }) => unit(value),
        other => unit(&other.to_string()),
    }
}

fn unit(word: &str) -> Result<Expr, SqlError> {
    // Both servers take the names that ODBC has for them.
    let name = word.to_ascii_uppercase();
    let known = UNITS.into_iter().find(|unit| *unit == name.strip_prefix("SQL_TSI_").unwrap_or(&name));
    known.map(|unit| Expr::Literal(Literal::Unit(unit))).ok_or_else(|| {
        let instead = "one of MICROSECOND, SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER, YEAR";
        SqlError::unsupported_use(format!("the unit {}", shown(word)), instead)
    })
}

impl Resolver<'_> {
    /// Operators that are calls underneath: a date and an INTERVAL, a document and a path.
    pub(super) fn of_mariadb(
        &mut self,
        (left, op, right): (&ast::Expr, &ast::BinaryOperator, &ast::Expr),
        at: At<'_>,
    ) -> Result<Option<Expr>, SqlError> {
        use ast::BinaryOperator as B;
        match (op, right) {
            (B::Plus, ast::Expr::Interval(by)) => self.moved(left, Direction::Forward, by, at).map(Some),
            (B::Minus, ast::Expr::Interval(by)) => self.moved(left, Direction::Back, by, at).map(Some),
            (B::Arrow, path) => self.part(left, path, at).map(Some),
            (B::LongArrow, path) => {
                let part = self.part(left, path, at)?;
                self.listed("json_unquote", vec![part]).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// MySQL's own definition of `column -> path`.
    fn part(&mut self, document: &ast::Expr, path: &ast::Expr, at: At<'_>) -> Result<Expr, SqlError> {
        let column = matches!(document, ast::Expr::Identifier(_) | ast::Expr::CompoundIdentifier(_));
        let constant = matches!(path, ast::Expr::Value(value) if string(&value.value).is_some());
        if !column || !constant {
            let instead = "write json_extract(document, path), or json_unquote(json_extract(…))";
            return Err(SqlError::unsupported_use(
                "an arrow between anything but a column and a path in quotes",
                instead,
            ));
        }
        let args = vec![self.expr(document, at)?, self.expr(path, at)?];
        self.listed("json_extract", args)
    }

    /// `moment + INTERVAL n UNIT`.
    fn moved(
        &mut self,
        moment: &ast::Expr,
        direction: Direction,
        by: &ast::Interval,
        at: At<'_>,
    ) -> Result<Expr, SqlError> {
        let ast::Interval { value, leading_field, leading_precision, last_field, fractional_seconds_precision } = by;
        let plain = leading_precision.is_none() && last_field.is_none() && fractional_seconds_precision.is_none();
        refused::when(!plain, "an INTERVAL with a precision, or from one unit to another")?;
        let Some(field) = leading_field else { return Err(SqlError::unsupported("an INTERVAL without a unit")) };
        let moment = self.expr(moment, at)?;
        let amount = self.amount(value, at)?;
        self.shifted(unit(&field.to_string())?, amount, direction, moment)
    }

    fn shifted(&self, unit: Expr, amount: Expr, direction: Direction, moment: Expr) -> Result<Expr, SqlError> {
        let amount = match direction {
            Direction::Forward => amount,
            Direction::Back => Expr::Unary { op: UnaryOp::Minus, expr: Box::new(amount) },
        };
        self.listed("timestampadd", vec![unit, amount, moment])
    }

    /// How many units: a number may stand in quotes.
    fn amount(&mut self, value: &ast::Expr, at: At<'_>) -> Result<Expr, SqlError> {
        let ast::Expr::Value(constant) = value else { return self.expr(value, at) };
        let Some(text) = string(&constant.value) else { return self.expr(value, at) };
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (Some(UnaryOp::Minus), digits),
            None => (None, text),
        };
        let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !whole {
            return Err(SqlError::unsupported_use("an INTERVAL of several parts", "add one INTERVAL after the other"));
        }
        let number = Expr::Literal(number(digits)?);
        Ok(match sign {
            Some(op) => Expr::Unary { op, expr: Box::new(number) },
            None => number,
        })
    }

    /// `date_add(moment, INTERVAL n UNIT)` and its like; `adddate(moment, n)` is in days.
    pub(super) fn moving_call(
        &mut self,
        name: &str,
        direction: Direction,
        function: &ast::Function,
        at: At<'_>,
    ) -> Result<Expr, SqlError> {
        let wanted = || SqlError::function(name, "takes a date and an INTERVAL, as in date_add(d, INTERVAL 1 DAY)");
        let ast::Function {
            name: _,
            uses_odbc_syntax: _,
            parameters: _,
            args,
            within_group,
            filter,
            null_treatment: _,
            over,
        } = function;
        let ast::FunctionArguments::List(ast::FunctionArgumentList { duplicate_treatment: None, args, clauses }) = args
        else {
            return Err(wanted());
        };
        let plain = clauses.is_empty() && within_group.is_empty() && filter.is_none() && over.is_none();
        let [
            ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(moment)),
            ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(by)),
        ] = args.as_slice()
        else {
            return Err(wanted());
        };
        match by {
            ast::Expr::Interval(by) if plain => self.moved(moment, direction, by, at),
            days if plain && matches!(name.to_ascii_lowercase().as_str(), "adddate" | "subdate") => {
                let (moment, days) = (self.expr(moment, at)?, self.expr(days, at)?);
                self.shifted(Expr::Literal(Literal::Unit("DAY")), days, direction, moment)
            }
            _ => Err(wanted()),
        }
    }

    /// What stands inside a call's parentheses behind its arguments: the order, and a separator as one more argument.
    pub(super) fn argument_clauses<'c>(
        &self,
        spec: &FunctionSpec,
        clauses: &'c [ast::FunctionArgumentClause],
    ) -> Result<(&'c [ast::OrderByExpr], Option<Expr>), SqlError> {
        use ast::FunctionArgumentClause as Clause;
        let (order, separator) = match clauses {
            [] => (&[][..], None),
            [Clause::OrderBy(keys)] => (keys.as_slice(), None),
            [Clause::Separator(separator)] => (&[][..], Some(separator)),
            [Clause::OrderBy(keys), Clause::Separator(separator)] => (keys.as_slice(), Some(separator)),
            _ => return Err(SqlError::unsupported("a clause inside a function's arguments other than ORDER BY")),
        };
        let Some(separator) = separator else { return Ok((order, None)) };
        let text = string(&separator.value).filter(|_| (self.dialect, spec.name) == (Dialect::MariaDb, "group_concat"));
        match text {
            Some(text) => Ok((order, Some(Expr::Literal(Literal::Text(text.to_owned()))))),
            None => Err(SqlError::function(spec.name, "takes no SEPARATOR, or one that is no string")),
        }
    }

    /// `x REGEXP pattern`. The pattern is written out: what a match costs is told by it alone.
    pub(super) fn matches(
        &mut self,
        (expr, pattern): (&ast::Expr, &ast::Expr),
        negated: bool,
        at: At<'_>,
    ) -> Result<Expr, SqlError> {
        let (left, right) = (self.boxed(expr, at)?, self.boxed(pattern, at)?);
        match &*right {
            Expr::Literal(Literal::Text(text)) if text.len() <= PATTERN_BYTES_MAX => {}
            _ => {
                let construct = format!("a regular expression that is no string of at most {PATTERN_BYTES_MAX} bytes");
                return Err(SqlError::unsupported_use(construct, "write it out"));
            }
        }
        let matched = Expr::Binary { op: BinaryOp::Regex, left, right };
        Ok(if negated { Expr::Unary { op: UnaryOp::Not, expr: Box::new(matched) } } else { matched })
    }

    /// `CONVERT(x, type)`, which is CAST.
    pub(super) fn convert(&mut self, expr: &ast::Expr, at: At<'_>) -> Result<Expr, SqlError> {
        match expr {
            ast::Expr::Convert {
                is_try: false,
                expr,
                data_type: Some(data_type),
                charset: None,
                target_before_value: false,
                styles,
            } if styles.is_empty() => {
                let ty = self.cast_type(data_type)?;
                Ok(Expr::Cast { expr: self.boxed(expr, at)?, ty })
            }
            other => Err(refused::expression(other)),
        }
    }
}
