//! What operators reach on a listener of their own: health and metrics. Never on the agents' port, never anything of a call's content.

mod monitoring;

pub use monitoring::{Health, serve};
