//! Checked statements of callers, by what they wrote, so that a text that comes again is not checked again. It knows no policy: whoever
//! holds it keeps one for each catalog and restrictions that the statements are checked under. It keeps no refusal, and no row.

use std::{
    collections::HashMap,
    fmt,
    mem::size_of,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::limits::{KEPT_BYTES_MAX, KEPT_STATEMENTS_MAX};
use super::statement::{CheckedStatement, Footprint, OutputColumn, SlotUse};
use super::tree::Slot;
use crate::catalog::{ColumnId, SqlType, TableId, TypeKind};

/// What the allocator adds to a piece of memory, and the map to an entry, at most.
const OVERHEAD: usize = 64;

/// The statements that were asked for last, as many as the limits let it hold.
#[derive(Default)]
pub(crate) struct KeptStatements(Mutex<Recent>);

#[derive(Default)]
struct Recent {
    by_text: HashMap<Box<str>, Kept>,
    /// What all of them take.
    bytes: usize,
    /// How often one was asked for or kept.
    clock: u64,
}

struct Kept {
    statement: Arc<CheckedStatement>,
    bytes: usize,
    /// When it was asked for last.
    used: u64,
}

impl fmt::Debug for KeptStatements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recent = self.recent();
        f.debug_struct("KeptStatements")
            .field("statements", &recent.by_text.len())
            .field("bytes", &recent.bytes)
            .finish_non_exhaustive()
    }
}

impl KeptStatements {
    /// The statement of exactly that text.
    pub(crate) fn get(&self, text: &str) -> Option<Arc<CheckedStatement>> {
        self.recent().get(text)
    }

    /// Whether there is one, which does not count as asking for it.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.recent().by_text.contains_key(text)
    }

    /// Keeps one, and lets go of those that nobody asked for the longest. One that would take the place of most others is not kept.
    pub(crate) fn insert(&self, text: &str, statement: &Arc<CheckedStatement>) {
        let bytes = OVERHEAD + size_of::<Kept>() + size_of::<Box<str>>() + text.len() + bytes_of(statement);
        if bytes <= KEPT_BYTES_MAX / 4 {
            self.recent().insert(text.into(), Arc::clone(statement), bytes);
        }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    fn get(&mut self, text: &str) -> Option<Arc<CheckedStatement>> {
        self.clock += 1;
        let kept = self.by_text.get_mut(text)?;
        kept.used = self.clock;
        Some(Arc::clone(&kept.statement))
    }

    fn insert(&mut self, text: Box<str>, statement: Arc<CheckedStatement>, bytes: usize) {
        // Two callers may have had the same text checked at one time.
        self.remove(&text);
        while self.by_text.len() >= KEPT_STATEMENTS_MAX || self.bytes + bytes > KEPT_BYTES_MAX {
            let oldest = self.by_text.iter().min_by_key(|(_, kept)| kept.used).map(|(text, _)| text.clone());
            let Some(oldest) = oldest else { break };
            self.remove(&oldest);
        }
        self.clock += 1;
        self.bytes += bytes;
        self.by_text.insert(text, Kept { statement, bytes, used: self.clock });
    }

    fn remove(&mut self, text: &str) {
        if let Some(kept) = self.by_text.remove(text) {
            self.bytes -= kept.bytes;
        }
    }
}

/// The memory that a statement takes, or a little more.
fn bytes_of(statement: &CheckedStatement) -> usize {
    let CheckedStatement {
        dialect: _,
        author: _,
        text,
        slots,
        columns,
        footprint,
        page: _,
        fence,
        fingerprint: _,
        // Shared with the restrictions that it is of.
        mask_key: _,
        key,
        estimate,
    } = statement;
    let keys = key.as_ref().map_or(0, |key| key.places.capacity() * size_of::<usize>());
    let estimate = estimate.as_ref().map_or(0, |estimate| string(&estimate.text));
    let fence = fence.as_ref().map_or(0, |leak| OVERHEAD + leak.to_string().len());
    let slots = list(slots, |SlotUse { slot, compared, ty, mixed: _, masked: _, like_escape: _ }| {
        slot_name(slot) + list(compared, column_id) + ty.as_ref().map_or(0, sql_type)
    });
    let columns = list(columns, |OutputColumn { name, origin, ty, nullable: _, masked: _ }| {
        string(name) + origin.as_ref().map_or(0, column_id) + ty.as_ref().map_or(0, sql_type)
    });
    let Footprint { columns: read, tables, functions, ctes, table_functions, recursive: _ } = footprint;
    let names = [functions, ctes, table_functions].into_iter().map(|names| list(names, string)).sum::<usize>();
    let footprint = names + list(read, column_id) + list(tables, table_id);
    size_of::<CheckedStatement>() + string(text) + keys + estimate + fence + slots + columns + footprint
}

/// A list or an ordered set, whose nodes are at least half full.
fn list<'a, T: 'a>(items: impl IntoIterator<Item = &'a T>, bytes: impl Fn(&T) -> usize) -> usize {
    OVERHEAD + items.into_iter().map(|item| 2 * size_of::<T>() + bytes(item)).sum::<usize>()
}

fn string(text: &String) -> usize {
    OVERHEAD + text.capacity()
}

fn table_id(TableId { schema, name }: &TableId) -> usize {
    string(schema) + string(name)
}

fn column_id(ColumnId { table, column }: &ColumnId) -> usize {
    table_id(table) + string(column)
}

fn sql_type(SqlType { name, kind }: &SqlType) -> usize {
    let kind = match kind {
        TypeKind::Collated(collation) => string(collation),
        TypeKind::Enum(labels) => list(labels, string),
        TypeKind::Array(item) => OVERHEAD + size_of::<SqlType>() + sql_type(item),
        _ => 0,
    };
    string(name) + kind
}

fn slot_name(slot: &Slot) -> usize {
    let name = match slot {
        Slot::Param(name) | Slot::ParamList(name) => name.as_str(),
        Slot::Claim(name) | Slot::ClaimList(name) => name.as_str(),
        Slot::CallId | Slot::MaskKey(_) | Slot::Limit | Slot::Offset | Slot::After(_) => "",
    };
    OVERHEAD + name.len()
}

#[cfg(test)]
mod tests;
