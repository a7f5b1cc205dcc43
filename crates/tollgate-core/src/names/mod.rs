//! The words everything else is said in: identifiers, dialects, principals, values and error codes. No behaviour of its own.

mod code;
mod dialect;
mod ident;
mod invisible;
mod presentation;
mod principal;
mod value;

pub use code::{Code, Refusal};
pub use dialect::Dialect;
pub use ident::{AgentName, ClaimName, DatabaseName, InvalidName, ParamName, RoleName, ToolName};
pub use invisible::is_invisible;
pub use presentation::{Marking, Presentation, ResultForm};
pub use principal::{AgentId, ClaimValue, Claims, Origin, Principal};
pub use value::Value;
