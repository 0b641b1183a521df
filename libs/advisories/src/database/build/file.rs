//! Compiled sections -> the file: written beside its place, made durable, renamed.

use super::super::hash;
use super::super::layout::{FORMAT_VERSION, Header, MAGIC, Section, SectionRow};
use super::BuildError;
use super::compile::Compiled;
use jiff::Timestamp;
use muster_domain::Digest;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use zerocopy::IntoBytes as _;

/// Digest of the file, digest of what it says, length.
pub(super) fn write(
    path: &Path,
    epoch: u64,
    built_at: Timestamp,
    compiled: &Compiled,
) -> Result<(Digest, Digest, u64), BuildError> {
    let sections = Section::ALL.map(|section| bytes(compiled, section));
    let mut offset = (size_of::<Header>() + Section::ALL.len() * size_of::<SectionRow>()) as u64;
    let mut table = Vec::with_capacity(Section::ALL.len());
    let mut contents = Sha256::new();
    for (place, section) in (0u32..).zip(sections) {
        let sha256: [u8; 32] = Sha256::digest(section).into();
        contents.update(sha256);
        let bytes = section.len() as u64;
        table.push(SectionRow {
            section: place.into(),
            reserved: 0.into(),
            offset: offset.into(),
            bytes: bytes.into(),
            sha256,
        });
        offset += bytes;
    }
    let contents: [u8; 32] = contents.finalize().into();
    let header = Header {
        magic: MAGIC,
        format_version: FORMAT_VERSION.into(),
        section_count: (Section::ALL.len() as u32).into(),
        file_bytes: offset.into(),
        epoch: epoch.into(),
        built_at: built_at.as_second().into(),
        keys_check: hash::of_version_keys().into(),
        seed: compiled.seed.into(),
        contents,
    };
    let parts: Vec<&[u8]> = [header.as_bytes(), table.as_bytes()].into_iter().chain(sections).collect();
    let digest = parts.iter().fold(Sha256::new(), |digest, part| digest.chain_update(part)).finalize().into();
    replace(path, &parts)?;
    Ok((super::super::digest_of(digest), super::super::digest_of(contents), offset))
}

fn bytes(compiled: &Compiled, section: Section) -> &[u8] {
    match section {
        Section::Texts => &compiled.texts,
        Section::Keys => &compiled.keys,
        Section::Ecosystems => compiled.ecosystems.as_bytes(),
        Section::Packages => compiled.packages.as_bytes(),
        Section::Index => compiled.index.as_bytes(),
        Section::Claims => compiled.claims.as_bytes(),
        Section::Qualifiers => compiled.qualifiers.as_bytes(),
        Section::Ranges => compiled.ranges.as_bytes(),
        Section::Records => compiled.records.as_bytes(),
        Section::Vulnerabilities => compiled.vulnerabilities.as_bytes(),
        Section::VulnerabilityRecords => compiled.vulnerability_records.as_bytes(),
        Section::Aliases => compiled.aliases.as_bytes(),
        Section::KnownExploited => compiled.known_exploited.as_bytes(),
        Section::Exploits => compiled.exploits.as_bytes(),
        Section::Statements => compiled.statements.as_bytes(),
        Section::LifeCycles => compiled.life_cycles.as_bytes(),
        Section::FactsBlocks => compiled.facts_blocks.as_bytes(),
        Section::Facts => &compiled.facts,
    }
}

/// Readers see the old file or the new one, never a part: a mapped file must not change.
fn replace(path: &Path, parts: &[&[u8]]) -> Result<(), BuildError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.partial", std::process::id()));
    let written = write_parts(&beside, parts).and_then(|()| {
        std::fs::rename(&beside, path).map_err(io("rename into place", path))?;
        sync_folder(path)
    });
    if written.is_err() {
        // Best effort: the error that matters is the one above.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

fn write_parts(path: &Path, parts: &[&[u8]]) -> Result<(), BuildError> {
    let mut file = File::create(path).map_err(io("create", path))?;
    for part in parts {
        file.write_all(part).map_err(io("write", path))?;
    }
    file.sync_all().map_err(io("write", path))
}

/// Makes the rename durable.
fn sync_folder(path: &Path) -> Result<(), BuildError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("make durable", folder))
}

fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> BuildError {
    let path: PathBuf = path.to_owned();
    move |cause| BuildError::Io { doing, path, cause }
}
