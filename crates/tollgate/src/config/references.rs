//! Names that point at other names: agents at roles, roles at tools and databases, tools at databases. Asks no database.

use std::collections::BTreeMap;

use tollgate_core::{
    names::{AgentName, Code, DatabaseName, RoleName, ToolName},
    tools::{DESCRIBE_TABLE, LIST_TABLES, QUERY},
};

use super::{
    Loaded,
    diagnostics::{Diagnostic, Diagnostics},
    file,
    source::Path,
};
use crate::identity::KeyHash;

/// The tools that a role with `query` has beside the declared ones.
const OWN_TOOLS: [&str; 3] = [QUERY, LIST_TABLES, DESCRIBE_TABLE];

/// Checks every reference of a configuration.
pub(super) fn check(loaded: &Loaded, diagnostics: &mut Diagnostics) {
    let mut references = References { loaded, file: &loaded.file, diagnostics };
    if loaded.file.databases.is_empty() {
        let diagnostic = Diagnostic::error(Code::CONFIG_UNKNOWN_REFERENCE, "no database is declared");
        references.diagnostics.push(diagnostic.at(loaded.tree.place_of(&Path::root().key("databases"))));
    }
    references.roles();
    references.tools();
    references.agents();
    references.tests();
}

/// The database of a tool: the one it names, or the only one there is.
pub(super) fn database_of<'f>(file: &'f file::File, tool: &'f file::Tool) -> Option<&'f DatabaseName> {
    match (&tool.database, file.databases.len()) {
        (Some(name), _) => file.databases.get_key_value(name).map(|(name, _)| name),
        (None, 1) => file.databases.keys().next(),
        (None, _) => None,
    }
}

struct References<'a> {
    loaded: &'a Loaded,
    file: &'a file::File,
    diagnostics: &'a mut Diagnostics,
}

impl References<'_> {
    fn report(&mut self, diagnostic: Diagnostic, path: &Path) {
        let place = self.loaded.tree.place_of(path);
        self.diagnostics.push(diagnostic.at(place));
    }

    /// A name that nothing carries.
    fn unknown<'n>(&mut self, message: String, path: &Path, wrong: &str, names: impl Iterator<Item = &'n str>) {
        let diagnostic = Diagnostic::error(Code::CONFIG_UNKNOWN_REFERENCE, message).did_you_mean(wrong, names);
        self.report(diagnostic, path);
    }

    fn roles(&mut self) {
        let file = self.file;
        for (role, written) in &file.roles {
            let path = Path::root().key("roles").key(role);
            for key in written.tables.keys().filter(|key| !file.databases.contains_key(&key.database)) {
                let message = format!("role `{role}` names unknown database `{}`", key.database);
                let names = file.databases.keys().map(DatabaseName::as_str);
                self.unknown(message, &path.key("tables").key(key), key.database.as_str(), names);
            }
            for (i, tool) in written.tools.iter().enumerate() {
                let place = path.key("tools").index(i);
                if !file.tools.contains_key(tool) {
                    let message = format!("role `{role}` names unknown tool `{tool}`");
                    self.unknown(message, &place, tool.as_str(), file.tools.keys().map(ToolName::as_str));
                } else if written.tools.iter().take(i).any(|earlier| earlier == tool) {
                    let message = format!("role `{role}` names tool `{tool}` twice");
                    self.report(Diagnostic::error(Code::CONFIG_DUPLICATE, message), &place);
                }
            }
            self.queries(role, written, &path);
            if !file.agents.values().any(|agent| agent.role == *role) {
                let message = format!("no agent has the role `{role}`");
                self.report(Diagnostic::warning(Code::CONFIG_UNKNOWN_REFERENCE, message), &path);
            }
        }
    }

    /// The databases that a role may send its own statements to.
    fn queries(&mut self, role: &RoleName, written: &file::Role, path: &Path) {
        let file = self.file;
        for (i, database) in written.query.iter().enumerate() {
            let place = path.key("query").index(i);
            if !file.databases.contains_key(database) {
                let message = format!("role `{role}` may query unknown database `{database}`");
                self.unknown(message, &place, database.as_str(), file.databases.keys().map(DatabaseName::as_str));
            } else if written.query.iter().take(i).any(|earlier| earlier == database) {
                let message = format!("role `{role}` names database `{database}` twice");
                self.report(Diagnostic::error(Code::CONFIG_DUPLICATE, message), &place);
            } else if !written.tables.keys().any(|key| key.database == *database) {
                let message = format!("role `{role}` may query `{database}` and sees no table of it");
                self.report(Diagnostic::warning(Code::CONFIG_TOOL_UNUSABLE, message), &place);
            }
        }
    }

    fn tools(&mut self) {
        let file = self.file;
        if file.roles.values().any(|role| !role.query.is_empty()) {
            for name in file.tools.keys().filter(|name| OWN_TOOLS.contains(&name.as_str())) {
                let message =
                    format!("the tool `{name}` is Tollgate's own where a role has `query`; give this one another name");
                self.report(Diagnostic::error(Code::CONFIG_DUPLICATE, message), &Path::root().key("tools").key(name));
            }
        }
        for (tool, written) in &file.tools {
            let path = Path::root().key("tools").key(tool);
            if database_of(file, written).is_none() && !file.databases.is_empty() {
                let names = file.databases.keys().map(DatabaseName::as_str);
                if let Some(wrong) = &written.database {
                    let message = format!("tool `{tool}` names unknown database `{wrong}`");
                    self.unknown(message, &path.key("database"), wrong.as_str(), names);
                } else {
                    let message = format!("tool `{tool}` does not say which `database` it asks");
                    self.report(Diagnostic::error(Code::CONFIG_UNKNOWN_REFERENCE, message), &path);
                }
            }
            if let Some(instead) = written.deprecated.as_ref().map(|deprecated| &deprecated.instead)
                && !file.tools.contains_key(instead)
            {
                let message = format!("tool `{tool}` is to be replaced by unknown tool `{instead}`");
                let diagnostic = Diagnostic::error(Code::CONFIG_TOOL_VERSION, message);
                let names = file.tools.keys().map(ToolName::as_str);
                let diagnostic = diagnostic.did_you_mean(instead.as_str(), names);
                self.report(diagnostic, &path.key("deprecated").key("use"));
            }
            if !file.roles.values().any(|role| role.tools.contains(tool)) {
                let message = format!("no role has the tool `{tool}`; nobody can call it");
                self.report(Diagnostic::warning(Code::CONFIG_UNKNOWN_REFERENCE, message), &path);
            }
        }
    }

    fn tests(&mut self) {
        let file = self.file;
        for (name, test) in &file.tests.0 {
            let path = Path::root().key("tests").key(name);
            let mut wrong = |message: String, at: &Path| {
                self.report(Diagnostic::error(Code::CONFIG_TYPE, format!("test `{name}` {message}")), at);
            };
            match (&test.agent, &test.role) {
                (Some(_), Some(_)) | (None, None) => {
                    wrong("must name either an agent (`as`) or a `role`".into(), &path);
                }
                (Some(_), None) if !test.claims.is_empty() => {
                    wrong("gives claims to an agent, which has its own".into(), &path.key("claims"));
                }
                _ => {}
            }
            match (&test.tool, &test.sql) {
                (Some(_), Some(_)) | (None, None) => wrong("must call either a `tool` or send `sql`".into(), &path),
                (None, Some(_)) if test.with.is_some() => wrong("has arguments and no tool".into(), &path.key("with")),
                (Some(_), None) if test.database.is_some() => {
                    wrong("names a database; a tool has its own".into(), &path.key("database"));
                }
                _ => {}
            }
            let expect = &test.expect;
            let rows = expect.rows.is_some() || expect.row_count.is_some();
            let wants_answer = rows || !expect.no_columns.is_empty() || !expect.no_values.is_empty();
            if wants_answer == expect.refused.is_some() {
                let message = "must expect either something of the answer or a refusal (`refused`)";
                wrong(message.into(), &path.key("expect"));
            }
            self.test_names(name, test, &path);
        }
    }

    fn test_names(&mut self, name: &str, test: &file::PolicyTest, path: &Path) {
        let file = self.file;
        if let Some(agent) = test.agent.as_ref().filter(|agent| !file.agents.contains_key(*agent)) {
            let message = format!("test `{name}` names unknown agent `{agent}`");
            self.unknown(message, &path.key("as"), agent.as_str(), file.agents.keys().map(AgentName::as_str));
        }
        if let Some(role) = test.role.as_ref().filter(|role| !file.roles.contains_key(*role)) {
            let message = format!("test `{name}` names unknown role `{role}`");
            self.unknown(message, &path.key("role"), role.as_str(), file.roles.keys().map(RoleName::as_str));
        }
        // That a tool is refused as one that was never there can be tested too.
        let own = [QUERY, LIST_TABLES, DESCRIBE_TABLE];
        let is_known =
            |tool: &String| own.contains(&tool.as_str()) || file.tools.keys().any(|known| known.as_str() == tool);
        if let Some(tool) = test.tool.as_ref().filter(|tool| !is_known(tool) && test.expect.refused.is_none()) {
            let message = format!("test `{name}` calls unknown tool `{tool}`");
            self.unknown(message, &path.key("tool"), tool, file.tools.keys().map(ToolName::as_str));
        }
    }

    fn agents(&mut self) {
        let file = self.file;
        let mut holders: BTreeMap<KeyHash, Path> = BTreeMap::new();
        for (agent, written) in &file.agents {
            let path = Path::root().key("agents").key(agent);
            if !file.roles.contains_key(&written.role) {
                let message = format!("agent `{agent}` has unknown role `{}`", written.role);
                let names = file.roles.keys().map(RoleName::as_str);
                self.unknown(message, &path.key("role"), written.role.as_str(), names);
            }
            if written.keys.is_empty() && !written.local {
                let message = format!("agent `{agent}` has neither a key nor `local: true`; nobody can be it");
                let help = format!("`tollgate key new {agent}` makes a key");
                self.report(Diagnostic::warning(Code::CONFIG_KEY, message).help(help), &path);
            }
            for (i, key) in written.keys.iter().enumerate() {
                let here = path.key("keys").index(i);
                match holders.get(key).map(|first| self.loaded.tree.place_of(first)) {
                    Some(first) => {
                        let message = "one key is used twice; a key tells agents apart";
                        let diagnostic = Diagnostic::error(Code::CONFIG_KEY, message).related("first here", first);
                        self.report(diagnostic, &here);
                    }
                    None => {
                        holders.insert(*key, here);
                    }
                }
            }
        }
    }
}
