//! Loads the sample shop into a server that somebody names, for `demo` alone. It never touches a table that it did not make itself.

use std::time::{Duration, Instant};

use super::{
    rows::ROWS,
    script::{self, TABLES},
};
use crate::{BackendError, mysql, postgres};

/// The comment of a table of the demo's, complete.
pub(crate) const MARK: &str = "tollgate demo";
/// The comment of one that is being filled, or never was to its end.
pub(crate) const UNFINISHED: &str = "tollgate demo, unfinished";
/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Why the shop is not in the database that was named. No variant holds a part of the URL.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The URL is no server's.
    #[error(
        "the shop can be loaded into `postgres://…`, `mysql://…` or `mariadb://…`; without a URL it is a file of SQLite"
    )]
    NoServer,
    /// The server cannot be asked.
    #[error("the database to load the shop into does not answer")]
    Unreachable(#[source] BackendError),
    /// A table of the shop's name is there, and nothing says that it is the demo's.
    #[error("the database has a table `{table}` that is not the demo's; name a database without {}", listed(&TABLES))]
    Foreign {
        /// Which.
        table: String,
    },
    /// An earlier load was broken off.
    #[error(
        "an earlier load of the shop was broken off, or another is running; when none is, drop what it left ({}) and start again",
        listed(.0)
    )]
    Unfinished(Vec<String>),
    /// It failed, and everything is as it was.
    #[error("the shop could not be loaded; nothing of it is left in the database")]
    Failed(#[source] BackendError),
    /// It failed, and what it had made could not be taken away.
    #[error(
        "the shop could not be loaded, and the database may have kept a part of it ({}): drop that yourself",
        listed(tables)
    )]
    Left {
        /// The tables that may still be there.
        tables: Vec<&'static str>,
        /// Why it failed.
        source: BackendError,
    },
}

fn listed<T: AsRef<str>>(tables: &[T]) -> String {
    tables.iter().map(|table| format!("`{}`", table.as_ref())).collect::<Vec<_>>().join(", ")
}

/// Loads the shop into the database of a URL, or finds it there from before. Tells `progress` what takes time.
pub async fn load(url: &str, progress: &dyn Fn(&str)) -> Result<(), LoadError> {
    match url.split_once(':') {
        Some(("postgres" | "postgresql", _)) => postgres::load::shop(url, progress).await,
        Some(("mysql" | "mariadb", _)) => mysql::load::shop(url, progress).await,
        _ => Err(LoadError::NoServer),
    }
}

/// A table of one of the shop's names that a database has.
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) comment: Option<String>,
}

/// Whether the shop is to be loaded: not where all of it is there from before.
pub(crate) fn is_to_be_loaded(found: Vec<Found>) -> Result<bool, LoadError> {
    let is_ours = |found: &Found| found.comment.as_deref().is_some_and(|comment| [MARK, UNFINISHED].contains(&comment));
    if let Some(foreign) = found.iter().find(|found| !is_ours(found)) {
        return Err(LoadError::Foreign { table: foreign.name.clone() });
    }
    let is_whole = TABLES
        .iter()
        .all(|table| found.iter().any(|found| found.name == *table && found.comment.as_deref() == Some(MARK)));
    if found.is_empty() || is_whole {
        return Ok(!is_whole);
    }
    Err(LoadError::Unfinished(found.into_iter().map(|found| found.name).collect()))
}

/// Tells how far a load is, where it takes long enough to wonder.
pub(crate) struct Progress<'a> {
    tell: &'a dyn Fn(&str),
    told: Instant,
    rows: u32,
}

impl<'a> Progress<'a> {
    /// At the beginning.
    pub(crate) fn new(tell: &'a dyn Fn(&str)) -> Self {
        tell(&format!("loading {} with {ROWS} rows …", listed(&TABLES)));
        Self { tell, told: Instant::now(), rows: 0 }
    }

    /// So many rows more.
    pub(crate) fn advance(&mut self, insertion: &script::Insertion) {
        self.rows += insertion.rows;
        if self.told.elapsed() >= TELL_EVERY {
            (self.tell)(&format!("… {} of {ROWS} rows", self.rows));
            self.told = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(found: &[(&str, Option<&str>)]) -> String {
        let found =
            found.iter().map(|(name, comment)| Found { name: (*name).to_owned(), comment: comment.map(str::to_owned) });
        is_to_be_loaded(found.collect()).map_or_else(|error| error.to_string(), |load| load.to_string())
    }

    #[test]
    fn a_table_that_is_not_the_demos_is_never_taken_for_one() {
        let ours = |name| (name, Some(MARK));
        assert_eq!(decided(&[]), "true");
        assert_eq!(decided(&[ours("users"), ours("orders"), ours("products")]), "false");
        for comment in [None, Some(""), Some("the tollgate demo"), Some("Tollgate demo")] {
            let said = decided(&[ours("orders"), ("users", comment), ours("products")]);
            assert!(said.contains("`users` that is not the demo's"), "{comment:?}: {said}");
        }
        for broken in [&[ours("users")][..], &[ours("users"), ours("products"), ("orders", Some(UNFINISHED))]] {
            assert!(decided(broken).contains("was broken off"), "{}", decided(broken));
        }
    }
}
