//! Expressions. Each stands in its own parentheses, so no precedence is relied on.

use super::{Printed, Printer, RenderError};
use crate::names::Dialect;
use crate::sql::tree::{BinaryOp, ColumnRef, Expr, Function, FunctionArgs, IsTest, Literal, Query, Slot, UnaryOp};

impl Printer {
    pub(super) fn expr(&mut self, expr: &Expr) -> Printed {
        match expr {
            Expr::Column(column) => self.column(column),
            Expr::Literal(literal) => self.literal(literal),
            Expr::Slot(slot) => self.single(slot),
            Expr::Unary { op, expr } => self.wrapped(|p| {
                p.put(match op {
                    UnaryOp::Not => "NOT ",
                    UnaryOp::Minus => "- ",
                    UnaryOp::Plus => "+ ",
                });
                p.expr(expr)
            }),
            Expr::Binary { op, left, right } => self.wrapped(|p| {
                p.expr(left)?;
                p.put(binary(*op));
                p.expr(right)
            }),
            Expr::Is { expr, test, negated } => self.wrapped(|p| {
                p.expr(expr)?;
                p.put(if *negated { " IS NOT " } else { " IS " });
                p.put(match test {
                    IsTest::Null => "NULL",
                    IsTest::True => "TRUE",
                    IsTest::False => "FALSE",
                });
                Ok(())
            }),
            Expr::Between { expr, low, high, negated } => self.wrapped(|p| {
                p.expr(expr)?;
                p.put(if *negated { " NOT BETWEEN " } else { " BETWEEN " });
                p.expr(low)?;
                p.put(" AND ");
                p.expr(high)
            }),
            Expr::InList { .. } | Expr::InSlot { .. } | Expr::InQuery { .. } | Expr::Exists { .. } => {
                self.membership(expr)
            }
            Expr::Scalar(query) => self.subquery(query),
            Expr::Like { .. } => self.like(expr),
            Expr::Case { operand, branches, otherwise } => {
                self.case(operand.as_deref(), branches, otherwise.as_deref())
            }
            Expr::Cast { expr, ty } => {
                self.put("CAST(");
                self.expr(expr)?;
                self.put(" AS ");
                self.type_name(ty.as_str())?;
                self.put(")");
                Ok(())
            }
            Expr::Function(function) => self.function(function),
        }
    }

    fn wrapped(&mut self, inside: impl FnOnce(&mut Self) -> Printed) -> Printed {
        self.put("(");
        inside(self)?;
        self.put(")");
        Ok(())
    }

    fn subquery(&mut self, query: &Query) -> Printed {
        self.wrapped(|p| p.query(query))
    }

    fn column(&mut self, column: &ColumnRef) -> Printed {
        self.ident(&column.relation)?;
        self.put(".");
        self.ident(&column.name)
    }

    fn literal(&mut self, literal: &Literal) -> Printed {
        match (literal, self.dialect) {
            (Literal::Null, _) => self.put("NULL"),
            (Literal::Bool(value), _) => self.put(if *value { "TRUE" } else { "FALSE" }),
            (Literal::Number(text), _) => return self.number(text),
            (Literal::Text(value), _) => return self.string(value),
            (Literal::Typed(ty, value), Dialect::Postgres) => {
                self.put("CAST(");
                self.string(value)?;
                self.put(" AS ");
                self.type_name(ty.as_str())?;
                self.put(")");
            }
            (Literal::Typed(..), Dialect::Sqlite) => return Err(self.lacks("typed literals")),
        }
        Ok(())
    }

    fn single(&mut self, slot: &Slot) -> Printed {
        match slot {
            Slot::ParamList(_) | Slot::ClaimList(_) => Err(self.lacks("lists outside IN")),
            Slot::CallId | Slot::Param(_) | Slot::Claim(_) | Slot::Limit | Slot::Offset => self.placeholder(slot),
        }
    }

    fn placeholder(&mut self, slot: &Slot) -> Printed {
        let number = self.slot(slot)?;
        self.put(match self.dialect {
            Dialect::Postgres => "$",
            Dialect::Sqlite => "?",
        });
        self.put(&number.to_string());
        Ok(())
    }

    fn membership(&mut self, expr: &Expr) -> Printed {
        self.wrapped(|p| match expr {
            Expr::InList { expr, list, negated } => {
                if list.is_empty() {
                    return Err(RenderError::Empty("IN"));
                }
                p.expr(expr)?;
                p.put(is_in(*negated));
                p.wrapped(|p| p.list(list, Self::expr))
            }
            Expr::InSlot { expr, slot, negated } => p.in_slot(expr, slot, is_in(*negated)),
            Expr::InQuery { expr, query, negated } => {
                p.expr(expr)?;
                p.put(is_in(*negated));
                p.subquery(query)
            }
            Expr::Exists { query, negated } => {
                p.put(if *negated { "NOT EXISTS " } else { "EXISTS " });
                p.subquery(query)
            }
            _ => Err(RenderError::Empty("IN")),
        })
    }

    /// One bound array. Each engine has its own way to read it; both give IN's meaning, NULL included.
    fn in_slot(&mut self, expr: &Expr, slot: &Slot, is_in: &str) -> Printed {
        match slot {
            Slot::ParamList(_) | Slot::ClaimList(_) => {}
            Slot::CallId | Slot::Param(_) | Slot::Claim(_) | Slot::Limit | Slot::Offset => {
                return Err(self.lacks("IN over a single value"));
            }
        }
        match self.dialect {
            Dialect::Postgres => {
                if is_in == NOT_IN {
                    self.put("NOT ");
                }
                self.wrapped(|p| {
                    p.expr(expr)?;
                    p.put(" = ANY(");
                    p.placeholder(slot)?;
                    p.put(")");
                    Ok(())
                })
            }
            Dialect::Sqlite => {
                self.expr(expr)?;
                self.put(is_in);
                self.put("(SELECT value FROM json_each(");
                self.placeholder(slot)?;
                self.put("))");
                Ok(())
            }
        }
    }

    fn like(&mut self, expr: &Expr) -> Printed {
        let Expr::Like { expr, pattern, escape, case_insensitive, negated } = expr else {
            return Err(RenderError::Empty("LIKE"));
        };
        let word = match (case_insensitive, self.dialect) {
            (false, _) => "LIKE ",
            (true, Dialect::Postgres) => "ILIKE ",
            (true, Dialect::Sqlite) => return Err(self.lacks("ILIKE")),
        };
        self.wrapped(|p| {
            p.expr(expr)?;
            p.put(if *negated { " NOT " } else { " " });
            p.put(word);
            p.expr(pattern)?;
            if let Some(escape) = escape {
                p.put(" ESCAPE ");
                p.string(escape.encode_utf8(&mut [0; 4]))?;
            }
            Ok(())
        })
    }

    fn case(&mut self, operand: Option<&Expr>, branches: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Printed {
        if branches.is_empty() {
            return Err(RenderError::Empty("CASE"));
        }
        self.wrapped(|p| {
            p.put("CASE");
            if let Some(operand) = operand {
                p.put(" ");
                p.expr(operand)?;
            }
            for (when, then) in branches {
                p.put(" WHEN ");
                p.expr(when)?;
                p.put(" THEN ");
                p.expr(then)?;
            }
            if let Some(otherwise) = otherwise {
                p.put(" ELSE ");
                p.expr(otherwise)?;
            }
            p.put(" END");
            Ok(())
        })
    }

    fn function(&mut self, function: &Function) -> Printed {
        self.function_name(function.name)?;
        self.put(if function.distinct { "(DISTINCT " } else { "(" });
        match &function.args {
            FunctionArgs::Star => self.put("*"),
            FunctionArgs::List(args) => self.list(args, Self::expr)?,
        }
        self.put(")");
        if let Some(filter) = &function.filter {
            self.put(" FILTER (WHERE ");
            self.expr(filter)?;
            self.put(")");
        }
        Ok(())
    }
}

const NOT_IN: &str = " NOT IN ";

fn is_in(negated: bool) -> &'static str {
    if negated { NOT_IN } else { " IN " }
}

fn binary(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::And => " AND ",
        BinaryOp::Or => " OR ",
        BinaryOp::Eq => " = ",
        BinaryOp::NotEq => " <> ",
        BinaryOp::Lt => " < ",
        BinaryOp::LtEq => " <= ",
        BinaryOp::Gt => " > ",
        BinaryOp::GtEq => " >= ",
        BinaryOp::IsDistinctFrom => " IS DISTINCT FROM ",
        BinaryOp::IsNotDistinctFrom => " IS NOT DISTINCT FROM ",
        BinaryOp::Add => " + ",
        BinaryOp::Subtract => " - ",
        BinaryOp::Multiply => " * ",
        BinaryOp::Divide => " / ",
        BinaryOp::Modulo => " % ",
        BinaryOp::Concat => " || ",
        BinaryOp::JsonGet => " -> ",
        BinaryOp::JsonGetText => " ->> ",
    }
}
