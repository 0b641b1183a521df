//! rpm's database, in each of its three forms: `rpmdb.sqlite`, `Packages.db` (ndb) and `Packages` (Berkeley DB).
//! Source: rpm's manual, "RPM database" and `rpm-queryformat`, read 2026-11-24. Whatever holds them, packages are
//! headers ([`header`]).

mod berkeley;
mod header;
mod ndb;
mod sqlite;

use crate::{Parsed, cataloguers, merge::ecosystem_of, path, purl};
use header::Header;
use muster_domain::{OperatingSystem, Package, PackageManager, SourcePackage};

/// Where it lies. Newer distributions have it below `/usr`, with a link at the older place; the last is rpm-ostree's.
const FOLDERS: [&str; 3] = ["usr/lib/sysimage/rpm/", "var/lib/rpm/", "usr/share/rpm/"];

const SQLITE: &str = "rpmdb.sqlite";
/// What was written to the sqlite database and not yet taken into its file.
const SQLITE_LOG: &str = "rpmdb.sqlite-wal";
const NDB: &str = "Packages.db";
const BERKELEY: &str = "Packages";

/// The forms, the newest first: where several lie in one folder, the older ones were left behind by a conversion.
const NEWEST_FIRST: [&str; 3] = [SQLITE, NDB, BERKELEY];

/// Whether the file is such a database, or the log that belongs to one.
pub fn wants(path: &str) -> bool {
    name(path).is_some_and(|name| name == SQLITE_LOG || NEWEST_FIRST.contains(&name))
}

fn name(path: &str) -> Option<&str> {
    FOLDERS.iter().find_map(|folder| path.strip_prefix(folder))
}

/// Whether another form of the database, newer than this, lies beside it.
pub(crate) fn is_left_behind(path: &str, is_there: impl Fn(&str) -> bool) -> bool {
    let Some((folder, name)) = path.rsplit_once('/') else { return false };
    wants(path)
        && NEWEST_FIRST.iter().take_while(|newer| **newer != name).any(|newer| is_there(&format!("{folder}/{newer}")))
        && name != SQLITE_LOG
}

/// Why the database could not be read any further; packages read before are kept.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("it is not a database of the kind that its name says")]
    NotThatKind,
    #[error("{0}")]
    Damaged(&'static str),
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// The installed packages, and which of them owns the proof of a language's package.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    let mut take = |number: u32, header: &[u8]| match package(path, header, &mut parsed) {
        Ok(()) => {}
        Err(reason) => parsed.skip(format!("{path}#{number}"), reason),
    };
    let end = match name(path) {
        Some(SQLITE) => sqlite::headers(bytes, &mut take),
        Some(NDB) => ndb::headers(bytes, &mut take),
        Some(BERKELEY) => berkeley::headers(bytes, &mut take),
        Some(SQLITE_LOG) if bytes.is_empty() => Ok(()),
        _ => Err(Broken::Damaged(
            "the last changes stand in this log, which is not read; `PRAGMA wal_checkpoint` moves them",
        )),
    };
    if let Err(broken) = end {
        parsed.skip(path, broken.to_string());
    }
    parsed
}

/// The name of the packages that rpm makes of imported signing keys: no software.
const SIGNING_KEY: &str = "gpg-pubkey";

/// Adds the package of one header.
fn package(path: &str, header: &[u8], parsed: &mut Parsed) -> Result<(), &'static str> {
    let header = Header::read(header)?;
    let name = header.text(header::NAME).ok_or("the header has no name")?;
    let (version, release) = (header.text(header::VERSION), header.text(header::RELEASE));
    let (version, release) = version.zip(release).ok_or("the header has no version and release")?;
    if name == SIGNING_KEY {
        return Ok(());
    }
    let epoch = header.number(header::EPOCH).filter(|epoch| *epoch > 0);
    let evr = |version_and_release: &str| match epoch {
        Some(epoch) => format!("{epoch}:{version_and_release}"),
        None => version_and_release.to_owned(),
    };
    let version = evr(&format!("{version}-{release}"));
    // A header tells the file of the source package, which has no epoch: rpm gives a source that of its packages.
    let source = header.text(header::SOURCE_RPM).as_deref().and_then(source_of_file);
    let source = source.map(|(name, version)| SourcePackage { name, version: evr(&version) });
    let architecture = header.text(header::ARCHITECTURE);
    for owned in header.files().filter_map(|file| path::normalise(&file).ok()) {
        if cataloguers::proves_language_package(&owned) {
            parsed.own(owned, &name);
        }
    }
    parsed.add(Package {
        ecosystem: None,
        purl: rpm_purl(&name, &version, architecture.as_deref(), None),
        name,
        version,
        manager: PackageManager::Os,
        source,
        architecture,
        module: header.text(header::MODULARITY_LABEL).as_deref().map(module_stream),
        paths: vec![path.to_owned()],
        layer: None,
        lambda_layer: None,
        owned_by: None,
    });
    Ok(())
}

/// `openssl-3.0.7-27.el9.src.rpm` is `openssl` and `3.0.7-27.el9`.
pub(crate) fn source_of_file(file: &str) -> Option<(String, String)> {
    let stem = file.strip_suffix(".rpm")?;
    let stem = stem.strip_suffix(".src").or_else(|| stem.strip_suffix(".nosrc"))?;
    let (rest, release) = stem.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    Some((name.to_owned(), format!("{version}-{release}")))
}

/// `nodejs:18:8090020231019152822:a75119d5` is of the stream `nodejs:18`.
fn module_stream(label: &str) -> String {
    let mut parts = label.splitn(3, ':');
    let (name, stream) = (parts.next().unwrap_or_default(), parts.next());
    stream.map_or(name.to_owned(), |stream| format!("{name}:{stream}"))
}

/// Fills in what only the operating system tells: the ecosystem and the package URL's namespace and `distro`.
pub(crate) fn of_system(package: &mut Package, os: Option<&OperatingSystem>) {
    package.ecosystem = os.and_then(ecosystem_of);
    package.purl = rpm_purl(&package.name, &package.version, package.architecture.as_deref(), os);
}

/// The epoch is a qualifier (purl-spec, types, rpm). Red Hat's namespace is `redhat`, though its os-release says `rhel`.
pub(crate) fn rpm_purl(name: &str, version: &str, architecture: Option<&str>, os: Option<&OperatingSystem>) -> String {
    let (epoch, version) = match version.split_once(':') {
        Some((epoch, version)) => (Some(epoch), version),
        None => (None, version),
    };
    let namespace = os.map(|os| if os.id == "rhel" { "redhat" } else { os.id.as_str() }).filter(|id| !id.is_empty());
    let distro = os.filter(|os| !os.version.is_empty()).map(|os| format!("{}-{}", os.id, os.version));
    let qualifiers = [("arch", architecture), ("distro", distro.as_deref()), ("epoch", epoch)];
    purl::write("rpm", namespace, name, version, &qualifiers)
}

#[cfg(test)]
mod tests;
