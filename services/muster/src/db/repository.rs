//! `muster db keygen | publish | update | mirror`: signed repositories of databases, in a folder or at an address.

use anyhow::{Context, Result, bail};
use muster_advisories::distribution::{self, FileEntry, PublicKey, Rollback, SecretKey, Trust};
use muster_advisories_service::location::{Location, client, is_address, open_address};
use muster_domain::Digest;
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// The largest feed that is fetched, in bytes; OSV's largest export has some hundreds of megabytes.
const FEED_BYTES_MAX: u64 = 4 << 30;

/// Where a repository is, and whom its client trusts.
#[derive(clap::Args)]
#[group(skip)] // it would be a second `Source`
pub struct Source {
    /// The repository: a folder or an `https://` address.
    #[arg(long)]
    from: String,
    /// Public keys, one of which must have signed it.
    #[arg(long, required = true)]
    key: Vec<PathBuf>,
    /// Take an older database than the one that is there.
    #[arg(long)]
    allow_rollback: bool,
}

impl Source {
    fn trust(&self) -> Result<Trust> {
        let rollback = if self.allow_rollback { Rollback::Allowed } else { Rollback::Refused };
        Ok(Trust { rollback, ..Trust::from(public_keys(&self.key)?) })
    }

    /// Opens files of the repository by their names.
    fn files(&self) -> Result<impl FnMut(&str) -> io::Result<Box<dyn Read>> + use<>> {
        Location::new(&self.from)?.files()
    }
}

pub fn keygen(secret: &Path, public: &Path) -> Result<String> {
    let key = distribution::generate(secret, public)?;
    Ok(format!("key {}: secret in {}, public in {}", key.id(), secret.display(), public.display()))
}

pub fn publish(file: &Path, repository: &Path, keys: &[PathBuf], keep: usize) -> Result<String> {
    let keys = keys.iter().map(|path| SecretKey::read(path)).collect::<Result<Vec<_>, _>>()?;
    let published = distribution::publish(repository, file, &keys, keep)?;
    let mut text = format!("epoch {}: {}", published.id.epoch, shown(&published.full));
    for delta in &published.deltas {
        text.push_str(&format!("\n  from epoch {}: {}", delta.from.epoch, shown(&delta.file)));
    }
    Ok(text)
}

pub fn update(file: &Path, source: &Source) -> Result<String> {
    let current = file.exists().then_some(file);
    let updated = distribution::update(current, file, &source.trust()?, source.files()?)?;
    for refused in &updated.refused {
        crate::terminal::say(&format!(
            "muster: refused {}: {:#}",
            refused.name,
            anyhow::Error::msg(chain(&refused.why))
        ));
    }
    let taken: Vec<String> = updated.taken.iter().map(shown).collect();
    let taken = if taken.is_empty() { "it was there already".to_owned() } else { taken.join(", ") };
    Ok(format!("{}: epoch {}, built {}: {taken}", file.display(), updated.id.epoch, updated.built_at))
}

pub fn mirror(folder: &Path, source: &Source) -> Result<String> {
    let mirrored = distribution::mirror(source.files()?, folder, &source.trust()?)?;
    let (epoch, kept, removed) = (mirrored.epoch, mirrored.kept, mirrored.removed.len());
    let (fetched, bytes) = (mirrored.fetched.len(), mirrored.fetched_bytes);
    Ok(format!(
        "{}: epoch {epoch}, {fetched} files fetched ({bytes} bytes), {kept} kept, {removed} removed",
        folder.display()
    ))
}

/// The signature, and every file that it vouches for.
pub fn verify(repository: &Path, keys: &[PathBuf]) -> Result<String> {
    anyhow::ensure!(!keys.is_empty(), "a repository is checked against public keys: give --key");
    let trust = Trust::from(public_keys(keys)?);
    let index = distribution::read_index(&trust, distribution::from_folder(repository))?;
    let mut files = 0;
    for file in index.files() {
        let path = repository.join(file.name.as_str());
        let found = digest(&path).with_context(|| format!("read {}", path.display()))?;
        anyhow::ensure!(found == file.digest, "{} is {found}, the index says {}", path.display(), file.digest);
        files += 1;
    }
    Ok(format!("{}: epoch {}, signed, {files} files have their digests", repository.display(), index.newest().id.epoch))
}

/// A source of feeds as a path: an address is fetched into `folder`, under its own name, whose ending tells its packing.
pub fn local(source: &Path, folder: &Path) -> Result<PathBuf> {
    let address = source.to_string_lossy();
    if !is_address(&address) {
        return Ok(source.to_owned());
    }
    let name = address.split(['?', '#']).next().unwrap_or_default();
    let name = name.rsplit('/').find(|part| !part.is_empty()).unwrap_or("feed");
    let path = folder.join(format!("{}-{name}", &Digest::of(address.as_bytes()).hex()[..16]));
    let mut reader =
        open_address(&client()?, &address).with_context(|| format!("fetch {address}"))?.take(FEED_BYTES_MAX + 1);
    let mut file = File::create(&path).with_context(|| format!("create {}", path.display()))?;
    let bytes = io::copy(&mut reader, &mut file).with_context(|| format!("fetch {address}"))?;
    if bytes > FEED_BYTES_MAX {
        bail!("{address} is longer than {FEED_BYTES_MAX} bytes");
    }
    Ok(path)
}

fn public_keys(paths: &[PathBuf]) -> Result<Vec<PublicKey>> {
    Ok(paths.iter().map(|path| PublicKey::read(path)).collect::<Result<_, _>>()?)
}

fn digest(path: &Path) -> io::Result<Digest> {
    Digest::of_reader(File::open(path)?)
}

fn shown(file: &FileEntry) -> String {
    format!("{} ({} bytes)", file.name.as_str(), file.bytes)
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}
