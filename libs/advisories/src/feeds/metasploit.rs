//! Metasploit's list of its modules, `db/modules_metadata_base.json` (github.com/rapid7/metasploit-framework, read
//! 2026-11-24): an object of one object per module, with CVEs among its `references`.
//!
//! Evidence of an exploit is a module of the type `exploit`, and an `auxiliary` one that attacks (takes over, takes out,
//! reads what it should not). One that only looks (`scanner`, `analyze`, …) proves that a weakness can be found, not used.

use super::parts;
use super::vulnerability::cve_id;
use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, Word, bounded, cut};
use muster_domain::Exploit;
use serde::Deserialize;
use std::collections::BTreeSet;

const FORMAT: &str = "Metasploit";
/// The folders of `auxiliary` whose modules attack.
const ATTACKS: &[&str] = &["admin", "client", "dos", "fileformat", "gather", "pdf", "server", "spoof", "sqli"];

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    let has_all =
        || ["\"fullname\"", "\"ref_name\"", "\"mod_time\"", "\"references\""].iter().all(|key| head.holds(key));
    head.text.starts_with(b"{") && has_all()
}

/// A document is the whole list.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    parts::entries(document.bytes, FORMAT, &mut |key, raw| match serde_json::from_str::<Module>(raw.get()) {
        Ok(module) if module.attacks() => {
            let cves: BTreeSet<String> =
                module.references.iter().filter_map(|word| cve_id(word.0.as_deref()?)).collect();
            for cve in cves {
                let id = cut(&module.fullname, WORD_BYTES_MAX).to_owned();
                sink(Item::Exploit(cve, Exploit { source: "METASPLOIT".to_owned(), id }));
            }
        }
        Ok(_) => {}
        Err(error) => sink(Item::skipped(cut(key, WORD_BYTES_MAX), format!("is not a module: {error}"))),
    })
}

#[derive(Deserialize)]
struct Module {
    fullname: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "bounded::<_, _, 10_000>")]
    references: Vec<Word>,
}

impl Module {
    fn attacks(&self) -> bool {
        match self.kind.as_str() {
            "exploit" => true,
            "auxiliary" => self.fullname.split('/').nth(1).is_some_and(|folder| ATTACKS.contains(&folder)),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_that_attack_are_evidence_and_scanners_are_not() {
        let module = |key: &str, fullname: &str, kind: &str| {
            format!(
                r#""{key}":{{"name":"x","fullname":"{fullname}","type":"{kind}","rank":600,"mod_time":"x","ref_name":"x",
                    "references":["CVE-2021-44228","CVE-2021-44228","URL-https://x","EDB-1"],"targets":null}}"#
            )
        };
        let text = format!(
            r#"{{{},{},{},{},"odd":{{"fullname":7}}}}"#,
            module("a", "exploit/multi/http/log4shell_header_injection", "exploit"),
            module("b", "auxiliary/admin/2wire/xslt_password_reset", "auxiliary"),
            module("c", "auxiliary/scanner/http/log4shell_scanner", "auxiliary"),
            module("d", "post/multi/gather/x", "post"),
        );
        assert!(recognises(&Head::new("modules_metadata_base.json", text.as_bytes())));
        let mut lines = Vec::new();
        parse(&Document { name: "x", bytes: text.as_bytes() }, &mut |item| match item {
            Item::Exploit(cve, exploit) => lines.push(format!("{cve} {} {}", exploit.source, exploit.id)),
            Item::Skipped(skipped) => lines.push(skipped.place),
            other => panic!("{other:?}"),
        })
        .unwrap();
        assert_eq!(
            lines,
            [
                "CVE-2021-44228 METASPLOIT exploit/multi/http/log4shell_header_injection",
                "CVE-2021-44228 METASPLOIT auxiliary/admin/2wire/xslt_password_reset",
                "odd",
            ]
        );
    }

    #[test]
    fn other_documents_are_not_claimed() {
        assert!(!recognises(&Head::new("x.json", br#"{"name":"x","references":[],"fullname":"x"}"#)));
        assert!(matches!(parse(&Document { name: "x", bytes: b"[]" }, &mut |_| {}), Err(FeedError::NotJson { .. })));
    }
}
