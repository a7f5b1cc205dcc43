//! Declared tools: their declaration, variants, schemas, and the binding of one call.
