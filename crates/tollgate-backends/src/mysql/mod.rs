//! MySQL and MariaDB. So far only what the server itself does with the dialect, held by tests; nothing here opens a connection.

#[cfg(test)]
mod tests;
