//! The analysis against tables, against a packet-at-a-time oracle, and against itself under changes.

mod cases;
mod metamorphic;
mod oracle;
mod packets;
mod probes;
mod random;
mod reading;
mod walks;
