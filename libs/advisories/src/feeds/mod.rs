//! Feeds: one file per format, from a document's bytes to items. Each file has
//!
//! - `recognises(head)`: whether a document is of this format, by its name and first bytes;
//! - `parse(document, sink)`: every record of it, one by one; what can't be read goes to the sink as `Item::Skipped` with its place
//!   in the document and the reason, and only a document that is not of the format at all is an error.
//!
//! Adding a format is its file and its row in [`FORMATS`].

mod amazon_explore;
mod arch;
mod bodhi;
mod chainguard_vex;
mod csaf;
mod cve5;
mod cyclonedx_vex;
mod debian;
mod debian_list;
mod debian_support;
mod debian_tracker;
mod distro_info;
mod dotnet_releases;
mod endoflife_date;
mod epss;
mod exploitdb;
mod kev;
mod left_out;
mod metasploit;
mod msrc;
mod nuclei;
mod nvd;
mod openvex;
pub mod osv;
mod oval;
mod parts;
mod photon;
mod rebuilds;
mod secdb;
mod ubuntu_vex;
mod updateinfo;
mod vulnerability;

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
    Format { name: "KEV", bytes_max: 64 << 20, recognises: kev::recognises, parse: kev::parse },
    Format { name: "EPSS", bytes_max: 128 << 20, recognises: epss::recognises, parse: epss::parse },
    // one record a document, of which the largest (kernel) have 2 MB
    Format { name: "CVE", bytes_max: 32 << 20, recognises: cve5::recognises, parse: cve5::parse },
    // a year's feed has up to 300 MB; before OSV, whose records also have an `id` and `published`
    Format { name: "NVD", bytes_max: 1 << 30, recognises: nvd::recognises, parse: nvd::parse },
    // 10 MB
    Format { name: "Exploit-DB", bytes_max: 128 << 20, recognises: exploitdb::recognises, parse: exploitdb::parse },
    // 11 MB
    Format { name: "Metasploit", bytes_max: 128 << 20, recognises: metasploit::recognises, parse: metasploit::parse },
    // 2 MB
    Format { name: "Nuclei", bytes_max: 64 << 20, recognises: nuclei::recognises, parse: nuclei::parse },
    // a product's file has up to 130 KB, all products of the API 10 MB
    Format {
        name: "endoflife.date",
        bytes_max: 64 << 20,
        recognises: endoflife_date::recognises,
        parse: endoflife_date::parse,
    },
    // a channel's has up to 3 MB
    Format {
        name: ".NET releases",
        bytes_max: 64 << 20,
        recognises: dotnet_releases::recognises,
        parse: dotnet_releases::parse,
    },
    // One CVE has some kilobytes, the whole list of 30,000 would have 100 MB.
    Format {
        name: "Amazon Linux CVE",
        bytes_max: 256 << 20,
        recognises: amazon_explore::recognises,
        parse: amazon_explore::parse,
    },
    // Amazon Linux 2's core has 60 MB, a whole Fedora release somewhat more.
    Format { name: "updateinfo", bytes_max: 512 << 20, recognises: updateinfo::recognises, parse: updateinfo::parse },
    // Oracle's of all releases has 200 MB, SUSE's of one product up to twice that.
    Format { name: "OVAL", bytes_max: 1 << 30, recognises: oval::recognises, parse: oval::parse },
    // A release's list has 3 MB.
    Format { name: "Photon OS", bytes_max: 64 << 20, recognises: photon::recognises, parse: photon::parse },
    // A page has at most 100 updates of some ten kilobytes each; the notes are free text.
    Format { name: "Bodhi", bytes_max: 64 << 20, recognises: bodhi::recognises, parse: bodhi::parse },
    Format { name: "OSV", bytes_max: 16 << 20, recognises: osv::recognises, parse: osv::parse },
    // The tracker has 70 MB (2026).
    Format {
        name: "Debian security tracker",
        bytes_max: 256 << 20,
        recognises: debian_tracker::recognises,
        parse: debian_tracker::parse,
    },
    // data/CVE/list has 60 MB (2026).
    Format {
        name: "Debian list",
        bytes_max: 256 << 20,
        recognises: debian_list::recognises,
        parse: debian_list::parse,
    },
    // Chainguard's, the largest, has 20 MB (2026).
    Format { name: "secdb", bytes_max: 128 << 20, recognises: secdb::recognises, parse: secdb::parse },
    // All of Arch's groups are 1 MB (2026).
    Format { name: "Arch Linux", bytes_max: 64 << 20, recognises: arch::recognises, parse: arch::parse },
    // Tables of some kilobytes.
    Format { name: "distro-info", bytes_max: 4 << 20, recognises: distro_info::recognises, parse: distro_info::parse },
    Format {
        name: "Debian support",
        bytes_max: 4 << 20,
        recognises: debian_support::recognises,
        parse: debian_support::parse,
    },
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
