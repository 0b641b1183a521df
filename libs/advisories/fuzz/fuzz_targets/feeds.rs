//! Any bytes as a document of every format, its name in the first line: items or an error, in bounded memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use muster_advisories::Head;
use muster_advisories::feeds::{Document, FORMATS};

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(2, |&byte| byte == b'\n');
    let name = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let bytes = lines.next().unwrap_or_default();
    let head = Head::new(&name, bytes);
    for format in FORMATS {
        let _ = (format.recognises)(&head);
        let _ = (format.parse)(&Document { name: &name, bytes }, &mut |_| {});
    }
});
