//! A folder of answers of AWS calls: those of one account and region in it, or in `ACCOUNT/REGION/` folders, or both.

use crate::terminal;
use anyhow::{Context, Result, ensure};
use muster_network::{
    Topology,
    offline::{self, FILE_BYTES_MAX},
};
use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

/// The most entries of one folder: a file for each of 100,000 functions or target groups is more than AWS allows.
const ENTRIES_MAX: usize = 100_000;

/// The most accounts and regions: what an organization of 10,000 accounts has in two regions.
const TOPOLOGIES_MAX: usize = 20_000;

/// The most remarks of a kind that are said one by one; a count says the rest.
const REMARKS_MAX: usize = 50;

/// What a folder holds.
pub struct Given {
    /// One for each account and region.
    pub topologies: Vec<Topology>,
    /// Whether something that was there could not be read.
    pub is_damaged: bool,
}

/// Reads a folder; what in it could not be read, or was not looked at, is said on stderr.
pub fn read(folder: &Path) -> Result<Given> {
    let reading = || format!("read {}", folder.display());
    let real = folder.canonicalize().with_context(reading)?;
    ensure!(real.is_dir(), "{} is no folder", folder.display());
    let mut walk = Walk { root: real, topologies: Vec::new(), damaged: Vec::new(), ignored: Vec::new() };
    walk.all(folder).with_context(reading)?;
    walk.say();
    ensure!(
        !walk.topologies.is_empty(),
        "{} holds no answer of an AWS call, neither in itself nor in ACCOUNT/REGION folders",
        folder.display()
    );
    Ok(Given { is_damaged: !walk.damaged.is_empty(), topologies: walk.topologies })
}

/// Whether a path, which need not be there yet, is or would be one of the answers in a folder.
pub fn is_answer_in(folder: &Path, path: &Path) -> bool {
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let real = path.canonicalize().or_else(|_| Ok::<_, std::io::Error>(parent.canonicalize()?.join(name(path))));
    match (folder.canonicalize(), real) {
        (Ok(folder), Ok(path)) => path.starts_with(folder) && offline::is_read(&name(&path)),
        _ => false,
    }
}

struct Walk {
    /// The folder itself, without symbolic links: nothing outside it is read.
    root: PathBuf,
    topologies: Vec<Topology>,
    /// What could not be read.
    damaged: Vec<String>,
    /// What was not looked at.
    ignored: Vec<String>,
}

/// What is in a folder, sorted by name.
#[derive(Default)]
struct Entries {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Walk {
    fn all(&mut self, folder: &Path) -> Result<()> {
        let top = self.entries(folder)?;
        self.topology(folder, &top.files, None)?;
        for account in &top.folders {
            let regions = self.entries(account)?;
            for file in &regions.files {
                self.ignore(file, "not in ACCOUNT/REGION/");
            }
            for region in &regions.folders {
                let entries = self.entries(region)?;
                for deeper in &entries.folders {
                    self.ignore(deeper, "a folder in ACCOUNT/REGION/");
                }
                self.topology(region, &entries.files, Some((name(account), name(region))))?;
            }
        }
        Ok(())
    }

    /// Files and folders, each of them inside the root; hidden ones are not looked at.
    fn entries(&mut self, folder: &Path) -> Result<Entries> {
        let mut entries = Entries::default();
        let listed = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
        for (position, entry) in listed.enumerate() {
            ensure!(position < ENTRIES_MAX, "{} has more than {ENTRIES_MAX} entries", folder.display());
            let path = entry.with_context(|| format!("list {}", folder.display()))?.path();
            if name(&path).starts_with('.') {
                continue;
            }
            match path.canonicalize() {
                Err(error) => self.damage(&path, &error.to_string()),
                Ok(real) if !real.starts_with(&self.root) => {
                    self.ignore(&path, "a symbolic link that leads out of the folder");
                }
                Ok(real) if real.is_dir() => entries.folders.push(path),
                Ok(real) if real.is_file() => entries.files.push(path),
                Ok(_) => self.ignore(&path, "neither a file nor a folder"),
            }
        }
        entries.files.sort();
        entries.folders.sort();
        Ok(entries)
    }

    /// The topology of these files, if one of them is an answer.
    fn topology(&mut self, folder: &Path, files: &[PathBuf], place: Option<(String, String)>) -> Result<()> {
        let mut reader = offline::Folder::new();
        for file in files {
            let name = name(file);
            if !offline::is_read(&name) {
                self.ignore(file, "not named after a call that is looked at");
                continue;
            }
            match content(file) {
                Ok(bytes) => reader.file(&name, &bytes),
                Err(error) => reader.unreadable(&name, &format!("{error:#}")),
            }
        }
        if reader.is_empty() {
            return Ok(());
        }
        ensure!(self.topologies.len() < TOPOLOGIES_MAX, "there are more than {TOPOLOGIES_MAX} accounts and regions");
        let (account, region) = place.unzip();
        let reading = reader.finish(account.as_deref(), region.as_deref());
        for remark in &reading.remarks {
            self.damage(&folder.join(&remark.file), &remark.reason);
        }
        self.topologies.push(reading.topology);
        Ok(())
    }

    fn ignore(&mut self, path: &Path, words: &str) {
        self.ignored.push(format!("muster: {}: ignored: {words}", path.display()));
    }

    fn damage(&mut self, path: &Path, words: &str) {
        self.damaged.push(format!("muster: {}: {words}", path.display()));
    }

    fn say(&self) {
        for (remarks, rest) in [(&self.damaged, "that could not be read"), (&self.ignored, "that are ignored")] {
            remarks.iter().take(REMARKS_MAX).for_each(|remark| terminal::say(remark));
            if remarks.len() > REMARKS_MAX {
                terminal::say(&format!("muster: and {} more {rest}", remarks.len() - REMARKS_MAX));
            }
        }
    }
}

/// The last part of a path, for people.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A file's bytes, not more of them than one too many.
fn content(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
