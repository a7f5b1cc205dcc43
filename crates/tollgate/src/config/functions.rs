//! `functions:` of a database: what the operator adds to the reviewed list, looked up in the live catalog. Nothing is added that is
//! not there, and nothing that could write or read behind the policy's back without a reason.

use std::sync::Arc;

use tollgate_backends::FoundFunction;
use tollgate_core::{
    catalog::{AddedFunction, Catalog},
    names::{Code, Dialect},
    sql::functions::{left_out, lookup},
};

use super::{
    databases::{Opened, chain},
    diagnostics::{Diagnostic, Diagnostics},
    file::{Database, FunctionEntry},
    source::Path,
    yaml::Node,
};

/// The schema whose functions the reviewed list is made from.
const OWN: &str = "pg_catalog";
/// Functions of one database, at most.
const MAX: usize = 500;

/// The database with the functions that its configuration adds.
pub(super) async fn add(
    opened: Opened,
    written: &Database,
    database: &Path,
    tree: &Node,
    diagnostics: &mut Diagnostics,
) -> Opened {
    if written.functions.is_empty() {
        return opened;
    }
    let path = database.key("functions");
    let mut refuse = |at: &Path, message: String| {
        diagnostics.push(Diagnostic::error(Code::CONFIG_DATABASE, message).at(tree.place_of(at)));
    };
    if opened.catalog.dialect() != Dialect::Postgres {
        refuse(&path, format!("`{path}`: functions can be added on PostgreSQL only"));
        return opened;
    }
    if written.functions.len() > MAX {
        refuse(&path, format!("`{path}` has more than {MAX} functions"));
        return opened;
    }
    let names: Vec<(String, String)> = written.functions.iter().filter_map(|entry| parts(entry.name())).collect();
    let found = match opened.backend.functions(&names).await {
        Ok(found) => found,
        Err(error) => {
            refuse(&path, format!("`{path}` cannot be looked up: {}", chain(&error)));
            return opened;
        }
    };
    let mut added: Vec<AddedFunction> = Vec::new();
    for (index, entry) in written.functions.iter().enumerate() {
        let at = path.index(index);
        match judge(entry, &found) {
            Ok(function) if added.contains(&function) => refuse(&at, format!("`{at}`: `{function}` is there twice")),
            Ok(function) => added.push(function),
            Err(problem) => refuse(&at, format!("`{at}`: {problem}")),
        }
    }
    let catalog = Catalog::clone(&opened.catalog).with_functions(added);
    Opened { catalog: Arc::new(catalog), ..opened }
}

/// `schema.function`, as the catalog spells them.
fn parts(name: &str) -> Option<(String, String)> {
    let (schema, function) = name.split_once('.')?;
    let is_name = |part: &str| !part.is_empty() && part.len() <= 63 && !part.contains(['.', '"', '\0', '(']);
    (is_name(schema) && is_name(function)).then(|| (schema.to_owned(), function.to_owned()))
}

/// The function that an entry adds, or why it adds none.
fn judge(entry: &FunctionEntry, found: &[FoundFunction]) -> Result<AddedFunction, String> {
    let name = entry.name();
    let Some((schema, function)) = parts(name) else {
        return Err(format!("`{name}` is not `schema.function`, as the database spells them"));
    };
    let is_meant = |f: &&FoundFunction| f.function.schema == schema && f.function.name == function;
    let Some(found) = found.iter().find(is_meant) else {
        return Err(format!("the database has no function `{name}`"));
    };
    if schema == OWN && lookup(Dialect::Postgres, &function).is_some() {
        return Err(format!("`{name}` is in the reviewed list already"));
    }
    if !found.is_scalar {
        return Err(format!(
            "`{name}` does not make one value from those of one row; only such functions can be added"
        ));
    }
    match (concern(found), entry) {
        (Some(concern), FunctionEntry::Name(_)) => {
            Err(format!("`{name}` {concern}; where that does no harm, write `{{ name: {name}, unsafe_reason: … }}`"))
        }
        (None, FunctionEntry::Reasoned(_)) => Err(format!("`{name}` needs no `unsafe_reason`; write its name alone")),
        (Some(_), FunctionEntry::Reasoned(_)) | (None, FunctionEntry::Name(_)) => Ok(found.function.clone()),
    }
}

/// What may be harmful in a function.
fn concern(found: &FoundFunction) -> Option<&'static str> {
    let function = &found.function;
    let passes_rule = || left_out(Dialect::Postgres).any(|(name, _)| name == function.name);
    if found.is_volatile {
        Some("is volatile: it may change something, or answer otherwise for each row")
    } else if found.may_read_tables {
        Some("may read tables past the policy: it runs as its owner, or is not written in C")
    } else if function.schema == OWN && !passes_rule() {
        Some("takes or gives what tells of the server or its catalog")
    } else {
        None
    }
}
