//! Under which names a package is looked up, and which of the claims found there are about it.

use super::judge::Installed;
use muster_advisories::{Candidate, Candidates, Database, DatabaseError};
use muster_domain::{Channel, Ecosystem, LookUp, Package};
use muster_versions::Scheme;

/// A question to the database and the version that it is about, ready to be compared.
pub(super) struct Lookup<'p> {
    pub question: LookUp<'p>,
    pub installed: Installed<'p>,
}

/// A claim and the look-up that found it.
#[derive(Clone, Copy)]
pub(super) struct Found<'d, 'l> {
    pub candidate: Candidate<'d>,
    pub lookup: &'l Lookup<'l>,
    /// Whether it is about the package, but on other platforms than this one (Go).
    pub is_elsewhere: bool,
}

/// All questions about a package that the database may have an answer to.
pub(super) fn lookups<'p>(package: &'p Package, ecosystem: &Ecosystem, database: &Database) -> Vec<Lookup<'p>> {
    let scheme = ecosystem.scheme();
    let ready = |question: LookUp<'p>| Lookup { installed: Installed::new(scheme, question.version), question };
    // Of a release's channels most databases have one or two.
    let is_known = |question: &LookUp<'_>| question.channel == Channel::Release || database.covers(&question.ecosystem);
    package.look_ups().into_iter().filter(is_known).map(ready).collect()
}

/// Of what each look-up found the claims that are about the package, those about one vulnerability behind each other.
pub(super) fn claims<'d, 'l>(
    package: &Package,
    found: impl ExactSizeIterator<Item = (&'l Lookup<'l>, Candidates<'d>)>,
) -> Result<Vec<Found<'d, 'l>>, DatabaseError> {
    let mut claims = Vec::new();
    let has_several = found.len() > 1;
    for (lookup, candidates) in found {
        for candidate in candidates {
            let candidate = candidate?;
            let is_name = lookup.question.names.is_none_or(|names| names == candidate.names());
            if is_name && is_about(&candidate, package)? {
                claims.push(Found { candidate, lookup, is_elsewhere: is_elsewhere(&candidate, package)? });
            }
        }
    }
    if has_several {
        claims.sort_by_key(|claim| claim.candidate.vulnerability_place());
    }
    Ok(claims)
}

/// Whether the claim holds for the package's architecture and module. A package whose architecture is not known is meant by
/// all; one that came from a module is not the package that a claim without a module is about, as far as the
/// distribution tells modules apart.
fn is_about(candidate: &Candidate<'_>, package: &Package) -> Result<bool, DatabaseError> {
    let mut architectures = candidate.architectures()?.filter(|one| !one.contains('/')).peekable();
    if let (Some(own), Some(_)) = (&package.architecture, architectures.peek())
        && !["noarch", "all"].contains(&own.as_str())
        && !architectures.any(|architecture| architecture == own)
    {
        return Ok(false);
    }
    Ok(match (candidate.module()?, &package.module) {
        (Some(module), Some(own)) => module == own,
        (Some(_), None) => false,
        (None, Some(_)) => !tells_modules(package),
        (None, None) => true,
    })
}

/// Whether the claim is about platforms only (`windows/*`), and the package is in a program for another one.
fn is_elsewhere(candidate: &Candidate<'_>, package: &Package) -> Result<bool, DatabaseError> {
    let Some(own) = package.architecture.as_deref().and_then(|platform| platform.split_once('/')) else {
        return Ok(false);
    };
    let mut platforms = candidate.architectures()?.filter_map(|platform| platform.split_once('/')).peekable();
    let is_it = |wanted: &str, own: &str| wanted == "*" || wanted == own;
    Ok(platforms.peek().is_some() && !platforms.any(|(system, machine)| is_it(system, own.0) && is_it(machine, own.1)))
}

/// Red Hat's and Oracle's advisories name the module; AlmaLinux' and Rocky's name it only inside the fixed version, where
/// `is_same_build` looks.
fn tells_modules(package: &Package) -> bool {
    let ecosystem = package.ecosystem.as_ref().map(|ecosystem| ecosystem.row().name);
    ecosystem.is_some_and(|name| ["Red Hat", "Oracle Linux"].contains(&name))
}

/// Whether a fix is of the same line of builds as the installed version: rpm packages that a module brings have `.module` in
/// their release (Fedora modularity, "module builds"), and their versions have no order against those of the plain ones.
pub(super) fn is_same_build(scheme: Scheme, installed: &str, bound: &str) -> bool {
    let is_modular = |version: &str| version.contains(".module");
    scheme != Scheme::Rpm || is_modular(installed) == is_modular(bound)
}
