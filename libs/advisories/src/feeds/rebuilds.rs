//! What the OSV records of AlmaLinux and Rocky Linux leave to be understood (osv.dev's exports and
//! github.com/AlmaLinux/osv-database, read 2026-11).
//!
//! - Each is a notice of one update, and the CVEs that it repairs stand in `related`: they are what it is about.
//!   A bug fix or enhancement (ALBA, ALEA) that names none announces no vulnerability and is passed over.
//! - How grave it is, only the summary tells (`Important: …`).
//! - AlmaLinux lists every binary package, Rocky Linux the source packages alone (`ruby`, not `ruby-libs`).
//! - A build of a module has `.module_el8` or `.module+el9` in its release, but of which stream only the summary tells
//!   (`Important: nodejs:20 security update`). Where it names two (`virt:rhel and virt-devel:rhel`) a package may come from
//!   either; where it names none the entry stays without a stream, which is told.

use muster_domain::{Advisory, Affected, Event, Names};

/// The words that a security notice's summary begins with.
const SEVERITIES: [&str; 4] = ["Critical", "Important", "Moderate", "Low"];
/// Streams in one summary at most; real ones have two.
const STREAMS_MAX: usize = 4;

/// Whether a record announces an update that repairs no vulnerability.
pub(super) fn is_no_vulnerability(advisory: &Advisory) -> bool {
    let is_plain = ["ALBA-", "ALEA-", "RLBA-", "RLEA-"].iter().any(|begin| advisory.id.0.starts_with(begin));
    let lists = [&advisory.aliases, &advisory.upstream, &advisory.related];
    is_plain && !lists.into_iter().flatten().any(|name| name.starts_with("CVE-"))
}

/// Completes a record in place; what can't be told comes back. Records of others stay as they are.
pub(super) fn complete(advisory: &mut Advisory) -> Vec<String> {
    let names = match advisory.source.as_str() {
        "ALMALINUX" => Names::Binary,
        "ROCKY" => Names::Source,
        _ => return Vec::new(),
    };
    if advisory.upstream.is_empty() {
        let cves = advisory.related.iter().filter(|name| name.starts_with("CVE-"));
        advisory.upstream = cves.cloned().collect();
    }
    if advisory.vendor_severity.is_none() {
        let word = advisory.summary.split_once(": ").map(|(word, _)| word);
        advisory.vendor_severity = word.filter(|word| SEVERITIES.contains(word)).map(str::to_owned);
    }
    let streams: Vec<&str> = advisory.summary.split_whitespace().filter_map(stream).take(STREAMS_MAX).collect();
    let mut untold = 0usize;
    let mut completed = Vec::with_capacity(advisory.affected.len());
    for affected in std::mem::take(&mut advisory.affected) {
        let affected = Affected { names, ..affected };
        if !is_of_module(&affected) {
            completed.push(affected);
            continue;
        }
        untold += usize::from(streams.is_empty());
        let all = streams.iter().map(|&stream| Affected { module: Some(stream.to_owned()), ..affected.clone() });
        completed.extend(all);
        if streams.is_empty() {
            completed.push(affected);
        }
    }
    advisory.affected = completed;
    match untold {
        0 => Vec::new(),
        count => vec![format!("{count} packages are of a module whose stream the record does not name")],
    }
}

/// `nodejs:20` is one, `Important:` is none.
fn stream(word: &str) -> Option<&str> {
    let word = word.trim_end_matches([',', ';', '.']);
    let (name, stream) = word.split_once(':')?;
    let sound = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+');
        part.starts_with(|first: char| first.is_ascii_alphanumeric()) && part.bytes().all(plain)
    };
    (sound(name) && sound(stream)).then_some(word)
}

fn is_of_module(affected: &Affected) -> bool {
    affected.ranges.iter().flat_map(|range| &range.events).any(|event| {
        let (Event::Introduced(version) | Event::Fixed(version) | Event::LastAffected(version) | Event::Limit(version)) =
            event;
        version.contains(".module_el") || version.contains(".module+el")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::AdvisoryId;

    fn completed(source: &str, summary: &str, fixed: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
        let ecosystem = "AlmaLinux:8".parse().unwrap();
        let mut advisory = Advisory {
            source: source.to_owned(),
            summary: summary.to_owned(),
            related: vec!["CVE-2024-1111".to_owned(), "RHSA-2024:1".to_owned()],
            affected: vec![Affected::new(ecosystem, "a").with_range("0", Some(fixed))],
            ..Advisory::default()
        };
        let untold = complete(&mut advisory);
        let modules = advisory.affected.iter().map(|one| format!("{:?} {:?}", one.names, one.module)).collect();
        (advisory.upstream, modules, untold)
    }

    #[test]
    fn a_build_of_a_module_is_of_the_stream_that_the_summary_names() {
        let owned = |list: &[&str]| list.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
        let check = |summary: &str, fixed: &str, expected: &[&str], untold: usize| {
            let (upstream, modules, reasons) = completed("ALMALINUX", summary, fixed);
            assert_eq!((upstream.len(), modules, reasons.len()), (1, owned(expected), untold), "{summary}");
        };
        let build = "1:20.1-1.module_el8.9.0+1+abc";
        check("Important: nodejs:20 security update", build, &[r#"Binary Some("nodejs:20")"#], 0);
        check("idm:DL1 bug fix update", build, &[r#"Binary Some("idm:DL1")"#], 0);
        check(
            "virt:rhel and virt-devel:rhel bug fix update",
            build,
            &[r#"Binary Some("virt:rhel")"#, r#"Binary Some("virt-devel:rhel")"#],
            0,
        );
        check("Important: varnish security update", build, &["Binary None"], 1);
        check("Moderate: kernel:4.18.0 security update", "4.18.0-1.el8", &["Binary None"], 0); // no module
    }

    #[test]
    fn the_summary_begins_with_the_severity() {
        let check = |summary: &str, expected: Option<&str>| {
            let source = "ALMALINUX".to_owned();
            let mut advisory = Advisory { source, summary: summary.to_owned(), ..Advisory::default() };
            complete(&mut advisory);
            assert_eq!(advisory.vendor_severity.as_deref(), expected, "{summary}");
        };
        check("Important: firefox security update", Some("Important"));
        check("new module: ruby:3.0", None);
        check("idm:DL1 bug fix update", None);
    }

    #[test]
    fn a_bug_fix_that_names_no_cve_announces_no_vulnerability() {
        let check = |id: &str, related: &str, expected: bool| {
            let related = vec![related.to_owned()];
            let advisory = Advisory { id: AdvisoryId(id.to_owned()), related, ..Advisory::default() };
            assert_eq!(is_no_vulnerability(&advisory), expected, "{id} {related:?}", related = advisory.related);
        };
        check("ALBA-2019:0973", "RHBA-2019:0973", true);
        check("ALBA-2021:4378", "CVE-2020-17049", false);
        check("ALSA-2019:1", "", false); // security without a CVE
        check("GHSA-1", "", false);
    }

    #[test]
    fn rocky_names_source_packages_and_others_stay_as_they_are() {
        let (upstream, modules, _) = completed("ROCKY", "Moderate: ruby:3.3 security", "3.3.1-2.module+el9.4.0+1+2");
        assert_eq!(
            (upstream, modules),
            (vec!["CVE-2024-1111".to_owned()], vec![r#"Source Some("ruby:3.3")"#.to_owned()])
        );
        let (upstream, modules, _) = completed("GITHUB", "x:1", "1.module_el8");
        assert_eq!((upstream, modules), (vec![], vec!["Binary None".to_owned()]));
    }
}
