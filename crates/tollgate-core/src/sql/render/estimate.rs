//! Prints a restricted tree for a planner to reckon with: the same statement without a constant in it.
//!
//! A planner looks constants up in its statistics, which are of all rows, hidden ones too: what it reckons would tell of them. So every
//! value that the text could hold or make stands as a parameter that nobody ever gives a value, and every call that is a constant by
//! itself behind a subquery, where no planner looks. It prints nothing that runs.

use std::collections::BTreeMap;

use super::{Printed, Printer, RenderError};
use crate::names::Dialect;
use crate::sql::statement::Estimate;
use crate::sql::tree::{Distinct, Expr, Literal, OrderKey, Query, Slot};
use crate::sql::walk::{self, Node};

/// What becomes of constants.
pub(super) enum Constants {
    /// They are written.
    Written,
    /// They are parameters, each its own.
    Hidden,
    /// They are parameters, equal ones the same: what is grouped by stands in the text twice.
    Shared(BTreeMap<String, usize>),
}

/// Prints a query without its page.
pub(in crate::sql) fn estimate(query: &Query, dialect: Dialect) -> Result<Estimate, RenderError> {
    let query = Query { limit: None, offset: None, ..query.clone() };
    let constants = if repeats_constants(&query) { Constants::Shared(BTreeMap::new()) } else { Constants::Hidden };
    let mut printer = Printer { constants, ..Printer::new(dialect) };
    printer.query(&query)?;
    let rendered = printer.printed()?;
    Ok(Estimate { text: rendered.text, params: rendered.slots.len() })
}

/// Whether an expression with a constant in it may have to be equal to another one of the statement.
fn repeats_constants(query: &Query) -> bool {
    let mut found = false;
    let mut look = |expr: &Expr| {
        walk::each_in_expr(expr, &mut |node| found |= matches!(node, Node::Expr(Expr::Literal(_))));
    };
    walk::each_in_query(query, &mut |node| match node {
        Node::Select(select) => {
            select.group_by.iter().for_each(&mut look);
            if let Distinct::On(keys) = &select.distinct {
                keys.iter().for_each(&mut look);
            }
        }
        Node::Query(query) => {
            for key in &query.order_by {
                if let OrderKey::Expr(expr) = &key.key {
                    look(expr);
                }
            }
        }
        Node::SetExpr(_) | Node::Relation(_) | Node::Expr(_) => {}
    });
    found
}

impl Printer {
    /// Whether constants are hidden.
    pub(super) fn hides_constants(&self) -> bool {
        !matches!(self.constants, Constants::Written)
    }

    /// A parameter in a constant's place. A number has the type that the constant would have; anything else takes it from where it
    /// stands, as the constant would.
    pub(super) fn hidden(&mut self, literal: &Literal) -> Printed {
        let ty = match literal {
            Literal::Null | Literal::Text(_) => None,
            Literal::Bool(_) => Some("boolean"),
            Literal::Number(text) if text.parse::<i32>().is_ok() => Some("integer"),
            Literal::Number(text) if text.parse::<i64>().is_ok() => Some("bigint"),
            Literal::Number(_) => Some("numeric"),
            Literal::Typed(ty, _) => Some(ty.as_str()),
            Literal::Blob(_) | Literal::Unit(_) => return Err(self.lacks("hexadecimal literals")),
        };
        let number = self.hidden_number(literal);
        let Some(ty) = ty else {
            self.put(&format!("${number}"));
            return Ok(());
        };
        self.put(&format!("CAST(${number} AS "));
        self.type_name(ty)?;
        self.put(")");
        Ok(())
    }

    /// A parameter in the place of an array without elements, which is a constant too.
    pub(super) fn hidden_array(&mut self) {
        let number = self.new_number();
        self.put(&format!("${number}"));
    }

    fn hidden_number(&mut self, literal: &Literal) -> usize {
        let Constants::Shared(known) = &self.constants else { return self.new_number() };
        let key = format!("{literal:?}");
        if let Some(number) = known.get(&key) {
            return *number;
        }
        let number = self.new_number();
        if let Constants::Shared(known) = &mut self.constants {
            known.insert(key, number);
        }
        number
    }

    /// A parameter's number that no slot has.
    fn new_number(&mut self) -> usize {
        // A slot that no text refers to.
        self.slots.push(Slot::CallId);
        self.slots.len()
    }
}
