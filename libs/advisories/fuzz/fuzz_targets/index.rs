//! Any bytes as a signed index, and as what is in one: an index or an error, in bounded memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use muster_advisories::distribution::{Index, PublicKey, plan, verify};
use std::path::Path;
use std::sync::LazyLock;

/// Of RFC 8410 §10.1; whoever fuzzes can't sign for it.
static TRUSTED: LazyLock<[PublicKey; 1]> = LazyLock::new(|| {
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    [PublicKey::from_pem(Path::new("key"), pem).expect("the key of the standard")]
});

fuzz_target!(|bytes: &[u8]| {
    assert!(verify(bytes, &*TRUSTED).is_err());
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = PublicKey::from_pem(Path::new("key"), text);
    }
    let Ok(index) = Index::parse(bytes) else { return };
    assert_eq!(Index::parse(&index.to_payload()).expect("what was read can be written"), index);
    plan(&index, None);
    for delta in index.deltas() {
        plan(&index, Some(&delta.from));
    }
});
