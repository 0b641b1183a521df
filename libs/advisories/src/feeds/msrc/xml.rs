//! CVRF 1.1 as XML, read event by event.

use super::{Cvrf, Fix, Kind, Said, Vulnerability, time};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, cut};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Most elements within elements; CVRF has ten.
const DEPTH_MAX: usize = 32;
/// Most bytes of one text that are kept while reading.
const TEXT_BYTES_MAX: usize = 64 << 10;

pub(super) fn recognises(head: &Head<'_>) -> bool {
    head.text.starts_with(b"<") && head.holds("cvrfdoc") && head.holds("Microsoft")
}

pub(super) fn read(bytes: &[u8]) -> Result<Cvrf, FeedError> {
    let mut reader = Reader::from_reader(bytes);
    let mut reading = Reading::default();
    loop {
        let wrong = |why: String| FeedError::NotThis { format: "MSRC", why };
        let at = reader.buffer_position();
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                reading.open(&start);
                if reading.path.len() > DEPTH_MAX {
                    return Err(wrong(format!("more than {DEPTH_MAX} elements within each other at byte {at}")));
                }
            }
            Ok(Event::Empty(start)) => {
                reading.open(&start);
                reading.close();
            }
            Ok(Event::End(_)) => reading.close(),
            Ok(Event::Text(text)) => reading.text(&text),
            Ok(Event::CData(text)) => reading.text(&text),
            Ok(Event::GeneralRef(reference)) => reading.text(&character(&reference)),
            Ok(Event::Eof) if reading.path.is_empty() => return Ok(reading.cvrf),
            Ok(Event::Eof) => return Err(wrong("it ends within an element".to_owned())),
            Ok(_) => {}
            Err(error) => return Err(wrong(format!("{error} at byte {at}"))),
        }
    }
}

/// The character of one of XML's own references; entities of the document's are never expanded.
fn character(reference: &quick_xml::events::BytesRef<'_>) -> String {
    if let Ok(Some(letter)) = reference.resolve_char_ref() {
        return letter.to_string();
    }
    quick_xml::escape::resolve_xml_entity(reference).unwrap_or_default().to_owned()
}

/// Where the reader is, and what it has found.
#[derive(Default)]
struct Reading {
    cvrf: Cvrf,
    /// Local names and the `Type`, `Title`, `ID` or `ProductID` of the open elements.
    path: Vec<Open>,
    text: String,
    vulnerability: Vulnerability,
    said: Said,
    fix: Fix,
    status: Vec<String>,
}

#[derive(Default)]
struct Open {
    name: String,
    kind: String,
    title: String,
    id: String,
}

impl Reading {
    fn open(&mut self, start: &BytesStart<'_>) {
        let mut open = Open { name: cut(start.local_name().as_ref(), WORD_BYTES_MAX).to_owned(), ..Open::default() };
        for attribute in start.attributes().flatten() {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).unwrap_or_default();
            let value = cut(&value, WORD_BYTES_MAX).to_owned();
            match attribute.key.local_name().as_ref() {
                "Type" => open.kind = value,
                "Title" => open.title = value,
                "ID" | "ProductID" => open.id = value,
                _ => {}
            }
        }
        match open.name.as_str() {
            "Vulnerability" => self.vulnerability = Vulnerability::default(),
            "Threat" | "ScoreSet" => self.said = Said::default(),
            "Remediation" => self.fix = Fix::default(),
            "Status" => self.status.clear(),
            _ => {}
        }
        self.path.push(open);
        self.text.clear();
    }

    fn text(&mut self, text: &str) {
        let room = TEXT_BYTES_MAX.saturating_sub(self.text.len());
        self.text.push_str(cut(text, room));
    }

    fn close(&mut self) {
        let Some(open) = self.path.pop() else {
            return;
        };
        let within = self.path.last().map(|open| open.name.as_str()).unwrap_or_default();
        let text = std::mem::take(&mut self.text);
        let word = || cut(text.trim(), WORD_BYTES_MAX).to_owned();
        match (within, open.name.as_str()) {
            (_, "InitialReleaseDate") => self.cvrf.released = time(&text),
            (_, "CurrentReleaseDate") => self.cvrf.changed = time(&text),
            (_, "FullProductName") => _ = self.cvrf.products.insert(open.id, word()),
            (_, "Vulnerability") => self.cvrf.vulnerabilities.push(std::mem::take(&mut self.vulnerability)),
            ("Vulnerability", "CVE") => self.vulnerability.id = word(),
            ("Vulnerability", "Title") => self.vulnerability.title = word(),
            ("Vulnerability", "CWE") => self.vulnerability.cwes.push(open.id),
            ("Notes", "Note") if open.title == "Description" => self.vulnerability.description = text,
            ("Status", "ProductID") => self.status.push(word()),
            (_, "Status") if open.kind == "Known Affected" => self.vulnerability.affected.append(&mut self.status),
            ("Threat" | "ScoreSet", "ProductID") => self.said.products.push(word()),
            ("Threat", "Description") | ("ScoreSet", "Vector") => self.said.text = word(),
            (_, "Threat") => {
                self.said.kind = match open.kind.as_str() {
                    "Exploit Status" => Kind::Exploit,
                    "Severity" => Kind::Severity,
                    _ => Kind::Other,
                };
                self.vulnerability.threats.push(std::mem::take(&mut self.said));
            }
            (_, "ScoreSet") if !self.said.text.is_empty() => {
                self.vulnerability.scores.push(std::mem::take(&mut self.said));
            }
            ("Remediation", "ProductID") => self.fix.products.push(word()),
            ("Remediation", "Description") => self.fix.article = word(),
            ("Remediation", "Supercedence") => self.fix.supersedes = word(),
            ("Remediation", "FixedBuild") => self.fix.build = word(),
            (_, "Remediation") if open.kind == "Vendor Fix" => {
                self.vulnerability.fixes.push(std::mem::take(&mut self.fix));
            }
            ("Revision", "Date") => {
                if let Some(date) = time(&text)
                    && self.path.iter().any(|open| open.name == "Vulnerability")
                {
                    self.vulnerability.revisions.push(date);
                }
            }
            _ => {}
        }
    }
}
