//! AWS accounts and regions.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An AWS account: twelve digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);

/// The text is not twelve digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("account `{0}` is not twelve digits")]
pub struct MalformedAccountId(pub String);

impl AccountId {
    /// The id as AWS writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AccountId {
    type Error = MalformedAccountId;
    fn try_from(raw: String) -> Result<Self, Self::Error> {
        if raw.len() == 12 && raw.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(raw))
        } else {
            Err(MalformedAccountId(raw))
        }
    }
}

impl std::str::FromStr for AccountId {
    type Err = MalformedAccountId;
    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        Self::try_from(raw.to_owned())
    }
}

impl From<AccountId> for String {
    fn from(account: AccountId) -> Self {
        account.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// An AWS region such as `eu-central-1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Region(String);

impl Region {
    /// Any text: AWS adds regions faster than a list here could follow.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name as AWS writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// How the last sweep of one account and region ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountStatus {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    /// `None` when the sweep read everything; else what was denied or failed, in one line per cause.
    pub error: Option<String>,
    /// End of the last sweep.
    pub swept_at: jiff::Timestamp,
}
