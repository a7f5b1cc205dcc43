//! The sample shop: users, products and orders, about 20,000 rows in four regions, the same on every machine.
//! Each table has columns no agent should see, so that a policy has something to hide. All of it is made up.

mod rows;
mod sqlite;

pub use rows::{ORDERS, PRODUCTS, ROWS, USERS};
pub use sqlite::{SampleError, create_sqlite};
