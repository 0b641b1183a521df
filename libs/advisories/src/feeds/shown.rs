//! Advisories as short text, for tables of tests and golden files.

use muster_domain::{Advisory, Affected, Event};

/// On one line: id, source, names, the vendor's word, then what is affected.
pub fn line(advisory: &Advisory) -> String {
    let mut line = head(advisory);
    for affected in &advisory.affected {
        line = format!("{line}; {}", package(affected));
    }
    line
}

/// All of it, the texts cut.
pub fn rendered(advisory: &Advisory) -> String {
    let mut text = head(advisory);
    let times = [("published", advisory.published), ("modified", advisory.modified), ("withdrawn", advisory.withdrawn)];
    for (name, time) in times {
        text += &time.map_or(String::new(), |time| format!(" {name}={time}"));
    }
    text += &format!("\n  {} | {}", start(&advisory.summary), start(&advisory.details));
    for vector in &advisory.severity {
        text += &format!("\n  {} {} {}", vector.kind, vector.vector, vector.source);
    }
    if !advisory.cwes.is_empty() {
        text += &format!("\n  {}", advisory.cwes.join(" "));
    }
    for reference in &advisory.references {
        text += &format!("\n  {} {}", reference.kind, reference.url);
    }
    for affected in &advisory.affected {
        text += &format!("\n  {}", package(affected));
        for vector in &affected.severity {
            text += &format!("\n    {} {} {}", vector.kind, vector.vector, vector.source);
        }
    }
    text
}

fn head(advisory: &Advisory) -> String {
    let mut head = format!("{} {}", advisory.id.0, advisory.source);
    if !advisory.scope.is_empty() {
        head += &format!(" scope={}", advisory.scope);
    }
    let names = [("aliases", &advisory.aliases), ("upstream", &advisory.upstream), ("related", &advisory.related)];
    for (name, list) in names.into_iter().filter(|(_, list)| !list.is_empty()) {
        head += &format!(" {name}={}", list.join(","));
    }
    advisory.vendor_severity.iter().for_each(|word| head += &format!(" word={word}"));
    head
}

fn package(affected: &Affected) -> String {
    let mut text = format!("{} {}", affected.ecosystem, affected.name);
    for event in affected.ranges.iter().flat_map(|range| &range.events) {
        text += &match event {
            Event::Introduced(version) => format!(" [{version}"),
            Event::Fixed(version) => format!(" {version})"),
            Event::LastAffected(version) => format!(" {version}]"),
            Event::Limit(version) => format!(" {version}|"),
        };
    }
    if !affected.versions.is_empty() {
        text += &format!(" and {} versions", affected.versions.len());
    }
    affected.vendor_severity.iter().for_each(|word| text += &format!(" word={word}"));
    affected.remark.iter().for_each(|remark| text += &format!(" remark=`{remark}`"));
    text
}

/// Its first words on one line.
fn start(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(100).collect()
}
