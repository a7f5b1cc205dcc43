//! The integration tests: one binary, a file or folder per feature.

mod architecture;
mod bad_input;
mod demo;
mod harness;
mod leak;
mod manual;
mod postgres;
mod protocol;
