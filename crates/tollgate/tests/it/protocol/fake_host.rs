//! A host without a database: tools that echo, wait, refuse and fail, and a memory of what it was asked.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Map, Value, json, value::RawValue};
use tollgate::protocol::host::{CallReply, Peer, ResourceListing, ToolCall, ToolHost, ToolListing};
use tollgate_core::names::{AgentId, Code, Origin, Principal, Refusal};

/// The one key that is known.
pub(super) const KEY: &str = "tg_known";

/// A host that remembers.
#[derive(Debug, Default)]
pub(super) struct FakeHost {
    /// What happened, a line each: `call …`, `cancelled …`, `done …`, `reject …`.
    pub(super) journal: Mutex<Vec<String>>,
    /// More tools than a page holds, when set.
    pub(super) many: usize,
}

impl FakeHost {
    fn note(&self, line: String) {
        self.journal.lock().unwrap().push(line);
    }

    /// The lines so far.
    pub(super) fn lines(&self) -> Vec<String> {
        self.journal.lock().unwrap().clone()
    }
}

/// The caller that the key belongs to.
pub(super) fn principal() -> Arc<Principal> {
    let agent = AgentId::new("tester".parse().unwrap(), Origin::Key);
    Arc::new(Principal::new(agent, "support".parse().unwrap(), std::collections::BTreeMap::default()))
}

impl ToolHost for FakeHost {
    fn authenticate(&self, bearer: Option<&str>, _peer: &Peer) -> Result<Arc<Principal>, Refusal> {
        match bearer {
            Some(KEY) => Ok(principal()),
            Some(_) => Err(Refusal::new(Code::UNAUTHENTICATED, "the API key is not known")),
            None => Err(Refusal::new(Code::UNAUTHENTICATED, "an API key is needed")),
        }
    }

    fn list(&self, _caller: &Principal) -> Arc<[ToolListing]> {
        let mut tools = vec![
            listing("echo", &json!({ "text": { "type": "string" }, "n": { "type": "number" } })),
            listing("routed", &json!({ "region": { "type": "string", "x-mcp-header": "Region" } })),
            listing("slow", &json!({ "ms": { "type": "integer" } })),
            listing("big", &json!({ "bytes": { "type": "integer" } })),
            listing("refuse", &json!({})),
            listing("panic", &json!({})),
        ];
        tools.extend((0..self.many).map(|n| listing(&format!("tool_{n:04}"), &json!({}))));
        tools.into()
    }

    fn resources(&self, _caller: &Principal) -> Option<Arc<[ResourceListing]>> {
        None
    }

    async fn call(&self, call: ToolCall) -> CallReply {
        let arguments = call.arguments.as_deref().map_or("-", RawValue::get);
        let (id, client) = (call.request_id.as_deref().unwrap_or("-"), call.peer.client.as_deref().unwrap_or("-"));
        self.note(format!("call {} {arguments} id={id} client={client} via={}", call.name, call.peer.transport));
        let argument = |name: &str| -> u64 {
            let value: Value = serde_json::from_str(arguments).unwrap_or_default();
            value[name].as_u64().unwrap_or(0)
        };
        match call.name.as_str() {
            "echo" | "routed" => rows(arguments),
            "big" => rows(&format!("\"{}\"", "x".repeat(argument("bytes") as usize))),
            "slow" => {
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(argument("ms"))) => {
                        self.note(format!("done {id}"));
                        rows(arguments)
                    }
                    () = call.cancel.cancelled() => {
                        self.note(format!("cancelled {id}"));
                        refused(Refusal::new(Code::DB_CANCELLED, "the call was cancelled"))
                    }
                }
            }
            "refuse" => {
                refused(Refusal::new(Code::BUSY, "no connection became free\u{202e} in time").retry_after_ms(250))
            }
            "panic" => panic!("postgres://secret@db.internal/shop"),
            other => CallReply::UnknownTool {
                refusal: Refusal::new(Code::UNKNOWN_TOOL, format!("there is no tool `{other}`")),
                call_id: "01CALL".to_owned(),
            },
        }
    }

    fn reject(&self, caller: Option<&Principal>, _peer: &Peer, refusal: &Refusal) {
        let who = caller.map_or("-", |caller| caller.agent().name().as_str());
        self.note(format!("reject {who} {refusal}"));
    }
}

fn rows(arguments: &str) -> CallReply {
    let row = if arguments == "-" { "null" } else { arguments };
    let json = format!(r#"{{"rows":[{{"value":{row}}}],"row_count":1,"truncated":false,"next_cursor":null}}"#);
    CallReply::Rows { json: RawValue::from_string(json).unwrap(), marked: None, call_id: "01CALL".to_owned() }
}

fn refused(refusal: Refusal) -> CallReply {
    CallReply::Refused { refusal, call_id: "01CALL".to_owned() }
}

fn listing(name: &str, properties: &Value) -> ToolListing {
    let object = |value: Value| -> Arc<Map<String, Value>> { Arc::new(value.as_object().unwrap().clone()) };
    ToolListing {
        name: name.to_owned(),
        title: Some(format!("Title of {name}")),
        description: format!("What {name} does."),
        input_schema: object(json!({ "type": "object", "properties": properties, "additionalProperties": false })),
        output_schema: object(json!({
            "type": "object",
            "properties": { "rows": { "type": "array" }, "row_count": { "type": "integer" } },
            "required": ["rows", "row_count"],
        })),
        read_only: true,
        meta: None,
    }
}
