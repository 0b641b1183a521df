//! Finding things by name: for a person at a terminal, so in the time of a walk through the file.

use super::layout::{ClaimRow, PackageRow, Section, VulnerabilityRow};
use super::{Database, DatabaseError, PackageName};

/// What a search found, at most as much of each as was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Vulnerabilities, sorted.
    pub vulnerabilities: Vec<String>,
    /// Packages, sorted.
    pub packages: Vec<PackageName>,
}

impl Database {
    /// The vulnerabilities whose name or alias holds `word`, and the packages whose name does, in any case; at most `most`
    /// of each, those that are called exactly so first.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn search(&self, word: &str, most: usize) -> Result<Found, DatabaseError> {
        let word = word.to_lowercase();
        let fits = |name: &str| name.to_lowercase().contains(&word);
        let mut vulnerabilities = Vec::new();
        for row in self.table::<VulnerabilityRow>(Section::Vulnerabilities) {
            let name = self.text(row.name.get())?;
            if fits(name) || self.aliases_of(row)?.iter().any(|alias| fits(alias)) {
                vulnerabilities.push(name.to_owned());
            }
        }
        let mut packages = Vec::new();
        for package in self.packages() {
            let package = package?;
            if fits(&package.name) {
                packages.push(package);
            }
        }
        vulnerabilities.sort_by_key(|name| name.to_lowercase() != word);
        packages.sort_by_key(|package| package.name.to_lowercase() != word);
        vulnerabilities.truncate(most);
        packages.truncate(most);
        Ok(Found { vulnerabilities, packages })
    }

    /// The packages of which something is said on a vulnerability of this name, sorted.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn packages_of(&self, vulnerability: &str) -> Result<Vec<PackageName>, DatabaseError> {
        let rows = self.table::<PackageRow>(Section::Packages);
        let mut named = Vec::new();
        for (row, package) in rows.iter().zip(self.packages()) {
            let claims: &[ClaimRow] = self.slice(Section::Claims, row.claims_from.get(), row.claims.get())?;
            for claim in claims {
                let about: &VulnerabilityRow = self.row(Section::Vulnerabilities, claim.vulnerability.get())?;
                if self.text(about.name.get())? == vulnerability {
                    named.push(package?);
                    break;
                }
            }
        }
        Ok(named)
    }

    /// The name under which this file has a vulnerability: itself, or the one that it is an alias of.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn vulnerability_named(&self, name: &str) -> Result<Option<String>, DatabaseError> {
        if self.vulnerability(name).is_some() {
            return Ok(Some(name.to_owned()));
        }
        for row in self.table::<VulnerabilityRow>(Section::Vulnerabilities) {
            if self.aliases_of(row)?.iter().any(|alias| alias == name) {
                return self.text(row.name.get()).map(|name| Some(name.to_owned()));
            }
        }
        Ok(None)
    }
}
