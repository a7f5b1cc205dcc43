//! Functions of the database beyond the reviewed list, which the operator allows by name.

use std::fmt;

/// A function by its real name, every overload of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddedFunction {
    /// Its schema, in the catalog's spelling.
    pub schema: String,
    /// Its name, in the catalog's spelling.
    pub name: String,
    /// Fewest and most arguments of its overloads.
    pub arity: (usize, usize),
}

impl fmt::Display for AddedFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}
