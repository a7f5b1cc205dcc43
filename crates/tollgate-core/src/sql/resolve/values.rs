//! VALUES: constant tables, read like a SELECT from them.

use sqlparser::ast;

use super::Resolver;
use super::expr::{Aggregates, At, Position};
use super::names::Names;
use super::output::{common_type, describe, typed};
use super::query::Outer;
use super::refused;
use crate::catalog::{SqlType, TypeKind};
use crate::names::Dialect;
use crate::sql::error::SqlError;
use crate::sql::leak;
use crate::sql::limits::{ARMS_MAX, PROJECTION_MAX, VALUES_MAX};
use crate::sql::tree::{
    ColumnRef, Distinct, Expr, Literal, Projection, Query, Relation, Select, SetExpr, SetOperator, SetQuantifier,
    UnaryOp,
};

impl Resolver<'_> {
    /// `VALUES (…), …` as a SELECT of its columns, `column1` and so on in every database.
    pub(super) fn values(&mut self, values: &ast::Values, outer: Outer<'_>) -> Result<Select, SqlError> {
        let ast::Values { explicit_row, value_keyword, rows: written } = values;
        let own_form = *explicit_row && self.dialect == Dialect::MariaDb;
        refused::when((*explicit_row && !own_form) || *value_keyword, "VALUE or ROW (…)")?;
        let max = if self.dialect == Dialect::MariaDb { ARMS_MAX } else { VALUES_MAX };
        if written.len() > max {
            return Err(SqlError::TooComplex { what: "rows of VALUES", max });
        }
        let names = Names { parent: outer.names, ..Names::default() };
        let aggregates = Aggregates::Refused("in VALUES");
        let at = At { names: &names, ctes: outer.ctes, position: Position::Inside, aggregates };
        let width = written.first().map_or(0, |row| row.content.len());
        refused::when(width == 0 || width > PROJECTION_MAX, "VALUES of no columns, or of too many")?;
        let mut rows = Vec::with_capacity(written.len());
        for row in written {
            refused::when(row.content.len() != width, "VALUES of rows that differ in length")?;
            let mut lowered = Vec::with_capacity(width);
            for expr in &row.content {
                lowered.push(self.expr(expr, at)?);
            }
            rows.push(lowered);
        }
        self.count_relations(1)?;
        let alias = self.made_up_alias();
        let projection = (0..width).map(|place| self.values_column(&rows, place, &alias)).collect();
        let relation = match self.dialect {
            Dialect::Postgres | Dialect::Sqlite => Relation::Values { rows, alias },
            Dialect::MariaDb => united(rows, &alias)?,
        };
        Ok(Select {
            distinct: Distinct::All,
            projection,
            from: vec![relation],
            filter: None,
            group_by: Vec::new(),
            grouping_sets: Vec::new(),
            having: None,
        })
    }

    fn values_column(&self, rows: &[Vec<Expr>], place: usize, alias: &str) -> Projection {
        let cells = || rows.iter().filter_map(|row| row.get(place));
        let known = cells().map(|cell| describe(self.dialect, String::new(), cell));
        let (nullable, masked) = known.fold((false, false), |(n, m), c| (n || c.nullable, m || c.masked));
        let name = format!("column{}", place + 1);
        let column = ColumnRef {
            relation: alias.to_owned(),
            name: name.clone(),
            origin: None,
            ty: self.values_type(cells),
            masked,
            nullable,
        };
        Projection { expr: Expr::Column(column), name }
    }

    /// The type of a column of rows; that of number constants alone is the widest.
    fn values_type<'e, I: Iterator<Item = &'e Expr>>(&self, cells: impl Fn() -> I) -> Option<SqlType> {
        let known = common_type(self.dialect, cells());
        if self.dialect == Dialect::Sqlite {
            return known;
        }
        match leak::type_of_all(self.dialect, cells()) {
            Some(kind) => Some(typed(known, kind)),
            None => number_type(cells()),
        }
    }
}

/// The rows as SELECTs one after the other: MariaDB and MySQL name the columns of VALUES each in its own way.
fn united(rows: Vec<Vec<Expr>>, alias: &str) -> Result<Relation, SqlError> {
    let arm = |row: Vec<Expr>| {
        let named = row.into_iter().enumerate();
        let projection = named.map(|(place, expr)| Projection { expr, name: format!("column{}", place + 1) });
        Query::plain(projection.collect(), Vec::new(), None).body
    };
    let all = rows.into_iter().map(arm).reduce(|left, right| SetExpr::SetOperation {
        op: SetOperator::Union,
        quantifier: SetQuantifier::All,
        left: Box::new(left),
        right: Box::new(right),
    });
    let body = all.ok_or_else(|| SqlError::unsupported("VALUES without a row"))?;
    Ok(Query { with: Vec::new(), body, order_by: Vec::new(), limit: None, offset: None }.derived(alias))
}

/// The type that PostgreSQL gives a column of number constants and NULLs: that of the widest.
fn number_type<'e>(cells: impl Iterator<Item = &'e Expr>) -> Option<SqlType> {
    let mut widest: Option<(u8, &str, TypeKind)> = None;
    for cell in cells.filter(|cell| **cell != Expr::Literal(Literal::Null)) {
        let text = number(cell)?;
        let this = match text.parse::<i128>() {
            Ok(whole) if i32::try_from(whole).is_ok() => (0, "integer", TypeKind::Int),
            Ok(whole) if i64::try_from(whole).is_ok() => (1, "bigint", TypeKind::BigInt),
            Ok(_) | Err(_) => (2, "numeric", TypeKind::Decimal),
        };
        widest = widest.filter(|known| known.0 >= this.0).or(Some(this));
    }
    widest.map(|(_, name, kind)| SqlType { name: name.to_owned(), kind })
}

/// The digits of a number constant, its sign aside.
fn number(cell: &Expr) -> Option<&str> {
    match cell {
        Expr::Literal(Literal::Number(text)) => Some(text),
        Expr::Unary { op: UnaryOp::Minus | UnaryOp::Plus, expr } => number(expr),
        _ => None,
    }
}
