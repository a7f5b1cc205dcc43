//! Every attack of the list that concerns SQL, four ways, on each engine: through `query`, as a string parameter, on the engine's own
//! layer without the rewriting, and on a connection that another caller just used. `scripts/redteam` prints the table.

mod control;
mod corpus;
mod discovery;
mod engine;
mod gate;
mod lab;
mod report;

use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use tollgate_backends::testing::{
    mariadb::MariaDbServer,
    postgres::{Encryption, PostgresServer},
};

use self::{
    corpus::{Attack, Expect},
    engine::{Sessions, Used},
    gate::{Gate, Seen, told},
    lab::{Lab, World, difference},
    report::{Line, Report, Way, Wrong},
};
use crate::harness::{Agent, Called};

/// Names that are hidden in the lab, and others that nothing has: as long, and as near to what is visible.
pub const TWINS: [(&str, &str); 10] = [
    ("secrets", "zqwvkts"),
    ("ssn", "zqv"),
    ("salary", "zqwvky"),
    ("token", "zqwvk"),
    ("mv_orders", "mq_orders"),
    ("definer_view", "zqwvkfghjklm"),
    ("v_t0", "zqwv"),
    ("f_sd", "zqwk"),
    ("events_t1", "events_q1"),
    ("assets_old", "assets_qld"),
];

/// The ids that were asked for; none means all.
fn asked_for() -> Vec<String> {
    let asked = std::env::var("TOLLGATE_REDTEAM").unwrap_or_default();
    asked.split_whitespace().map(str::to_owned).collect()
}

/// A server whose state is changed by nobody but attacks.
async fn quiet_server() -> Option<std::sync::Arc<PostgresServer>> {
    let server = std::sync::Arc::new(PostgresServer::start(Encryption::Off)?);
    let database = server.database("SELECT 1").await;
    for setting in ["autovacuum = off", "max_logical_replication_workers = 0", "max_connections = 80"] {
        database.run(&format!("ALTER SYSTEM SET {setting}")).await;
    }
    drop(database);
    server.crash();
    server.restart();
    let database = server.database("SELECT pg_create_physical_replication_slot('s')").await;
    database.run("CREATE ROLE owner_r NOLOGIN").await;
    Some(server)
}

#[tokio::test(flavor = "multi_thread")]
async fn redteam_postgres() {
    let Some(server) = quiet_server().await else { return };
    let labs = [Lab::postgres(&server, World::First).await, Lab::postgres(&server, World::Second).await];
    gate::configure(&labs[0]);
    let sessions = engine::narrow_login(&labs[0]).await;
    assail(labs, &sessions, "postgres").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redteam_sqlite() {
    let labs = [Lab::sqlite(World::First), Lab::sqlite(World::Second)];
    assail(labs, &Sessions::Sqlite, "sqlite").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redteam_mariadb() {
    let Some(server) = MariaDbServer::start().map(std::sync::Arc::new) else { return };
    let labs = [Lab::mariadb(&server, World::First), Lab::mariadb(&server, World::Second)];
    gate::configure(&labs[0]);
    let sessions = engine::narrow_login_on_mariadb(&labs[0]);
    assail(labs, &sessions, "mariadb").await;
}

/// How many attacks are sent before the next caller and the database's state are looked at. When something is found, they are sent
/// again one by one.
const GROUP: usize = 25;

/// How many of a group are under way at once. The gate has one connection for all of them.
const IN_FLIGHT: usize = 4;

/// Sends every attack every way, and fails with the totals if any did what it must not.
async fn assail(labs: [Lab; 2], sessions: &Sessions, name: &str) {
    let attacks = corpus::attacks(labs[0].engine, &asked_for());
    let gates = [Gate::before(&labs[0]), Gate::before(&labs[1])];
    claims_never_widen(&gates[0]).await;
    discovery::names_tell_nothing(&labs, &gates).await;
    discovery::cursors_are_their_callers_own(&gates).await;
    let mut range = Range { aftermath: gates[0].aftermath().await, state: labs[0].state().await, labs, gates };
    let mut report = Report::default();
    for way in [Way::Query, Way::Parameter, Way::Engine] {
        for group in attacks.chunks(GROUP) {
            let mut lines = range.send(way, sessions, group).await;
            if lines.iter().any(|line| line.wrong.iter().any(|(wrong, _)| *wrong == Wrong::Write)) {
                lines.clear();
                for attack in group {
                    lines.extend(range.send(way, sessions, std::slice::from_ref(attack)).await);
                }
            }
            for line in lines {
                report.add(line);
            }
        }
    }
    if std::env::var_os("TOLLGATE_REDTEAM").is_some() {
        println!("{}", report.table());
    }
    let (totals, wrong) = (report.totals(name), report.wrong());
    println!("{totals}");
    assert!(wrong.is_empty(), "{totals}\n{wrong}");
}

/// Claims that would match everything if they were text, and none at all.
async fn claims_never_widen(gate: &Gate) {
    for (tool, arguments) in [("mine", json!({})), ("query", json!({"sql": "SELECT id FROM notes"}))] {
        for agent in ["percent", "quote"] {
            assert!(gate.agent(agent).call(tool, arguments.clone()).await.rows().is_empty(), "{agent} by {tool}");
        }
        let without_claim = gate.agent("nobody").call(tool, arguments).await;
        assert_eq!(without_claim.code(), "TG302", "{without_claim:?}");
    }
}

/// The labs, their gates, and how both were left.
struct Range {
    labs: [Lab; 2],
    gates: [Gate; 2],
    aftermath: String,
    state: String,
}

impl Range {
    /// Sends some attacks one way, and looks at what they left behind.
    async fn send(&mut self, way: Way, sessions: &Sessions, attacks: &[Attack]) -> Vec<Line> {
        let (labs, gates, mut open) = (&self.labs, &self.gates, Vec::new());
        let mut lines: Vec<Line> = match way {
            Way::Query | Way::Next => {
                let sent = attacks.iter().map(|attack| by_query(labs, gates, attack));
                stream::iter(sent).buffered(IN_FLIGHT).collect().await
            }
            Way::Parameter => {
                let sent = attacks.iter().map(|attack| by_parameter(labs, gates, attack));
                stream::iter(sent).buffered(IN_FLIGHT).collect().await
            }
            Way::Engine => {
                let mut lines = Vec::new();
                for attack in attacks {
                    lines.push(by_engine(&labs[0], sessions, attack, &mut open).await);
                }
                lines
            }
        };
        let state = self.labs[0].state().await;
        drop(open);
        if state != self.state {
            let written = (Wrong::Write, difference(&self.state, &state));
            let known = way == Way::Engine && attacks.len() == 1 && engine::is_let_through(&written.1);
            if known {
                for line in &mut lines {
                    (line.expected, line.seen) = ("passes".to_owned(), "passed".to_owned());
                }
            } else {
                for line in &mut lines {
                    line.wrong.push(written.clone());
                }
            }
            self.labs[0].alone().await;
            self.state = self.labs[0].state().await;
        }
        if way == Way::Query {
            let next = self.next_caller(attacks).await;
            lines.extend(next);
        }
        lines
    }

    /// What another caller finds on the one connection there is.
    async fn next_caller(&mut self, attacks: &[Attack]) -> Vec<Line> {
        let after = self.gates[0].aftermath().await;
        let left = (after != self.aftermath).then(|| (Wrong::Write, difference(&self.aftermath, &after)));
        let seen = if left.is_some() { "something" } else { "nothing" };
        self.aftermath = after;
        let of = |attack| Line {
            wrong: left.iter().cloned().collect(),
            ..line(attack, Way::Next, "nothing", seen.to_owned())
        };
        attacks.iter().map(of).collect()
    }
}

fn line(attack: &Attack, way: Way, expected: &str, seen: String) -> Line {
    Line {
        id: attack.id.clone(),
        way,
        expected: expected.to_owned(),
        seen,
        wrong: Vec::new(),
        attack: attack.steps.join(" ;; "),
    }
}

/// A statement as one of `query`, and `CALL tool {…}` as that.
async fn sent(agent: &Agent, text: &str) -> Called {
    let called = text.strip_prefix("CALL ").and_then(|call| call.split_once(' '));
    let with = called.and_then(|(tool, arguments)| Some((tool, serde_json::from_str::<Value>(arguments).ok()?)));
    match with {
        Some((tool, arguments)) if arguments.is_object() => agent.call(tool, arguments).await,
        _ => agent.call("query", json!({"sql": text})).await,
    }
}

/// Through `query`, in both worlds: the answers hold nothing hidden and are the same.
async fn by_query(labs: &[Lab; 2], gates: &[Gate; 2], attack: &Attack) -> Line {
    let mut wrong = Vec::new();
    let mut seen = None;
    let mut agents = ["t0", "t1"].into_iter().cycle();
    for step in &attack.steps {
        let agent = agents.next().unwrap();
        let worlds = [0, 1].map(|world| {
            let agent = gates[world].agent(agent);
            let text = labs[world].aimed(step);
            async move { sent(&agent, &text).await }
        });
        let [first, second] = worlds;
        let (first, second) = tokio::join!(first, second);
        let mut answers = Vec::new();
        for (lab, called) in labs.iter().zip([first, second]) {
            if let Some(stolen) = lab.stolen(&format!("{} {}", called.headers, called.text())) {
                wrong.push((Wrong::Leak, format!("`{stolen}` in {}", called.text())));
            }
            let this = Seen::of(&called);
            answers.push((lab.anonymous(&told(&called)), this.clone()));
            if !this.fits(attack.expect, attack.may_be_shown) {
                wrong.push((Wrong::Unexpected, format!("{this:?}: {}", called.text())));
            }
            seen.get_or_insert(this);
        }
        // The caller of t1 sees rows that differ from world to world. How far a statement comes within its time depends on the moment.
        let is_comparable = agent == "t0" && !answers.iter().any(|(_, seen)| *seen == Seen::Limited);
        if is_comparable && answers[0].0 != answers[1].0 {
            wrong.push((Wrong::Leak, format!("hidden rows tell: {} and {}", answers[0].0, answers[1].0)));
        }
        if let Some(told) = names_tell(&labs[0], &gates[0].agent(agent), step).await {
            wrong.push((Wrong::Leak, told));
        }
    }
    let seen = seen.map_or_else(String::new, |seen| seen.word());
    Line { wrong, ..line(attack, Way::Query, &attack.expect.to_string(), seen) }
}

/// Whether a hidden name gets another answer than one that nothing has.
async fn names_tell(lab: &Lab, agent: &Agent, step: &str) -> Option<String> {
    let hidden: Vec<_> = TWINS.iter().filter(|(hidden, _)| step.contains(hidden)).collect();
    if hidden.is_empty() {
        return None;
    }
    let twin = hidden.iter().fold(step.to_owned(), |text, (hidden, twin)| text.replace(hidden, twin));
    let sent = async |text: &str| told(&agent.call("query", json!({"sql": lab.aimed(text)})).await);
    let (of_hidden, of_twin) = (sent(step).await, sent(&twin).await);
    let of_twin = hidden.iter().fold(of_twin, |text, (hidden, twin)| text.replace(twin, hidden));
    (of_hidden != of_twin)
        .then(|| format!("a hidden name is not like one that is not there: {of_hidden} and {of_twin}"))
}

/// Calls once more where a busy machine was too slow: these tools read a handful of rows, and time tells nothing of them.
async fn patiently(agent: &Agent, tool: &str, arguments: Value) -> Called {
    let mut called = agent.call(tool, arguments.clone()).await;
    for _ in 0..5 {
        if !["TG502", "TG701"].contains(&called.body["result"]["_meta"]["code"].as_str().unwrap_or_default()) {
            break;
        }
        called = agent.call(tool, arguments.clone()).await;
    }
    called
}

/// As a string parameter: no row has it, and it comes back as it went in. In other places of a statement it finds what it finds of the
/// caller's own rows, and the same in both worlds.
async fn by_parameter(labs: &[Lab; 2], gates: &[Gate; 2], attack: &Attack) -> Line {
    let agents = [gates[0].agent("t0"), gates[1].agent("t0")];
    let mut wrong = Vec::new();
    let mut seen = "inert".to_owned();
    for step in &attack.steps {
        let text = labs[0].aimed(step);
        let called = patiently(&agents[0], "echo", json!({"q": text})).await;
        let stolen = |told: &str| labs[0].stolen(told).filter(|stolen| !text.contains(stolen.as_str()));
        if let Some(stolen) = stolen(&called.text()) {
            wrong.push((Wrong::Leak, format!("`{stolen}` in {}", called.text())));
        }
        if !is_plain(&text) {
            seen = Seen::of(&called).word();
        } else if called.body["result"]["isError"] != json!(false)
            || called.rows() != &[json!({"said": text, "found": 0})]
        {
            wrong.push((Wrong::Unexpected, called.text()));
        }
        for (tool, arguments) in [
            ("places", json!({"q": text, "qs": [text, "x", text]})),
            ("payroll", json!({"but": text, "depts": ["a", text], "name": text})),
        ] {
            let (first, second) =
                tokio::join!(patiently(&agents[0], tool, arguments.clone()), patiently(&agents[1], tool, arguments));
            if let Some(stolen) = stolen(&first.text()) {
                wrong.push((Wrong::Leak, format!("`{stolen}` in {}", first.text())));
            }
            let answers = [told(&first), told(&second)];
            if answers[0] != answers[1] {
                wrong.push((Wrong::Leak, format!("hidden rows tell: {} and {}", answers[0], answers[1])));
            }
        }
        let as_number = agents[0].call("places", json!({"q": "", "qs": [], "n": text})).await;
        if as_number.code() != "TG310" {
            wrong.push((Wrong::Unexpected, format!("a text where a number stands: {}", as_number.text())));
        }
    }
    Line { wrong, ..line(attack, Way::Parameter, "inert", seen) }
}

/// What any string parameter takes.
fn is_plain(text: &str) -> bool {
    !text.contains('\0') && text.chars().count() <= 8_000
}

/// Raw, as the engine's layer alone meets it.
async fn by_engine(lab: &Lab, sessions: &Sessions, attack: &Attack, open: &mut Vec<Used>) -> Line {
    if attack.expect == Expect::Limited {
        return line(attack, Way::Engine, "-", "not sent".to_owned());
    }
    let said = engine::said(lab, sessions, attack, open).await;
    let sent = attack.steps.iter().map(|step| lab.aimed(step)).collect::<String>();
    let stolen = lab.stolen_from_outside(&said).filter(|stolen| !sent.contains(stolen.as_str()));
    let wrong: Vec<_> = stolen.map(|stolen| (Wrong::Leak, format!("`{stolen}`"))).into_iter().collect();
    let seen = if wrong.is_empty() { "held" } else { "leaked" };
    Line { wrong, ..line(attack, Way::Engine, "held", seen.to_owned()) }
}
