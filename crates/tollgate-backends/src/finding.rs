//! What an operator should know of the login that statements run under: each thing that it can do beyond what the policy reads.
//! For operators alone: sentences name hidden tables freely. It judges and never refuses.

/// One thing that a login can do beyond reading what the policy names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The same for people: one sentence, lower case, without a full stop.
    pub sentence: String,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing is refused because of it.
    Note,
    /// More than the policy needs, and often how databases are: refused only where least privilege is required.
    Excess,
    /// More than any reader should have: always warned of, and refused where least privilege is required.
    Danger,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal, $severity:ident;)*) => {
        /// What was found.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingKind {
            $($(#[doc = $doc])+ $kind,)*
        }

        impl FindingKind {
            /// Every kind, for the manual.
            pub const ALL: &'static [FindingKind] = &[$(FindingKind::$kind),*];

            /// Its stable name.
            pub fn name(self) -> &'static str {
                match self { $(FindingKind::$kind => $name,)* }
            }

            /// How much it matters.
            pub fn severity(self) -> Severity {
                match self { $(FindingKind::$kind => Severity::$severity,)* }
            }
        }
    };
}

kinds! {
    /// No privilege check of the database binds it.
    Superuser = "superuser", Danger;
    /// The database's own row security does not bind it.
    BypassRowSecurity = "bypass_row_security", Danger;
    /// It can make roles.
    CreateRole = "create_role", Danger;
    /// It can make databases.
    CreateDatabase = "create_database", Danger;
    /// It can read the whole server.
    Replication = "replication", Danger;
    /// It is a member of a predefined role that reaches past any table's grants.
    PredefinedRoles = "predefined_roles", Danger;
    /// It owns tables.
    Owner = "owner", Danger;
    /// It can write to tables.
    WriteGrants = "write_grants", Danger;
    /// It can make objects in a schema.
    CreateInSchema = "create_in_schema", Danger;
    /// It can make schemas in the database.
    CreateInDatabase = "create_in_database", Danger;
    /// It can read tables or columns that no role of the policy names.
    ReadsBeyondPolicy = "reads_beyond_policy", Danger;
    /// It can run functions that the server keeps from ordinary roles: files and programs of the server among them.
    ServerFunctions = "server_functions", Danger;
    /// It can become another role.
    OtherRoles = "other_roles", Excess;
    /// It can run functions with their owners' privileges.
    DefinerFunctions = "definer_functions", Excess;
    /// It can run functions in languages that reach past the database.
    UntrustedFunctions = "untrusted_functions", Excess;
    /// It can use foreign servers.
    ForeignServers = "foreign_servers", Excess;
    /// It can make large objects, on old servers in a read-only transaction too.
    LargeObjects = "large_objects", Excess;
    /// It can run functions of the database's users that may have effects.
    VolatileFunctions = "volatile_functions", Note;
    /// Temporary files of one statement are not bounded.
    UnboundedTemporaryFiles = "unbounded_temporary_files", Note;
    /// Every user of the machine can write the database's file.
    FileWritableByOthers = "file_writable_by_others", Danger;
    /// Every user of the machine can put another file in its place.
    FolderWritableByOthers = "folder_writable_by_others", Danger;
    /// The user that Tollgate runs as can write the database's file.
    FileWritable = "file_writable", Excess;
}

impl Finding {
    pub(crate) fn new(kind: FindingKind, sentence: impl Into<String>) -> Self {
        Self { kind, sentence: sentence.into() }
    }
}

/// What is found of one login of a server.
pub(crate) struct LoginFindings {
    /// What the sentences call it: what a login is to this server, and its name.
    login: String,
    found: Vec<Finding>,
}

/// Tables and columns that a login reaches and the policy does not.
#[derive(Debug, Default)]
pub(crate) struct Beyond {
    pub(crate) written: Vec<String>,
    pub(crate) tables: Vec<String>,
    pub(crate) columns: Vec<String>,
}

impl LoginFindings {
    /// Of that kind of login, which has that name.
    pub(crate) fn new(kind: &str, name: &str) -> Self {
        Self { login: format!("the {kind} `{name}`"), found: Vec::new() }
    }

    /// One more, its sentence without the login.
    pub(crate) fn add(&mut self, kind: FindingKind, what: &str) {
        self.found.push(Finding::new(kind, format!("{} {what}", self.login)));
    }

    /// One more, of all that has those names, if there is any.
    pub(crate) fn add_named(&mut self, kind: FindingKind, what: &str, names: &[String], so: &str) {
        if !names.is_empty() {
            self.add(kind, &format!("{what} {}{so}", listed(names)));
        }
    }

    /// Those of tables and columns.
    pub(crate) fn add_beyond(&mut self, beyond: &Beyond) {
        let Beyond { written, tables, columns } = beyond;
        let so = ": SELECT on what the policy names is all it needs";
        self.add_named(FindingKind::WriteGrants, "can write to", written, so);
        let so = ", which no role of the policy names";
        self.add_named(FindingKind::ReadsBeyondPolicy, "can read", tables, so);
        self.add_named(FindingKind::ReadsBeyondPolicy, "can read the columns", columns, so);
    }

    /// Whether there is one of that kind.
    pub(crate) fn has(&self, kind: FindingKind) -> bool {
        self.found.iter().any(|finding| finding.kind == kind)
    }

    /// Without those of that kind, which follow from another.
    pub(crate) fn forget(&mut self, kind: FindingKind) {
        self.found.retain(|finding| finding.kind != kind);
    }

    /// All of them.
    pub(crate) fn into_all(self) -> Vec<Finding> {
        self.found
    }
}

/// How many names a sentence holds.
const NAMES_MAX: usize = 5;

/// Names for a sentence: the first few in backticks, and how many more there are.
fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(NAMES_MAX).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_a_few() {
        let names: Vec<String> = (1..=7).map(|n| format!("t{n}")).collect();
        assert_eq!(listed(&names[..2]), "`t1`, `t2`");
        assert_eq!(listed(&names), "`t1`, `t2`, `t3`, `t4`, `t5` and 2 more");
    }

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        let mut names: Vec<_> = FindingKind::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FindingKind::ALL.len());
    }
}
