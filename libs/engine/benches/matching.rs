//! Matching at the size of all public feeds: look-ups and matches per second on one core, and how long it takes from
//! opening the file to the first match. `cargo bench -p muster-engine --bench matching`.

use divan::counter::ItemsCount;
use muster_advisories::{Builder, Database, feeds::osv};
use muster_domain::{Inventory, Package, PackageManager, SourcePackage};
use muster_engine::matching::{judge_inventory, match_inventory};
use std::path::PathBuf;
use std::sync::OnceLock;

/// Ranges in the generated feeds.
const RANGES: u32 = 2_000_000;
/// Records about each package name: Debian's 65,000 records are about 3,500 source packages; npm's are one each.
const RECORDS_PER_NAME: u32 = 10;

fn main() {
    divan::main();
}

/// The database file: built once, kept in the temporary folder for the next run.
fn path() -> &'static PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let path = std::env::temp_dir().join(format!("muster-bench-{RANGES}-{RECORDS_PER_NAME}.db"));
        if Database::open(&path).is_err() {
            let begin = std::time::Instant::now();
            let report = generate().write(&path).unwrap();
            println!(
                "built {} records, {} packages, {} ranges, {} MB in {:?}",
                report.advisories,
                report.packages,
                report.ranges,
                report.bytes >> 20,
                begin.elapsed()
            );
        }
        path
    })
}

fn database() -> &'static Database {
    static DATABASE: OnceLock<Database> = OnceLock::new();
    DATABASE.get_or_init(|| Database::open(path()).unwrap())
}

/// Records in the real format through the real parser: two packages with one range each, half Debian, half npm and PyPI.
fn generate() -> Builder {
    let mut builder = Builder::new(1, "2026-11-24T00:00:00Z".parse().unwrap());
    for number in 0..RANGES / 2 {
        let name = name(number / RECORDS_PER_NAME);
        let (id, first, second) = match number % 4 {
            0 | 1 => (format!("DEBIAN-CVE-{}-{number}", 2000 + number % 25), "Debian:12", "Debian:13"),
            2 => (format!("GHSA-{number:012}"), "npm", "PyPI"),
            _ => (format!("PYSEC-2024-{number}"), "PyPI", "npm"),
        };
        let fixed = format!("{}.{}.{}", number % 7, number % 31, number % 97);
        let json = format!(
            r#"{{"schema_version":"1.7.3","id":"{id}","modified":"2025-01-01T00:00:00Z","published":"2024-01-01T00:00:00Z",
                "upstream":["CVE-{}-{number}"],"details":"A flaw was found in {name}: number {number} lets a remote attacker in.",
                "severity":[{{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}}],
                "affected":[
                {{"package":{{"ecosystem":"{first}","name":"{name}"}},"ecosystem_specific":{{"urgency":"not yet assigned"}},
                  "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}},
                {{"package":{{"ecosystem":"{second}","name":"{name}"}},
                  "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0.1.0"}},{{"fixed":"{fixed}"}}]}}]}}],
                "references":[{{"type":"WEB","url":"https://example.org/advisories/{number}"}}]}}"#,
            2000 + number % 25
        );
        builder.add(osv::read(json.as_bytes()).unwrap());
    }
    builder
}

fn name(number: u32) -> String {
    format!("lib{:x}-package-{number}", number.wrapping_mul(0x9e37_79b9))
}

/// Names in an order without pattern, half of them with advisories.
fn names() -> Vec<(&'static str, String)> {
    let known = RANGES / 2 / RECORDS_PER_NAME;
    let numbers = (0..1_000_000u32).map(|number| number.wrapping_mul(2_654_435_761) % (2 * known));
    numbers.map(|number| (["Debian:12", "npm", "PyPI"][number as usize % 3], name(number))).collect()
}

fn package(number: u32, is_os: bool) -> Package {
    let name = name(number % (RANGES / 2 / RECORDS_PER_NAME));
    Package {
        ecosystem: if is_os { "Debian:12" } else { "npm" }.parse().ok(),
        version: "3.14.15".into(),
        purl: format!("pkg:generic/{name}@3.14.15"),
        manager: if is_os { PackageManager::Os } else { PackageManager::NodePkg },
        source: is_os.then(|| SourcePackage { name: name.clone(), version: "3.14.15-1".into() }),
        architecture: None,
        paths: vec![format!("usr/lib/{name}")],
        layer: None,
        module: None,
        lambda_layer: None,
        owned_by: None,
        name,
    }
}

fn inventory() -> Inventory {
    let packages = (0..1000).map(|number| package(number * 97, number % 2 == 0)).collect();
    Inventory::new(None, packages, Vec::new(), Vec::new())
}

/// Look-ups in one sample: some milliseconds, so that of many samples some are not interrupted; each goes on where the last
/// one ended, so that what it looks up is in no cache.
const LOOK_UPS: usize = 20_000;

fn bench_look_ups(bencher: divan::Bencher<'_, '_>, known: impl Fn(&[(&str, &str)]) -> usize) {
    let names = names();
    let names: Vec<(&str, &str)> = names.iter().map(|(ecosystem, name)| (*ecosystem, name.as_str())).collect();
    let mut samples = names.chunks(LOOK_UPS).cycle();
    bencher
        .counter(ItemsCount::new(LOOK_UPS))
        .bench_local(|| known(samples.next().expect("a cycle of names has no end")));
}

/// Hash, slot, name; every other name is not there.
#[divan::bench(sample_count = 1000, sample_size = 1)]
fn look_up_a_package(bencher: divan::Bencher<'_, '_>) {
    let database = database();
    bench_look_ups(bencher, |names| {
        names.iter().filter(|(ecosystem, name)| database.candidates(ecosystem, name).next().is_some()).count()
    });
}

/// The same, an inventory's packages at a time, as matching asks.
#[divan::bench(sample_count = 1000, sample_size = 1)]
fn look_up_packages_together(bencher: divan::Bencher<'_, '_>) {
    let database = database();
    let known = |names: &[(&str, &str)]| {
        database.candidates_of_all(names).into_iter().filter_map(|mut claims| claims.next()).count()
    };
    bench_look_ups(bencher, |names| names.chunks(250).map(known).sum());
}

/// All claims of a package with their ranges, each compared with one version: what a match is without its words.
#[divan::bench]
fn compare_a_version_with_a_range(bencher: divan::Bencher<'_, '_>) {
    use muster_advisories::{CandidateRange, End};
    let (database, names) = (database(), names());
    let key = muster_versions::Scheme::Npm.key("3.14.15").unwrap();
    let compare = || {
        let mut ranges = 0usize;
        let mut affected = 0usize;
        for (_, name) in &names[..100_000] {
            for claim in database.candidates("npm", name) {
                for range in claim.unwrap().ranges().unwrap() {
                    ranges += 1;
                    if let CandidateRange::Interval { introduced, end: End::Fixed(fixed) } = range.unwrap() {
                        let begun = introduced.is_none_or(|bound| bound.key <= key.as_bytes());
                        affected += usize::from(begun && key.as_bytes() < fixed.key);
                    }
                }
            }
        }
        (ranges, affected)
    };
    let (ranges, _) = compare();
    bencher.counter(ItemsCount::new(ranges)).bench(compare);
}

/// An inventory of 1,000 packages to its verdict set; counted are pairs of package and vulnerability.
#[divan::bench]
fn judge_an_inventory(bencher: divan::Bencher<'_, '_>) {
    let (database, inventory) = (database(), inventory());
    let digest = inventory.digest();
    let pairs = match_inventory(&inventory, database).verdicts.len();
    bencher.counter(ItemsCount::new(pairs)).bench(|| judge_inventory(digest.clone(), &inventory, database));
}

/// The same with every answer written out.
#[divan::bench]
fn match_an_inventory(bencher: divan::Bencher<'_, '_>) {
    let (database, inventory) = (database(), inventory());
    let pairs = match_inventory(&inventory, database).verdicts.len();
    bencher.counter(ItemsCount::new(pairs)).bench(|| match_inventory(&inventory, database));
}

/// From nothing to the verdicts of one package, the file in the page cache.
#[divan::bench]
fn open_to_first_match(bencher: divan::Bencher<'_, '_>) {
    let path = path();
    let inventory = Inventory::new(None, vec![package(97, true)], Vec::new(), Vec::new());
    bencher.bench(|| {
        let database = Database::open(path).unwrap();
        match_inventory(&inventory, &database).verdicts.len()
    });
}
