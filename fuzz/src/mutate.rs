//! Changes to a text that keep its words whole: what most changes of bytes would only break.

use std::{collections::BTreeSet, fs, path::Path};

/// Words that belong somewhere.
const WORDS: [&str; 96] = [
    "SELECT",
    "FROM",
    "WHERE",
    "(",
    ")",
    ",",
    "*",
    "u.*",
    "users",
    "orders",
    "items",
    "secrets",
    "ssn",
    "users.ssn",
    "email",
    "AS",
    "x",
    "JOIN",
    "LEFT",
    "NATURAL",
    "USING (id)",
    "ON true",
    "UNION",
    "INTERSECT ALL",
    "EXCEPT",
    "WITH q AS (SELECT 1 AS x)",
    "q",
    "1",
    "'x'",
    "NULL",
    ":region",
    "IN (:ids)",
    "NOT",
    "AND",
    "OR",
    "=",
    "<>",
    "||",
    "->",
    "->>",
    "#>",
    "@>",
    "::text",
    "::int[]",
    "count(*)",
    "lower(ssn)",
    "GROUP BY 1",
    "ORDER BY 1",
    "HAVING",
    "LIMIT 1",
    "OFFSET 2",
    "CASE WHEN",
    "THEN",
    "END",
    "EXISTS (SELECT 1)",
    ";",
    "--",
    "/*",
    "*/",
    "'",
    "\"",
    "`",
    "$1",
    "?",
    "DISTINCT",
    "DISTINCT ON (id)",
    "OVER ()",
    "OVER w",
    "WINDOW w AS ()",
    "FILTER (WHERE true)",
    "WITHIN GROUP (ORDER BY id)",
    "CAST(ssn AS text)",
    "public.users",
    "main.users",
    "LATERAL",
    "VALUES (1)",
    "TABLE users",
    "ROLLUP (id)",
    "GROUPING SETS ((id), ())",
    "RECURSIVE",
    "MATERIALIZED",
    "tg_raw",
    "\"tg_raw\".ssn",
    "ARRAY[1]",
    "ANY (tags)",
    "[1]",
    "unnest(tags)",
    "generate_series(1, 3)",
    "json_each(profile)",
    "E'\\''",
    "U&'x'",
    "$$x$$",
    "X'00'",
    "COLLATE \"C\"",
    "IS DISTINCT FROM",
    "BETWEEN",
];

/// A small generator of random numbers.
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below a bound that is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
}

/// The texts of all cases of statements, filters and templates.
pub fn seeds() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/tollgate-core/testdata");
    let mut seeds = BTreeSet::new();
    for folder in ["refuse", "resolve", "rewrite", "template", "leak"] {
        for entry in fs::read_dir(root.join(folder)).into_iter().flatten().flatten() {
            let Ok(written) = fs::read_to_string(entry.path()) else { continue };
            if entry.path().extension().is_none_or(|extension| extension != "case") {
                continue;
            }
            let texts = written.split("\n\n").skip(1).map(|case| case.split("\n=> ").next().unwrap_or_default().trim());
            seeds.extend(texts.filter(|text| !text.is_empty() && text.len() < 4_000).map(str::to_owned));
        }
    }
    seeds.into_iter().collect()
}

/// One to four changes; `others` lend their words.
pub fn mutate(text: &str, others: &[String], random: &mut Random) -> String {
    let mut words: Vec<String> = words(text);
    for _ in 0..=random.below(4) {
        if words.is_empty() {
            words.push("SELECT ".to_owned());
        }
        let at = random.below(words.len());
        let end = (at + 1 + random.below(6)).min(words.len());
        match random.below(7) {
            0 => drop(words.drain(at..end)),
            1 => {
                let copy: Vec<String> = words[at..end].to_vec();
                let to = random.below(words.len() + 1);
                words.splice(to..to, copy);
            }
            2 => {
                let other = random.below(words.len());
                words.swap(at, other);
            }
            3 => words[at] = format!("{} ", WORDS[random.below(WORDS.len())]),
            4 => words.insert(at, format!(" {} ", WORDS[random.below(WORDS.len())])),
            5 if !others.is_empty() => {
                let lent = self::words(&others[random.below(others.len())]);
                let from = random.below(lent.len().max(1)).min(lent.len());
                let to = (from + 1 + random.below(8)).min(lent.len());
                words.splice(at..end, lent[from..to].iter().cloned());
            }
            _ => {
                words.insert(at, "(".to_owned());
                let close = (end + 1).min(words.len());
                words.insert(close, ")".to_owned());
            }
        }
    }
    words.concat()
}

/// Words, strings, numbers and signs, each with the white space behind it.
fn words(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let goes_on = match word.chars().last() {
            None => true,
            Some(last) => {
                (is_part(last) && is_part(c))
                    || c.is_whitespace()
                    || ("<>=|-@#!:".contains(last) && "<>=|-@#!:".contains(c))
            }
        };
        if !goes_on {
            all.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    all.push(word);
    all
}
