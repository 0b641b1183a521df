//! What is run on any bytes, by cargo-fuzz and by `tests/fuzzing.rs`.

use muster_cvss::{LENGTH_MAX, Vector};

/// A vector of any version: what is read prints as what is read again, and its score is on the scale.
pub fn vectors(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match text.parse::<Vector>() {
        Ok(vector) => {
            assert!(vector.scores().score.tenths() <= 100);
            assert_eq!(vector.to_string().parse::<Vector>().as_ref(), Ok(&vector));
        }
        Err(error) => assert!(error.to_string().len() <= LENGTH_MAX + 64),
    }
}
