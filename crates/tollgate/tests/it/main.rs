//! The integration tests: one binary, a file or folder per feature.

#[cfg(test)]
mod protocol;
