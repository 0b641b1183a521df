//! VEX statements that are about nothing here: they were read and close no finding, which their author should know.

use super::layout::{Section, VulnerabilityRow};
use super::{Database, DatabaseError};
use muster_domain::VexStatement;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use zerocopy::little_endian::U32;

/// A statement that can apply to nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IdleStatement<'a> {
    /// Why, in small letters without a stop.
    pub why: Cow<'a, str>,
    /// The statement.
    pub statement: Cow<'a, VexStatement>,
}

impl std::fmt::Display for IdleStatement<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let VexStatement { vulnerability, product, document, .. } = &*self.statement;
        write!(formatter, "{document}: the statement on {vulnerability} of {product} applies to nothing: {}", self.why)
    }
}

impl Database {
    /// How many VEX statements are about vulnerabilities in the file, one under two of them counted twice.
    pub(super) fn statements_applied(&self) -> u64 {
        let rows = self.table::<VulnerabilityRow>(Section::Vulnerabilities);
        rows.iter().map(|row| u64::from(row.statements.get())).sum()
    }

    /// The VEX statements that are about nothing here, sorted.
    pub fn idle_statements(&self) -> impl ExactSizeIterator<Item = Result<IdleStatement<'static>, DatabaseError>> + '_ {
        let all = self.table::<U32>(Section::Statements);
        let applied = usize::try_from(self.statements_applied()).unwrap_or(usize::MAX);
        let idle = all.get(applied..).unwrap_or_default();
        idle.iter().map(|place| {
            serde_json::from_slice(self.bytes(place.get())?)
                .map_err(|_| DatabaseError::Damaged("a VEX statement can't be read"))
        })
    }
}
