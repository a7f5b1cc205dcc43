//! The shapes of audit records: what is written, how it is encoded, what is hashed. Imports `names` only.
