//! MCP over Streamable HTTP and stdio: the perimeter, and the wire. The only folder that knows rmcp and axum.

pub mod host;
