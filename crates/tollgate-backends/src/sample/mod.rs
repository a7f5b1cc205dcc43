//! The sample shop: users, products and orders, about 20,000 rows in four regions, the same on every machine and every engine.
//! Each table has columns no agent should see, so that a policy has something to hide. All of it is made up.

pub(crate) mod load;
mod rows;
pub(crate) mod script;
mod sqlite;

pub use load::{LoadError, load};
pub use rows::{ORDERS, PRODUCTS, ROWS, USERS};
pub use sqlite::{SampleError, create_sqlite};
