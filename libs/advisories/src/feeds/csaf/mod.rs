//! CSAF 2.0 JSON (docs.oasis-open.org/csaf/csaf/v2.0), advisories and VEX alike, read 2026-11-24.
//!
//! Whose words a document has, its publisher's namespace tells:
//! - `redhat.com`: Red Hat's, about its packages ([`vendor`]);
//! - `suse.com`, `opensuse.org`: SUSE's, about its packages ([`vendor`]). No document of SUSE's own was at hand: what is known
//!   of them is the specification and how others describe them (fixed packages stand under `recommended`);
//! - any other: statements of the user's or of a supplier of the user's about the products that carry a package URL
//!   ([`vex`]). Products without one can't be found in an inventory; they are counted.
//!
//! A vendor's document becomes one record per vulnerability, its id the CVE, so that an advisory about several CVEs (`RHSA-…`)
//! keeps apart which of them which product had. `scope` is the document where that is not the CVE's own: VEX documents have
//! none, advisories have theirs, and both may be loaded side by side.

mod document;
mod products;
mod streams;
mod vendor;
mod vex;

use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head};
use document::Csaf;
use streams::Vendor;

/// Most bytes of one document: Red Hat's largest (vulnerabilities of the kernel and of HTTP/2) have some 50 MB.
pub(crate) const BYTES_MAX: usize = 128 << 20;
/// Most bytes of a description that are kept.
const DETAILS_BYTES_MAX: usize = 4096;

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    !head.is_json_list() && head.has_json_key("document") && head.holds("\"csaf_version\"")
}

/// A document is one advisory or VEX document, about any number of vulnerabilities.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let csaf: Csaf<'_> =
        serde_json::from_slice(document.bytes).map_err(|cause| FeedError::NotJson { format: "CSAF", cause })?;
    if csaf.document.tracking.id.is_empty() {
        let why = "must not be empty".to_owned();
        return Err(FeedError::Field { id: String::new(), field: "document.tracking.id", why });
    }
    match Vendor::of_namespace(&csaf.document.publisher.namespace) {
        Some(vendor) => vendor::advisories(vendor, &csaf, sink),
        None => vex::statements(&csaf, sink),
    }
    Ok(())
}

/// Tells once of all that was left out for one reason, with the first of them.
fn tell_left_out(place: &str, left_out: &LeftOut<'_>, what: &str, sink: Sink<'_>) {
    if let Some(first) = left_out.first {
        let first = crate::feed::cut(first, crate::feed::WORD_BYTES_MAX);
        let reason = match left_out.count {
            1 => format!("`{first}` {what}"),
            count => format!("`{first}` and {} more: {what}", count - 1),
        };
        sink(Item::Partial(muster_domain::Skipped { place: place.to_owned(), reason }));
    }
}

/// How many were left out for one reason, and which was the first.
#[derive(Default)]
struct LeftOut<'a> {
    first: Option<&'a str>,
    count: usize,
}

impl<'a> LeftOut<'a> {
    fn add(&mut self, product: &'a str) {
        self.first.get_or_insert(product);
        self.count += 1;
    }
}
