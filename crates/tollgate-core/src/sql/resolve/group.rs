//! GROUP BY: plain expressions, and the sets of ROLLUP, CUBE and GROUPING SETS, all lowered to one list of sets.

use sqlparser::ast;

use super::Resolver;
use super::expr::{Aggregates, At};
use super::output::{Output, has_aggregate, has_window};
use super::query::{ordinal, unparenthesised};
use super::refused;
use super::select::is_constant;
use crate::sql::error::SqlError;
use crate::sql::limits::{GROUPING_SETS_MAX, KEYS_MAX};
use crate::sql::tree::Expr;

/// What is grouped by, and the sets of it as places in that list; no sets where all of it is grouped by at once.
pub(super) type Grouping = (Vec<Expr>, Vec<Vec<usize>>);

impl Resolver<'_> {
    /// The grouping. Several items multiply, as the standard has it: `a, ROLLUP (b)` is `(a, b)` and `(a)`.
    pub(super) fn group_by(
        &mut self,
        items: &[ast::Expr],
        outputs: &[Output],
        at: At<'_>,
    ) -> Result<Grouping, SqlError> {
        let at = At { aggregates: Aggregates::Refused("in GROUP BY"), ..at };
        let mut keys = Vec::with_capacity(items.len());
        let mut sets = vec![Vec::new()];
        let mut plain = true;
        few_keys(items.len(), "keys of one GROUP BY")?;
        for item in items {
            let alternatives = match item {
                ast::Expr::Rollup(list) => {
                    let list = self.composites(list, outputs, at, &mut keys)?;
                    at_most(list.len() + 1)?;
                    (0..=list.len()).rev().map(|n| list.iter().take(n).flatten().copied().collect()).collect()
                }
                ast::Expr::Cube(list) => {
                    let list = self.composites(list, outputs, at, &mut keys)?;
                    subsets(&list)?
                }
                ast::Expr::GroupingSets(list) => self.composites(list, outputs, at, &mut keys)?,
                ast::Expr::Tuple(list) => {
                    plain &= !list.is_empty();
                    sets = product(&sets, &self.composites(std::slice::from_ref(list), outputs, at, &mut keys)?)?;
                    continue;
                }
                key => {
                    let place = self.group_key(key, outputs, at, &mut keys)?;
                    sets = product(&sets, &[vec![place]])?;
                    continue;
                }
            };
            plain = false;
            sets = product(&sets, &alternatives)?;
        }
        Ok((keys, if plain { Vec::new() } else { sets }))
    }

    /// Each list of expressions as one set of keys.
    fn composites(
        &mut self,
        lists: &[Vec<ast::Expr>],
        outputs: &[Output],
        at: At<'_>,
        keys: &mut Vec<Expr>,
    ) -> Result<Vec<Vec<usize>>, SqlError> {
        let mut sets = Vec::with_capacity(lists.len());
        for list in lists {
            let mut set = Vec::with_capacity(list.len());
            for key in list {
                set.push(self.group_key(key, outputs, at, keys)?);
            }
            sets.push(set);
        }
        Ok(sets)
    }

    /// The place of a key among those that are grouped by. Positions and aliases stand for the expressions of the output; an input
    /// column wins over an alias.
    fn group_key(
        &mut self,
        key: &ast::Expr,
        outputs: &[Output],
        at: At<'_>,
        keys: &mut Vec<Expr>,
    ) -> Result<usize, SqlError> {
        let expr = match unparenthesised(key) {
            ast::Expr::Value(value) if matches!(value.value, ast::Value::Number(..)) => {
                let position = ordinal(&value.value, outputs.len(), "GROUP BY")?;
                outputs.get(position - 1).map(|o| o.expr.clone())
            }
            ast::Expr::Identifier(ident) => {
                let name = self.folded(ident);
                match at.names.local(self.dialect, &name)? {
                    Some(column) => Some(column),
                    None => self.one_output(&name, outputs)?.and_then(|at| outputs.get(at)).map(|o| o.expr.clone()),
                }
            }
            _ => None,
        };
        let expr = match expr {
            Some(expr) => {
                self.count_copy(&expr)?;
                expr
            }
            None => self.expr(key, at)?,
        };
        few_keys(keys.len(), "keys of one GROUP BY")?;
        refused::when(has_aggregate(self.dialect, &expr), "an aggregate in GROUP BY")?;
        refused::when(has_window(&expr), "a window function in GROUP BY")?;
        refused::when(is_constant(&expr), "a constant in GROUP BY")?;
        Ok(keys.iter().position(|known| *known == expr).unwrap_or_else(|| {
            keys.push(expr);
            keys.len() - 1
        }))
    }
}

/// Refuses a long list of keys: each is compared with all of them.
pub(super) fn few_keys(keys: usize, what: &'static str) -> Result<(), SqlError> {
    if keys > KEYS_MAX {
        return Err(SqlError::TooComplex { what, max: KEYS_MAX });
    }
    Ok(())
}

/// Every set of the one list joined with every set of the other.
fn product(left: &[Vec<usize>], right: &[Vec<usize>]) -> Result<Vec<Vec<usize>>, SqlError> {
    at_most(left.len().saturating_mul(right.len()))?;
    let joined = left.iter().flat_map(|l| {
        right.iter().map(move |r| {
            let mut set = Vec::with_capacity(l.len() + r.len());
            for place in l.iter().chain(r) {
                if !set.contains(place) {
                    set.push(*place);
                }
            }
            set
        })
    });
    Ok(joined.collect())
}

/// Every subset of CUBE's elements, the full one first.
fn subsets(elements: &[Vec<usize>]) -> Result<Vec<Vec<usize>>, SqlError> {
    let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
    for element in elements {
        at_most(sets.len() * 2)?;
        let with = sets.iter().map(|set| set.iter().chain(element).copied().collect());
        sets = with.chain(sets.iter().cloned()).collect();
    }
    Ok(sets)
}

fn at_most(sets: usize) -> Result<(), SqlError> {
    if sets > GROUPING_SETS_MAX {
        return Err(SqlError::TooComplex { what: "grouping sets", max: GROUPING_SETS_MAX });
    }
    Ok(())
}
