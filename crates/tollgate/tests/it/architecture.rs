//! The layout holds itself: imports go one way, files stay short, folders say what they are.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A module and those of its crate that it may import.
struct Room {
    folder: &'static str,
    may_import: &'static [&'static str],
}

const fn room(folder: &'static str, may_import: &'static [&'static str]) -> Room {
    Room { folder, may_import }
}

/// The core, in order: each imports only those before it; `audit` imports `names`.
const CORE: &[Room] = &[
    room("names", &[]),
    room("catalog", &["names"]),
    room("sql", &["names", "catalog"]),
    room("policy", &["names", "catalog", "sql"]),
    room("tools", &["names", "catalog", "sql", "policy"]),
    room("audit", &["names"]),
];

/// The binary's library: siblings that ignore one another, then those that use them.
const SHELL: &[Room] = &[
    room("identity", &[]),
    room("admission", &[]),
    room("telemetry", &[]),
    room("ledger", &["clock"]),
    room("config", &["identity", "protocol", "gateway"]),
    room("gateway", &["identity", "admission", "telemetry", "ledger", "protocol", "clock", "seal"]),
    room("protocol", &[]),
    room("admin", &["gateway", "telemetry"]),
];

/// Lines of a file that import from `crate::…` outside its tests, with the first segment.
fn crate_imports(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|l| !l.trim_start().starts_with("//")).flat_map(|line| {
        line.match_indices("crate::").map(move |(at, found)| {
            let rest = &line[at + found.len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            &rest[..end]
        })
    })
}

fn is_test(path: &Path) -> bool {
    let text = path.to_string_lossy();
    path.file_name().is_some_and(|n| n == "tests.rs" || n == "cases.rs")
        || text.contains("/tests/")
        || text.contains("/conformance/")
}

fn upward_edges(crate_folder: &str, rooms: &[Room]) -> Vec<String> {
    let mut wrong = Vec::new();
    for room in rooms {
        let base = root().join(crate_folder).join("src");
        let (folder, file) = (base.join(room.folder), base.join(format!("{}.rs", room.folder)));
        let files = if folder.is_dir() { sources(&folder) } else { Vec::new() };
        for path in files.into_iter().chain(file.is_file().then_some(file)).filter(|p| !is_test(p)) {
            let text = fs::read_to_string(&path).unwrap();
            for segment in crate_imports(&text) {
                let is_room = rooms.iter().any(|r| r.folder == segment) || ["app", "cli"].contains(&segment);
                if is_room && segment != room.folder && !room.may_import.contains(&segment) {
                    wrong.push(format!("{} imports `{segment}`", path.display()));
                }
            }
        }
    }
    wrong
}

#[test]
fn imports_go_one_way() {
    let mut wrong = upward_edges("crates/tollgate-core", CORE);
    wrong.extend(upward_edges("crates/tollgate", SHELL));
    assert!(wrong.is_empty(), "edges that go up:\n{}", wrong.join("\n"));
}

#[test]
fn foreign_crates_stay_in_their_rooms() {
    let rules: &[(&str, &[&str])] = &[
        ("rmcp", &["tollgate/src/protocol/"]),
        ("axum", &["tollgate/src/protocol/", "tollgate/src/admin/"]),
        ("rusqlite", &["tollgate-backends/src/sqlite/", "tollgate-backends/src/sample/"]),
        ("mysql_async", &["tollgate-backends/src/mysql/"]),
        ("mysql_common", &["tollgate-backends/src/mysql/"]),
        ("tokio_postgres", &["tollgate-backends/src/postgres/", "tollgate-backends/src/testing/"]),
        ("sqlparser", &["tollgate-core/src/sql/", "tollgate-backends/src/sqlite/", "tollgate-backends/src/postgres/"]),
        ("tollgate_core::policy", &["tollgate/src/", "tollgate-core/src/policy/", "tollgate-core/src/tools/"]),
        ("tollgate_core::tools", &["tollgate/src/"]),
        ("Principal::new", &["tollgate/src/identity/"]),
        ("std::env::var", &["tollgate/src/config/"]),
        ("SystemTime::now", &["tollgate/src/clock.rs"]),
    ];
    let mut wrong = Vec::new();
    for path in sources(&root().join("crates")).into_iter().filter(|p| p.to_string_lossy().contains("/src/")) {
        if is_test(&path) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for (word, homes) in rules {
            let at_home = homes.iter().any(|home| path.to_string_lossy().contains(&format!("crates/{home}")));
            let uses = text.lines().filter(|l| !l.trim_start().starts_with("//")).any(|l| {
                l.contains(&format!("{word}::"))
                    || l.contains(&format!("use {word}"))
                    || l.contains(&format!("{word}("))
            });
            if uses && !at_home {
                wrong.push(format!("{} uses `{word}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "out of their rooms:\n{}", wrong.join("\n"));
}

#[test]
fn the_core_is_pure() {
    let manifest = fs::read_to_string(root().join("crates/tollgate-core/Cargo.toml")).unwrap();
    for crate_name in ["tokio", "rusqlite", "tokio-postgres", "hyper", "axum", "ring", "tracing"] {
        assert!(!manifest.contains(&format!("\n{crate_name}.")), "the core depends on `{crate_name}`");
    }
    for path in sources(&root().join("crates/tollgate-core/src")).into_iter().filter(|p| !is_test(p)) {
        let text = fs::read_to_string(&path).unwrap();
        for word in ["std::fs", "std::net", "std::env", "std::time::Instant", "SystemTime", "std::process"] {
            assert!(!text.contains(word), "{} uses `{word}`", path.display());
        }
    }
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut wrong = Vec::new();
    for path in sources(&root().join("crates")).into_iter().filter(|p| p.to_string_lossy().contains("/src/")) {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        if lines > 600 {
            wrong.push(format!("{} has {lines} lines, 600 at most", path.display()));
        }
        if !is_test(&path) && !text.starts_with("//!") {
            wrong.push(format!("{} does not begin with `//!`", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_repository_speaks_of_tollgate_alone() {
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "deny.toml"] {
        assert!(root().join(document).is_file(), "{document} is missing");
    }
}
