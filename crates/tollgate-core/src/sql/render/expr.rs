//! Expressions. Each stands in its own parentheses, so no precedence is relied on.

use super::{Printed, Printer, RenderError};
use crate::names::Dialect;
use crate::sql::bound_list;
use crate::sql::resolve::UNITS;
use crate::sql::tree::{
    BinaryOp, CastType, ColumnRef, Elements, Expr, FunctionArgs, IsTest, LikeKind, Literal, Quantifier, Query, Slot,
    Subscript, UnaryOp,
};

impl Printer {
    pub(super) fn expr(&mut self, expr: &Expr) -> Printed {
        match expr {
            Expr::Column(column) => self.column(column),
            Expr::Literal(literal) => self.literal(literal),
            Expr::Slot(slot) => self.single(slot),
            Expr::Unary { op, expr } => self.wrapped(|p| {
                p.put(prefix(*op));
                p.expr(expr)
            }),
            Expr::Binary { op: BinaryOp::IsDistinctFrom, left, right } if self.dialect == Dialect::MariaDb => self
                .wrapped(|p| {
                    p.put("NOT ");
                    p.binary(BinaryOp::IsNotDistinctFrom, left, right)
                }),
            Expr::Binary { op, left, right } => self.binary(*op, left, right),
            Expr::Is { expr, test, negated } => self.wrapped(|p| {
                p.expr(expr)?;
                p.put(if *negated { " IS NOT " } else { " IS " });
                p.put(tested(*test));
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
            Expr::Cast { expr, ty } => self.cast(expr, ty),
            Expr::Function(function) => {
                let alone = matches!(&function.args, FunctionArgs::List(args) if args.is_empty());
                self.constant_if(alone && function.over.is_none(), |p| p.function(function))
            }
            Expr::Added { .. } if self.dialect != Dialect::Postgres => Err(self.lacks("functions with a schema")),
            Expr::Added { function, args } => self.constant_if(args.is_empty(), |p| {
                p.ident(&function.schema)?;
                p.put(".");
                p.ident(&function.name)?;
                p.wrapped(|p| p.list(args, Self::expr))
            }),
            Expr::Row(list) if list.len() < 2 => Err(RenderError::Empty("a row")),
            Expr::Row(list) => self.wrapped(|p| p.list(list, Self::expr)),
            Expr::Quantified { .. } | Expr::Array(_) | Expr::Subscript { .. } if self.dialect != Dialect::Postgres => {
                Err(self.lacks("arrays"))
            }
            Expr::Quantified { expr, op, quantifier, over } => self.quantified(expr, *op, *quantifier, over),
            Expr::Array(elements) => self.array(elements),
            Expr::Subscript { expr, part } => {
                self.wrapped(|p| p.expr(expr))?;
                self.subscript(part)
            }
            Expr::Collate { expr, collation } => self.wrapped(|p| {
                p.expr(expr)?;
                p.put(" COLLATE ");
                if p.dialect == Dialect::Postgres {
                    p.put("pg_catalog.");
                }
                p.ident(collation)
            }),
        }
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr) -> Printed {
        let word = self.operator(op)?;
        self.wrapped(|p| {
            p.expr(left)?;
            p.put(word);
            p.expr(right)
        })
    }

    /// A call that is a constant if that holds: where constants are hidden, a subquery hides it.
    fn constant_if(&mut self, constant: bool, call: impl FnOnce(&mut Self) -> Printed) -> Printed {
        if !(constant && self.hides_constants()) {
            return call(self);
        }
        self.wrapped(|p| {
            p.put("SELECT ");
            call(p)
        })
    }

    fn cast(&mut self, expr: &Expr, ty: &CastType) -> Printed {
        self.put("CAST(");
        self.expr(expr)?;
        self.put(" AS ");
        self.type_name(ty.as_str())?;
        self.put(")");
        Ok(())
    }

    /// A comparison with several values. A lone subquery as an array would be read as its rows.
    fn quantified(&mut self, expr: &Expr, op: BinaryOp, quantifier: Quantifier, over: &Elements) -> Printed {
        let word = self.operator(op)?;
        self.wrapped(|p| {
            p.expr(expr)?;
            p.put(word);
            p.put(match quantifier {
                Quantifier::Any => "ANY ",
                Quantifier::All => "ALL ",
            });
            match over {
                Elements::Of(array) if matches!(**array, Expr::Scalar(_)) => Err(RenderError::Empty("ANY")),
                Elements::Of(array) => p.wrapped(|p| p.expr(array)),
                Elements::List(_) => p.wrapped(|p| p.array(over)),
                Elements::Query(query) => p.subquery(query),
            }
        })
    }

    fn array(&mut self, elements: &Elements) -> Printed {
        match elements {
            Elements::Of(array) => self.expr(array),
            Elements::List(list) if list.is_empty() && self.hides_constants() => {
                self.hidden_array();
                Ok(())
            }
            Elements::List(list) => {
                self.put("ARRAY[");
                self.list(list, Self::expr)?;
                self.put("]");
                Ok(())
            }
            Elements::Query(query) => {
                self.put("ARRAY");
                self.subquery(query)
            }
        }
    }

    fn subscript(&mut self, part: &Subscript) -> Printed {
        self.put("[");
        match part {
            Subscript::Index(index) => self.expr(index)?,
            Subscript::Slice { from, to } => {
                if let Some(from) = from {
                    self.expr(from)?;
                }
                self.put(":");
                if let Some(to) = to {
                    self.expr(to)?;
                }
            }
        }
        self.put("]");
        Ok(())
    }

    pub(super) fn wrapped(&mut self, inside: impl FnOnce(&mut Self) -> Printed) -> Printed {
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
        if self.hides_constants() { self.hidden(literal) } else { self.written(literal) }
    }

    /// A constant as it is, whatever becomes of others.
    pub(super) fn written(&mut self, literal: &Literal) -> Printed {
        match (literal, self.dialect) {
            (Literal::Null, _) => self.put("NULL"),
            (Literal::Bool(value), _) => self.put(if *value { "TRUE" } else { "FALSE" }),
            (Literal::Number(text), _) => return self.number(text),
            (Literal::Text(value), _) => return self.string(value),
            (Literal::Typed(ty, value), Dialect::Postgres | Dialect::MariaDb) => {
                self.put("CAST(");
                self.string(value)?;
                self.put(" AS ");
                self.type_name(ty.as_str())?;
                self.put(")");
            }
            (Literal::Typed(..), Dialect::Sqlite) => return Err(self.lacks("typed literals")),
            (Literal::Blob(digits), Dialect::Sqlite | Dialect::MariaDb) => return self.blob(digits),
            (Literal::Blob(_), Dialect::Postgres) => return Err(self.lacks("hexadecimal literals")),
            (Literal::Unit(unit), Dialect::MariaDb) if UNITS.contains(unit) => self.put(unit),
            (Literal::Unit(_), _) => return Err(self.lacks("units of time")),
        }
        Ok(())
    }

    fn single(&mut self, slot: &Slot) -> Printed {
        match slot {
            Slot::ParamList(_) | Slot::ClaimList(_) => Err(self.lacks("lists outside IN")),
            Slot::CallId
            | Slot::Param(_)
            | Slot::Claim(_)
            | Slot::MaskKey(_)
            | Slot::Limit
            | Slot::Offset
            | Slot::After(_) => self.placeholder(slot),
        }
    }

    fn placeholder(&mut self, slot: &Slot) -> Printed {
        let number = self.slot(slot)?;
        match self.dialect {
            Dialect::Postgres => self.put(&format!("${number}")),
            Dialect::Sqlite => self.put(&format!("?{number}")),
            Dialect::MariaDb => self.put("?"),
        }
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
            Slot::CallId
            | Slot::Param(_)
            | Slot::Claim(_)
            | Slot::MaskKey(_)
            | Slot::Limit
            | Slot::Offset
            | Slot::After(_) => {
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
            Dialect::MariaDb => {
                let ty = bound_list::value_type(expr).ok_or_else(|| self.lacks("lists of that type"))?;
                self.expr(expr)?;
                self.put(is_in);
                self.put("(SELECT ");
                self.ident(bound_list::VALUE)?;
                self.put(" FROM JSON_TABLE(");
                self.placeholder(slot)?;
                self.put(", ");
                self.string("$[*]")?;
                self.put(" COLUMNS (");
                self.ident(bound_list::VALUE)?;
                self.put(" ");
                self.put(ty);
                self.put(" PATH ");
                self.string("$")?;
                self.put(")) AS ");
                self.ident(bound_list::LIST)?;
                self.put(")");
                Ok(())
            }
        }
    }

    fn like(&mut self, expr: &Expr) -> Printed {
        let Expr::Like { expr, pattern, escape, kind, negated } = expr else {
            return Err(RenderError::Empty("LIKE"));
        };
        let word = match (kind, self.dialect) {
            (LikeKind::Like, _) => "LIKE ",
            (LikeKind::ILike, Dialect::Postgres) => "ILIKE ",
            (LikeKind::SimilarTo, Dialect::Postgres) => "SIMILAR TO ",
            (LikeKind::ILike | LikeKind::SimilarTo, Dialect::Sqlite | Dialect::MariaDb) => {
                return Err(self.lacks("ILIKE and SIMILAR TO"));
            }
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
}

const NOT_IN: &str = " NOT IN ";

fn is_in(negated: bool) -> &'static str {
    if negated { NOT_IN } else { " IN " }
}

fn prefix(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Not => "NOT ",
        UnaryOp::Minus => "- ",
        UnaryOp::Plus => "+ ",
        UnaryOp::BitNot => "~ ",
    }
}

fn tested(test: IsTest) -> &'static str {
    match test {
        IsTest::Null => "NULL",
        IsTest::True => "TRUE",
        IsTest::False => "FALSE",
    }
}
