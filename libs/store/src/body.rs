//! Bodies: what is stored whole, as zstd-compressed bytes.

use crate::StoreError;
use muster_domain::{Digest, ResourceId};
use serde::{Serialize, de::DeserializeOwned};
use std::io::Read;

/// What one body may unpack to: the largest inventories seen are a few megabytes, so this only stops a damaged or
/// hostile row from taking all memory.
const BODY_BYTES_MAX: u64 = 256 << 20;

/// zstd's own default: about 400 MB/s, and JSON shrinks to a sixth.
const LEVEL: i32 = 3;

/// Compresses.
pub(crate) fn pack(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, LEVEL).expect("compressing memory into memory fails only without memory")
}

/// The value's JSON, compressed.
pub(crate) fn pack_json<T: Serialize>(value: &T) -> Vec<u8> {
    pack(&serde_json::to_vec(value).expect("our own types have text keys, so JSON cannot fail"))
}

/// Decompresses; `what` names the thing in the error.
pub(crate) fn unpack(packed: &[u8], what: impl Fn() -> String) -> Result<Vec<u8>, StoreError> {
    let corrupt = |why: String| StoreError::Corrupt { what: what(), why };
    let decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(|cause| corrupt(cause.to_string()))?;
    let mut bytes = Vec::new();
    decoder.take(BODY_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|cause| corrupt(cause.to_string()))?;
    if bytes.len() as u64 > BODY_BYTES_MAX {
        return Err(corrupt(format!("unpacks to more than {BODY_BYTES_MAX} bytes")));
    }
    Ok(bytes)
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
        packed.truncate(packed.len() - 3);
        let error = unpack(&packed, what).unwrap_err();
        assert!(error.to_string().starts_with("stored inventory sha256:00 is corrupt"), "{error}");
    }
}
