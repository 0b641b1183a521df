//! What a repository holds: epochs, the deltas between them, and for each file its length and digest.

use super::envelope::verify;
use super::error::DistributionError;
use super::keys::PublicKey;
use jiff::Timestamp;
use muster_domain::Digest;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;

/// The one name that a client knows beforehand.
pub const INDEX_NAME: &str = "index.json";

/// Raised when a program of before could misread it; fields that are new and may be ignored don't raise it.
const INDEX_FORMAT: u32 = 1;

/// Most bytes of an index that are read: 1,000 epochs with 4,000 deltas have below 3 MiB in Base64.
pub const INDEX_BYTES_MAX: u64 = 4 << 20;

/// Most epochs of an index: over a month, one each hour.
pub const EPOCHS_MAX: usize = 1_000;

/// Most deltas of an index: a publisher lists two per epoch.
pub const DELTAS_MAX: usize = 4_000;

/// Most bytes of a database and of any file of a repository. The database's own references have 32 bits, and a signed index
/// with a typing error should not fill a disk.
pub const FILE_BYTES_MAX: u64 = 2 << 30;

/// Longest name of a file; what we write has below 80 bytes.
const NAME_BYTES_MAX: usize = 128;

/// The name of a file in a repository: no folder, nothing hidden, nothing that a shell or a URL reads differently.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileName(String);

impl FileName {
    /// As it stands.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FileName {
    type Error = String;
    fn try_from(raw: String) -> Result<Self, String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let good = !raw.is_empty()
            && raw.len() <= NAME_BYTES_MAX
            && raw.bytes().all(plain)
            && !raw.starts_with(['.', '-'])
            && raw != INDEX_NAME;
        if good { Ok(Self(raw)) } else { Err(format!("{raw:?} is not a plain file name")) }
    }
}

impl From<FileName> for String {
    fn from(name: FileName) -> Self {
        name.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A file of the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Beside the index.
    pub name: FileName,
    /// Of its bytes as they lie there.
    pub digest: Digest,
    /// Its length.
    pub bytes: u64,
}

/// A database: which build, and exactly which bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EpochId {
    /// Which build.
    pub epoch: u64,
    /// Of the database as a client uses it (`DatabaseInfo::digest`).
    pub digest: Digest,
}

/// A database that can be had whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochEntry {
    /// Which.
    #[serde(flatten)]
    pub id: EpochId,
    /// When it was built.
    pub built_at: Timestamp,
    /// Length of the database as a client uses it.
    pub bytes: u64,
    /// The database, compressed with zstd.
    pub full: FileEntry,
}

/// The way from one database to a later one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeltaEntry {
    /// What it is applied to.
    pub from: EpochId,
    /// What it gives: one of the index' epochs.
    pub to: EpochId,
    /// The delta.
    pub file: FileEntry,
}

/// What a repository holds. One that exists is consistent: `parse` checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    format: u32,
    /// Ascending, never empty: the newest is last.
    pub(super) epochs: Vec<EpochEntry>,
    pub(super) deltas: Vec<DeltaEntry>,
}

impl Index {
    /// Of these epochs and deltas.
    ///
    /// # Errors
    /// When they contradict each other.
    pub fn new(epochs: Vec<EpochEntry>, deltas: Vec<DeltaEntry>) -> Result<Self, DistributionError> {
        let index = Self { format: INDEX_FORMAT, epochs, deltas };
        index.check()?;
        Ok(index)
    }

    /// From the bytes that were signed.
    ///
    /// # Errors
    /// When it is no index, one of a later format, one that contradicts itself, or one that names a file elsewhere.
    pub fn parse(payload: &[u8]) -> Result<Self, DistributionError> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let unreadable = |cause: serde_json::Error| DistributionError::Index(cause.to_string());
        let Format { format } = serde_json::from_slice(payload).map_err(unreadable)?;
        if format != INDEX_FORMAT {
            return Err(refused(format!("it has format {format}, this program reads format {INDEX_FORMAT}")));
        }
        let index: Self = serde_json::from_slice(payload).map_err(unreadable)?;
        index.check()?;
        Ok(index)
    }

    /// From an `index.json`: its signature is checked before anything of it is read.
    ///
    /// # Errors
    /// When no trusted key signed it, or it is no good index.
    pub fn open(envelope: &[u8], trusted: &[PublicKey]) -> Result<Self, DistributionError> {
        if envelope.len() as u64 > INDEX_BYTES_MAX {
            return Err(DistributionError::IndexTooLong { name: INDEX_NAME, bytes_max: INDEX_BYTES_MAX });
        }
        Self::parse(&verify(envelope, trusted)?)
    }

    /// The bytes to sign.
    pub fn to_payload(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("numbers and texts are always JSON")
    }

    /// Ascending; the newest is last.
    pub fn epochs(&self) -> &[EpochEntry] {
        &self.epochs
    }

    /// In no order that matters.
    pub fn deltas(&self) -> &[DeltaEntry] {
        &self.deltas
    }

    /// The newest database.
    pub fn newest(&self) -> &EpochEntry {
        self.epochs.last().expect("an index has an epoch, checked when made")
    }

    /// The epoch with this id.
    pub fn epoch(&self, id: &EpochId) -> Option<&EpochEntry> {
        self.epochs.iter().find(|entry| entry.id == *id)
    }

    /// Every file beside the index, the newest database first: a mirror that is stopped half way has what is wanted most.
    pub fn files(&self) -> impl Iterator<Item = &FileEntry> {
        let full = self.epochs.iter().rev().map(|entry| &entry.full);
        full.chain(self.deltas.iter().rev().map(|delta| &delta.file))
    }

    fn check(&self) -> Result<(), DistributionError> {
        if self.epochs.is_empty() || self.epochs.len() > EPOCHS_MAX || self.deltas.len() > DELTAS_MAX {
            let (epochs, deltas) = (self.epochs.len(), self.deltas.len());
            return Err(refused(format!(
                "{epochs} epochs and {deltas} deltas; there must be 1 to {EPOCHS_MAX} and up to {DELTAS_MAX}"
            )));
        }
        for pair in self.epochs.windows(2) {
            if pair[0].id.epoch >= pair[1].id.epoch {
                return Err(refused(format!("epoch {} does not come after {}", pair[1].id.epoch, pair[0].id.epoch)));
            }
        }
        for entry in &self.epochs {
            check_length(&entry.full.name, entry.bytes)?;
        }
        let epochs: HashSet<&EpochId> = self.epochs.iter().map(|entry| &entry.id).collect();
        for delta in &self.deltas {
            if delta.from.epoch >= delta.to.epoch || !epochs.contains(&delta.to) {
                return Err(refused(format!("`{}` does not lead forward to a listed epoch", delta.file.name)));
            }
        }
        let mut names = HashSet::new();
        for file in self.files() {
            check_length(&file.name, file.bytes)?;
            if !names.insert(&file.name) {
                return Err(refused(format!("`{}` is listed twice", file.name)));
            }
        }
        Ok(())
    }
}

fn check_length(name: &FileName, bytes: u64) -> Result<(), DistributionError> {
    if bytes > FILE_BYTES_MAX {
        return Err(refused(format!("`{name}` would have {bytes} bytes, more than {FILE_BYTES_MAX}")));
    }
    Ok(())
}

fn refused(why: String) -> DistributionError {
    DistributionError::Index(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn index() -> String {
        let epoch = |epoch: u64, digest: &str| {
            format!(
                r#"{{"epoch":{epoch},"digest":"{digest}","built_at":"2026-11-24T00:00:00Z","bytes":9,
                "full":{{"name":"{epoch}.zst","digest":"{A}","bytes":5}}}}"#
            )
        };
        format!(
            r#"{{"format":1,"epochs":[{},{}],"deltas":[{{"from":{{"epoch":1,"digest":"{A}"}},
            "to":{{"epoch":2,"digest":"{B}"}},"file":{{"name":"1-2.delta","digest":"{A}","bytes":3}}}}]}}"#,
            epoch(1, A),
            epoch(2, B)
        )
    }

    #[test]
    fn what_is_written_is_read_again() {
        let index = Index::parse(index().as_bytes()).unwrap();
        assert_eq!(Index::parse(&index.to_payload()).unwrap(), index);
        assert_eq!(index.newest().id.epoch, 2);
        assert_eq!(index.files().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["2.zst", "1.zst", "1-2.delta"]);
    }

    #[test]
    fn an_index_that_can_not_be_meant_is_refused() {
        let check = |from: &str, to: &str, expected: &str| {
            let text = index();
            assert!(text.contains(from), "{from}");
            let error = Index::parse(text.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{from} -> {to}: {error}");
        };
        // names that lead elsewhere
        check("1.zst", "../x", "\"../x\" is not a plain file name");
        check("1.zst", "/etc/passwd", "\"/etc/passwd\" is not a plain file name");
        check("1.zst", "..", "\"..\" is not a plain file name");
        check("1.zst", "", "\"\" is not a plain file name");
        check("1.zst", "a\\\\b", "is not a plain file name");
        check("1.zst", "a\\u0000b", "is not a plain file name");
        check("1.zst", "https:x", "is not a plain file name");
        check("1.zst", ".hidden", "is not a plain file name"); // our own partial files and locks
        check("1.zst", "-rf", "is not a plain file name");
        check("1.zst", "index.json", "is not a plain file name");
        check("1.zst", "2.zst", "`2.zst` is listed twice");
        check("1-2.delta", "2.zst", "`2.zst` is listed twice");
        // lengths
        check("\"bytes\":5", "\"bytes\":9223372036854775807", "`1.zst` would have 9223372036854775807 bytes");
        check("\"bytes\":9", "\"bytes\":2147483649", "`1.zst` would have 2147483649 bytes");
        check("\"bytes\":3", "\"bytes\":18446744073709551615", "`1-2.delta` would have");
        check("\"bytes\":3", "\"bytes\":-1", "invalid value");
        // order
        check("\"epoch\":1", "\"epoch\":2", "epoch 2 does not come after 2");
        check("\"epoch\":1", "\"epoch\":3", "epoch 2 does not come after 3");
        check("\"from\":{\"epoch\":1", "\"from\":{\"epoch\":2", "`1-2.delta` does not lead forward");
    }

    #[test]
    fn a_delta_leads_to_exactly_a_listed_database() {
        let to_other = index().replace(
            &format!("\"to\":{{\"epoch\":2,\"digest\":\"{B}\""),
            &format!("\"to\":{{\"epoch\":2,\"digest\":\"{A}\""),
        );
        let error = Index::parse(to_other.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, "index: `1-2.delta` does not lead forward to a listed epoch");
    }

    #[test]
    fn a_later_format_is_refused_by_its_number_whatever_else_it_says() {
        let error = Index::parse(br#"{"format":2,"epochs":"elsewhere"}"#).unwrap_err().to_string();
        assert_eq!(error, "index: it has format 2, this program reads format 1");
        let error = Index::parse(br#"{"format":1,"epochs":[],"deltas":[]}"#).unwrap_err().to_string();
        assert!(error.starts_with("index: 0 epochs and 0 deltas"), "{error}");
    }

    #[test]
    fn fields_of_later_programs_are_ignored() {
        assert!(Index::parse(index().replacen("{\"format\":1", "{\"mirrors\":[],\"format\":1", 1).as_bytes()).is_ok());
    }
}
