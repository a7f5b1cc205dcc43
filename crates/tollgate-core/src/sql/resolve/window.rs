//! What stands behind a call: OVER, and the orders that calls take. Named windows are lowered into their uses, as a copy each.

use sqlparser::ast;

use super::expr::{Aggregates, At};
use super::query::sort_key;
use super::types::{interval, number};
use super::{Resolver, refused};
use crate::names::Dialect;
use crate::sql::error::{SqlError, shown};
use crate::sql::limits::WINDOW_KEYS_MAX;
use crate::sql::tree::{Frame, FrameBound, FrameUnits, Literal, OrderBy, OrderKey, SortKey, Window};

/// A window of the WINDOW clause, as written.
#[derive(Clone, Debug)]
pub(super) struct NamedWindow {
    name: String,
    spec: ast::WindowSpec,
}

impl Resolver<'_> {
    /// The WINDOW clause. Nothing in it is looked up before it is used.
    pub(super) fn named_windows(
        &self,
        definitions: &[ast::NamedWindowDefinition],
    ) -> Result<Vec<NamedWindow>, SqlError> {
        let mut windows: Vec<NamedWindow> = Vec::with_capacity(definitions.len());
        for ast::NamedWindowDefinition(ident, definition) in definitions {
            let name = self.alias(ident)?;
            let ast::NamedWindowExpr::WindowSpec(spec) = definition else {
                return Err(SqlError::unsupported("a window that is another one's name"));
            };
            let known = windows.iter().any(|window| self.dialect.same_name(&window.name, &name));
            refused::when(known, "two windows of one name")?;
            windows.push(NamedWindow { name, spec: spec.clone() });
        }
        Ok(windows)
    }

    /// OVER, in either form.
    pub(super) fn over(&mut self, over: &ast::WindowType, at: At<'_>) -> Result<Window, SqlError> {
        match over {
            ast::WindowType::WindowSpec(spec) => self.window(spec, at),
            ast::WindowType::NamedWindow(ident) => {
                let (before, spec) = self.find_window(ident, at.names.windows.len(), at)?;
                self.window_of(spec, before, at)
            }
        }
    }

    fn window(&mut self, spec: &ast::WindowSpec, at: At<'_>) -> Result<Window, SqlError> {
        self.window_of(spec, at.names.windows.len(), at)
    }

    /// The window of that name among the first `before`, and how many stand before it.
    fn find_window<'e>(
        &self,
        ident: &ast::Ident,
        before: usize,
        at: At<'e>,
    ) -> Result<(usize, &'e ast::WindowSpec), SqlError> {
        let name = self.folded(ident);
        let windows = at.names.windows.iter().take(before).enumerate();
        let mut found = windows.filter(|(_, window)| self.dialect.same_name(&window.name, &name));
        found
            .next()
            .map(|(index, window)| (index, &window.spec))
            .ok_or_else(|| SqlError::unsupported(format!("OVER {}, which no WINDOW before it defines,", shown(&name))))
    }

    /// A window that may go on from one of the first `before`.
    fn window_of(&mut self, spec: &ast::WindowSpec, before: usize, at: At<'_>) -> Result<Window, SqlError> {
        let ast::WindowSpec { window_name, partition_by, order_by, window_frame } = spec;
        if partition_by.len() + order_by.len() > WINDOW_KEYS_MAX {
            return Err(SqlError::TooComplex { what: "keys of a window", max: WINDOW_KEYS_MAX });
        }
        let base = match window_name {
            Some(ident) => {
                let (before, base) = self.find_window(ident, before, at)?;
                Some(self.deeper(|this| this.window_of(base, before, at))?)
            }
            None => None,
        };
        let own_partition = self.exprs(partition_by, at)?;
        let own_order = self.sort_keys(order_by, at)?;
        let frame = window_frame.as_ref().map(|frame| self.frame(frame)).transpose()?;
        let Some(base) = base else {
            return Ok(Window { partition_by: own_partition, order_by: own_order, frame });
        };
        refused::when(!own_partition.is_empty(), "PARTITION BY in a window that goes on from a named one")?;
        refused::when(base.frame.is_some(), "a window that goes on from one with a frame")?;
        refused::when(!base.order_by.is_empty() && !own_order.is_empty(), "two ORDER BYs of one window")?;
        let order_by = if own_order.is_empty() { base.order_by } else { own_order };
        Ok(Window { partition_by: base.partition_by, order_by, frame })
    }

    /// The keys that a call or a window orders by.
    pub(super) fn sort_keys(&mut self, keys: &[ast::OrderByExpr], at: At<'_>) -> Result<Vec<SortKey>, SqlError> {
        if keys.len() > WINDOW_KEYS_MAX {
            return Err(SqlError::TooComplex { what: "sort keys of a call", max: WINDOW_KEYS_MAX });
        }
        let mut lowered = Vec::with_capacity(keys.len());
        for key in keys {
            let expr = self.expr(&key.expr, at)?;
            let OrderBy { key: _, descending, nulls_first } = sort_key(key, OrderKey::Output(1))?;
            lowered.push(SortKey { expr, descending, nulls_first });
        }
        Ok(lowered)
    }

    fn frame(&self, frame: &ast::WindowFrame) -> Result<Frame, SqlError> {
        let ast::WindowFrame { units, start_bound, end_bound } = frame;
        let units = match units {
            ast::WindowFrameUnits::Rows => FrameUnits::Rows,
            ast::WindowFrameUnits::Range => FrameUnits::Range,
            ast::WindowFrameUnits::Groups => FrameUnits::Groups,
        };
        let start = self.frame_bound(start_bound, units)?;
        let end = match end_bound {
            Some(end) => self.frame_bound(end, units)?,
            None => FrameBound::CurrentRow,
        };
        refused::when(start == FrameBound::UnboundedFollowing, "a frame that begins after its end")?;
        refused::when(end == FrameBound::UnboundedPreceding, "a frame that ends before its beginning")?;
        Ok(Frame { units, start, end })
    }

    fn frame_bound(&self, bound: &ast::WindowFrameBound, units: FrameUnits) -> Result<FrameBound, SqlError> {
        Ok(match bound {
            ast::WindowFrameBound::CurrentRow => FrameBound::CurrentRow,
            ast::WindowFrameBound::Preceding(None) => FrameBound::UnboundedPreceding,
            ast::WindowFrameBound::Following(None) => FrameBound::UnboundedFollowing,
            ast::WindowFrameBound::Preceding(Some(distance)) => FrameBound::Preceding(self.distance(distance, units)?),
            ast::WindowFrameBound::Following(Some(distance)) => FrameBound::Following(self.distance(distance, units)?),
        })
    }

    /// How far a frame reaches: a constant without a sign.
    fn distance(&self, distance: &ast::Expr, units: FrameUnits) -> Result<Literal, SqlError> {
        match distance {
            ast::Expr::Value(value) => {
                if let ast::Value::Number(text, false) = &value.value {
                    let whole = text.bytes().all(|byte| byte.is_ascii_digit());
                    refused::when(!whole && units != FrameUnits::Range, "a part of a row as the bound of a frame")?;
                    return number(text);
                }
            }
            ast::Expr::Interval(written) if units == FrameUnits::Range && self.dialect == Dialect::Postgres => {
                return interval(self.dialect, written);
            }
            _ => {}
        }
        Err(SqlError::unsupported_use("the bound of a frame that is not a constant", "write a whole number"))
    }
}

/// Where the parts of a window function's call stand: it may hold aggregates, and no window functions.
pub(super) fn inside_window<'e>(name: &str, at: At<'e>) -> Result<At<'e>, SqlError> {
    match at.aggregates {
        Aggregates::Allowed => {
            // The rows around each one are counted, and hidden ones are not among them.
            at.names.aggregates.set(true);
            Ok(At { aggregates: Aggregates::NoWindows("inside another window function"), ..at.inside() })
        }
        Aggregates::NoWindows(place) | Aggregates::Refused(place) => Err(SqlError::unsupported_use(
            format!("the window function {} {place}", shown(name)),
            "compute it in a subquery",
        )),
    }
}
