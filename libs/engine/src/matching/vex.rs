//! VEX: statements of the workloads' owner or a product's maker about things that no feed knows.

use muster_domain::{Package, PackageUrl, Status, VexStatement, VexStatus};

/// The statement about this package that was made last.
pub(super) fn about(package: &Package, statements: Vec<VexStatement>) -> Option<VexStatement> {
    let own = PackageUrl::parse(&package.purl).ok()?;
    let named = |purl: &String| PackageUrl::parse(purl).is_ok_and(|wanted| covers(&wanted, &own));
    // A product with parts is something larger, which an inventory does not name; without parts it is the package itself.
    let is_about = |statement: &VexStatement| statement.subcomponents.is_empty() && named(&statement.product);
    statements.into_iter().filter(is_about).max_by_key(|statement| statement.timestamp)
}

/// What the statement makes of an answer: an owner who says "not affected" or "fixed" closes it, one who says "affected"
/// settles what could not be told, and one who still looks changes nothing.
pub(super) fn answer(status: Status, statement: &VexStatement) -> Status {
    match (statement.status, status) {
        (VexStatus::NotAffected | VexStatus::Fixed, _) => Status::NotAffected,
        (VexStatus::Affected, Status::Undetermined) => Status::Affected,
        (VexStatus::Affected | VexStatus::UnderInvestigation, status) => status,
    }
}

/// One sentence for a person.
pub(super) fn reason(statement: &VexStatement) -> String {
    let word = match statement.status {
        VexStatus::NotAffected => "not affected",
        VexStatus::Affected => "affected",
        VexStatus::Fixed => "fixed",
        VexStatus::UnderInvestigation => "under investigation",
    };
    let why = [&statement.justification, &statement.statement].into_iter().flatten();
    let why: Vec<&str> = why.map(String::as_str).collect();
    let author = if statement.author.is_empty() { "its author" } else { &statement.author };
    let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join(": ")) };
    format!("the VEX statement {} of {author} says {word}{why}", statement.document)
}

/// Whether `wanted` names `own`: what it leaves out it leaves open.
fn covers(wanted: &PackageUrl, own: &PackageUrl) -> bool {
    wanted.package_type == own.package_type
        && wanted.namespace == own.namespace
        && wanted.name == own.name
        && wanted.version.as_ref().is_none_or(|version| own.version.as_ref() == Some(version))
        && wanted.qualifiers.iter().all(|(key, value)| own.qualifiers.get(key) == Some(value))
        && wanted.subpath.as_ref().is_none_or(|subpath| own.subpath.as_ref() == Some(subpath))
}
