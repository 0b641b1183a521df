//! Keeps the advisory database current and distributes it.
