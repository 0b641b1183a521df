//! Packages of Debian that get no security support any more though their release does: debian-security-support's lists
//! `security-support-ended.deb12` (salsa.debian.org/debian/debian-security-support; format: the head of each file, read
//! 2026-11-24): source package, last supported version, day, reason.
//!
//! Each becomes the life cycle of the product `debian/<source package>` in the release that the file's name tells: it is the end
//! of something's support, not a vulnerability, and an advisory would make a finding of every such package. A name that ends
//! in `.*` is about all packages whose names begin so, and is kept as written. The last supported version is left out: no
//! other will come, so that every installed one is without support.
//!
//! `security-support-limited` names conditions, not ends ("only for use on trusted content"). Nothing that a feed hands on can
//! say that, so it is told once as left out.

use super::{Document, Item, Sink};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, cut};
use jiff::civil::Date;
use muster_domain::{LifeCycle, Skipped};

const FORMAT: &str = "debian-security-support";
/// What the lists' first line says.
const ENDED: &str = "# List of packages whose security support ends before the distribution EOL";
const LIMITED: &str = "# List of packages where security support is limited";

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    head.text.starts_with(ENDED.as_bytes()) || head.text.starts_with(LIMITED.as_bytes())
}

/// A document is the list of one release.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let text = String::from_utf8_lossy(document.bytes);
    let lines = || (1u64..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    if text.trim_start().starts_with(LIMITED) {
        let reason = format!("{} packages with limited support: there is nothing to say it with", lines().count());
        sink(Item::Partial(Skipped { place: String::new(), reason }));
        return Ok(());
    }
    // The file without a release in its name is a copy of one with.
    let release = document.name.rsplit_once(".deb").map(|(_, release)| release).unwrap_or_default();
    if release.is_empty() || release.len() > 4 || !release.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(FeedError::NotThis { format: FORMAT, why: "its name tells no release (`….deb12`)".to_owned() });
    }
    for (number, line) in lines() {
        match life_cycle(release, line) {
            Ok(life_cycle) => sink(Item::LifeCycle(life_cycle)),
            Err(reason) => sink(Item::skipped(format!("line {number}"), reason)),
        }
    }
    Ok(())
}

fn life_cycle(release: &str, line: &str) -> Result<LifeCycle, String> {
    let mut fields = line.split_whitespace();
    let (Some(package), Some(_version), Some(day)) = (fields.next(), fields.next(), fields.next()) else {
        return Err("has fewer than three columns".to_owned());
    };
    if package.len() > WORD_BYTES_MAX {
        return Err(format!("name is longer than {WORD_BYTES_MAX} bytes"));
    }
    let day: Date = day.parse().map_err(|_| format!("{package}: no day: `{}`", cut(day, 40)))?;
    Ok(LifeCycle {
        product: format!("debian/{package}"),
        release: release.to_owned(),
        end_of_life: Some(day.to_string()),
        ..LifeCycle::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str, expected: &[&str]) {
        assert!(recognises(&Head::new(name, text.as_bytes())), "{text}");
        let mut came = Vec::new();
        let read = parse(&Document { name, bytes: text.as_bytes() }, &mut |item| {
            came.push(match item {
                Item::LifeCycle(one) => {
                    format!("{} {} {}", one.product, one.release, one.end_of_life.unwrap_or_default())
                }
                Item::Skipped(skipped) => format!("{}! {}", skipped.place, skipped.reason),
                Item::Partial(skipped) => format!("partial: {}", skipped.reason),
                other => format!("{other:?}"),
            });
        });
        came.extend(read.err().map(|error| error.to_string()));
        assert_eq!(came, expected, "{text}");
    }

    #[test]
    fn a_package_without_support_has_a_life_cycle_of_its_own() {
        let text = format!(
            "\n{ENDED}\n\n# File format: …\nlxd  5.0.2-5+deb12u6  2026-06-12  too complex\nphp-horde.*\t0\t2025-03-22\nx 1 soon\ny\n"
        );
        check(
            "debian-security-support/security-support-ended.deb12",
            &text,
            &[
                "debian/lxd 12 2026-06-12",
                "debian/php-horde.* 12 2025-03-22",
                "line 7! x: no day: `soon`",
                "line 8! has fewer than three columns",
            ],
        );
    }

    #[test]
    fn a_list_of_no_release_and_a_list_of_conditions_are_told() {
        let why = "is not debian-security-support: its name tells no release (`….deb12`)";
        check("security-support-ended", &format!("{ENDED}\nlxd 1 2026-06-12\n"), &[why]);
        let limited = format!("{LIMITED}\n\nbinutils  Only suitable for trusted content\n");
        let why = "partial: 1 packages with limited support: there is nothing to say it with";
        check("security-support-limited", &limited, &[why]);
    }
}
