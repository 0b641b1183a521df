//! Until when Debian's and Ubuntu's releases are supported: distro-info-data's `debian.csv` and `ubuntu.csv`
//! (salsa.debian.org/debian/distro-info-data, read 2026-11-24). The columns' names are in the first line.
//!
//! The end of general support is the last day on which fixes come to everyone without asking: in Debian that of LTS, which
//! comes from the same archive; in Ubuntu the later of `eol` and `eol-server`. ELTS, ESM and Ubuntu's legacy support must be
//! paid or asked for.

use super::{Document, Item, Sink, debian};
use crate::feed::{FeedError, Head, WORD_BYTES_MAX, cut};
use jiff::civil::Date;
use muster_domain::LifeCycle;

const FORMAT: &str = "distro-info-data";

/// A distribution's table.
struct Table {
    product: &'static str,
    /// How its file is named, where its columns don't tell.
    name: &'static str,
    /// Columns of days until which everyone gets fixes.
    general: &'static [&'static str],
    /// Columns of days until which those get fixes who pay or ask for it.
    extended: &'static [&'static str],
}

const TABLES: &[Table] = &[
    Table { product: "debian", name: "debian.csv", general: &["eol", "eol-lts"], extended: &["eol-elts"] },
    Table {
        product: "ubuntu",
        name: "ubuntu.csv",
        general: &["eol", "eol-server"],
        extended: &["eol-esm", "eol-legacy"],
    },
];

pub(crate) fn recognises(head: &Head<'_>) -> bool {
    head.text.starts_with(b"version,codename,series,created,release,eol")
}

/// A document is one distribution's table.
pub(crate) fn parse(document: &Document<'_>, sink: Sink<'_>) -> Result<(), FeedError> {
    let not_this = |why: String| FeedError::NotThis { format: FORMAT, why };
    // Releases without a planned end have fewer fields.
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(document.bytes);
    let columns = reader.headers().map_err(|error| not_this(error.to_string()))?.clone();
    let own = |table: &&Table| {
        let mut own = table.extended.iter().chain(&table.general[1..]);
        own.any(|name| columns.iter().any(|column| column == *name))
    };
    let table = TABLES.iter().find(own).or_else(|| TABLES.iter().find(|table| document.name.ends_with(table.name)));
    let table = table.ok_or_else(|| not_this("neither its columns nor its name tell the distribution".to_owned()))?;
    for row in reader.records() {
        let row = row.map_err(|error| not_this(error.to_string()))?;
        let place = || format!("line {}", row.position().map_or(0, csv::Position::line));
        match life_cycle(table, &columns, &row) {
            Ok(Some(life_cycle)) => sink(Item::LifeCycle(life_cycle)),
            Ok(None) => {} // sid and experimental are never released
            Err(reason) => sink(Item::skipped(place(), reason)),
        }
    }
    Ok(())
}

fn life_cycle(
    table: &Table,
    columns: &csv::StringRecord,
    row: &csv::StringRecord,
) -> Result<Option<LifeCycle>, String> {
    let field = |name: &str| {
        let at = columns.iter().position(|column| column == name);
        at.and_then(|at| row.get(at)).map(str::trim).unwrap_or_default()
    };
    let last = |names: &[&str]| -> Result<Option<String>, String> {
        let mut last: Option<Date> = None;
        for name in names.iter().filter(|name| !field(name).is_empty()) {
            let day: Date = field(name).parse().map_err(|_| format!("{name} is no day: `{}`", cut(field(name), 40)))?;
            last = last.max(Some(day));
        }
        Ok(last.map(|day| day.to_string()))
    };
    let (version, series) = (field("version"), field("series"));
    if version.is_empty() {
        return Ok(None);
    }
    if version.len().max(series.len()) > WORD_BYTES_MAX {
        return Err(format!("a name is longer than {WORD_BYTES_MAX} bytes"));
    }
    let release = match table.product {
        "debian" => debian::number(series).unwrap_or(version),
        _ => version.trim_end_matches(" LTS"),
    };
    Ok(Some(LifeCycle {
        product: table.product.to_owned(),
        release: release.to_owned(),
        codename: (!series.is_empty()).then(|| series.to_lowercase()),
        end_of_life: last(table.general)?,
        extended_support: last(table.extended)?,
        ended: false,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBIAN: &str = "version,codename,series,created,release,eol,eol-lts,eol-elts\n";
    const UBUNTU: &str = "version,codename,series,created,release,eol,eol-server,eol-esm,eol-legacy\n";

    fn check(name: &str, text: &str, expected: &[&str]) {
        assert!(recognises(&Head::new(name, text.as_bytes())), "{text}");
        let mut came = Vec::new();
        let read = parse(&Document { name, bytes: text.as_bytes() }, &mut |item| {
            came.push(match item {
                Item::LifeCycle(one) => {
                    let day = |day: Option<String>| day.unwrap_or("-".into());
                    let (end, extended) = (day(one.end_of_life), day(one.extended_support));
                    let codename = one.codename.unwrap_or_default();
                    format!("{} {} {codename} {end} {extended}", one.product, one.release)
                }
                Item::Skipped(skipped) => format!("{}! {}", skipped.place, skipped.reason),
                other => format!("{other:?}"),
            });
        });
        came.extend(read.err().map(|error| error.to_string()));
        assert_eq!(came, expected, "{text}");
    }

    #[test]
    fn general_support_ends_when_fixes_no_longer_come_to_everyone() {
        let bookworm = "12,Bookworm,bookworm,2021-08-14,2023-06-10,2026-07-11,2028-06-30,2033-06-30";
        check("debian.csv", &format!("{DEBIAN}{bookworm}"), &["debian 12 bookworm 2028-06-30 2033-06-30"]);
        // before there was LTS
        let lenny = "5.0,Lenny,lenny,2007-04-08,2009-02-14,2012-02-06";
        check("debian.csv", &format!("{DEBIAN}{lenny}"), &["debian 5 lenny 2012-02-06 -"]);
        // not released yet; never to be released
        let rest = "14,Forky,forky,2025-08-09\n,Sid,sid,1993-08-16";
        check("debian.csv", &format!("{DEBIAN}{rest}"), &["debian 14 forky - -"]);
        // the desktop's support ended before the server's
        let lucid = "10.04 LTS,Lucid Lynx,lucid,2009-10-29,2010-04-29,2013-05-09,2015-04-30";
        check("ubuntu.csv", &format!("{UBUNTU}{lucid}"), &["ubuntu 10.04 lucid 2015-04-30 -"]);
        // legacy support goes beyond ESM
        let jammy = "22.04 LTS,Jammy Jellyfish,jammy,2021-10-14,2022-04-21,2027-06-01,2027-06-01,2032-04-21,2034-04-25";
        check("x.csv", &format!("{UBUNTU}{jammy}"), &["ubuntu 22.04 jammy 2027-06-01 2034-04-25"]);
    }

    #[test]
    fn a_table_without_columns_of_its_own_is_told_by_its_name() {
        let old = "version,codename,series,created,release,eol\n7,Wheezy,wheezy,,,2016-04-25\n";
        check("data/debian.csv", old, &["debian 7 wheezy 2016-04-25 -"]);
        let why = "is not distro-info-data: neither its columns nor its name tell the distribution";
        check("x.csv", old, &[why]);
    }

    #[test]
    fn a_day_that_is_none_sets_its_line_aside() {
        let text = format!("{DEBIAN}7,Wheezy,wheezy,,,soon\n8,Jessie,jessie,,,2018-06-17\n");
        check("debian.csv", &text, &["line 2! eol is no day: `soon`", "debian 8 jessie 2018-06-17 -"]);
    }
}
