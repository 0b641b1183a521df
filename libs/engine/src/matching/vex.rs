//! VEX: statements of the workloads' owner or a product's maker about things that no feed knows. Whom they are about,
//! `VexStatement::is_about` says.

use muster_domain::{Inventory, Package, Status, VexStatement, VexStatus};

/// The statement about this package of the inventory that was made last.
pub(super) fn about(package: &Package, inventory: &Inventory, statements: Vec<VexStatement>) -> Option<VexStatement> {
    let (os, image) = (inventory.os.as_ref(), inventory.image.as_ref());
    let about = statements.into_iter().filter(|statement| statement.is_about(package, os, image));
    about.max_by_key(|statement| statement.timestamp)
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
