//! The PyPA's advisory database (github.com/pypa/advisory-database, read 2026-11-24) and others that write OSV's records as
//! YAML: one record per document, of the same shape as the JSON in `osv.rs`.

use super::record::yaml;
use super::{Document, Sink, osv};
use crate::feed::{FeedError, Head};

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    let is_yaml = [".yaml", ".yml"].iter().any(|ending| head.is_named(ending));
    let is_dated = ["modified", "published", "withdrawn"].iter().any(|key| head.has_yaml_key(key));
    is_yaml && is_dated && ["id", "affected"].iter().all(|key| head.has_yaml_key(key))
}

pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    osv::deliver(yaml("OSV YAML", document.bytes)?, sink)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::tests::items;

    #[test]
    fn a_record_is_read_as_its_json_would_be() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(items(parse, "PYSEC-2023-1.yaml", text.as_bytes()), expected, "{text}");
        };
        let package = "id: PYSEC-2023-1\naffected:\n- package: {ecosystem: PyPI, name: zstd, purl: 'pkg:pypi/zstd'}\n";
        // 1.10 is a version, not a number
        check(
            &format!(
                "{package}  ranges:\n  - type: GIT\n    repo: https://a/1\n    events:\n    - introduced: '0'\n  - type: ECOSYSTEM\n    \
                 events:\n    - introduced: '0'\n    - fixed: 1.10\n  versions:\n  - 1.1\n  - 1.9\naliases:\n- CVE-2023-1\n"
            ),
            &["PYSEC-2023-1 PYPA aliases=CVE-2023-1; PyPI zstd [0 1.10) and 2 versions"],
        );
        check("id: PYSEC-2023-1\naffected: []\nmodified: 2023-01-02T00:00:00Z\n", &["PYSEC-2023-1 PYPA"]);
        check("id: PYSEC-2023-1\nwithdrawn: 2023-01-02T00:00:00Z\n", &["PYSEC-2023-1 PYPA"]);
        check(
            "id: PYSEC-2023-1\nwithdrawn: soon\n",
            &["error: advisory `PYSEC-2023-1`: field `withdrawn` is not a time: `soon`"],
        );
    }

    #[test]
    fn another_yaml_is_not_claimed() {
        let check = |name: &str, text: &str, expected: bool| {
            assert_eq!(recognises(&Head::new(name, text.as_bytes())), expected, "{name} {text}");
        };
        let record = "id: PYSEC-2023-1\naffected:\n- package: x\nmodified: '2023'\n";
        check("PYSEC-2023-1.yaml", record, true);
        check("PYSEC-2023-1.txt", record, false);
        check("a.yaml", "id: 1\naffected: true\n", false);
    }
}
