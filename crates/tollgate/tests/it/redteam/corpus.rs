//! The attacks as data: `crates/tollgate-core/testdata/redteam`, whose README says what the columns and letters mean.

use std::{collections::BTreeMap, fmt, fs, path::PathBuf};

/// A database engine that attacks are run against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Postgres,
    Sqlite,
    MariaDb,
}

/// What must come of an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Refused before the database sees anything.
    Denied,
    /// Answered at most with masked values.
    Masked,
    /// Refused, or stopped by a limit.
    Limited,
    /// Answered or refused: nothing is told by it.
    Inert,
}

/// Whom an attack needs to be on a plain connection to do its harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Whoever may read the tables.
    Reader,
    /// Who owns them.
    Owner,
    /// The superuser.
    Superuser,
}

/// One statement, or several that different callers send one after the other.
#[derive(Clone, Debug)]
pub struct Attack {
    pub id: String,
    pub needs: Needs,
    pub expect: Expect,
    /// Whether it may also be answered, with what the policy shows.
    pub may_be_shown: bool,
    pub steps: Vec<String>,
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Expect::Denied => "denied",
            Expect::Masked => "masked",
            Expect::Limited => "limited",
            Expect::Inert => "inert",
        })
    }
}

impl Expect {
    fn read(letter: &str) -> Self {
        match letter {
            "D" => Expect::Denied,
            "M" => Expect::Masked,
            "L" => Expect::Limited,
            "I" => Expect::Inert,
            other => panic!("`{other}` is no expectation"),
        }
    }
}

impl Needs {
    fn read(word: &str) -> Self {
        match word {
            "own" => Needs::Owner,
            "su" => Needs::Superuser,
            _ => Needs::Reader,
        }
    }
}

/// The folder of the data.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tollgate-core/testdata/redteam")
}

fn table(name: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(folder().join(name)).unwrap();
    text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn applies(engine: &str, to: Engine) -> bool {
    match engine {
        "both" => true,
        "mariadb" => to == Engine::MariaDb,
        "postgres" => to == Engine::Postgres,
        "sqlite" => to == Engine::Sqlite,
        "-" => false,
        other => panic!("`{other}` is no engine"),
    }
}

/// Whether an attack on another engine is sent to this one too, which may answer it as it likes if it tells nothing.
fn is_tried_anyway(engine: &str, on: Engine) -> bool {
    on == Engine::MariaDb && engine != "-"
}

/// What must come of such a one.
fn elsewhere(expect: &str) -> &str {
    if expect == "L" { "L" } else { "I" }
}

/// The engine of an attack that no line of `statements.tsv` puts into a statement; `None` where it is no SQL.
fn own_engine(id: &str) -> Option<&'static str> {
    match id.split('-').next()? {
        "PG" => Some("postgres"),
        "SL" => Some("sqlite"),
        "MY" | "SP" | "OT" => Some("both"),
        _ => None,
    }
}

/// Every attack on an engine, several where the list gives alternatives. `only` are the ids asked for, all when empty.
pub fn attacks(on: Engine, only: &[String]) -> Vec<Attack> {
    let mut written: BTreeMap<String, Vec<[String; 3]>> = BTreeMap::new();
    for row in table("statements.tsv") {
        let [id, engine, also, statement] = row.try_into().unwrap_or_else(|row| panic!("not four columns: {row:?}"));
        written.entry(id).or_default().push([engine, also, statement]);
    }
    let mut attacks = Vec::new();
    let mut add = |id: &str, needs: &str, expect: &str, also: &str, statement: &str| {
        let steps = statement.split(" ;; ").map(expanded).collect();
        let (needs, expect) = (Needs::read(needs), Expect::read(expect));
        attacks.push(Attack { id: id.to_owned(), needs, expect, may_be_shown: also == "shown", steps });
    };
    for row in table("attacks.tsv") {
        let [_section, id, _, needs, _, expect, attack, ..] = row.as_slice() else {
            panic!("too few columns: {row:?}")
        };
        let Some(engine) = own_engine(id) else { continue };
        match written.remove(id) {
            Some(lines) => {
                for [engine, also, statement] in &lines {
                    if applies(engine, on) {
                        add(id, needs, expect, also, statement);
                    } else if is_tried_anyway(engine, on) {
                        add(id, needs, elsewhere(expect), "shown", statement);
                    }
                }
            }
            None if applies(engine, on) => add(id, needs, expect, "-", attack),
            None if is_tried_anyway(engine, on) => add(id, needs, elsewhere(expect), "shown", attack),
            None => {}
        }
    }
    assert!(written.is_empty(), "statements of attacks that are not listed: {:?}", written.keys());
    for row in table("more.tsv") {
        let [id, engine, expect, also, statement, ..] = row.as_slice() else { panic!("too few columns: {row:?}") };
        if applies(engine, on) {
            add(id, "low", expect, also, statement);
        } else if is_tried_anyway(engine, on) {
            add(id, "low", elsewhere(expect), "shown", statement);
        }
    }
    attacks.retain(|attack| only.is_empty() || only.contains(&attack.id));
    attacks
}

/// A text with its marks replaced that stand for what a line of a table cannot hold: `{u+0}`, `{repeat:400:(}`.
fn expanded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let mark = after.split_once('}').and_then(|(mark, after)| Some((meaning(mark)?, after)));
        if let Some((meant, after)) = mark {
            out.push_str(&meant);
            rest = after;
        } else {
            out.push('{');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

fn meaning(mark: &str) -> Option<String> {
    if let Some(number) = mark.strip_prefix("u+") {
        return char::from_u32(u32::from_str_radix(number, 16).ok()?).map(String::from);
    }
    let (count, text) = mark.strip_prefix("repeat:")?.split_once(':')?;
    Some(text.repeat(count.parse().ok()?))
}
