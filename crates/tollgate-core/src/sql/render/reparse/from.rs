//! Relations of a text that was parsed again. Never takes a table for another one's restriction: schema, name, alias, columns,
//! conditions and fence must all be there.

use sqlparser::ast;

use super::super::recursion::bounded;
use super::{Clauses, Parts, Reading, all, both, expr, named, path};
use crate::names::Dialect;
use crate::sql::restrict::{Fence, RestrictedTable};
use crate::sql::restriction::RAW;
use crate::sql::tree::build::ALL_ROWS;
use crate::sql::tree::{Expr, JoinKind, Relation, TableFunction};

/// Whether an alias is that name, with just these names for columns.
pub(super) fn aliased(read: &ast::TableAlias, name: &str, columns: &[String]) -> bool {
    let ast::TableAlias { explicit: _, name: read_name, columns: read_columns, at: None } = read else { return false };
    named(read_name, name)
        && all(read_columns, columns, |ast::TableAliasColumnDef { name, data_type }, column| {
            data_type.is_none() && named(name, column)
        })
}

/// Whether an expression is `-1`.
pub(super) fn is_minus_one(read: &ast::Expr) -> bool {
    matches!(read, ast::Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } if expr::is_number(expr, "1"))
}

fn is_called(read: Option<&ast::TableAlias>, name: &str) -> bool {
    read.is_some_and(|read| aliased(read, name, &[]))
}

impl Reading<'_> {
    /// A relation with the joins behind it, of which the last is the outermost.
    pub(super) fn joined(&self, read: &ast::TableWithJoins, meant: &Relation) -> bool {
        let ast::TableWithJoins { relation, joins } = read;
        let mut rest = meant;
        for ast::Join { relation, global, join_operator } in joins.iter().rev() {
            let Relation::Join { kind, left, right, on } = rest else { return false };
            let same = !global && self.join_kind(join_operator, *kind, on.as_ref()) && self.factor(relation, right);
            if !same {
                return false;
            }
            rest = left;
        }
        self.factor(relation, rest)
    }

    fn join_kind(&self, read: &ast::JoinOperator, kind: JoinKind, on: Option<&Expr>) -> bool {
        use ast::JoinOperator as J;
        match (kind, read, on) {
            (JoinKind::Cross, J::CrossJoin(ast::JoinConstraint::None), None) => true,
            (JoinKind::Inner, J::Inner(ast::JoinConstraint::On(read)), Some(on))
            | (JoinKind::Left, J::Left(ast::JoinConstraint::On(read)), Some(on))
            | (JoinKind::Right, J::Right(ast::JoinConstraint::On(read)), Some(on))
            | (JoinKind::Full, J::FullOuter(ast::JoinConstraint::On(read)), Some(on)) => self.expr(read, on),
            _ => false,
        }
    }

    fn factor(&self, read: &ast::TableFactor, meant: &Relation) -> bool {
        match (meant, read) {
            (Relation::Join { .. }, ast::TableFactor::NestedJoin { table_with_joins, alias: None }) => {
                self.joined(table_with_joins, meant)
            }
            (
                Relation::Derived { query, alias, lateral },
                ast::TableFactor::Derived { lateral: read_lateral, subquery, alias: read_alias, sample: None },
            ) => lateral == read_lateral && is_called(read_alias.as_ref(), alias) && self.query(subquery, query),
            (
                Relation::Values { rows, alias },
                ast::TableFactor::Derived { lateral: false, subquery, alias: read_alias, sample: None },
            ) => is_called(read_alias.as_ref(), alias) && self.values(subquery, rows),
            (
                Relation::Restricted(table),
                ast::TableFactor::Derived { lateral: false, subquery, alias, sample: None },
            ) => is_called(alias.as_ref(), table.alias()) && self.restricted(subquery, table),
            (Relation::Cte { name, alias }, read) => {
                plain_table(read).is_some_and(|(read, read_alias)| path(read, &[name]) && is_called(read_alias, alias))
            }
            (Relation::Recursion { name, columns, alias }, read) => {
                self.factor(read, &bounded(name, columns, alias, self.dialect))
            }
            (Relation::Function(function), read) => self.table_function(read, function),
            _ => false,
        }
    }

    fn values(&self, read: &ast::Query, rows: &[Vec<Expr>]) -> bool {
        match Clauses::only_body(read) {
            Some(ast::SetExpr::Values(ast::Values { explicit_row: false, value_keyword: false, rows: read })) => {
                all(read, rows, |read, row| self.exprs(&read.content, row))
            }
            _ => false,
        }
    }

    fn restricted(&self, read: &ast::Query, meant: &RestrictedTable) -> bool {
        let Some(Clauses { with: None, body: ast::SetExpr::Select(select), order_by: [], limit, offset }) =
            Clauses::of(read)
        else {
            return false;
        };
        let Some(Parts { distinct: None, projection, from, filter, group_by: [], having: None }) = Parts::of(select)
        else {
            return false;
        };
        let table = match from {
            [ast::TableWithJoins { relation, joins }] if joins.is_empty() => plain_table(relation),
            _ => None,
        };
        let id = meant.table();
        let fence = match (meant.fence(), self.dialect) {
            (Fence::Open, _) => limit.is_none() && offset.is_none(),
            (Fence::Closed, Dialect::Postgres) => {
                limit.is_none() && offset.is_some_and(|offset| expr::is_number(offset, "0"))
            }
            (Fence::Closed, Dialect::Sqlite) => limit.is_some_and(is_minus_one) && offset.is_none(),
            (Fence::Closed, Dialect::MariaDb) => {
                limit.is_some_and(|limit| expr::is_number(limit, ALL_ROWS)) && offset.is_none()
            }
        };
        fence
            && table.is_some_and(|(name, alias)| path(name, &[&id.schema, &id.name]) && is_called(alias, RAW))
            && all(projection, meant.columns(), |read, meant| self.output(read, meant))
            && self.conditions(filter, meant.conditions())
    }

    /// Conditions joined by AND, each in its own parentheses.
    fn conditions(&self, read: Option<&ast::Expr>, meant: &[Expr]) -> bool {
        both(read, meant.split_first(), |mut read, (first, others)| {
            for condition in others.iter().rev() {
                match read {
                    ast::Expr::BinaryOp { left, op: ast::BinaryOperator::And, right }
                        if self.expr(right, condition) =>
                    {
                        read = left;
                    }
                    _ => return false,
                }
            }
            self.expr(read, first)
        })
    }

    fn table_function(&self, read: &ast::TableFactor, meant: &TableFunction) -> bool {
        let ast::TableFactor::Table {
            name,
            alias: Some(alias),
            args: Some(ast::TableFunctionArgs { args, settings: None }),
            with_hints,
            version: None,
            with_ordinality,
            partitions,
            json_path: None,
            sample: None,
            index_hints,
        } = read
        else {
            return false;
        };
        let columns = match self.dialect {
            Dialect::Postgres => meant.columns.as_slice(),
            Dialect::Sqlite | Dialect::MariaDb => &[],
        };
        with_hints.is_empty()
            && partitions.is_empty()
            && index_hints.is_empty()
            && *with_ordinality == meant.ordinality
            && self.is_function(name, meant.name)
            && aliased(alias, &meant.alias, columns)
            && self.args(args, &meant.args)
    }
}

/// A table by its name and alias, with nothing else.
fn plain_table(read: &ast::TableFactor) -> Option<(&ast::ObjectName, Option<&ast::TableAlias>)> {
    let ast::TableFactor::Table {
        name,
        alias,
        args: None,
        with_hints,
        version: None,
        with_ordinality: false,
        partitions,
        json_path: None,
        sample: None,
        index_hints,
    } = read
    else {
        return None;
    };
    let only = with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty();
    only.then_some((name, alias.as_ref()))
}

/// A function in FROM without an alias: its name and arguments.
pub(super) fn called_with(read: &ast::TableFactor) -> Option<(&ast::ObjectName, &[ast::FunctionArg])> {
    let ast::TableFactor::Table {
        name,
        alias: None,
        args: Some(ast::TableFunctionArgs { args, settings: None }),
        with_hints,
        version: None,
        with_ordinality: false,
        partitions,
        json_path: None,
        sample: None,
        index_hints,
    } = read
    else {
        return None;
    };
    let only = with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty();
    only.then_some((name, args))
}
