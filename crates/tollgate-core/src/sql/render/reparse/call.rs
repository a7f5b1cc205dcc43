//! Calls of a text that was parsed again: the forms that the parser has for single functions are calls like any other. Never takes a
//! quoted name for a bare one, which on PostgreSQL is another schema's.

use sqlparser::ast;

use super::super::call::separator;
use super::{Reading, all, both, named};
use crate::names::Dialect;
use crate::sql::resolve::string;
use crate::sql::tree::{CallOrder, Expr, Frame, FrameBound, FrameUnits, Function, FunctionArgs, SortKey, Window};

/// What is sorted by, if it is so.
pub(super) fn sorted(read: &ast::OrderByExpr, descending: bool, nulls_first: Option<bool>) -> Option<&ast::Expr> {
    let ast::OrderByExpr { expr, options, with_fill: None } = read else { return None };
    let ast::OrderByOptions { sort, nulls_first: read_nulls } = options;
    let read_descending = match sort {
        None | Some(ast::OrderBySort::Asc) => false,
        Some(ast::OrderBySort::Desc) => true,
        Some(ast::OrderBySort::Using(_)) => return None,
    };
    (read_descending == descending && *read_nulls == nulls_first).then_some(expr)
}

/// Whether a part of a name is the schema of PostgreSQL's own functions.
pub(super) fn is_pg_catalog(part: &ast::ObjectNamePart) -> bool {
    is_bare(part, "pg_catalog")
}

fn is_bare(part: &ast::ObjectNamePart, name: &str) -> bool {
    match part {
        ast::ObjectNamePart::Identifier(ast::Ident { value, quote_style: None, span: _ }) => value == name,
        ast::ObjectNamePart::Identifier(_) | ast::ObjectNamePart::Function(_) => false,
    }
}

/// The arguments of a call that has nothing else.
pub(super) fn plain_args(read: &ast::Function) -> Option<&[ast::FunctionArg]> {
    let Call { args, distinct: false, argument_order: [], separator: None, within_group: [], filter: None, over: None } =
        Call::of(read)?
    else {
        return None;
    };
    Some(args)
}

/// The query of `ARRAY(SELECT …)`.
pub(super) fn array_of(read: &ast::Function) -> Option<&ast::Query> {
    let ast::Function {
        name: ast::ObjectName(parts),
        uses_odbc_syntax: false,
        parameters: ast::FunctionArguments::None,
        args: ast::FunctionArguments::Subquery(query),
        within_group,
        filter: None,
        null_treatment: None,
        over: None,
    } = read
    else {
        return None;
    };
    let array = matches!(parts.as_slice(), [name] if is_bare(name, "ARRAY"));
    (array && within_group.is_empty()).then_some(query)
}

/// A call's arguments and clauses.
struct Call<'r> {
    args: &'r [ast::FunctionArg],
    distinct: bool,
    argument_order: &'r [ast::OrderByExpr],
    separator: Option<&'r str>,
    within_group: &'r [ast::OrderByExpr],
    filter: Option<&'r ast::Expr>,
    over: Option<&'r ast::WindowType>,
}

impl<'r> Call<'r> {
    fn of(read: &'r ast::Function) -> Option<Self> {
        let ast::Function {
            name: _,
            uses_odbc_syntax: false,
            parameters: ast::FunctionArguments::None,
            args: ast::FunctionArguments::List(ast::FunctionArgumentList { duplicate_treatment, args, clauses }),
            within_group,
            filter,
            null_treatment: None,
            over,
        } = read
        else {
            return None;
        };
        let distinct = match duplicate_treatment {
            None => false,
            Some(ast::DuplicateTreatment::Distinct) => true,
            Some(ast::DuplicateTreatment::All) => return None,
        };
        let (argument_order, separator) = match clauses.as_slice() {
            [] => (&[][..], None),
            [ast::FunctionArgumentClause::OrderBy(keys)] => (keys.as_slice(), None),
            [ast::FunctionArgumentClause::Separator(separator)] => (&[][..], Some(string(&separator.value)?)),
            [ast::FunctionArgumentClause::OrderBy(keys), ast::FunctionArgumentClause::Separator(separator)] => {
                (keys.as_slice(), Some(string(&separator.value)?))
            }
            _ => return None,
        };
        Some(Self {
            args,
            distinct,
            argument_order,
            separator,
            within_group,
            filter: filter.as_deref(),
            over: over.as_ref(),
        })
    }
}

/// Whether CEIL or FLOOR stands with nothing but its argument.
fn is_whole(field: &ast::CeilFloorKind) -> bool {
    matches!(field, ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime))
}

impl Reading<'_> {
    pub(super) fn function(&self, read: &ast::Expr, meant: &Function) -> bool {
        let ast::Expr::Function(read) = read else { return self.special(read, meant) };
        let Function { name, args, distinct, order, filter, over } = meant;
        let Some(call) = Call::of(read) else { return false };
        let separator = separator(self.dialect, meant);
        let arguments = match args {
            FunctionArgs::Star => {
                matches!(call.args, [ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Wildcard)])
            }
            FunctionArgs::List(args) => {
                let values = args.len() - usize::from(separator.is_some());
                args.get(..values).is_some_and(|args| self.args(call.args, args))
            }
        };
        let order = match order {
            CallOrder::None => call.argument_order.is_empty() && call.within_group.is_empty(),
            CallOrder::Arguments(keys) => call.within_group.is_empty() && self.keys(call.argument_order, keys),
            CallOrder::WithinGroup(keys) => call.argument_order.is_empty() && self.keys(call.within_group, keys),
        };
        self.is_function(&read.name, name)
            && arguments
            && call.separator == separator
            && call.distinct == *distinct
            && order
            && both(call.filter, filter.as_deref(), |read, meant| self.expr(read, meant))
            && both(call.over, over.as_deref(), |read, meant| self.window(read, meant))
    }

    /// `substr`, `trim`, `ceil` and `floor`, which the parser takes for syntax where they have no schema.
    fn special(&self, read: &ast::Expr, meant: &Function) -> bool {
        let Function { name, args: FunctionArgs::List(args), .. } = meant else { return false };
        let (read_name, read): (&str, Vec<&ast::Expr>) = match read {
            ast::Expr::Substring { expr, substring_from, substring_for, special: true, shorthand: true } => {
                let rest = substring_from.as_deref().into_iter().chain(substring_for.as_deref());
                ("substr", std::iter::once(&**expr).chain(rest).collect())
            }
            ast::Expr::Trim { trim_where: None, trim_what: None, expr, trim_characters } => {
                ("trim", std::iter::once(&**expr).chain(trim_characters.iter().flatten()).collect())
            }
            ast::Expr::Ceil { expr, field } if is_whole(field) => ("ceil", vec![expr]),
            ast::Expr::Floor { expr, field } if is_whole(field) => ("floor", vec![expr]),
            _ => return false,
        };
        matches!(self.dialect, Dialect::Sqlite | Dialect::MariaDb)
            && read_name == *name
            && *meant == Function::plain(name, args.clone())
            && all(&read, args, |read, meant| self.expr(read, meant))
    }

    /// Whether a name is that of a listed function: on PostgreSQL in the server's own schema, but for what is syntax there.
    pub(super) fn is_function(&self, read: &ast::ObjectName, name: &str) -> bool {
        let ast::ObjectName(parts) = read;
        match (self.dialect, parts.as_slice()) {
            (Dialect::Postgres, [schema, ast::ObjectNamePart::Identifier(read)]) => {
                is_pg_catalog(schema) && named(read, name)
            }
            (Dialect::Postgres, [read]) => {
                matches!(name, "coalesce" | "nullif" | "greatest" | "least" | "grouping") && is_bare(read, name)
            }
            (Dialect::Sqlite | Dialect::MariaDb, [read]) => is_bare(read, name),
            _ => false,
        }
    }

    pub(super) fn args(&self, read: &[ast::FunctionArg], meant: &[Expr]) -> bool {
        all(read, meant, |read, meant| match read {
            ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(read)) => self.expr(read, meant),
            _ => false,
        })
    }

    fn keys(&self, read: &[ast::OrderByExpr], meant: &[SortKey]) -> bool {
        all(read, meant, |read, SortKey { expr, descending, nulls_first }| {
            sorted(read, *descending, *nulls_first).is_some_and(|read| self.expr(read, expr))
        })
    }

    fn window(&self, read: &ast::WindowType, meant: &Window) -> bool {
        let ast::WindowType::WindowSpec(ast::WindowSpec { window_name: None, partition_by, order_by, window_frame }) =
            read
        else {
            return false;
        };
        self.exprs(partition_by, &meant.partition_by)
            && self.keys(order_by, &meant.order_by)
            && both(window_frame.as_ref(), meant.frame.as_ref(), |read, meant| self.frame(read, meant))
    }

    fn frame(&self, read: &ast::WindowFrame, meant: &Frame) -> bool {
        let ast::WindowFrame { units, start_bound, end_bound: Some(end_bound) } = read else { return false };
        let units = matches!(
            (units, meant.units),
            (ast::WindowFrameUnits::Rows, FrameUnits::Rows)
                | (ast::WindowFrameUnits::Range, FrameUnits::Range)
                | (ast::WindowFrameUnits::Groups, FrameUnits::Groups)
        );
        units && self.bound(start_bound, &meant.start) && self.bound(end_bound, &meant.end)
    }

    fn bound(&self, read: &ast::WindowFrameBound, meant: &FrameBound) -> bool {
        use ast::WindowFrameBound as B;
        match (read, meant) {
            (B::CurrentRow, FrameBound::CurrentRow)
            | (B::Preceding(None), FrameBound::UnboundedPreceding)
            | (B::Following(None), FrameBound::UnboundedFollowing) => true,
            (B::Preceding(Some(read)), FrameBound::Preceding(meant))
            | (B::Following(Some(read)), FrameBound::Following(meant)) => self.literal(read, meant),
            _ => false,
        }
    }
}
