//! Inventories x advisories: verdicts.
