//! The decision for one call: a tool is granted, or it was never there.
//!
//! Invariant **permission is a value**: `Grants` alone makes an `Authorized`, and whatever runs or describes a tool asks for one.

use std::collections::BTreeMap;

use crate::names::ToolName;

/// What one role may call.
#[derive(Clone, Debug)]
pub struct Grants<T> {
    tools: BTreeMap<ToolName, T>,
}

/// The proof that a role may call a tool. It cannot be made outside this file.
#[derive(Debug)]
pub struct Authorized<'a, T> {
    name: &'a ToolName,
    tool: &'a T,
}

impl<T> Grants<T> {
    /// The tools that a role was given, ready to be called.
    pub fn new(tools: impl IntoIterator<Item = (ToolName, T)>) -> Self {
        Self { tools: tools.into_iter().collect() }
    }

    /// The permission to call the tool of that name; `None` for one that is not granted and for one that was never there.
    pub fn authorize(&self, tool: &str) -> Option<Authorized<'_, T>> {
        self.tools.get_key_value(tool).map(|(name, tool)| Authorized { name, tool })
    }

    /// Everything that is granted, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = Authorized<'_, T>> {
        self.tools.iter().map(|(name, tool)| Authorized { name, tool })
    }
}

impl<'a, T> Authorized<'a, T> {
    /// The tool's name.
    pub fn name(&self) -> &'a ToolName {
        self.name
    }

    /// The tool.
    pub fn tool(&self) -> &'a T {
        self.tool
    }
}

impl<T> Clone for Authorized<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Authorized<'_, T> {}

impl<T> std::ops::Deref for Authorized<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.tool
    }
}
