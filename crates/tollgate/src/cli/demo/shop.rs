//! Where the demo's shop is: a file of its own, or a database on a server that somebody names. Says what of the configuration follows
//! from it, and never shows a URL, which may hold a password.

use std::{fs, path::Path};

use tollgate_backends::sample;

use super::folder::{DemoError, at, write_new};

/// The file with the URL of a shop on a server; whoever likes no URL on a command line writes it beforehand.
const URL_FILE: &str = "shop.url";
/// The file of a shop on SQLite.
const SQLITE_FILE: &str = "shop.db";

/// Where the shop is.
#[derive(Debug)]
pub(super) enum Shop {
    /// In a file of SQLite in the demo's folder.
    File,
    /// In the database of a URL, which stands in a file of the folder, too.
    Server(String),
}

/// What the configuration says otherwise from engine to engine.
struct Wording {
    url: &'static str,
    contained: &'static str,
    month: &'static str,
    in_year: &'static str,
}

const SQLITE: Wording = Wording {
    url: "sqlite:shop.db",
    contained: "'%' || :text || '%'",
    month: "substr(created_at, 1, 7)",
    in_year: "substr(created_at, 1, 4) = CAST(:year AS TEXT)",
};
const POSTGRES: Wording = Wording {
    url: "${file:shop.url}",
    contained: "'%' || :text || '%'",
    month: "date_trunc('month', created_at)",
    in_year: "extract(year FROM created_at) = :year",
};
const MYSQL: Wording = Wording {
    url: "${file:shop.url}",
    contained: "concat('%', :text, '%')",
    month: "month(created_at)",
    in_year: "year(created_at) = :year",
};

impl Shop {
    /// The shop of a folder: the one that it was made for, or where it is new the one that is `wanted`.
    pub(super) fn of(dir: &Path, wanted: Option<String>) -> Result<Self, DemoError> {
        let (kept, is_used) =
            (dir.join(URL_FILE), dir.join("tollgate.yaml").exists() || dir.join(SQLITE_FILE).exists());
        if kept.exists() {
            let url = at(&kept, fs::read_to_string(&kept))?.trim_end_matches(['\r', '\n']).to_owned();
            return match wanted {
                Some(wanted) if wanted != url => Err(DemoError::OtherShop(dir.to_owned())),
                _ => Ok(Self::Server(url)),
            };
        }
        match wanted {
            Some(_) if is_used => Err(DemoError::OtherShop(dir.to_owned())),
            Some(url) => Ok(Self::Server(url)),
            None => Ok(Self::File),
        }
    }

    /// Makes the shop where it is not there yet.
    pub(super) async fn make(&self, dir: &Path, progress: &dyn Fn(&str)) -> Result<(), DemoError> {
        match self {
            Self::File => make_file(dir, progress),
            Self::Server(url) => {
                sample::load(url, progress).await?;
                let kept = dir.join(URL_FILE);
                if kept.exists() { Ok(()) } else { write_new(&kept, 0o600, &format!("{url}\n")) }
            }
        }
    }

    /// The configuration in this shop's words.
    pub(super) fn worded(&self, config: &str) -> String {
        let Wording { url, contained, month, in_year } = match self {
            Self::File => SQLITE,
            Self::Server(url) if url.starts_with("postgres") => POSTGRES,
            Self::Server(_) => MYSQL,
        };
        let words = [("@url@", url), ("@contained@", contained), ("@month@", month), ("@in_year@", in_year)];
        words.iter().fold(config.to_owned(), |text, (mark, word)| text.replace(mark, word))
    }

    /// The file of the folder that it is, or is named in.
    pub(super) fn file(&self) -> &'static str {
        match self {
            Self::File => SQLITE_FILE,
            Self::Server(_) => URL_FILE,
        }
    }
}

fn make_file(dir: &Path, progress: &dyn Fn(&str)) -> Result<(), DemoError> {
    let database = dir.join(SQLITE_FILE);
    if database.exists() {
        return Ok(());
    }
    progress(&format!("making {} with {} rows …", database.display(), sample::ROWS));
    let unfinished = dir.join(format!(".shop.db.{}", std::process::id()));
    let made = sample::create_sqlite(&unfinished);
    let placed = made.map_err(DemoError::from).and_then(|()| at(&database, fs::rename(&unfinished, &database)));
    if placed.is_err() {
        // What failed is told by the caller; a leftover of it helps nobody.
        drop(fs::remove_file(&unfinished));
    }
    placed
}
