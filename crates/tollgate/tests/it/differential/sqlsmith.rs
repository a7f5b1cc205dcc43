//! Debian's `sqlsmith`, where it is installed: it makes queries from the catalog of a database that holds only what the role sees, and
//! each is put to both sides, with an order to its pages and without its samples.

use std::process::{Command, Stdio};

use super::{campaign, postgres::Postgres};

/// What yields a value that depends on the order in which rows are read.
const UNSTABLE: [&str; 6] = ["_agg(", "_agg (", " over (", "first_value", "lag(", "lead("];

/// So many queries from a database; `None` where sqlsmith is not there.
fn queries(url: &str, seed: u64, many: u64) -> Option<Vec<String>> {
    let output = Command::new("sqlsmith")
        .arg(format!("--target={url}"))
        .args(["--dry-run", "--exclude-catalog", &format!("--seed={seed}"), &format!("--max-queries={many}")])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let queries = text.split(";\n").map(|query| settled(query.trim()));
    let stable = |query: &String| {
        let lower = query.to_lowercase();
        lower.starts_with("select") && !UNSTABLE.iter().any(|word| lower.contains(word))
    };
    Some(queries.filter(stable).collect())
}

/// sqlsmith samples tables, pages without an order, and quotes the names of types.
fn settled(query: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut words = query.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let number = words.peek().map(|next| next.trim_end_matches(')').parse::<u32>());
        match (word, number) {
            ("limit" | "offset", Some(Ok(_))) => {
                let number = words.next().unwrap_or_default();
                if word == "offset" {
                    out.push("order by 1 limit 1 offset".to_owned());
                    out.push(number.to_owned());
                } else {
                    // The parentheses that close behind the number stay.
                    out.push(number.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned());
                }
            }
            ("tablesample", _) => {
                // Its method and its share.
                let share = words.nth(1).unwrap_or_default();
                out.push(share.split_once(')').map_or_else(String::new, |(_, closing)| closing.to_owned()));
            }
            (word, _) => out.push(word.replace('"', "")),
        }
    }
    out.join(" ")
}

#[test]
fn sqlsmiths_queries_show_what_a_filtered_copy_would() {
    let Some(mut engine) = Postgres::start() else { return };
    let url = engine.seen_url();
    campaign::run_with(&mut engine, 400, |seed, many| queries(&url, seed, many));
}
