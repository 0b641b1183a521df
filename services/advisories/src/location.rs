//! Where the files of a signed repository are: in a folder, or below an address.

use anyhow::{Context, Result, bail};
use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::PathBuf,
    time::Duration,
};
use tokio::runtime::Handle;

/// A server that says nothing for this long is given up.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// A repository's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A folder of this machine.
    Folder(PathBuf),
    /// An `https://` or `http://` address, without the slash at its end. What comes from there is signed either way.
    Address(String),
}

impl Location {
    /// Refuses an address that is neither `https://`, `http://` nor a path.
    pub fn new(text: &str) -> Result<Self> {
        if is_address(text) {
            return Ok(Self::Address(text.trim_end_matches('/').to_owned()));
        }
        if text.contains("://") {
            bail!("repository `{text}` is neither a folder nor an http or https address");
        }
        Ok(Self::Folder(PathBuf::from(text)))
    }

    /// Opens files of the repository by their names, which come from a checked index. For a thread that may wait.
    pub fn files(&self) -> Result<impl FnMut(&str) -> io::Result<Box<dyn Read>> + use<>> {
        let web = if let Self::Address(_) = self { Some(client()?) } else { None };
        let location = self.clone();
        Ok(move |name: &str| match (&location, &web) {
            (Self::Address(address), Some(client)) => open_address(client, &format!("{address}/{name}")),
            (Self::Address(_), None) => unreachable!("a client is made for each address"),
            (Self::Folder(folder), _) => Ok(Box::new(File::open(folder.join(name))?) as Box<dyn Read>),
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(formatter, "{}", folder.display()),
            Self::Address(address) => formatter.write_str(address),
        }
    }
}

/// Whether it is an address that can be fetched.
pub fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// A client that gives up servers that say nothing.
pub fn client() -> Result<reqwest::Client> {
    let client = reqwest::Client::builder().read_timeout(READ_TIMEOUT).connect_timeout(READ_TIMEOUT).build();
    client.context("make the HTTP client")
}

/// What stands at an address, read as it comes. For a thread that may wait, in a runtime.
pub fn open_address(client: &reqwest::Client, address: &str) -> io::Result<Box<dyn Read>> {
    let response = wait(client.get(address).send()).and_then(reqwest::Response::error_for_status);
    let response = response.map_err(io::Error::other)?;
    Ok(Box::new(Body { response, chunk: bytes::Bytes::new() }))
}

/// An answer's body.
struct Body {
    response: reqwest::Response,
    chunk: bytes::Bytes,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match wait(self.response.chunk()).map_err(io::Error::other)? {
                Some(chunk) => self.chunk = chunk,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.chunk.len());
        buffer[..length].copy_from_slice(&self.chunk.split_to(length));
        Ok(length)
    }
}

/// Work on files is synchronous; the few bytes from the web are waited for.
fn wait<F: Future>(future: F) -> F::Output {
    tokio::task::block_in_place(|| Handle::current().block_on(future))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_folder_or_an_address_of_the_web() {
        let check = |text: &str, expected: Result<&str, &str>| {
            let found = Location::new(text).map(|location| format!("{location:?}")).map_err(|error| error.to_string());
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
        };
        check("/srv/advisories", Ok("Folder(\"/srv/advisories\")"));
        check("https://example.org/advisories/", Ok("Address(\"https://example.org/advisories\")"));
        check(
            "s3://bucket/advisories",
            Err("repository `s3://bucket/advisories` is neither a folder nor an http or https address"),
        );
    }
}
