//! Calls of listed functions, with all that may stand in and behind their parentheses.

use super::{Expr, Literal};

/// A call of a listed function.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Its name, as the list spells it.
    pub name: &'static str,
    /// Its arguments.
    pub args: FunctionArgs,
    /// DISTINCT, aggregates only.
    pub distinct: bool,
    /// In which order an aggregate takes its rows.
    pub order: CallOrder,
    /// FILTER (WHERE …), aggregates only.
    pub filter: Option<Box<Expr>>,
    /// OVER (…): the rows around each one that it is computed over.
    pub over: Option<Box<Window>>,
}

impl Function {
    /// A call with nothing but its arguments.
    pub fn plain(name: &'static str, args: Vec<Expr>) -> Self {
        let args = FunctionArgs::List(args);
        Self { name, args, distinct: false, order: CallOrder::None, filter: None, over: None }
    }
}

/// In which order an aggregate takes its rows.
#[derive(Clone, Debug, PartialEq)]
pub enum CallOrder {
    /// As they come.
    None,
    /// ORDER BY inside the call.
    Arguments(Vec<SortKey>),
    /// WITHIN GROUP (ORDER BY …).
    WithinGroup(Vec<SortKey>),
}

impl CallOrder {
    /// The keys, if there are any.
    pub fn keys(&self) -> &[SortKey] {
        match self {
            Self::None => &[],
            Self::Arguments(keys) | Self::WithinGroup(keys) => keys,
        }
    }

    /// The same, to be changed.
    pub fn keys_mut(&mut self) -> &mut [SortKey] {
        match self {
            Self::None => &mut [],
            Self::Arguments(keys) | Self::WithinGroup(keys) => keys,
        }
    }
}

/// One sort key inside a call or a window.
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    /// What is sorted by.
    pub expr: Expr,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST (`Some(true)`), NULLS LAST (`Some(false)`), or the engine's default.
    pub nulls_first: Option<bool>,
}

/// The rows that a window function is computed over. Named windows are lowered into their uses.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// PARTITION BY.
    pub partition_by: Vec<Expr>,
    /// ORDER BY.
    pub order_by: Vec<SortKey>,
    /// The frame; the engine's default without one.
    pub frame: Option<Frame>,
}

/// The frame of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// What is counted.
    pub units: FrameUnits,
    /// Where it begins.
    pub start: FrameBound,
    /// Where it ends.
    pub end: FrameBound,
}

/// What the bounds of a frame count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameUnits {
    /// ROWS
    Rows,
    /// RANGE
    Range,
    /// GROUPS
    Groups,
}

/// A bound of a frame: constants only.
#[derive(Clone, Debug, PartialEq)]
pub enum FrameBound {
    /// UNBOUNDED PRECEDING
    UnboundedPreceding,
    /// n PRECEDING
    Preceding(Literal),
    /// CURRENT ROW
    CurrentRow,
    /// n FOLLOWING
    Following(Literal),
    /// UNBOUNDED FOLLOWING
    UnboundedFollowing,
}

/// A function's arguments.
#[derive(Clone, Debug, PartialEq)]
pub enum FunctionArgs {
    /// `count(*)`
    Star,
    /// Expressions.
    List(Vec<Expr>),
}
