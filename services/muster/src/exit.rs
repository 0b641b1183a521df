//! Exit codes, as docs/command-line.md lists them.

/// All went well.
pub const GOOD: u8 = 0;
/// Something failed; one line on stderr says what.
pub const FAILED: u8 = 1;
/// `--fail-on`: something that severe was found.
pub const FOUND: u8 = 2;
/// `up --once`: the pass ended, but something could not be read or published; `network`: something could not be told.
/// stderr says what.
pub const INCOMPLETE: u8 = 3;
/// The command line itself is wrong (sysexits.h, EX_USAGE).
pub const USAGE: u8 = 64;
