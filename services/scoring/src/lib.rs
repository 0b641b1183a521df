//! Verdicts to findings.
