//! Calls: a function's name, its arguments, and the clauses in and behind its parentheses. Never a name that is not a plain word.

use super::{Printed, Printer, RenderError};
use crate::names::Dialect;
use crate::sql::tree::{
    CallOrder, Expr, Frame, FrameBound, FrameUnits, Function, FunctionArgs, Literal, SortKey, Window,
};

/// What `group_concat` puts between two values, where that stands in words of its own: its last argument.
pub(super) fn separator(dialect: Dialect, function: &Function) -> Option<&str> {
    match (dialect, function) {
        (Dialect::MariaDb, Function { name: "group_concat", args: FunctionArgs::List(args), .. }) => {
            match args.as_slice() {
                [_, Expr::Literal(Literal::Text(separator))] => Some(separator),
                _ => None,
            }
        }
        _ => None,
    }
}

impl Printer {
    pub(super) fn function(&mut self, function: &Function) -> Printed {
        let Function { name, args, distinct, order, filter, over } = function;
        self.function_name(name)?;
        self.put(if *distinct { "(DISTINCT " } else { "(" });
        let separator = separator(self.dialect, function);
        match args {
            FunctionArgs::Star => self.put("*"),
            FunctionArgs::List(args) => {
                let values = args.len() - usize::from(separator.is_some());
                self.list(args.get(..values).unwrap_or_default(), Self::expr)?;
            }
        }
        match order {
            CallOrder::None => self.separated(separator)?,
            CallOrder::Arguments(keys) => {
                self.order(" ORDER BY ", keys)?;
                self.separated(separator)?;
            }
            CallOrder::WithinGroup(_) if self.dialect == Dialect::MariaDb => return Err(self.lacks("WITHIN GROUP")),
            CallOrder::WithinGroup(keys) => {
                self.order(") WITHIN GROUP (ORDER BY ", keys)?;
                self.put(")");
            }
        }
        if let Some(filter) = filter {
            if self.dialect == Dialect::MariaDb {
                return Err(self.lacks("FILTER"));
            }
            self.put(" FILTER (WHERE ");
            self.expr(filter)?;
            self.put(")");
        }
        match over {
            Some(window) => self.window(window),
            None => Ok(()),
        }
    }

    /// The end of a call's parentheses.
    fn separated(&mut self, separator: Option<&str>) -> Printed {
        if let Some(separator) = separator {
            self.put(" SEPARATOR ");
            self.string(separator)?;
        }
        self.put(")");
        Ok(())
    }

    fn window(&mut self, window: &Window) -> Printed {
        let Window { partition_by, order_by, frame } = window;
        self.put(" OVER (");
        let mut space = "";
        if !partition_by.is_empty() {
            self.put("PARTITION BY ");
            self.list(partition_by, Self::expr)?;
            space = " ";
        }
        if !order_by.is_empty() {
            self.put(space);
            self.order("ORDER BY ", order_by)?;
            space = " ";
        }
        if let Some(frame) = frame {
            self.put(space);
            self.frame(frame)?;
        }
        self.put(")");
        Ok(())
    }

    fn order(&mut self, words: &str, keys: &[SortKey]) -> Printed {
        if keys.is_empty() {
            return Err(RenderError::Empty("ORDER BY"));
        }
        self.put(words);
        self.list(keys, |p, SortKey { expr, descending, nulls_first }| {
            p.expr(expr)?;
            if *descending {
                p.put(" DESC");
            }
            if nulls_first.is_some() && p.dialect == Dialect::MariaDb {
                return Err(p.lacks("NULLS FIRST or NULLS LAST"));
            }
            p.put(match nulls_first {
                None => "",
                Some(true) => " NULLS FIRST",
                Some(false) => " NULLS LAST",
            });
            Ok(())
        })
    }

    fn frame(&mut self, frame: &Frame) -> Printed {
        let Frame { units, start, end } = frame;
        if *units == FrameUnits::Groups && self.dialect == Dialect::MariaDb {
            return Err(self.lacks("GROUPS in a frame"));
        }
        self.put(match units {
            FrameUnits::Rows => "ROWS BETWEEN ",
            FrameUnits::Range => "RANGE BETWEEN ",
            FrameUnits::Groups => "GROUPS BETWEEN ",
        });
        self.bound(start)?;
        self.put(" AND ");
        self.bound(end)
    }

    fn bound(&mut self, bound: &FrameBound) -> Printed {
        match bound {
            FrameBound::UnboundedPreceding => self.put("UNBOUNDED PRECEDING"),
            FrameBound::Preceding(distance) => {
                self.distance(distance)?;
                self.put(" PRECEDING");
            }
            FrameBound::CurrentRow => self.put("CURRENT ROW"),
            FrameBound::Following(distance) => {
                self.distance(distance)?;
                self.put(" FOLLOWING");
            }
            FrameBound::UnboundedFollowing => self.put("UNBOUNDED FOLLOWING"),
        }
        Ok(())
    }

    fn distance(&mut self, distance: &Literal) -> Printed {
        match distance {
            Literal::Number(_) | Literal::Typed(..) => self.written(distance),
            Literal::Null | Literal::Bool(_) | Literal::Text(_) | Literal::Blob(_) | Literal::Unit(_) => {
                Err(RenderError::Empty("the bound of a frame"))
            }
        }
    }
}
