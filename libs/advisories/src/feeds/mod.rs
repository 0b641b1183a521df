//! Feeds: one file per format, from a document's bytes to items. Each file has
//!
//! - `recognises(head)`: whether a document is of this format, by its name and first bytes;
//! - `parse(document, sink)`: every record of it, one by one; what can't be read goes to the sink as `Item::Skipped` with its place
//!   in the document and the reason, and only a document that is not of the format at all is an error.
//!
//! Adding a format is its file and its row in [`FORMATS`].

mod dotnet_cve;
pub mod epss;
mod friendsofphp;
pub mod kev;
mod nodejs_core;
mod nodejs_npm;
pub mod osv;
mod pypa;
mod record;
mod rubysec;
mod rustsec;
#[cfg(test)]
mod shown;

use crate::feed::{FeedError, Head};
use muster_domain::{Advisory, Epss, Exploit, KnownExploited, LifeCycle, Skipped, VexStatement};

/// What a feed says, one thing at a time.
// Items are handed on one by one, never kept in a list, so the size of the largest costs nothing.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// One record.
    Advisory(Advisory),
    /// A CVE that is known to be exploited.
    KnownExploited(String, KnownExploited),
    /// A prediction for a CVE.
    Epss(String, Epss),
    /// Evidence of an exploit for a CVE.
    Exploit(String, Exploit),
    /// A release's end of support.
    LifeCycle(LifeCycle),
    /// A statement of the user's own.
    Vex(VexStatement),
    /// A record, entry or line that could not be used: its place in the document and why.
    Skipped(Skipped),
    /// A part of a record that was left out, the rest being used: its place in the document and why.
    Partial(Skipped),
    /// An ecosystem that has no row in our table, as a record spells it; the record's other parts count.
    UnknownEcosystem(String),
}

impl Item {
    /// A record, entry or line that could not be used.
    pub(crate) fn skipped(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Skipped(Skipped { place: place.into(), reason: reason.into() })
    }
}

/// One document of a feed.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// Its name, with the folders that it lies in, `/` between them.
    pub name: &'a str,
    /// All of it, the packing taken off.
    pub bytes: &'a [u8],
}

/// Takes items as they come.
pub type Sink<'s> = &'s mut dyn FnMut(Item);

/// A format that documents come in.
pub struct Format {
    /// For people.
    pub name: &'static str,
    /// Most bytes of one document.
    pub bytes_max: usize,
    /// Whether a document is of this format.
    pub recognises: fn(&Head<'_>) -> bool,
    /// Hands on every record of a document.
    pub parse: fn(&Document<'_>, Sink<'_>) -> Result<(), FeedError>,
}

/// Every format, in the order in which they are tried: the first that recognises a document reads it.
pub const FORMATS: &[Format] = &[
    Format { name: "KEV", bytes_max: 16 << 20, recognises: kev::recognises, parse: kev::parse },
    Format { name: "EPSS", bytes_max: 128 << 20, recognises: epss::recognises, parse: epss::parse },
    Format { name: "OSV", bytes_max: 16 << 20, recognises: osv::recognises, parse: osv::parse },
    // The largest record has 160 KB: a package with all its versions.
    Format { name: "OSV YAML", bytes_max: 4 << 20, recognises: pypa::recognises, parse: pypa::parse },
    // The largest records of these have 20 KB.
    Format { name: "RustSec", bytes_max: 1 << 20, recognises: rustsec::recognises, parse: rustsec::parse },
    Format { name: "RubySec", bytes_max: 1 << 20, recognises: rubysec::recognises, parse: rubysec::parse },
    Format {
        name: "FriendsOfPHP",
        bytes_max: 1 << 20,
        recognises: friendsofphp::recognises,
        parse: friendsofphp::parse,
    },
    Format {
        name: "Node.js Security WG (npm)",
        bytes_max: 1 << 20,
        recognises: nodejs_npm::recognises,
        parse: nodejs_npm::parse,
    },
    Format {
        name: "Node.js Security WG (core)",
        bytes_max: 1 << 20,
        recognises: nodejs_core::recognises,
        parse: nodejs_core::parse,
    },
    // A month has up to 15 KB; room for a year in one.
    Format { name: ".NET CVE", bytes_max: 4 << 20, recognises: dotnet_cve::recognises, parse: dotnet_cve::parse },
];

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What a document says, one line per item: advisories as `shown` has them, `!` what was skipped, `~` what was left out,
    /// `?` unknown ecosystems; last the error when the document was refused.
    pub(crate) fn items(
        parse: fn(&Document<'_>, Sink<'_>) -> Result<(), FeedError>,
        name: &str,
        bytes: &[u8],
    ) -> Vec<String> {
        let mut lines = Vec::new();
        let read = parse(&Document { name, bytes }, &mut |item| {
            lines.push(match item {
                Item::Advisory(advisory) => shown::line(&advisory),
                Item::Skipped(skipped) => format!("! {}: {}", skipped.place, skipped.reason),
                Item::Partial(skipped) => format!("~ {}: {}", skipped.place, skipped.reason),
                Item::UnknownEcosystem(ecosystem) => format!("? {ecosystem}"),
                other => format!("{other:?}"),
            });
        });
        lines.extend(read.err().map(|error| format!("error: {error}")));
        lines
    }

    /// The seeds of the fuzz target: the first line is a document's name, the rest its content.
    #[test]
    fn a_seed_is_read_whole_and_cut_anywhere_without_a_panic() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/feeds");
        for entry in std::fs::read_dir(folder).unwrap() {
            let seed = std::fs::read(entry.unwrap().path()).unwrap();
            let at = seed.iter().position(|&byte| byte == b'\n').unwrap();
            let (name, bytes) = (std::str::from_utf8(&seed[..at]).unwrap(), &seed[at + 1..]);
            let claims = |bytes| FORMATS.iter().filter(move |format| (format.recognises)(&Head::new(name, bytes)));
            assert_eq!(claims(bytes).count(), 1, "{name}");
            let lines = items(claims(bytes).next().unwrap().parse, name, bytes);
            assert!(!lines.is_empty() && !lines.iter().any(|line| line.starts_with(['!', 'e'])), "{name}: {lines:?}");
            for end in 0..bytes.len() {
                claims(&bytes[..end]).for_each(|format| drop(items(format.parse, name, &bytes[..end])));
            }
        }
    }
}
