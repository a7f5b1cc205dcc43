//! Expressions of a text that was parsed again. Never takes one form for another that merely means the same.

use sqlparser::ast;

use super::{Reading, all, both, path};
use crate::names::Dialect;
use crate::sql::bound_list;
use crate::sql::parse::parse_printed_type;
use crate::sql::resolve::{operator, string};
use crate::sql::tree::{
    BinaryOp, CastType, Elements, Expr, IsTest, LikeKind, Literal, Quantifier, Slot, Subscript, UnaryOp,
};

/// Whether an expression is a number, written so.
pub(super) fn is_number(read: &ast::Expr, text: &str) -> bool {
    matches!(read, ast::Expr::Value(ast::ValueWithSpan { value: ast::Value::Number(read, false), span: _ }) if read == text)
}

/// The expression without the parentheses around it.
fn bare(read: &ast::Expr) -> &ast::Expr {
    let mut read = read;
    while let ast::Expr::Nested(inner) = read {
        read = inner;
    }
    read
}

impl Reading<'_> {
    pub(super) fn expr(&self, read: &ast::Expr, meant: &Expr) -> bool {
        let read = bare(read);
        match (meant, read) {
            (Expr::Column(column), ast::Expr::CompoundIdentifier(parts)) => {
                all(parts, &[&column.relation, &column.name], |read, name| super::named(read, name))
            }
            (Expr::Literal(literal), read) => self.literal(read, literal),
            (Expr::Slot(slot), read) => self.is_slot(read, slot),
            (Expr::Unary { op, expr }, ast::Expr::UnaryOp { op: read_op, expr: read }) => {
                unary(*read_op) == Some(*op) && self.expr(read, expr)
            }
            (Expr::Binary { op, left, right }, read) => self.binary(read, *op, (left, right)),
            (Expr::Is { expr, test, negated }, read) => {
                tested(read).is_some_and(|(read, of)| of == (*test, *negated) && self.expr(read, expr))
            }
            (
                Expr::Between { expr, low, high, negated },
                ast::Expr::Between { expr: read, negated: read_negated, low: read_low, high: read_high },
            ) => {
                negated == read_negated
                    && self.expr(read, expr)
                    && self.expr(read_low, low)
                    && self.expr(read_high, high)
            }
            (
                Expr::InList { expr, list, negated },
                ast::Expr::InList { expr: read, list: read_list, negated: read_negated },
            ) => negated == read_negated && self.expr(read, expr) && self.exprs(read_list, list),
            (Expr::InSlot { expr, slot, negated }, read) => self.in_slot(read, expr, (slot, *negated)),
            (
                Expr::InQuery { expr, query, negated },
                ast::Expr::InSubquery { expr: read, subquery, negated: read_negated },
            ) => negated == read_negated && self.expr(read, expr) && self.query(subquery, query),
            (Expr::Exists { query, negated }, ast::Expr::Exists { subquery, negated: read_negated }) => {
                negated == read_negated && self.query(subquery, query)
            }
            (Expr::Scalar(query), ast::Expr::Subquery(read)) => self.query(read, query),
            (Expr::Row(list), ast::Expr::Tuple(read)) => self.exprs(read, list),
            _ => self.longer(read, meant),
        }
    }

    /// The forms with parts of their own.
    fn longer(&self, read: &ast::Expr, meant: &Expr) -> bool {
        match (meant, read) {
            (
                Expr::Quantified { expr, op, quantifier: Quantifier::Any, over },
                ast::Expr::AnyOp { left, compare_op, right, is_some: false },
            )
            | (
                Expr::Quantified { expr, op, quantifier: Quantifier::All, over },
                ast::Expr::AllOp { left, compare_op, right },
            ) => {
                operator(self.dialect, compare_op) == Some(*op) && self.expr(left, expr) && self.quantified(right, over)
            }
            (Expr::Like { .. }, read) => self.like(read, meant),
            (
                Expr::Case { operand, branches, otherwise },
                ast::Expr::Case { case_token: _, end_token: _, operand: read, conditions, else_result },
            ) => {
                both(read.as_deref(), operand.as_deref(), |read, meant| self.expr(read, meant))
                    && all(conditions, branches, |ast::CaseWhen { condition, result }, (when, then)| {
                        self.expr(condition, when) && self.expr(result, then)
                    })
                    && both(else_result.as_deref(), otherwise.as_deref(), |read, meant| self.expr(read, meant))
            }
            (Expr::Cast { expr, ty }, read) => self.cast_of(read, ty).is_some_and(|read| self.expr(read, expr)),
            (Expr::Function(function), read) => self.function(read, function),
            (Expr::Added { function, args }, ast::Expr::Function(read)) => {
                path(&read.name, &[&function.schema, &function.name])
                    && super::call::plain_args(read).is_some_and(|read| self.args(read, args))
            }
            (Expr::Array(elements), read) => self.array(read, elements),
            (Expr::Subscript { expr, part }, ast::Expr::CompoundFieldAccess { root, access_chain }) => {
                match access_chain.as_slice() {
                    [ast::AccessExpr::Subscript(read)] => self.expr(root, expr) && self.subscript(read, part),
                    _ => false,
                }
            }
            (Expr::Collate { expr, collation }, ast::Expr::Collate { expr: read, collation: read_collation }) => {
                let ast::ObjectName(parts) = read_collation;
                let same = match (self.dialect, parts.as_slice()) {
                    (Dialect::Postgres, [schema, ast::ObjectNamePart::Identifier(name)]) => {
                        super::call::is_pg_catalog(schema) && super::named(name, collation)
                    }
                    (Dialect::Sqlite | Dialect::MariaDb, [ast::ObjectNamePart::Identifier(name)]) => {
                        super::named(name, collation)
                    }
                    _ => false,
                };
                same && self.expr(read, expr)
            }
            _ => false,
        }
    }

    pub(super) fn literal(&self, read: &ast::Expr, meant: &Literal) -> bool {
        if let Literal::Typed(ty, text) = meant {
            let is_text = |read| value(read).and_then(string) == Some(text);
            return self.cast_of(read, ty).is_some_and(is_text);
        }
        if let (Literal::Unit(unit), ast::Expr::Identifier(ast::Ident { value, quote_style: None, span: _ })) =
            (meant, read)
        {
            return value == unit;
        }
        match (meant, value(read)) {
            (Literal::Null, Some(ast::Value::Null)) => true,
            (Literal::Bool(truth), Some(ast::Value::Boolean(read))) => truth == read,
            (Literal::Number(text), Some(ast::Value::Number(read, false))) => text == read,
            (Literal::Text(text), Some(read)) => string(read) == Some(text),
            (Literal::Blob(digits), Some(ast::Value::HexStringLiteral(read))) => digits == read,
            _ => false,
        }
    }

    fn is_slot(&self, read: &ast::Expr, slot: &Slot) -> bool {
        let Some(ast::Value::Placeholder(read)) = value(read) else { return false };
        let sign = match self.dialect {
            Dialect::Postgres => '$',
            Dialect::Sqlite | Dialect::MariaDb => '?',
        };
        let number = read.strip_prefix(sign).and_then(|number| number.parse::<usize>().ok());
        number.and_then(|number| self.slots.get(number.checked_sub(1)?)) == Some(slot)
    }

    fn binary(&self, read: &ast::Expr, op: BinaryOp, (left, right): (&Expr, &Expr)) -> bool {
        if (self.dialect, op) == (Dialect::MariaDb, BinaryOp::IsDistinctFrom) {
            return match read {
                ast::Expr::UnaryOp { op: ast::UnaryOperator::Not, expr: read } => {
                    self.binary(bare(read), BinaryOp::IsNotDistinctFrom, (left, right))
                }
                _ => false,
            };
        }
        let (read_left, read_op, read_right) = match read {
            ast::Expr::RLike { negated: false, expr, pattern, regexp: true } if self.dialect == Dialect::MariaDb => {
                (expr, Some(BinaryOp::Regex), pattern)
            }
            ast::Expr::IsDistinctFrom(left, right) => (left, Some(BinaryOp::IsDistinctFrom), right),
            ast::Expr::IsNotDistinctFrom(left, right) => (left, Some(BinaryOp::IsNotDistinctFrom), right),
            ast::Expr::BinaryOp { left, op: ast::BinaryOperator::And, right } => (left, Some(BinaryOp::And), right),
            ast::Expr::BinaryOp { left, op: ast::BinaryOperator::Or, right } => (left, Some(BinaryOp::Or), right),
            ast::Expr::BinaryOp { left, op, right } => (left, operator(self.dialect, op), right),
            _ => return false,
        };
        read_op == Some(op) && self.expr(read_left, left) && self.expr(read_right, right)
    }

    /// `x = ANY($1)`, or on SQLite a subquery that spells the list out.
    fn in_slot(&self, read: &ast::Expr, expr: &Expr, (slot, negated): (&Slot, bool)) -> bool {
        match (self.dialect, read) {
            (Dialect::Postgres, ast::Expr::UnaryOp { op: ast::UnaryOperator::Not, expr: read }) if negated => {
                self.in_slot(bare(read), expr, (slot, false))
            }
            (
                Dialect::Postgres,
                ast::Expr::AnyOp { left, compare_op: ast::BinaryOperator::Eq, right, is_some: false },
            ) if !negated => self.expr(left, expr) && self.is_slot(bare(right), slot),
            (Dialect::Sqlite, ast::Expr::InSubquery { expr: read, subquery, negated: read_negated }) => {
                negated == *read_negated && self.expr(read, expr) && self.values_of(subquery, slot)
            }
            (Dialect::MariaDb, ast::Expr::InSubquery { expr: read, subquery, negated: read_negated }) => {
                let ty = bound_list::value_type(expr);
                negated == *read_negated
                    && self.expr(read, expr)
                    && ty.is_some_and(|ty| self.spelled(subquery, slot, ty))
            }
            _ => false,
        }
    }

    /// ``SELECT `tg_value` FROM JSON_TABLE(?, '$[*]' COLUMNS (`tg_value` type PATH '$')) AS `tg_list` ``.
    fn spelled(&self, read: &ast::Query, slot: &Slot, ty: &str) -> bool {
        let Some(ast::SetExpr::Select(select)) = super::Clauses::only_body(read) else { return false };
        let Some(super::Parts {
            distinct: None,
            projection: [ast::SelectItem::UnnamedExpr(ast::Expr::Identifier(value))],
            from: [ast::TableWithJoins { relation, joins }],
            filter: None,
            group_by: [],
            having: None,
        }) = super::Parts::of(select)
        else {
            return false;
        };
        let ast::TableFactor::JsonTable { json_expr, json_path, columns, alias: Some(alias) } = relation else {
            return false;
        };
        let [ast::JsonTableColumn::Named(column)] = columns.as_slice() else { return false };
        let ast::JsonTableNamedColumn { name, r#type, path, exists: false, on_empty: None, on_error: None } = column
        else {
            return false;
        };
        let is_text = |read: &ast::ValueWithSpan, text: &str| matches!(&read.value, ast::Value::SingleQuotedString(read) if read == text);
        joins.is_empty()
            && super::named(value, bound_list::VALUE)
            && super::named(name, bound_list::VALUE)
            && super::named(&alias.name, bound_list::LIST)
            && alias.columns.is_empty()
            && self.is_slot(json_expr, slot)
            && is_text(json_path, "$[*]")
            && is_text(path, "$")
            && parse_printed_type(self.dialect, ty).is_ok_and(|meant| meant == *r#type)
    }

    /// `SELECT value FROM json_each(?1)`.
    fn values_of(&self, read: &ast::Query, slot: &Slot) -> bool {
        let Some(ast::SetExpr::Select(select)) = super::Clauses::only_body(read) else { return false };
        let Some(super::Parts {
            distinct: None,
            projection: [ast::SelectItem::UnnamedExpr(ast::Expr::Identifier(column))],
            from: [ast::TableWithJoins { relation, joins }],
            filter: None,
            group_by: [],
            having: None,
        }) = super::Parts::of(select)
        else {
            return false;
        };
        let list = super::from::called_with(relation).filter(|(name, _)| self.is_function(name, "json_each"));
        column.value == "value"
            && column.quote_style.is_none()
            && joins.is_empty()
            && list.is_some_and(|(_, args)| self.args(args, &[Expr::Slot(slot.clone())]))
    }

    /// What is cast to that type.
    fn cast_of<'r>(&self, read: &'r ast::Expr, ty: &CastType) -> Option<&'r ast::Expr> {
        let ast::Expr::Cast { kind: ast::CastKind::Cast, expr, data_type, format: None } = read else { return None };
        let mut types = self.types.borrow_mut();
        if !types.contains_key(ty.as_str()) {
            types.insert(ty.as_str().to_owned(), parse_printed_type(self.dialect, ty.as_str()).ok());
        }
        let same = types.get(ty.as_str()).is_some_and(|meant| meant.as_ref() == Some(data_type));
        same.then_some(expr)
    }

    fn like(&self, read: &ast::Expr, meant: &Expr) -> bool {
        let Expr::Like { expr, pattern, escape, kind, negated } = meant else { return false };
        let ((LikeKind::Like, ast::Expr::Like { negated: found, any: false, expr: left, pattern: right, escape_char })
        | (
            LikeKind::ILike,
            ast::Expr::ILike { negated: found, any: false, expr: left, pattern: right, escape_char },
        )
        | (LikeKind::SimilarTo, ast::Expr::SimilarTo { negated: found, expr: left, pattern: right, escape_char })) =
            (kind, read)
        else {
            return false;
        };
        negated == found
            && self.expr(left, expr)
            && self.expr(right, pattern)
            && both(escape_char.as_deref(), escape.as_ref(), |read, escape| {
                value(read).and_then(string).is_some_and(|text| text.chars().eq([*escape]))
            })
    }

    /// What stands in the parentheses of ANY and ALL.
    fn quantified(&self, read: &ast::Expr, over: &Elements) -> bool {
        match (over, bare(read)) {
            (Elements::Query(query), ast::Expr::Subquery(read)) => self.query(read, query),
            (Elements::Query(_), _) | (_, ast::Expr::Subquery(_)) => false,
            (over, read) => self.array(read, over),
        }
    }

    fn array(&self, read: &ast::Expr, meant: &Elements) -> bool {
        match (meant, read) {
            (Elements::Of(meant), read) => self.expr(read, meant),
            (Elements::List(list), ast::Expr::Array(ast::Array { elem, named: true })) => self.exprs(elem, list),
            (Elements::Query(query), ast::Expr::Function(read)) => {
                super::call::array_of(read).is_some_and(|read| self.query(read, query))
            }
            _ => false,
        }
    }

    fn subscript(&self, read: &ast::Subscript, meant: &Subscript) -> bool {
        let bound = |read: &Option<ast::Expr>, meant: &Option<Box<Expr>>| {
            both(read.as_ref(), meant.as_deref(), |read, meant| self.expr(read, meant))
        };
        match (read, meant) {
            (ast::Subscript::Index { index }, Subscript::Index(meant)) => self.expr(index, meant),
            (ast::Subscript::Slice { lower_bound, upper_bound, stride: None }, Subscript::Slice { from, to }) => {
                bound(lower_bound, from) && bound(upper_bound, to)
            }
            _ => false,
        }
    }
}

fn value(read: &ast::Expr) -> Option<&ast::Value> {
    match read {
        ast::Expr::Value(ast::ValueWithSpan { value, span: _ }) => Some(value),
        _ => None,
    }
}

fn unary(op: ast::UnaryOperator) -> Option<UnaryOp> {
    match op {
        ast::UnaryOperator::Not => Some(UnaryOp::Not),
        ast::UnaryOperator::Minus => Some(UnaryOp::Minus),
        ast::UnaryOperator::Plus => Some(UnaryOp::Plus),
        ast::UnaryOperator::BitwiseNot => Some(UnaryOp::BitNot),
        _ => None,
    }
}

/// What IS tests, and of which operand.
fn tested(read: &ast::Expr) -> Option<(&ast::Expr, (IsTest, bool))> {
    Some(match read {
        ast::Expr::IsNull(expr) => (expr, (IsTest::Null, false)),
        ast::Expr::IsNotNull(expr) => (expr, (IsTest::Null, true)),
        ast::Expr::IsTrue(expr) => (expr, (IsTest::True, false)),
        ast::Expr::IsNotTrue(expr) => (expr, (IsTest::True, true)),
        ast::Expr::IsFalse(expr) => (expr, (IsTest::False, false)),
        ast::Expr::IsNotFalse(expr) => (expr, (IsTest::False, true)),
        _ => return None,
    })
}
