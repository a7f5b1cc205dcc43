//! Row filters: from the operator's text to predicates over a table's raw columns, in which every other table stands as this role
//! sees it. Refuses filters that read their own table or each other in a circle. Never sees a claim's value.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::error::{PathPart, PolicyError, Problem};
use super::role::{Granted, at, unknown_table};
use crate::catalog::{Catalog, Table, TableId, TableKind};
use crate::sql::tree::{BinaryOp, Expr};
use crate::sql::{
    ClaimUse, RestrictedColumn, Restriction, Restrictions, Scope, SqlError, is_condition, leak_of_predicate,
    names_masked_column_of, resolve_predicate, restrict_predicate, tables_of_predicate, tables_to_be_whole,
};

/// The role's tables with their filters in place.
pub(super) struct Filtered {
    pub(super) restrictions: Restrictions,
    pub(super) warnings: Vec<PolicyError>,
}

/// A filter that is resolved and not yet restricted.
struct Resolved {
    predicate: Expr,
    /// The tables that it reads as the role sees them.
    reads: BTreeSet<TableId>,
    /// Those that it reads whole.
    whole: Whole,
}

/// Tables as their owner sees them.
type Whole = BTreeMap<TableId, Restriction>;

/// Compiles every filter, each after those of the tables that it reads.
pub(super) fn compile(
    granted: &BTreeMap<TableId, Granted<'_>>,
    catalog: &Catalog,
) -> Result<Filtered, Vec<PolicyError>> {
    let visible = Restrictions {
        tables: granted.iter().map(|(id, table)| (id.clone(), table.restriction.clone())).collect(),
        mask_key: None,
    };
    let mut resolving = Resolving { catalog, granted, visible: &visible, errors: Vec::new(), warnings: Vec::new() };
    let mut filters: BTreeMap<&TableId, Resolved> = BTreeMap::new();
    for (id, table) in granted {
        if let Some(filter) = resolving.table(table) {
            filters.insert(id, filter);
        }
    }
    let Resolving { mut errors, warnings, .. } = resolving;
    let order = order(&filters, granted, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut restrictions = Restrictions::default();
    let unfiltered = granted.iter().filter(|(id, _)| !filters.contains_key(id));
    restrictions.tables.extend(unfiltered.map(|(id, table)| (id.clone(), table.restriction.clone())));
    for id in order {
        let (Some(table), Some(filter)) = (granted.get(id), filters.remove(id)) else { continue };
        let seen = with_whole(&restrictions, &filter.whole);
        match restrict_predicate(filter.predicate, &seen, catalog.dialect()) {
            Ok(predicate) => {
                let mut restriction = table.restriction.clone();
                restriction.filter = Some(predicate);
                restrictions.tables.insert(id.clone(), restriction);
            }
            Err(error) => errors.push(at(table.grant, &[], Problem::Filter(SqlError::from(error)))),
        }
    }
    if errors.is_empty() { Ok(Filtered { restrictions, warnings }) } else { Err(errors) }
}

struct Resolving<'a> {
    catalog: &'a Catalog,
    granted: &'a BTreeMap<TableId, Granted<'a>>,
    visible: &'a Restrictions,
    errors: Vec<PolicyError>,
    warnings: Vec<PolicyError>,
}

/// What a filter's subqueries see: what the role sees, but these tables whole.
fn with_whole<'a>(visible: &'a Restrictions, whole: &Whole) -> Cow<'a, Restrictions> {
    if whole.is_empty() {
        return Cow::Borrowed(visible);
    }
    let mut seen = visible.clone();
    seen.tables.extend(whole.clone());
    Cow::Owned(seen)
}

impl Resolving<'_> {
    /// The tables that a filter reads whole.
    fn whole(&mut self, granted: &Granted<'_>) -> Whole {
        let mut whole = Whole::new();
        for (index, name) in granted.owner_tables().iter().enumerate() {
            let (schema, bare) =
                name.split_once('.').map_or((None, name.as_str()), |(schema, bare)| (Some(schema), bare));
            if let Some(table) = self.catalog.table(schema, bare) {
                whole.insert(table.id.clone(), unrestricted(table));
                continue;
            }
            let below = [PathPart::Key("rows".to_owned()), PathPart::Key("owner".to_owned()), PathPart::Index(index)];
            self.errors.push(at(granted.grant, &below, unknown_table(name, self.catalog)));
        }
        whole
    }

    /// All conditions of one table as one; `None` where there is none, or where one is wrong.
    fn table(&mut self, granted: &Granted<'_>) -> Option<Resolved> {
        let params = BTreeMap::new();
        let owned = self.whole(granted);
        let visible = with_whole(self.visible, &owned);
        let scope = Scope { catalog: self.catalog, visible: &visible, params: &params, claims: ClaimUse::Allowed };
        let mut reads = BTreeSet::new();
        let mut whole: Option<Expr> = None;
        for (text, below) in granted.rows() {
            let predicate = match resolve_predicate(text, granted.table, &scope) {
                Ok(predicate) if is_condition(&predicate, self.catalog.dialect()) => predicate,
                Ok(_) => {
                    self.errors.push(at(granted.grant, &below, Problem::NotACondition));
                    continue;
                }
                Err(error) => {
                    let problem = match error {
                        SqlError::UnknownTable { .. } => Problem::FilterTable(error),
                        error => Problem::Filter(error),
                    };
                    self.errors.push(at(granted.grant, &below, problem));
                    continue;
                }
            };
            if let Some(leak) = leak_of_predicate(&predicate, &visible, self.catalog.dialect()) {
                self.warnings.push(at(granted.grant, &below, Problem::LeakyFilter(leak)));
            }
            let mut tables = tables_of_predicate(&predicate);
            for unused in owned.keys().filter(|id| !tables.contains(id)) {
                self.errors.push(at(granted.grant, &below, Problem::OwnerUnused(unused.to_string())));
            }
            // What stands whole needs no other filter, not even when it is the table itself.
            tables.retain(|id| !owned.contains_key(id));
            if tables.contains(&granted.table.id) {
                let name = granted.grant.key.clone();
                self.errors.push(at(granted.grant, &below, Problem::SelfReference(name)));
                continue;
            }
            let is_partial = |id: &&TableId| {
                (!owned.contains_key(*id) && self.granted.get(*id).is_some_and(|table| !table.rows().is_empty()))
                    || names_masked_column_of(&predicate, id)
            };
            if let Some(inner) = tables_to_be_whole(&predicate, self.catalog.dialect()).iter().find(is_partial) {
                self.errors.push(at(granted.grant, &below, Problem::FilterOpens(inner.to_string())));
                continue;
            }
            reads.extend(tables);
            whole = Some(match whole {
                None => predicate,
                Some(before) => Expr::Binary { op: BinaryOp::And, left: Box::new(before), right: Box::new(predicate) },
            });
        }
        whole.map(|predicate| Resolved { predicate, reads, whole: owned })
    }
}

/// A table as its owner sees it: every column, every row.
fn unrestricted(table: &Table) -> Restriction {
    let columns = table.columns.iter().map(|column| RestrictedColumn { name: column.name.clone(), mask: None });
    Restriction {
        columns: columns.collect(),
        filter: None,
        hides_rows: table.kind != TableKind::Table,
        min_group_size: None,
    }
}

/// The filtered tables, each after those that its filter reads. Those that can never come are a circle.
fn order<'a>(
    filters: &BTreeMap<&'a TableId, Resolved>,
    granted: &BTreeMap<TableId, Granted<'_>>,
    errors: &mut Vec<PolicyError>,
) -> Vec<&'a TableId> {
    let mut done: Vec<&TableId> = Vec::new();
    loop {
        let waits = |id: &TableId| filters.contains_key(id) && !done.contains(&id);
        let ready: Vec<&'a TableId> = filters
            .iter()
            .filter(|(id, filter)| waits(id) && !filter.reads.iter().any(waits))
            .map(|(id, _)| *id)
            .collect();
        if ready.is_empty() {
            break;
        }
        done.extend(ready);
    }
    for (id, table) in granted.iter().filter(|(id, _)| filters.contains_key(id)) {
        if let Some(circle) = circle(id, filters) {
            let names: Vec<String> = circle.iter().map(|id| format!("`{id}`")).collect();
            errors.push(at(table.grant, &[PathPart::Key("rows".to_owned())], Problem::Cycle(names.join(", "))));
        }
    }
    done
}

/// The tables that a table's filter reads, directly or not, if that table is among them.
fn circle<'a>(start: &'a TableId, filters: &'a BTreeMap<&TableId, Resolved>) -> Option<BTreeSet<&'a TableId>> {
    let mut reached = BTreeSet::new();
    let mut left = vec![start];
    while let Some(id) = left.pop() {
        for next in filters.get(id).into_iter().flat_map(|filter| &filter.reads) {
            if reached.insert(next) {
                left.push(next);
            }
        }
    }
    if !reached.contains(start) {
        return None;
    }
    // Of what is reached, only those lie on a circle that reach the start in turn.
    reached.retain(|id| *id == start || reaches(id, start, filters));
    Some(reached)
}

fn reaches(from: &TableId, to: &TableId, filters: &BTreeMap<&TableId, Resolved>) -> bool {
    let mut reached = BTreeSet::new();
    let mut left = vec![from];
    while let Some(id) = left.pop() {
        for next in filters.get(id).into_iter().flat_map(|filter| &filter.reads) {
            if next == to {
                return true;
            }
            if reached.insert(next) {
                left.push(next);
            }
        }
    }
    false
}
