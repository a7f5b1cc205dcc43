//! The manual and the code say the same: links resolve, and every key, field and metric has its place.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The documents of a folder of the tree.
fn documents(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|e| e == "md")).collect()
}

/// The text outside fenced blocks.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let lines = text.lines().filter(|line| {
        let mark = line.trim_start().starts_with("```");
        fenced ^= mark;
        !fenced && !mark
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What `[text](target)` points at.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("](").filter_map(|(at, _)| text[at + 2..].split_once(')').map(|(target, _)| target))
}

/// A heading's anchor, as GitHub makes it.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text);
    let heading = |line: &str| line.strip_prefix('#').map(|rest| rest.trim_start_matches('#').trim().to_lowercase());
    let anchor = |heading: String| {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.lines().filter_map(heading).map(anchor).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut wrong = Vec::new();
    for document in ["", "docs", "docs/rfd"].iter().flat_map(|folder| documents(folder)) {
        let text = fs::read_to_string(&document).unwrap();
        for target in targets(&prose(&text)).filter(|target| !target.contains("://")) {
            let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
            let file = if path.is_empty() { document.clone() } else { document.parent().unwrap().join(path) };
            let there = match anchor {
                None => file.exists(),
                Some(anchor) => fs::read_to_string(&file).is_ok_and(|text| anchors(&text).contains(anchor)),
            };
            if !there {
                wrong.push(format!("{}: {target}", document.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
}

/// Every name under `properties`, at any depth.
fn keys(schema: &Value, into: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                into.extend(properties.keys().cloned());
            }
            members.values().for_each(|member| keys(member, into));
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, into)),
        _ => {}
    }
}

/// The names that the manual never writes, alone or as a part of a path.
fn missing(manual: &str, names: impl IntoIterator<Item = String>) -> Vec<String> {
    let has = |name: &String| {
        [format!("`{name}`"), format!(".{name}`"), format!("`{name}.")].iter().any(|written| manual.contains(written))
    };
    names.into_iter().filter(|name| !has(name)).collect()
}

#[test]
fn every_key_of_the_configuration_is_in_the_manual() {
    let mut names = BTreeSet::new();
    keys(&serde_json::from_str(&read("schema/config.json")).unwrap(), &mut names);
    assert!(names.len() > 40, "only {} keys were found", names.len());
    assert_eq!(missing(&read("docs/configuration.md"), names), Vec::<String>::new());
}

#[test]
fn every_record_and_field_is_in_the_manual() {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(root().join("crates/tollgate-core/testdata/audit")).unwrap() {
        let path = entry.unwrap().path();
        let Some(Value::Object(record)) =
            fs::read_to_string(&path).ok().and_then(|text| serde_json::from_str(text.lines().next()?).ok())
        else {
            panic!("{} is not a record", path.display());
        };
        names.extend(record.get("type").and_then(Value::as_str).map(ToOwned::to_owned));
        names.extend(record.keys().cloned());
    }
    assert_eq!(missing(&read("docs/audit.md"), names), Vec::<String>::new());
}

#[test]
fn every_metric_is_in_the_manual() {
    let source = read("crates/tollgate/src/telemetry/metrics.rs");
    let manual = read("docs/operations.md");
    let registered: Vec<&str> =
        source.match_indices("registry.register").filter_map(|(at, _)| source[at..].split('"').nth(1)).collect();
    assert!(registered.len() > 8, "only {} metrics were found", registered.len());
    let missing: Vec<&&str> = registered.iter().filter(|name| !manual.contains(&format!("`tollgate_{name}"))).collect();
    assert!(missing.is_empty(), "docs/operations.md lacks {missing:?}");
}
