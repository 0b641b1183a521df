//! Until when releases are supported.

use super::layout::{LifeCycleRow, Section};
use super::{Database, DatabaseError};
use muster_domain::LifeCycle;

impl Database {
    /// The support of a product's release, in endoflife.date's spelling of both: `debian`, `12`. `None`: nothing is known.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn life_cycle(&self, product: &str, release: &str) -> Result<Option<LifeCycle>, DatabaseError> {
        let rows = self.table::<LifeCycleRow>(Section::LifeCycles);
        let text = |at: u32| self.bytes(at).unwrap_or_default();
        let wanted = (product.as_bytes(), release.as_bytes());
        let place = rows.binary_search_by(|row| (text(row.product.get()), text(row.release.get())).cmp(&wanted));
        place.ok().and_then(|place| rows.get(place)).map(|row| self.read_life_cycle(row)).transpose()
    }

    /// All that is known of support, sorted by product and release.
    pub fn life_cycles(&self) -> impl Iterator<Item = Result<LifeCycle, DatabaseError>> + '_ {
        self.table::<LifeCycleRow>(Section::LifeCycles).iter().map(|row| self.read_life_cycle(row))
    }

    fn read_life_cycle(&self, row: &LifeCycleRow) -> Result<LifeCycle, DatabaseError> {
        let optional = |at: u32| Ok::<_, DatabaseError>(self.optional_text(at)?.map(str::to_owned));
        Ok(LifeCycle {
            product: self.text(row.product.get())?.to_owned(),
            release: self.text(row.release.get())?.to_owned(),
            codename: optional(row.codename.get())?,
            end_of_life: optional(row.end_of_life.get())?,
            extended_support: optional(row.extended_support.get())?,
            ended: row.ended.get() == 1,
        })
    }
}
