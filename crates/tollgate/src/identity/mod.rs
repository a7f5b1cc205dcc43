//! Who is calling: credentials become a `Principal` here and nowhere else. There is no anonymous mode.

mod api_key;
mod directory;
mod os_user;

pub use api_key::{ApiKey, KeyHash, MalformedKeyHash};
pub use directory::{Directory, IdentityError, Registration, rehearsed};
pub use os_user::os_user;

#[cfg(test)]
mod tests;
