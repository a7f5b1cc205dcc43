//! MCP over Streamable HTTP and stdio: the perimeter, and the wire. The only folder that knows rmcp and axum.

mod connection;
mod dispatch;
mod envelope;
mod headers;
pub mod host;
pub mod http;
mod perimeter;
mod resource;
mod revision;
mod server;
pub mod stdio;
mod strict;
mod wire;
