//! Feeds: one file per format, from a document's bytes to items. Each file has
//!
//! - `recognises(head)`: whether a document is of this format, by its name and first bytes;
//! - `parse(document, sink)`: every record of it, one by one; what can't be read goes to the sink as `Item::Skipped` with its place
//!   in the document and the reason, and only a document that is not of the format at all is an error.
//!
//! Adding a format is its file and its row in [`FORMATS`].

mod chainguard_vex;
mod csaf;
mod cyclonedx_vex;
pub mod epss;
pub mod kev;
mod left_out;
mod msrc;
mod openvex;
pub mod osv;
mod ubuntu_vex;

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
    Format { name: "CSAF", bytes_max: csaf::BYTES_MAX, recognises: csaf::recognises, parse: csaf::parse },
    // Ubuntu's about glibc have 15 MB; these are OpenVEX by their authors, so they stand before it.
    Format { name: "Ubuntu VEX", bytes_max: 64 << 20, recognises: ubuntu_vex::recognises, parse: ubuntu_vex::parse },
    Format {
        name: "Chainguard VEX",
        bytes_max: 64 << 20, // one document may list a whole distribution
        recognises: chainguard_vex::recognises,
        parse: chainguard_vex::parse,
    },
    Format { name: "OpenVEX", bytes_max: 64 << 20, recognises: openvex::recognises, parse: openvex::parse },
    Format {
        name: "CycloneDX VEX",
        bytes_max: 64 << 20, // it may lie in the SBOM itself; large images' have 20 MB
        recognises: cyclonedx_vex::recognises,
        parse: cyclonedx_vex::parse,
    },
    Format { name: "MSRC", bytes_max: msrc::BYTES_MAX, recognises: msrc::recognises, parse: msrc::parse },
];
