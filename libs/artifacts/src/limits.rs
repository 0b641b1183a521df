//! Limits: how much of a target is read. Whoever made the target may want us to run out of memory, disk or time.

/// How much is read. The defaults fit the largest artifacts that AWS takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one layer after decompression, and of one layer as stored. ECR takes layers of 52,000 MiB (Amazon ECR
    /// service quotas, "Maximum layer size", read 2026-11-24); the largest in use, with machine-learning libraries,
    /// are about 10 GB. Reading is streaming, so this is a limit of time.
    pub layer_bytes_max: u64,
    /// Bytes of all layers of one image as stored.
    pub image_bytes_max: u64,
    /// Bytes of one file of interest. It is held in memory while it is parsed; the largest lock files have 20 MB.
    pub entry_bytes_max: u64,
    /// Bytes of one file that may be a program, is an archive or rpm's database, which lists each package's files. It is held in memory, too; Go programs have 5 to 100 MB, and so
    /// have Java applications with their libraries.
    pub program_bytes_max: u64,
    /// Bytes of all files of interest of one zip after decompression. Lambda takes 250 MB (Lambda quotas, "Deployment
    /// package", read 2026-11-24), of which they are a small part.
    pub zip_bytes_max: u64,
    /// Entries of one layer, zip or folder. A layer with a whole distribution has 200,000.
    pub entries_max: u64,
    /// Bytes of an entry's path. Linux' PATH_MAX is 4,096.
    pub path_bytes_max: usize,
    /// Folders inside folders.
    pub depth_max: usize,
    /// Layers of one image. Docker makes at most 127.
    pub layers_max: usize,
    /// Bytes of a manifest, an index or a configuration. The distribution specification asks registries for 4 MiB
    /// ("Pushing Manifests", read 2026-11-24).
    pub manifest_bytes_max: u64,
    /// Manifests of one index: its platforms and what is attached to them.
    pub platforms_max: usize,
    /// What the files of one layer may say.
    pub facts: muster_packages::Limits,
}

impl Limits {
    /// Bytes of the file of interest at this path, relative to the root.
    pub(crate) fn file_bytes_max(&self, path: &str) -> u64 {
        let large = [muster_packages::go_binary::wants, muster_packages::jar::wants, muster_packages::rpm::wants];
        let may_be_large = large.iter().any(|wants| wants(path));
        if may_be_large { self.program_bytes_max.max(self.entry_bytes_max) } else { self.entry_bytes_max }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            layer_bytes_max: 20 << 30,
            image_bytes_max: 60 << 30,
            entry_bytes_max: 32 << 20,
            program_bytes_max: 128 << 20,
            zip_bytes_max: 1 << 30,
            entries_max: 1_000_000,
            path_bytes_max: 4_096,
            depth_max: 128,
            layers_max: 512,
            manifest_bytes_max: 4 << 20,
            platforms_max: 128,
            facts: muster_packages::Limits::default(),
        }
    }
}
