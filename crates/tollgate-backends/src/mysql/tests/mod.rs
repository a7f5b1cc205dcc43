//! What the dialect rests on, and what is made of it, asked of the server itself through its own client.

mod dialect;
mod facts;
mod functions;
mod tls;
mod values;

use super::session::SQL_MODE;
