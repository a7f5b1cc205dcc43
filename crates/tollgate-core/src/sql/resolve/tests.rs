//! Resolution, as cases.
