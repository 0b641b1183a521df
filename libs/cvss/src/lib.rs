//! CVSS vectors, versions 2.0, 3.0, 3.1 and 4.0, and their scores: base, temporal (threat) and environmental.
//!
//! Pure: text in, numbers out. The specifications are FIRST's (first.org/cvss, read 2026-11-24); each version's metrics
//! and equations stand in the file of that version.

mod scores;
mod v2;
mod v3;
mod v4;
mod vector;

pub use scores::{Rating, Score, Scores};
pub use vector::{LENGTH_MAX, Vector, VectorError, Version};

/// Reads a vector of any version and scores it.
pub fn score(vector: &str) -> Result<Scores, VectorError> {
    Ok(vector.parse::<Vector>()?.scores())
}
