//! Records in OSV's format as three large feeds have them: GitHub's (Markdown, ranges of a few packages), Debian's (short, three releases
//! with every version that there was) and Ubuntu's (many releases, each with its binaries).

use crate::{Outcome, build};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

const RECORDS: u32 = 300_000;
/// Records about each package on average.
const RECORDS_PER_NAME: u32 = 8;

/// Words that descriptions are made of.
const WORDS: &str = "a flaw was found in the way handles crafted requests when parsing input that allows remote attacker to \
    cause denial of service via memory corruption heap buffer overflow use after free out bounds read write integer \
    underflow missing authentication check privilege escalation cross site scripting sql injection path traversal server \
    side request forgery deserialization untrusted data race condition null pointer dereference certificate validation \
    improper neutralization special elements command session token cookie header proxy cache template engine file upload \
    archive extraction symbolic link following kernel driver network filesystem module function before version affected \
    users should upgrade patched release workaround disable option configuration default enabled discovered reported by \
    researcher impact confidentiality integrity availability local user container escape namespace socket descriptor";

pub(crate) fn run() -> Outcome {
    let folder = tempfile::tempdir()?;
    let feed = folder.path().join("generated.jsonl.zst");
    let bytes = generate(&feed)?;
    println!("{RECORDS} records, {} MB unpacked, {} bytes each", bytes >> 20, bytes / u64::from(RECORDS));
    build(&feed, &folder.path().join("advisories.db"), false)?;
    Ok(())
}

fn generate(feed: &Path) -> std::io::Result<u64> {
    let mut writer = zstd::Encoder::new(std::fs::File::create(feed)?, 3)?;
    let mut bytes = 0;
    for number in 0..RECORDS {
        let mut chance = Chance(u64::from(number) + 1);
        let line = match number % 3 {
            0 => github(number, &mut chance),
            1 => debian(number, &mut chance),
            _ => ubuntu(number, &mut chance),
        };
        bytes += line.len() as u64;
        writer.write_all(line.as_bytes())?;
    }
    writer.finish()?.sync_all()?;
    Ok(bytes)
}

/// Numbers that are the same in every run: xorshift (Marsaglia, 2003).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u32) -> u32 {
        for shift in [13, -7i32, 17] {
            self.0 ^= if shift > 0 { self.0 << shift } else { self.0 >> -shift };
        }
        (self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) as u32 % limit
    }

    fn prose(&mut self, words: u32) -> String {
        let all: Vec<&str> = WORDS.split_ascii_whitespace().collect();
        (0..words).map(|_| all[self.below(all.len() as u32) as usize]).collect::<Vec<_>>().join(" ")
    }

    fn version(&mut self) -> String {
        format!("{}.{}.{}", self.below(8), self.below(30), self.below(60))
    }
}

fn head(id: &str, cve: &str, relation: &str, chance: &mut Chance) -> String {
    format!(
        r#"{{"schema_version":"1.7.3","id":"{id}","modified":"2025-0{}-1{}T07:53:50Z","published":"2024-01-0{}T21:15:08Z","{relation}":["{cve}"],"severity":[{{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:N/A:L"}}],"#,
        chance.below(9) + 1,
        chance.below(9),
        chance.below(9) + 1,
    )
}

fn references(cve: &str, number: u32, count: u32) -> String {
    let mut list = format!(r#""references":[{{"type":"ADVISORY","url":"https://nvd.nist.gov/vuln/detail/{cve}"}}"#);
    for place in 0..count {
        let commit = u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834 + u128::from(place));
        let _ = write!(
            list,
            r#",{{"type":"WEB","url":"https://github.com/project-{number}/software/commit/{commit:032x}"}}"#
        );
    }
    list + "]"
}

fn name(number: u32) -> String {
    format!("software-{:x}", (number / RECORDS_PER_NAME).wrapping_mul(0x9e37_79b9))
}

fn cve(number: u32) -> String {
    format!("CVE-{}-{}", 2005 + number % 20, 10_000 + number / 20)
}

fn github(number: u32, chance: &mut Chance) -> String {
    let (cve, name) = (cve(number), name(number));
    let ecosystem = ["npm", "PyPI", "Maven", "Packagist", "Go", "crates.io"][(number / 3) as usize % 6];
    let separator = if ecosystem == "Maven" { ":" } else { "/" };
    let mut record = head(&format!("GHSA-{number:012}"), &cve, "aliases", chance);
    let details = format!("### Impact\\n\\n{}\\n\\n### Patches\\n\\n{}\\n", chance.prose(180), chance.prose(60));
    let _ = write!(record, r#""summary":"{}","details":"{details}","affected":["#, chance.prose(10));
    for part in 0..1 + chance.below(4) {
        let comma = if part > 0 { "," } else { "" };
        let (from, to) = (chance.version(), chance.version());
        let _ = write!(
            record,
            r#"{comma}{{"package":{{"ecosystem":"{ecosystem}","name":"{name}{separator}part-{part}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"{from}"}},{{"fixed":"1{to}"}}]}}],"database_specific":{{"last_known_affected_version_range":"< 1{to}"}}}}"#
        );
    }
    let _ = write!(
        record,
        r#"],{},"database_specific":{{"cwe_ids":["CWE-{}"],"severity":"HIGH","github_reviewed":true}}}}"#,
        references(&cve, number, 3 + chance.below(6)),
        20 + chance.below(900)
    );
    record + "\n"
}

fn debian(number: u32, chance: &mut Chance) -> String {
    let (cve, name) = (cve(number), name(number));
    let mut record = head(&format!("DEBIAN-{cve}"), &cve, "upstream", chance);
    let _ = write!(record, r#""details":"{}","affected":["#, chance.prose(50));
    for release in 11..15 {
        let comma = if release > 11 { "," } else { "" };
        let fixed = format!("1{}-1+deb{release}u{}", chance.version(), chance.below(6));
        let versions: Vec<String> = (0..20 + chance.below(20)).map(|_| format!("\"{}-1\"", chance.version())).collect();
        let _ = write!(
            record,
            r#"{comma}{{"package":{{"ecosystem":"Debian:{release}","name":"{name}","purl":"pkg:deb/debian/{name}?arch=source"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}],"versions":[{}],"ecosystem_specific":{{"urgency":"not yet assigned"}}}}"#,
            versions.join(",")
        );
    }
    let _ = writeln!(record, "],{}}}", references(&cve, number, 1));
    record
}

fn ubuntu(number: u32, chance: &mut Chance) -> String {
    let (cve, name) = (cve(number), name(number));
    let mut record = head(&format!("UBUNTU-{cve}"), &cve, "upstream", chance);
    let _ = write!(record, r#""details":"{}","affected":["#, chance.prose(60));
    let releases =
        ["Ubuntu:Pro:16.04:LTS", "Ubuntu:Pro:18.04:LTS", "Ubuntu:20.04:LTS", "Ubuntu:22.04:LTS", "Ubuntu:24.04:LTS"];
    for (place, release) in releases.into_iter().enumerate() {
        let comma = if place > 0 { "," } else { "" };
        let fixed = format!("1{}-2ubuntu{}", chance.version(), chance.below(9));
        let binaries: Vec<String> = ["", "-dev", "-doc", "-utils"]
            .iter()
            .map(|part| format!(r#"{{"binary_name":"lib{name}{part}","binary_version":"{fixed}"}}"#))
            .collect();
        let _ = write!(
            record,
            r#"{comma}{{"package":{{"ecosystem":"{release}","name":"{name}","purl":"pkg:deb/ubuntu/{name}@{fixed}?arch=source"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}],"versions":["{}-1","{}-2ubuntu1"],"ecosystem_specific":{{"availability":"No subscription required","binaries":[{}]}}}}"#,
            chance.version(),
            chance.version(),
            binaries.join(",")
        );
    }
    let _ = write!(record, r#"],{},"database_specific":{{"severity":"medium"}}}}"#, references(&cve, number, 3));
    record + "\n"
}
