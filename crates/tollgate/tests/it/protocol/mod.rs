//! MCP as clients see it: over real sockets and pipes, with a host that has no database.

mod fake_host;
mod harness;
mod http;
mod http_limits;
mod http_shutdown;
mod stdio;
