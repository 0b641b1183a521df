//! CSAF 2.0 JSON (docs.oasis-open.org/csaf/csaf/v2.0), advisories and VEX alike, read 2026-11-24.
//!
//! Whose words a document has, its publisher's namespace tells:
//! - `redhat.com`: Red Hat's, about its packages ([`vendor`]);
//! - `suse.com`, `opensuse.org`: SUSE's, about its packages ([`vendor`]). No document of SUSE's own was at hand: what is known
//!   of them is the specification and how others describe them (fixed packages stand under `recommended`);
//! - any other: statements of the user's or of a supplier of the user's about the products that carry a package URL
//!   ([`vex`]). Products without one can't be found in an inventory; they are counted.
//!
//! A vendor's document becomes one record per vulnerability, so that an advisory about several CVEs (`RHSA-…`) keeps apart
//! which product had which. A VEX document is its CVE's own record; an advisory's records keep its id, have the CVE as
//! `scope` and `upstream`, and stand back wherever the CVE has a record of its own, so that both may be loaded together.

mod document;
mod products;
mod streams;
mod vendor;
mod vex;

use super::{Document, Sink};
use crate::feed::{FeedError, Head};
use document::Csaf;
use streams::Vendor;

/// Most bytes of one document: Red Hat's largest (vulnerabilities of the kernel and of HTTP/2) have some 50 MB.
pub(crate) const BYTES_MAX: usize = 128 << 20;

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
