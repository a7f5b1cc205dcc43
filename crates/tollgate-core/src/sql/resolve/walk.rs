//! Going through our own tree. It changes nothing.

use crate::sql::tree::{ColumnRef, Expr, Function, FunctionArgs};

/// Calls `visit` with each direct part of an expression. Subqueries are not entered.
pub(super) fn parts<'e>(expr: &'e Expr, visit: &mut dyn FnMut(&'e Expr)) {
    match expr {
        Expr::Column(_) | Expr::Literal(_) | Expr::Slot(_) | Expr::Exists { .. } | Expr::Scalar(_) => {}
        Expr::Unary { op: _, expr }
        | Expr::Is { expr, test: _, negated: _ }
        | Expr::InSlot { expr, slot: _, negated: _ }
        | Expr::InQuery { expr, query: _, negated: _ }
        | Expr::Cast { expr, ty: _ } => visit(expr),
        Expr::Binary { op: _, left, right } => {
            visit(left);
            visit(right);
        }
        Expr::Between { expr, low, high, negated: _ } => {
            visit(expr);
            visit(low);
            visit(high);
        }
        Expr::InList { expr, list, negated: _ } => {
            visit(expr);
            list.iter().for_each(visit);
        }
        Expr::Like { expr, pattern, escape: _, case_insensitive: _, negated: _ } => {
            visit(expr);
            visit(pattern);
        }
        Expr::Case { operand, branches, otherwise } => {
            operand.iter().for_each(|e| visit(e));
            for (condition, result) in branches {
                visit(condition);
                visit(result);
            }
            otherwise.iter().for_each(|e| visit(e));
        }
        Expr::Function(Function { name: _, args, distinct: _, filter }) => {
            if let FunctionArgs::List(list) = args {
                list.iter().for_each(&mut *visit);
            }
            filter.iter().for_each(|e| visit(e));
        }
    }
}

/// Calls `visit` with every column of an expression. Subqueries are not entered.
pub(super) fn any_column<'e>(expr: &'e Expr, visit: &mut dyn FnMut(&'e ColumnRef)) {
    if let Expr::Column(column) = expr {
        visit(column);
    }
    parts(expr, &mut |part| any_column(part, visit));
}
