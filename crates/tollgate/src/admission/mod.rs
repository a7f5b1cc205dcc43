//! Who may come near a database, and when: a bounded number of calls ahead of each pool, and of statements that are checked, each within
//! its deadline.

mod checking;
mod permit;

pub use checking::Checking;
pub use permit::{AdmissionError, Gatehouse, Permit};
