//! A topology as it is kept between a sweep and an analysis: JSON with the number of its format, so that what an older
//! version of the program kept is never read as a network in which nothing is.

use crate::Topology;
use serde::{Deserialize, Serialize};

/// The present format. 1 (without a number) had names of its own; 2 has those of AWS' command line.
const FORMAT: u32 = 2;

#[derive(Deserialize)]
struct Numbered {
    #[serde(default = "first")]
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct Stored<T> {
    format: u32,
    topology: T,
}

fn first() -> u32 {
    1
}

/// Why a stored topology cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// Another version of the program kept it; the next sweep replaces it.
    #[error("the topology is kept in format {found}, format {FORMAT} is read")]
    Format {
        /// The format found.
        found: u32,
    },
    /// It is no JSON of this kind.
    #[error("the topology cannot be read")]
    Malformed(#[source] serde_json::Error),
}

impl Topology {
    /// As it is kept.
    pub fn to_stored(&self) -> Vec<u8> {
        let stored = Stored { format: FORMAT, topology: self };
        serde_json::to_vec(&stored).expect("texts, numbers and lists with texts for keys can be written")
    }

    /// From what was kept.
    pub fn from_stored(bytes: &[u8]) -> Result<Self, StoredError> {
        let Numbered { format: found } = serde_json::from_slice(bytes).map_err(StoredError::Malformed)?;
        if found != FORMAT {
            return Err(StoredError::Format { found });
        }
        let stored: Stored<Self> = serde_json::from_slice(bytes).map_err(StoredError::Malformed)?;
        Ok(stored.topology)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Vpc;

    #[test]
    fn what_is_kept_comes_back_and_an_older_format_is_refused_by_its_number() {
        let vpc = Vpc { vpc_id: "vpc-1".into(), ..Vpc::default() };
        let topology = Topology { account: "123456789012".into(), vpcs: vec![vpc], ..Topology::default() };
        assert_eq!(Topology::from_stored(&topology.to_stored()).unwrap(), topology);
        let check = |bytes: &str, expected: &str| {
            assert_eq!(Topology::from_stored(bytes.as_bytes()).unwrap_err().to_string(), expected, "{bytes}");
        };
        check(r#"{"account":"1","vpcs":[{"vpc_id":"vpc-1"}]}"#, "the topology is kept in format 1, format 2 is read");
        check(r#"{"format":3,"graph":{}}"#, "the topology is kept in format 3, format 2 is read");
        check("", "the topology cannot be read");
    }
}
