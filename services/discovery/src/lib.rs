//! Finds resources and topology.
