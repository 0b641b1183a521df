//! The decisions: matching, scoring, life cycle.

pub mod accuracy;
pub mod asff;
mod exposure;
pub mod inspector;
pub mod lifecycle;
mod listeners;
pub mod matching;
mod ports;
mod remediation;
#[cfg(test)]
mod samples;
mod score;
pub mod scoring;
mod shapes;
mod texts;
