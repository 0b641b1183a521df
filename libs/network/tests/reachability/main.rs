//! The analysis against tables, against a packet-at-a-time oracle, and against itself under changes.

mod metamorphic;
mod oracle;
mod random;
mod tables;
