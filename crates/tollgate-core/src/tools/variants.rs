//! Which optional clauses a call keeps. A clause drops when any of its parameters is not given; each set of kept clauses
//! that can occur is a statement of its own. Sets are bits, the first clause the lowest.

use std::collections::BTreeSet;

use super::{
    error::Problem,
    param::{Param, Presence},
};
use crate::names::ParamName;

/// Variants of one tool at most.
pub(super) const VARIANTS_MAX: usize = 256;
/// Clauses whose subsets stay below that.
const CLAUSES_MAX: usize = 8;

/// The optional parameters of each clause: those whose absence drops it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clauses(Vec<BTreeSet<ParamName>>);

impl Clauses {
    /// From each clause's parameters. One that is required or has a default is never absent and drops nothing.
    pub(super) fn new<'c>(
        clauses: impl Iterator<Item = &'c BTreeSet<ParamName>>,
        params: &[Param],
    ) -> Result<Clauses, Problem> {
        let optional = |name: &&ParamName| {
            params.iter().any(|param| param.name() == *name && matches!(param.presence(), Presence::Optional))
        };
        let clauses: Vec<BTreeSet<ParamName>> =
            clauses.map(|clause| clause.iter().filter(optional).cloned().collect()).collect();
        if clauses.len() > CLAUSES_MAX {
            return Err(Problem::Variants { max: VARIANTS_MAX });
        }
        Ok(Clauses(clauses))
    }

    /// None at all.
    pub(super) fn none() -> Clauses {
        Clauses(Vec::new())
    }

    /// The clauses kept when these parameters are given.
    pub(super) fn kept(&self, is_given: impl Fn(&ParamName) -> bool) -> u32 {
        let mut kept = 0;
        for (position, clause) in self.0.iter().enumerate() {
            if clause.iter().all(&is_given) {
                kept |= 1 << position;
            }
        }
        kept
    }

    /// Every set that some call keeps, in ascending order.
    pub(super) fn possible(&self) -> Vec<u32> {
        (0..1_u32 << self.0.len())
            .filter(|set| {
                // The least that must be given to keep these clauses may keep others with them.
                let given: BTreeSet<&ParamName> = self
                    .0
                    .iter()
                    .enumerate()
                    .filter(|(position, _)| set >> position & 1 == 1)
                    .flat_map(|(_, c)| c)
                    .collect();
                self.kept(|name| given.contains(name)) == *set
            })
            .collect()
    }

    /// What else must be given for this optional parameter to have an effect: `None` when nothing must.
    /// Where several clauses hold it, any clause that holds it alone suffices.
    pub(super) fn companions(&self, name: &ParamName) -> Option<Vec<&ParamName>> {
        let mut holding = self.0.iter().filter(|clause| clause.contains(name)).peekable();
        holding.peek()?;
        let smallest = holding.min_by_key(|clause| clause.len())?;
        let others: Vec<&ParamName> = smallest.iter().filter(|other| *other != name).collect();
        (!others.is_empty()).then_some(others)
    }
}
