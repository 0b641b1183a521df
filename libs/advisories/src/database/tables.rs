//! Where a database has tables, for whoever compares two of them row by row.

use super::Database;
use super::layout::Section;
use std::ops::Range;

/// A section of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// Where it stands in the file.
    pub(crate) bytes: Range<u64>,
    /// Length of one row; 1 for sections without rows.
    pub(crate) row_bytes: usize,
}

impl Database {
    /// The sections, in the order of the section table.
    pub(crate) fn tables(&self) -> Vec<Table> {
        let table = |(section, place): (Section, &Range<usize>)| Table {
            bytes: place.start as u64..place.end as u64,
            row_bytes: section.row_bytes(),
        };
        Section::ALL.into_iter().zip(&self.sections).map(table).collect()
    }
}
