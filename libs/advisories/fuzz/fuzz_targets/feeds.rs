//! Any bytes as a document of every format, its name in the first line: items or an error, in bounded memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use muster_advisories::Head;
use muster_advisories::feeds::{Document, FORMATS};

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(0);
    let (name, bytes) = bytes.split_at(end);
    let name = String::from_utf8_lossy(name);
    let bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
    let head = Head::new(&name, bytes);
    for format in FORMATS {
        let _ = (format.recognises)(&head);
        let _ = (format.parse)(&Document { name: &name, bytes }, &mut |_| {});
    }
});
