//! A download into a file without a name: bounded, and gone with its handle.

use anyhow::{Context, Result};
use futures::StreamExt;
use muster_domain::Digest;
use sha2::{Digest as _, Sha256};
use std::{
    fs::File,
    io::{Read, Seek, Write},
    time::Duration,
};

/// The largest zip taken, in bytes. Lambda allows 250 MB unzipped (Lambda quotas, read 2026-11-24), which no honest
/// zip exceeds.
pub const ZIP_BYTES_MAX: u64 = 300 * 1024 * 1024;

/// A server that says nothing for this long is given up.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// A client for code locations: no proxy of ours, no credentials, few redirects.
pub fn client() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder().read_timeout(READ_TIMEOUT).connect_timeout(READ_TIMEOUT).build()?)
}

/// The outer error is the network's and may pass; the inner one is what is wrong with the thing itself.
/// The address is a secret (it is presigned) and stands in no message.
pub async fn to_file(http: &reqwest::Client, url: &str, bytes_max: u64) -> Result<Result<File, String>> {
    let response = http.get(url).send().await.map_err(reqwest::Error::without_url).context("download the code")?;
    if response.status().is_client_error() {
        return Ok(Err(format!("the code cannot be downloaded: {}", response.status())));
    }
    let response = response.error_for_status().map_err(reqwest::Error::without_url).context("download the code")?;
    let mut file = tempfile::tempfile().context("make a temporary file")?;
    let mut length = 0u64;
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(reqwest::Error::without_url).context("download the code")?;
        length += chunk.len() as u64;
        if length > bytes_max {
            return Ok(Err(format!("the zip is longer than {bytes_max} bytes")));
        }
        file.write_all(&chunk).context("write the temporary file")?;
    }
    file.rewind().context("rewind the temporary file")?;
    Ok(Ok(file))
}

/// Reads the file through and says whether it is what was promised; afterwards it is at its start again.
pub fn check_digest(mut file: &File, expected: &Digest) -> Result<(), String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = file.read(&mut buffer).map_err(|error| format!("read the zip: {error}"))?;
        if length == 0 {
            break;
        }
        hasher.update(&buffer[..length]);
    }
    file.rewind().map_err(|error| format!("rewind the zip: {error}"))?;
    let found = format!("sha256:{}", hex::encode(hasher.finalize()));
    if found == expected.as_str() { Ok(()) } else { Err(format!("the zip is {found}, not {expected} as promised")) }
}
