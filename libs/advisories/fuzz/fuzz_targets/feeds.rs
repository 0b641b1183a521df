//! Any bytes as a document of any format: the first line is its name, the rest its content. An answer or an error, in
//! bounded memory and time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use muster_advisories::feeds::{Document, FORMATS};
use muster_advisories::{Builder, Head};

fuzz_target!(|bytes: &[u8]| {
    let (name, bytes) = bytes.split_at(bytes.iter().position(|&byte| byte == b'\n').unwrap_or(0));
    let (name, bytes) = (String::from_utf8_lossy(name), bytes.get(1..).unwrap_or_default());
    let head = Head::new(&name, bytes);
    for format in FORMATS.iter().filter(|format| (format.recognises)(&head)) {
        let mut builder = Builder::new(1, "2026-01-01T00:00:00Z".parse().expect("a time"));
        let _ = (format.parse)(&Document { name: &name, bytes }, &mut |item| {
            builder.take(item);
        });
    }
});
