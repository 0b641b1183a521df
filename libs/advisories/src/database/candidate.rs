//! What a look-up yields: claims and their ranges, borrowed from the file.

use super::layout::{
    ClaimRow, NO_SCORE, NONE, QualifierRow, RangeRow, RecordRow, Section, Slot, VulnerabilityRow, kind, withdrawal,
};
use super::{Database, DatabaseError};
use muster_domain::{BaseScore, Names, Severity, VendorState, VexStatement};
use zerocopy::little_endian::U32;

/// The claims about one package.
#[derive(Debug)]
pub struct Candidates<'a> {
    database: &'a Database,
    claims: std::slice::Iter<'a, ClaimRow>,
    failure: Option<DatabaseError>,
}

impl<'a> Candidates<'a> {
    #[inline]
    pub(super) fn found(database: &'a Database, found: Result<Option<&Slot>, DatabaseError>) -> Self {
        let claims = match found {
            Ok(Some(slot)) => database.slice(Section::Claims, slot.claims_from.get(), slot.claims.get()),
            Ok(None) => Ok(&[][..]),
            Err(failure) => Err(failure),
        };
        match claims {
            Ok(claims) => Self { database, claims: claims.iter(), failure: None },
            Err(failure) => Self { database, claims: [].iter(), failure: Some(failure) },
        }
    }
}

impl<'a> Iterator for Candidates<'a> {
    type Item = Result<Candidate<'a>, DatabaseError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if let Some(failure) = self.failure.take() {
            return Some(Err(failure));
        }
        self.claims.next().map(|row| Ok(Candidate { database: self.database, row }))
    }
}

/// One record's word on one vulnerability in the package looked up.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    database: &'a Database,
    row: &'a ClaimRow,
}

impl<'a> Candidate<'a> {
    /// The record's place in this database: equal for claims of the same one.
    #[inline]
    pub fn record_place(&self) -> u32 {
        self.row.record.get()
    }

    /// The vulnerability's place in this database: equal for claims about the same one.
    #[inline]
    pub fn vulnerability_place(&self) -> u32 {
        self.row.vulnerability.get()
    }

    /// The CVE where there is one, else the advisory's id.
    ///
    /// # Errors
    /// When the file is damaged, as with all that follow.
    pub fn vulnerability(&self) -> Result<&'a str, DatabaseError> {
        self.database.text(self.vulnerability_row()?.name.get())
    }

    /// All other names of the vulnerability, sorted.
    ///
    /// # Errors
    /// As `vulnerability`.
    pub fn aliases(&self) -> Result<Vec<String>, DatabaseError> {
        self.database.aliases_of(self.vulnerability_row()?)
    }

    /// The record's id.
    ///
    /// # Errors
    /// As `vulnerability`.
    pub fn advisory(&self) -> Result<&'a str, DatabaseError> {
        self.database.text(self.record_row()?.id.get())
    }

    /// The database that the record comes from (`Advisory::source`).
    ///
    /// # Errors
    /// As `vulnerability`.
    pub fn source(&self) -> Result<&'a str, DatabaseError> {
        self.database.text(self.record_row()?.source.get())
    }

    /// Whether it is about the package's own name or about that of its source package.
    #[inline]
    pub fn names(&self) -> Names {
        if self.row.source == 1 { Names::Source } else { Names::Binary }
    }

    /// What the vendor says beyond the ranges.
    #[inline]
    pub fn state(&self) -> Option<VendorState> {
        VendorState::ALL.get(usize::from(self.row.state.checked_sub(1)?)).copied()
    }

    /// The architectures that it is about; none: all.
    ///
    /// # Errors
    /// As `vulnerability`.
    pub fn architectures(&self) -> Result<impl Iterator<Item = &'a str>, DatabaseError> {
        let listed = match self.qualifier()? {
            Some(qualifier) => self.database.optional_text(qualifier.architectures.get())?,
            None => None,
        };
        Ok(listed.unwrap_or_default().split_whitespace())
    }

    /// The module stream that the package must come from.
    ///
    /// # Errors
    /// As `vulnerability`.
    pub fn module(&self) -> Result<Option<&'a str>, DatabaseError> {
        self.qualifier()?.map_or(Ok(None), |qualifier| self.database.optional_text(qualifier.module.get()))
    }

    /// The vendor's remark on the state.
    ///
    /// # Errors
    /// As `vulnerability`.
    pub fn remark(&self) -> Result<Option<&'a str>, DatabaseError> {
        self.qualifier()?.map_or(Ok(None), |qualifier| self.database.optional_text(qualifier.remark.get()))
    }

    /// Whether there is a VEX statement about the vulnerability, whatever its product.
    ///
    /// # Errors
    /// As `vulnerability`.
    pub fn has_statements(&self) -> Result<bool, DatabaseError> {
        Ok(self.vulnerability_row()?.statements.get() > 0)
    }

    /// The VEX statements about the vulnerability.
    ///
    /// # Errors
    /// As `vulnerability`.
    pub fn statements(&self) -> Result<Vec<VexStatement>, DatabaseError> {
        let row = self.vulnerability_row()?;
        let places: &[U32] =
            self.database.slice(Section::Statements, row.statements_from.get(), row.statements.get())?;
        let read = |place: &U32| {
            serde_json::from_slice(self.database.bytes(place.get())?)
                .map_err(|_| DatabaseError::Damaged("a VEX statement can't be read"))
        };
        places.iter().map(read).collect()
    }

    #[inline]
    fn qualifier(&self) -> Result<Option<&'a QualifierRow>, DatabaseError> {
        match self.row.qualifier.get() {
            NONE => Ok(None),
            place => self.database.row(Section::Qualifiers, place).map(Some),
        }
    }

    /// When the record was taken back, as RFC 3339; `None`: it stands.
    ///
    /// # Errors
    /// As `vulnerability`.
    pub fn withdrawn(&self) -> Result<Option<&'a str>, DatabaseError> {
        self.database.optional_text(self.record_row()?.withdrawn.get())
    }

    /// Whether the record was taken back.
    #[inline]
    pub fn is_withdrawn(&self) -> bool {
        self.row.withdrawn == withdrawal::TAKEN_BACK
    }

    /// Whether the CVE program rejected the vulnerability's CVE and the record has no name but that, nor a fix for this package
    /// (docs/decisions/0010).
    #[inline]
    pub fn is_rejected(&self) -> bool {
        self.row.withdrawn == withdrawal::REJECTED
    }

    /// When the CVE program rejected the CVE, as RFC 3339, by its own record or the NVD's.
    ///
    /// # Errors
    /// As `vulnerability`.
    pub fn rejected(&self) -> Result<Option<&'a str>, DatabaseError> {
        let name = self.vulnerability()?;
        let row = self.vulnerability_row()?;
        let places: &[U32] =
            self.database.slice(Section::VulnerabilityRecords, row.records_from.get(), row.records.get())?;
        for place in places {
            let record: &RecordRow = self.database.row(Section::Records, place.get())?;
            let is_its = self.database.text(record.id.get())? == name
                && ["CVE", "NVD"].contains(&self.database.text(record.source.get())?);
            if let (true, Some(at)) = (is_its, self.database.optional_text(record.withdrawn.get())?) {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Whether the record announces one update for several vulnerabilities (DSA, DLA) instead of being the record of
    /// this one.
    #[inline]
    pub fn is_notice(&self) -> bool {
        self.row.notice == 1
    }

    /// The vendor's word on this package, else on the whole record, as it writes it.
    ///
    /// # Errors
    /// As `vulnerability`.
    pub fn vendor(&self) -> Result<Option<&'a str>, DatabaseError> {
        self.database.optional_text(self.row.vendor.get())
    }

    /// CVSS base score, when somebody scored it.
    pub fn score(&self) -> Option<BaseScore> {
        (self.row.score != NO_SCORE).then(|| BaseScore::from_tenths(self.row.score)).flatten()
    }

    /// Of the score, else of a vendor's word.
    pub fn severity(&self) -> Severity {
        Severity::ALL.get(usize::from(self.row.severity)).copied().unwrap_or(Severity::Untriaged)
    }

    /// Affected versions. None at all: the record names none that could be compared.
    ///
    /// # Errors
    /// As `vulnerability`.
    #[inline]
    pub fn ranges(
        &self,
    ) -> Result<impl Iterator<Item = Result<CandidateRange<'a>, DatabaseError>> + 'a, DatabaseError> {
        let database = self.database;
        let rows = database.slice::<RangeRow>(Section::Ranges, self.row.ranges_from.get(), self.row.ranges.get())?;
        Ok(rows.iter().map(move |row| CandidateRange::read(database, row)))
    }

    fn record_row(&self) -> Result<&'a RecordRow, DatabaseError> {
        self.database.row(Section::Records, self.row.record.get())
    }

    pub(super) fn of(database: &'a Database, row: &'a ClaimRow) -> Self {
        Self { database, row }
    }

    pub(super) fn vulnerability_row(&self) -> Result<&'a VulnerabilityRow, DatabaseError> {
        self.database.row(Section::Vulnerabilities, self.row.vulnerability.get())
    }
}

/// A text in the file, read when it is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    database: &'a Database,
    at: u32,
}

impl<'a> Text<'a> {
    /// The text.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn read(&self) -> Result<&'a str, DatabaseError> {
        self.database.text(self.at)
    }
}

/// A version at the edge of an interval.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'a> {
    /// As the feed writes it.
    pub text: Text<'a>,
    /// As it is compared: `VersionKey::as_bytes` of the ecosystem's scheme.
    pub key: &'a [u8],
}

/// Where an interval ends.
#[derive(Clone, Copy, Debug)]
pub enum End<'a> {
    /// Nowhere: not fixed yet.
    Open,
    /// Before this version, which is good.
    Fixed(Bound<'a>),
    /// With this version.
    LastAffected(Bound<'a>),
    /// Before this version, from which on nobody looked.
    Limit(Bound<'a>),
}

/// Affected versions.
#[derive(Clone, Copy, Debug)]
pub enum CandidateRange<'a> {
    /// From `introduced` (inclusive; `None`: from the beginning) to `end`.
    Interval {
        /// First affected version.
        introduced: Option<Bound<'a>>,
        /// Where it ends.
        end: End<'a>,
    },
    /// Exactly one version.
    Listed {
        /// As the feed writes it.
        version: Text<'a>,
        /// As it is compared; `None`: the scheme can't read it, so only the same text is the same version.
        key: Option<&'a [u8]>,
    },
    /// A range that can't be read, and why.
    Unreadable(Text<'a>),
}

impl<'a> CandidateRange<'a> {
    #[inline]
    fn read(database: &'a Database, row: &'a RangeRow) -> Result<Self, DatabaseError> {
        let text = |at: u32| Text { database, at };
        let bound = |at: u32, key: u32| Ok::<_, DatabaseError>(Bound { text: text(at), key: database.key(key)? });
        let introduced = || match row.introduced_key.get() {
            NONE => Ok(None),
            key => bound(row.introduced_text.get(), key).map(Some),
        };
        let end = || bound(row.end_text.get(), row.end_key.get());
        Ok(match row.kind.get() {
            kind::OPEN => Self::Interval { introduced: introduced()?, end: End::Open },
            kind::FIXED => Self::Interval { introduced: introduced()?, end: End::Fixed(end()?) },
            kind::LAST_AFFECTED => Self::Interval { introduced: introduced()?, end: End::LastAffected(end()?) },
            kind::LIMIT => Self::Interval { introduced: introduced()?, end: End::Limit(end()?) },
            kind::LISTED => {
                let key = introduced()?.map(|bound| bound.key);
                Self::Listed { version: text(row.introduced_text.get()), key }
            }
            kind::UNREADABLE => Self::Unreadable(text(row.end_text.get())),
            _ => return Err(DatabaseError::Damaged("a range is of no known kind")),
        })
    }
}
