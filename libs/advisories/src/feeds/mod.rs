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
mod dotnet_cve;
mod dotnet_releases;
mod endoflife_date;
mod epss;
mod exploitdb;
mod friendsofphp;
mod kev;
mod left_out;
mod metasploit;
mod msrc;
mod nodejs_core;
mod nodejs_npm;
mod nuclei;
mod nvd;
mod openvex;
pub mod osv;
mod oval;
mod parts;
mod photon;
mod pypa;
mod rebuilds;
mod record;
mod rubysec;
mod rustsec;
mod secdb;
#[cfg(test)]
mod shown;
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
            let path = entry.unwrap().path();
            let seed = std::fs::read(&path).unwrap();
            let at = seed.iter().position(|&byte| byte == b'\n').unwrap();
            let (name, bytes) = (std::str::from_utf8(&seed[..at]).unwrap(), &seed[at + 1..]);
            let claims = |bytes| FORMATS.iter().filter(move |format| (format.recognises)(&Head::new(name, bytes)));
            // The first that claims a document reads it: Ubuntu's VEX before OpenVEX.
            let format = claims(bytes).next().unwrap_or_else(|| panic!("{path:?} is of no known format"));
            let lines = items(format.parse, name, bytes);
            assert!(!lines.is_empty() && !lines.iter().any(|line| line.starts_with("error")), "{path:?}: {lines:?}");
            for end in 0..bytes.len() {
                claims(&bytes[..end]).for_each(|format| drop(items(format.parse, name, &bytes[..end])));
            }
        }
    }
}
