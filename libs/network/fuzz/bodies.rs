//! What is run on any bytes, by cargo-fuzz and by `tests/fuzzing.rs`.

use muster_network::offline::{is_read, read};

/// A folder of answers, each behind a line `=== NAME`: a topology, and every file read, ignored or remarked upon. It is
/// the same in whatever order the files come.
pub fn offline(bytes: &[u8]) {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        match (line.strip_prefix(b"=== "), files.last_mut()) {
            (Some(name), _) => files.push((String::from_utf8_lossy(name).trim_end().to_owned(), Vec::new())),
            (None, Some((_, content))) => content.extend_from_slice(line),
            (None, None) => {}
        }
    }
    let reading = read(files.iter().map(|(name, content)| (name, content)), None, None);
    assert_eq!(reading.ignored.len(), files.iter().filter(|(name, _)| !is_read(name)).count());
    for remark in &reading.remarks {
        assert!(remark.reason.len() < 2000 && !remark.reason.contains('\n'), "{remark:?}");
        assert!(!reading.topology.missing.is_empty(), "{remark:?} says that something is not known");
    }
    let mut again = read(files.iter().rev().map(|(name, content)| (name, content)), None, None);
    let mut once = reading;
    for topology in [&mut once.topology, &mut again.topology] {
        topology.missing.iter_mut().for_each(|missing| missing.reason.clear()); // of several reasons the first is told
    }
    assert_eq!(once.topology, again.topology);
}
