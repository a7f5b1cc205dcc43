//! The protocol layer alone, over a host without a database: to drive MCP clients against it, and to measure what it
//! costs by itself.
//!
//! `cargo run --example protocol_only -- http 127.0.0.1:8642` or `-- stdio`. The key is `tg_known`.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::{Map, Value, json, value::RawValue};
use tokio_util::sync::CancellationToken;
use tollgate::protocol::{
    host::{CallReply, Peer, ResourceListing, ToolCall, ToolHost, ToolListing},
    http::{self, HttpSettings},
    stdio::{self, StdioSettings},
};
use tollgate_core::names::{AgentId, Code, Origin, Principal, Refusal};

const KEY: &str = "tg_known";

struct Tools {
    caller: Arc<Principal>,
    listings: Arc<[ToolListing]>,
}

impl ToolHost for Tools {
    fn authenticate(&self, bearer: Option<&str>, _peer: &Peer) -> Result<Arc<Principal>, Refusal> {
        let known = bearer == Some(KEY);
        known.then(|| Arc::clone(&self.caller)).ok_or_else(|| Refusal::new(Code::UNAUTHENTICATED, "no valid API key"))
    }

    fn list(&self, _caller: &Principal) -> Arc<[ToolListing]> {
        Arc::clone(&self.listings)
    }

    fn resources(&self, _caller: &Principal) -> Option<Arc<[ResourceListing]>> {
        None
    }

    async fn call(&self, call: ToolCall) -> CallReply {
        let call_id = "01EXAMPLE".to_owned();
        match call.name.as_str() {
            "echo" | "routed" => {
                let given = call.arguments.as_deref().map_or("{}", RawValue::get);
                let json = format!(r#"{{"rows":[{given}],"row_count":1,"truncated":false,"next_cursor":null}}"#);
                match RawValue::from_string(json) {
                    Ok(json) => CallReply::Rows { json, marked: None, call_id },
                    Err(_) => refused(Code::INTERNAL, "the arguments could not be echoed"),
                }
            }
            "slow" => tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(3)) => refused(Code::DB_TIMEOUT, "the statement took too long"),
                () = call.cancel.cancelled() => refused(Code::DB_CANCELLED, "the call was cancelled"),
            },
            other => CallReply::UnknownTool {
                refusal: Refusal::new(Code::UNKNOWN_TOOL, format!("there is no tool `{other}`")),
                call_id,
            },
        }
    }

    fn reject(&self, _caller: Option<&Principal>, _peer: &Peer, refusal: &Refusal) {
        tracing::info!(code = %refusal.code, "refused");
    }
}

fn refused(code: Code, sentence: &str) -> CallReply {
    CallReply::Refused { refusal: Refusal::new(code, sentence), call_id: "01EXAMPLE".to_owned() }
}

fn listing(name: &str, description: &str, properties: &Value) -> ToolListing {
    let object = |value: Value| -> Arc<Map<String, Value>> { Arc::new(value.as_object().cloned().unwrap_or_default()) };
    ToolListing {
        name: name.to_owned(),
        title: None,
        description: description.to_owned(),
        input_schema: object(json!({ "type": "object", "properties": properties, "additionalProperties": false })),
        output_schema: object(json!({
            "type": "object",
            "properties": {
                "rows": { "type": "array", "items": { "type": "object" } },
                "row_count": { "type": "integer" },
                "truncated": { "type": "boolean" },
                "next_cursor": { "type": ["string", "null"] },
            },
            "required": ["rows", "row_count", "truncated", "next_cursor"],
        })),
        read_only: true,
        meta: None,
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let agent = AgentId::new("tester".parse()?, Origin::Key);
    let caller = Arc::new(Principal::new(agent, "support".parse()?, BTreeMap::default()));
    let listings = vec![
        listing("echo", "Gives back its arguments as a row.", &json!({ "text": { "type": "string" } })),
        listing(
            "routed",
            "Has an argument that a proxy may route by.",
            &json!({
                "region": { "type": "string", "x-mcp-header": "Region" },
                "priority": { "type": "integer", "x-mcp-header": "Priority" },
            }),
        ),
        listing("slow", "Takes three seconds and fails.", &json!({})),
    ];
    let tools = Arc::new(Tools { caller: Arc::clone(&caller), listings: listings.into() });
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.cancel();
        }
    });
    let mut words = std::env::args().skip(1);
    match (words.next().as_deref(), words.next()) {
        (Some("http"), Some(address)) => {
            let listener = tokio::net::TcpListener::bind(address).await?;
            http::serve(listener, tools, HttpSettings::default(), shutdown).await;
        }
        (Some("stdio"), None) => stdio::serve(tools, caller, StdioSettings::default(), shutdown).await?,
        _ => return Err("usage: protocol_only http ADDRESS | stdio".into()),
    }
    Ok(())
}
