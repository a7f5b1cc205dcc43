//! What the protocol library costs by itself, as a baseline for figures: one tool that answers a constant row set, without a
//! database, a policy or an audit log. Usage: `rmcp_alone ADDRESS ROWS`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench tool, run by hand"
)]

use std::sync::Arc;

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{CallToolRequestParams, CallToolResponse, CallToolResult, ServerCapabilities, ServerConfig},
    service::RequestContext,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
    },
};
use serde_json::{Value, json};

#[derive(Clone)]
struct Constant {
    rows: Arc<Value>,
}

impl ServerHandler for Constant {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn call_tool(
        &self,
        _request: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        Ok(CallToolResult::structured((*self.rows).clone()).into())
    }
}

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let count: u64 = args[1].parse().unwrap();
    let rows: Vec<Value> = (1..=count)
        .map(|n| {
            json!({"id": n, "name": format!("User {n}"), "email": format!("user{n}@example.com"), "region": "eu",
                   "created_at": "2026-01-31T12:00:00Z"})
        })
        .collect();
    let rows = Arc::new(json!({"rows": rows, "row_count": count, "truncated": false, "next_cursor": null}));
    let config = StreamableHttpServerConfig::default().with_legacy_session_mode(false).with_json_response(true);
    let handler = Constant { rows };
    let service =
        StreamableHttpService::new(move || Ok(handler.clone()), Arc::new(NeverSessionManager::default()), config);
    let router = axum::Router::new().route_service("/mcp", service);
    let listener = tokio::net::TcpListener::bind(&args[0]).await.unwrap();
    println!("listening on {}", listener.local_addr().unwrap());
    axum::serve(axum::serve::ListenerExt::tap_io(listener, |io| drop(io.set_nodelay(true))), router).await.unwrap();
}
