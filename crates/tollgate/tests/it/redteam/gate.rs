//! The gate in front of a lab: a real `serve` with a pool of one connection, and what its agents read.

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};

use super::{
    corpus::{Engine, Expect},
    lab::Lab,
};
use crate::harness::{Agent, Called, Server};

/// Who calls.
const AGENTS: [&str; 6] = ["t0", "t1", "percent", "quote", "nobody", "witness"];

/// A key of each agent. Nothing is behind it but a lab, so it can be written down.
fn key(agent: &str) -> String {
    format!("tg_the-red-teams-key-of-{agent}-opens-a-lab-and-nothing-else")
}

/// How a call was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Refused before the database saw it, with this code.
    Refused(String),
    /// The database was asked and no rows came back, with this code.
    Failed(String),
    /// Stopped by a limit: time, or rows or bytes cut.
    Limited,
    /// Rows, so many.
    Shown(usize),
}

impl Seen {
    /// Of an answer.
    pub fn of(called: &Called) -> Self {
        let result = called.result();
        if called.body["result"]["isError"] == json!(false) {
            if result["truncated"] == json!(true) {
                return Seen::Limited;
            }
            return Seen::Shown(result["row_count"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0));
        }
        match called.code() {
            "TG502" | "TG508" | "TG509" => Seen::Limited,
            code if code.starts_with("TG5") || code.starts_with("TG7") => Seen::Failed(code.to_owned()),
            code => Seen::Refused(code.to_owned()),
        }
    }

    /// Whether it is what was to come of an attack.
    pub fn fits(&self, expect: Expect, may_be_shown: bool) -> bool {
        match (expect, self) {
            (_, Seen::Refused(_)) | (Expect::Inert | Expect::Masked, _) | (Expect::Limited, Seen::Limited) => true,
            (Expect::Limited | Expect::Denied, _) => may_be_shown,
        }
    }

    /// In a word, for the table.
    pub fn word(&self) -> String {
        match self {
            Seen::Refused(code) => format!("refused {code}"),
            Seen::Failed(code) => format!("failed {code}"),
            Seen::Limited => "limited".to_owned(),
            Seen::Shown(rows) => format!("shown {rows}"),
        }
    }
}

/// A server in front of a lab.
pub struct Gate {
    /// The agents, with the connection that each keeps open.
    agents: BTreeMap<&'static str, Agent>,
    engine: Engine,
    _server: Server,
}

impl Gate {
    /// Starts it.
    pub fn before(lab: &Lab) -> Self {
        configure(lab);
        let server = Server::serve(lab.folder());
        let agents = AGENTS.iter().map(|name| (*name, server.agent(&key(name)))).collect();
        Self { agents, engine: lab.engine, _server: server }
    }

    /// An agent of it.
    pub fn agent(&self, name: &str) -> Agent {
        self.agents[name].clone()
    }

    /// What the caller after an attack finds: its own rows by both ways, and the session as it is.
    pub async fn aftermath(&self) -> String {
        let next = self.agent("t1");
        let mut seen = vec![
            next.call("mine", json!({})).await,
            next.call("query", json!({"sql": "SELECT id, body FROM notes ORDER BY id"})).await,
        ];
        if self.engine != Engine::Sqlite {
            seen.push(self.agent("witness").call("session", json!({})).await);
        }
        seen.iter().map(told).collect::<Vec<_>>().join("\n")
    }
}

/// Writes the configuration of a lab.
pub fn configure(lab: &Lab) {
    fs::write(lab.folder().join("tollgate.yaml"), configuration(lab)).unwrap();
}

/// An answer without what differs from call to call by itself.
pub fn told(called: &Called) -> String {
    let mut body = called.body.clone();
    if body["result"]["isError"] == json!(false) {
        // The same rows once more.
        body["result"]["content"].take();
    }
    without_call_ids(&mut body);
    format!("{} {body}", called.status)
}

fn without_call_ids(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| name != "call_id" && name != "next_cursor");
            members.values_mut().for_each(without_call_ids);
        }
        Value::Array(items) => items.iter_mut().for_each(without_call_ids),
        _ => {}
    }
}

fn configuration(lab: &Lab) -> String {
    let mut text = include_str!("lab.yaml").replace("&tables", "").replace("@url@", &lab.url());
    for agent in AGENTS {
        text = text.replace(&format!("@{agent}@"), &hash(agent));
    }
    let (tables, witness, session) = match lab.engine {
        Engine::Postgres => (
            "      lab.events: { columns: [id, kind], rows: \"tenant = :claims.tenant\" }\n      \
             lab.assets: { columns: [id, label], rows: \"tenant = :claims.tenant\" }",
            "  witness:\n    tables: { lab.session_state: { columns: [report], rows: all } }\n    tools: [session]",
            "  session: { description: The session., database: lab, sql: SELECT report FROM session_state }",
        ),
        Engine::MariaDb => (
            "",
            "  witness:\n    tables: { lab.session_state: { columns: [report], rows: all } }\n    tools: [session]",
            "  session: { description: The session., database: lab, sql: SELECT report FROM session_state }",
        ),
        Engine::Sqlite => ("", "", ""),
    };
    let text = text.replace("@tables@", tables).replace("@witness-role@", witness).replace("@session@", session);
    let text = match lab.engine {
        Engine::Postgres => text,
        Engine::Sqlite => return text.replace("json_build_object", "json_object"),
        Engine::MariaDb => text.replace("json_build_object", "json_object").replace("AS text)", "AS char)"),
    };
    text.replace("agents:\n", &format!("agents:\n  witness: {{ keys: [\"{}\"], role: witness }}\n", hash("witness")))
}

fn hash(agent: &str) -> String {
    tollgate::identity::KeyHash::of(&key(agent)).to_string()
}
