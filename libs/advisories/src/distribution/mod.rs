//! How a compiled database reaches those who use it: signed, as a full file or as deltas between epochs, from a folder
//! that any web server can hand out.
//!
//! ```text
//! index.json                                 what there is, signed (DSSE envelope, Ed25519)
//! 7-2c26b46b68ffc68f.advisories.zst          the database of epoch 7, compressed
//! 6-7.delta                                  from epoch 6 to epoch 7
//! ```
//!
//! Only `index.json` is signed; it has the digest and the length of everything else, so nothing in the folder is
//! unpacked before it was found to be what a holder of a trusted key put there. Signature and index are one file:
//! they can't be seen unmatched.
//!
//! The signature can be checked without this program: write `DSSEv1 LENGTH TYPE LENGTH PAYLOAD` (lengths in bytes, payload
//! decoded from Base64) to `message`, the decoded `sig` to `signature`, then
//! `openssl pkeyutl -verify -pubin -inkey PUBLIC.pem -rawin -in message -sigfile signature`.
//!
//! What a client accepts, it accepts whole: a result is written beside its place, compared with the signed digest, opened,
//! and only then renamed. Whatever goes wrong before leaves the file in use as it was.
//!
//! ```text
//! keys          secret and public keys in PEM, signatures
//! envelope      DSSE: bytes and who vouches for them
//! index         epochs, deltas, files
//! difference    two files -> a delta, a delta and the old file -> the new one; `rows` where they have tables
//! publish       a new epoch into the folder
//! update        the folder -> a client's file, by the fewest bytes
//! mirror        the folder -> another folder
//! ```
//!
//! Pure: no clock and no network; whoever calls brings the function that fetches a file by its name. How old an index is
//! (`Updated::built_at`) is for the caller to judge: a server that keeps handing out yesterday's can't be told
//! from one where nothing happened.

mod difference;
mod envelope;
mod error;
mod files;
mod index;
mod keys;
mod mirror;
mod publish;
mod rows;
mod update;

pub use envelope::{PAYLOAD_TYPE, sign, verify};
pub use error::DistributionError;
pub use index::{
    DELTAS_MAX, DeltaEntry, EPOCHS_MAX, EpochEntry, EpochId, FILE_BYTES_MAX, FileEntry, FileName, INDEX_BYTES_MAX,
    INDEX_NAME, Index,
};
pub use keys::{KeyId, PublicKey, SecretKey, generate};
pub use mirror::{Mirrored, mirror};
pub use publish::{Published, publish};
pub use update::{Plan, Refused, Rollback, Step, Trust, Updated, apply, from_folder, plan, read_index, update};
