//! What the dialect rests on, and what is made of it, asked of the server itself through its own client.

mod dialect;
mod facts;
mod functions;

/// What a session is pinned to.
const SQL_MODE: &str =
    "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_IN_DATE,ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION";
