//! Bodies: what is stored whole, as zstd-compressed bytes.

use crate::StoreError;
use muster_domain::{Digest, ResourceId};
use serde::{Serialize, de::DeserializeOwned};
use std::cell::RefCell;
use zstd::bulk::{Compressor, Decompressor};

/// What one body may unpack to: the largest inventories seen are a few megabytes, so this only stops a damaged or
/// hostile row from taking all memory.
const BODY_BYTES_MAX: u64 = 256 << 20;

/// zstd's own default: about 400 MB/s, and JSON shrinks to a sixth.
const LEVEL: i32 = 3;

thread_local! {
    // A context is 100 kB and more: making one costs more than a small body does.
    static COMPRESSOR: RefCell<Compressor<'static>> =
        RefCell::new(Compressor::new(LEVEL).expect("a context fails only without memory"));
    static DECOMPRESSOR: RefCell<Decompressor<'static>> =
        RefCell::new(Decompressor::new().expect("a context fails only without memory"));
}

/// Compresses.
pub(crate) fn pack(bytes: &[u8]) -> Vec<u8> {
    let packed = COMPRESSOR.with_borrow_mut(|compressor| compressor.compress(bytes));
    packed.expect("compressing memory into memory fails only without memory")
}

/// The value's JSON, compressed.
pub(crate) fn pack_json<T: Serialize>(value: &T) -> Vec<u8> {
    pack(&serde_json::to_vec(value).expect("our own types have text keys, so JSON cannot fail"))
}

/// Decompresses; `what` names the thing in the error.
pub(crate) fn unpack(packed: &[u8], what: impl Fn() -> String) -> Result<Vec<u8>, StoreError> {
    let corrupt = |why: String| StoreError::Corrupt { what: what(), why };
    // `pack` writes the size into the head; a damaged one is refused before anything is allocated for it.
    let size = match zstd::zstd_safe::get_frame_content_size(packed) {
        Ok(Some(size)) if size <= BODY_BYTES_MAX => {
            usize::try_from(size).map_err(|cause| corrupt(cause.to_string()))?
        }
        Ok(Some(_)) => return Err(corrupt(format!("unpacks to more than {BODY_BYTES_MAX} bytes"))),
        Ok(None) | Err(_) => return Err(corrupt("it does not begin as a compressed body".to_owned())),
    };
    let bytes = DECOMPRESSOR.with_borrow_mut(|decompressor| decompressor.decompress(packed, size));
    bytes.map_err(|cause| corrupt(cause.to_string()))
}

/// Decompresses and reads JSON.
pub(crate) fn unpack_json<T: DeserializeOwned>(packed: &[u8], what: impl Fn() -> String) -> Result<T, StoreError> {
    let bytes = unpack(packed, &what)?;
    serde_json::from_slice(&bytes).map_err(|cause| StoreError::Corrupt { what: what(), why: cause.to_string() })
}

/// A stored digest.
pub(crate) fn digest(raw: String) -> Result<Digest, StoreError> {
    raw.parse().map_err(|cause: muster_domain::MalformedDigest| StoreError::Corrupt {
        what: "digest".to_owned(),
        why: cause.to_string(),
    })
}

/// A stored time, in microseconds since 1970 UTC.
pub(crate) fn time(micros: i64) -> Result<jiff::Timestamp, StoreError> {
    jiff::Timestamp::from_microsecond(micros)
        .map_err(|cause| StoreError::Corrupt { what: "time".to_owned(), why: cause.to_string() })
}

/// A stored count or number that is never negative.
pub(crate) fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number)
        .map_err(|_| StoreError::Corrupt { what: "count".to_owned(), why: format!("{number} is negative") })
}

/// As the engines keep numbers; ours stay far below the limit.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Stored resource ids.
pub(crate) fn resource_ids(rows: Vec<(String,)>) -> Vec<ResourceId> {
    rows.into_iter().map(|(id,)| ResourceId::new(id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_body_is_named_and_not_a_panic() {
        let what = || "inventory sha256:00".to_owned();
        let mut packed = pack(b"[1, 2, 3]");
        assert_eq!(unpack_json::<Vec<u8>>(&packed, what).unwrap(), [1, 2, 3]);
        let error = unpack(b"no body", what).unwrap_err();
        assert!(error.to_string().contains("does not begin"), "{error}");
        packed.truncate(packed.len() - 3);
        let error = unpack(&packed, what).unwrap_err();
        assert!(error.to_string().starts_with("stored inventory sha256:00 is corrupt"), "{error}");
    }
}
