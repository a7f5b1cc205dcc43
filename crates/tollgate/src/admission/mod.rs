//! Who may come near a database, and when: a bounded number of calls ahead of each pool, each within its deadline.

mod permit;

pub use permit::{AdmissionError, Gatehouse, Permit};
