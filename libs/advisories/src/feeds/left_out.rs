//! Things that are left out for one reason are told together: how many, and which was the first.

use super::{Item, Sink};
use crate::feed::{WORD_BYTES_MAX, cut};
use muster_domain::Skipped;

/// What was left out for one reason.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    first: Option<String>,
    count: usize,
}

impl LeftOut {
    /// One more.
    pub(super) fn add(&mut self, name: &str) {
        if self.first.is_none() {
            self.first = Some(cut(name, WORD_BYTES_MAX).to_owned());
        }
        self.count += 1;
    }

    /// Tells of all, if there were any; `reason` completes "which".
    pub(super) fn tell(self, place: &str, reason: &str, sink: Sink<'_>) {
        if let Some(first) = self.first {
            let more = if self.count > 1 { format!(" and {} more", self.count - 1) } else { String::new() };
            let reason = format!("`{first}`{more}: {reason}");
            sink(Item::Partial(Skipped { place: place.to_owned(), reason }));
        }
    }
}
