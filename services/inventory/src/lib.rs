//! Reads what software each resource has.
