//! Opens every database of a configuration and asks each for its schema. One that is down does not stop the others.

use std::{
    collections::BTreeMap, error::Error, ops::RangeInclusive, path::Path as FilePath, sync::Arc, time::Duration,
};

use futures_util::future::join_all;
use tollgate_backends::{Backend, BackendError, Finding, PoolLimits, SessionLimits, Severity};
use tollgate_core::{
    catalog::Catalog,
    names::{Code, DatabaseName},
    sql::Reach,
};

use super::{
    Loaded,
    diagnostics::{Diagnostic, Diagnostics},
    file, functions,
    source::Path,
    yaml::Node,
};
use crate::{admission::Gatehouse, gateway::Database};

/// How databases are opened: by name and URL, relative to a folder, within limits. Connects to nothing yet.
pub type Open<'a> =
    &'a (dyn Fn(&DatabaseName, &str, &FilePath, PoolLimits) -> Result<Arc<dyn Backend>, BackendError> + Sync);

/// All that the policy reads of a database.
pub(super) type ReachOf<'a> = &'a (dyn Fn(&DatabaseName) -> Reach + Sync);

/// The longest that a statement may be allowed to run: no call waits longer for its answer.
const STATEMENT_TIMEOUT_MAX: Duration = Duration::from_secs(30);
const IDLE_TIMEOUT_MAX: Duration = Duration::from_secs(3_600);

/// The databases of a configuration.
#[derive(Default)]
pub(super) struct Databases {
    /// Those that answered.
    pub(super) ready: BTreeMap<DatabaseName, Opened>,
    /// Those that did not and may be missing, and why.
    pub(super) unavailable: BTreeMap<DatabaseName, String>,
}

/// A database that answered.
pub(super) struct Opened {
    pub(super) name: DatabaseName,
    pub(super) backend: Arc<dyn Backend>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) user: Option<String>,
    pub(super) limits: PoolLimits,
}

impl Opened {
    pub(super) fn into_database(self) -> Arc<Database> {
        Arc::new(Database {
            name: self.name,
            backend: self.backend,
            catalog: self.catalog,
            user: self.user,
            gatehouse: Gatehouse::new(self.limits.max, self.limits.acquire_timeout),
        })
    }
}

/// Why a database is not there.
enum Failure {
    /// What the configuration says of it cannot be used; no wait mends that.
    Configured(String),
    /// It did not answer.
    Silent(String),
}

/// Opens every database at once.
pub(super) async fn open(loaded: &Loaded, open: Open<'_>, diagnostics: &mut Diagnostics) -> Databases {
    let required_by_default = loaded.file.databases.len() == 1;
    // A URL whose secret could not be read was reported where it is read; one that was read and is empty, here.
    if !diagnostics.has_errors() {
        for (name, _) in loaded.file.databases.iter().filter(|(_, written)| written.url.is_empty()) {
            let message = format!("database `{name}` has an empty `url`; is the variable or file that it names empty?");
            let place = loaded.tree.place_of(&path(name).key("url"));
            diagnostics.push(Diagnostic::error(Code::CONFIG_DATABASE, message).at(place));
        }
    }
    let written = loaded.file.databases.iter().filter(|(_, written)| !written.url.is_empty());
    let limited: Vec<_> =
        written.map(|(name, written)| (name, written, limits(name, written, &loaded.tree, diagnostics))).collect();
    let attempts = limited.into_iter().map(|(name, written, limits)| async move {
        (name, written, open_one(loaded, name, written, limits, open).await)
    });
    let mut databases = Databases::default();
    for (name, written, opened) in join_all(attempts).await {
        let place = loaded.tree.place_of(&path(name).key("url"));
        let failure = match opened {
            Ok(opened) => {
                let opened = functions::add(opened, written, &path(name), &loaded.tree, diagnostics).await;
                databases.ready.insert(name.clone(), opened);
                continue;
            }
            Err(failure) => failure,
        };
        let error = |reason: &str| {
            Diagnostic::error(Code::CONFIG_DATABASE, format!("database `{name}` cannot be used: {reason}")).at(place)
        };
        diagnostics.push(match failure {
            Failure::Configured(reason) => error(&reason),
            Failure::Silent(reason) if written.required.unwrap_or(required_by_default) => error(&reason),
            Failure::Silent(reason) => {
                let message = format!("database `{name}` does not answer: {reason}");
                databases.unavailable.insert(name.clone(), reason);
                let diagnostic = Diagnostic::warning(Code::CONFIG_DATABASE, message).at(place);
                diagnostic.help("its tools are not served until it does; `required: true` makes this an error")
            }
        });
    }
    databases
}

/// Examines the login of every database against all that the policy reads there; `None` where the policy has mistakes.
pub(super) async fn examine(
    loaded: &Loaded,
    ready: &BTreeMap<DatabaseName, Opened>,
    reach_of: Option<ReachOf<'_>>,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<DatabaseName, Vec<Finding>> {
    let mut examined = BTreeMap::new();
    for (name, opened) in ready {
        let Some(written) = loaded.file.databases.get(name) else { continue };
        let place = loaded.tree.place_of(&path(name).key("url"));
        let reach = reach_of.map(|reach_of| reach_of(name));
        match opened.backend.examine(reach.as_ref()).await {
            Ok(findings) => {
                let reported = findings.iter().filter_map(|finding| report(name, written, finding));
                reported.for_each(|diagnostic| diagnostics.push(diagnostic.at(place)));
                examined.insert(name.clone(), findings);
            }
            Err(error) => {
                let message = format!("database `{name}`: its login cannot be examined: {}", chain(&error));
                let diagnostic = if written.require_least_privilege { Diagnostic::error } else { Diagnostic::warning };
                diagnostics.push(diagnostic(Code::CONFIG_LOGIN, message).at(place));
            }
        }
    }
    examined
}

/// A finding as a mistake, where least privilege is required, or as a warning, where it is grave.
fn report(name: &DatabaseName, written: &file::Database, finding: &Finding) -> Option<Diagnostic> {
    let message = format!("database `{name}`: {}", finding.sentence);
    let severity = finding.kind.severity();
    if written.require_least_privilege && severity >= Severity::Excess {
        let help =
            "`tollgate harden` prints a login as narrow as a role; `require_least_privilege: true` refuses a wider one";
        return Some(Diagnostic::error(Code::CONFIG_LOGIN, message).help(help));
    }
    (severity == Severity::Danger).then(|| Diagnostic::warning(Code::CONFIG_LOGIN, message))
}

async fn open_one(
    loaded: &Loaded,
    name: &DatabaseName,
    written: &file::Database,
    limits: PoolLimits,
    open: Open<'_>,
) -> Result<Opened, Failure> {
    let backend =
        open(name, &written.url, &loaded.folder, limits).map_err(|error| Failure::Configured(reason(&error)))?;
    let introspected = async {
        backend.probe().await?;
        backend.introspect().await
    };
    match introspected.await {
        Ok(catalog) => {
            Ok(Opened { name: name.clone(), backend, catalog: Arc::new(catalog), user: login(&written.url), limits })
        }
        // A backend that was made here goes with its last reference.
        Err(error) => Err(Failure::Silent(chain(&error))),
    }
}

fn path(name: &DatabaseName) -> Path {
    Path::root().key("databases").key(name)
}

/// An error with everything behind it. For the operator; no error of a backend repeats a URL or a password.
pub(super) fn chain(error: &BackendError) -> String {
    error.story().map_or_else(|| error.to_string(), |story| format!("{error}: {story}"))
}

/// What stands behind an error alone, where something does.
fn reason(error: &BackendError) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// The user of a URL, `postgres://user:password@host/name`, as written.
fn login(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let (user_part, _) = rest.split(['/', '?']).next()?.rsplit_once('@')?;
    let user = user_part.split(':').next().filter(|user| !user.is_empty())?;
    Some(user.to_owned())
}

/// A pool's limits. One outside its range is reported and replaced by the default, so that it causes no second mistake.
fn limits(name: &DatabaseName, written: &file::Database, tree: &Node, diagnostics: &mut Diagnostics) -> PoolLimits {
    let path = path(name);
    let pool = path.key("pool");
    let default = PoolLimits::default();
    let mut within = |duration: Duration, path: Path, most: Duration, default: Duration| {
        if !duration.is_zero() && duration <= most {
            return duration;
        }
        let message = format!("`{path}` must be more than 0 and at most {}s", most.as_secs());
        diagnostics.push(Diagnostic::error(Code::CONFIG_LIMIT, message).at(tree.place_of(&path)));
        default
    };
    let (idle, acquire) = (written.pool.idle_timeout.0, written.pool.acquire_timeout.0);
    let statement = written.statement_timeout.0;
    PoolLimits {
        // Its range is the schema's.
        max: written.pool.max.max(1),
        idle_timeout: within(idle, pool.key("idle_timeout"), IDLE_TIMEOUT_MAX, default.idle_timeout),
        acquire_timeout: within(acquire, pool.key("acquire_timeout"), STATEMENT_TIMEOUT_MAX, default.acquire_timeout),
        statement_timeout: within(
            statement,
            path.key("statement_timeout"),
            STATEMENT_TIMEOUT_MAX,
            default.statement_timeout,
        ),
        session: session(name, written, tree, diagnostics),
    }
}

/// What a session may use, in the range of PostgreSQL's settings.
fn session(name: &DatabaseName, written: &file::Database, tree: &Node, diagnostics: &mut Diagnostics) -> SessionLimits {
    const WORK_MEM: RangeInclusive<u64> = 64 << 10..=4 << 30;
    const TEMP_FILES: RangeInclusive<u64> = 64 << 10..=1 << 40;
    let default = SessionLimits::default();
    let Some(session) = written.session else { return default };
    let path = path(name).key("session");
    let mut report = |path: &Path, message: String| {
        diagnostics.push(Diagnostic::error(Code::CONFIG_LIMIT, message).at(tree.place_of(path)));
    };
    if !written.url.starts_with("postgres") {
        report(
            &path,
            format!("`{path}` is for PostgreSQL: other databases have bounds of their own, which no key widens"),
        );
    }
    let mut kib = |size: u64, key: &str, range: RangeInclusive<u64>, bounds: &str, default: u32| {
        if range.contains(&size) {
            return u32::try_from(size >> 10).unwrap_or(default);
        }
        let path = path.key(key);
        report(&path, format!("`{path}` must be from {bounds}"));
        default
    };
    SessionLimits {
        work_mem_kib: kib(session.work_mem.0, "work_mem", WORK_MEM, "64KiB to 4GiB", default.work_mem_kib),
        // Its range is the schema's.
        parallel_workers: session.parallel_workers,
        temp_files_kib: kib(session.temp_files.0, "temp_files", TEMP_FILES, "64KiB to 1TiB", default.temp_files_kib),
    }
}
