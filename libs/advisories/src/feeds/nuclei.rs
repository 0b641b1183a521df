//! The index of Nuclei's templates for CVEs, `cves.json` (github.com/projectdiscovery/nuclei-templates, read 2026-11-24): a
//! line of JSON for each, `{"ID":"CVE-2021-44228","Info":{…},"file_path":"http/cves/2021/CVE-2021-44228.yaml"}`.
//! A template sends the request that triggers the weakness, so it is evidence of an exploit.

use super::vulnerability::cve_id;
use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, cut};
use muster_domain::Exploit;
use serde::Deserialize;

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    !head.is_json_list() && ["ID", "Info", "file_path"].iter().all(|key| head.has_json_key(key))
}

/// A document is the whole index, or one line of it.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    for (line, number) in document.bytes.split(|&byte| byte == b'\n').zip(1u64..) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match template(line) {
            Ok((cve, id)) => sink(Item::Exploit(cve, Exploit { source: "NUCLEI".to_owned(), id })),
            Err(reason) => sink(Item::skipped(format!("line {number}"), reason)),
        }
    }
    Ok(())
}

/// A template's CVE, and its path, by which people find it.
fn template(line: &[u8]) -> Result<(String, String), String> {
    let template: Template = serde_json::from_slice(line).map_err(|error| format!("is not a template: {error}"))?;
    let cve = cve_id(&template.id).ok_or("field `ID` is not a CVE id")?;
    let name = if template.path.is_empty() { &template.id } else { &template.path };
    Ok((cve, cut(name, WORD_BYTES_MAX).to_owned()))
}

#[derive(Deserialize)]
struct Template {
    #[serde(rename = "ID")]
    id: String,
    #[serde(default, rename = "file_path")]
    path: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_template_or_told() {
        let text = "{\"ID\":\"CVE-2000-0114\",\"Info\":{\"Name\":\"x\",\"Classification\":{\"CVSSScore\":\"5.3\"}},\
                    \"file_path\":\"http/cves/2000/CVE-2000-0114.yaml\"}\n\n\
                    {\"ID\":\"cve-2024-3400\",\"Info\":{},\"file_path\":\"\"}\nnot json\n{\"ID\":\"x\"}\n";
        assert!(recognises(&Head::new("cves.json", text.as_bytes())));
        let mut lines = Vec::new();
        parse(&Document { name: "cves.json", bytes: text.as_bytes() }, &mut |item| match item {
            Item::Exploit(cve, exploit) => lines.push(format!("{cve} {} {}", exploit.source, exploit.id)),
            Item::Skipped(skipped) => lines.push(format!("{}! {}", skipped.place, skipped.reason)),
            other => panic!("{other:?}"),
        })
        .unwrap();
        assert_eq!(
            lines,
            [
                "CVE-2000-0114 NUCLEI http/cves/2000/CVE-2000-0114.yaml",
                "CVE-2024-3400 NUCLEI cve-2024-3400",
                "line 4! is not a template: expected ident at line 1 column 2",
                "line 5! field `ID` is not a CVE id",
            ]
        );
    }

    #[test]
    fn other_documents_are_not_claimed() {
        for other in [r#"{"ID":"sha256:1","Info":{}}"#, r#"[{"ID":"x","Info":{},"file_path":""}]"#, "{}"] {
            assert!(!recognises(&Head::new("cves.json", other.as_bytes())), "{other}");
        }
    }
}
