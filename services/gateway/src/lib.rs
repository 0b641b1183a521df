//! The door: gRPC, the Inspector-compatible REST API.
