//! CycloneDX JSON: reads 1.2 to 1.6, writes 1.6. Source: cyclonedx.org, "CycloneDX JSON reference", read 2026-11-24.
//!
//! What the format has no field for stands in `properties` named `muster:…`, so that what is written is read back the
//! same. The properties of Syft and Trivy that tell source packages and files are understood too.

mod reading;
mod writing;

pub use reading::{BYTES_MAX, COMPONENTS_MAX, DEPTH_MAX, SbomError, read};
pub use writing::write;

/// Names of our own properties.
mod property {
    pub const ARCHITECTURE: &str = "muster:architecture";
    pub const CODENAME: &str = "muster:codename";
    pub const GAP: &str = "muster:gap";
    pub const IMAGE: &str = "muster:image";
    pub const LAMBDA_LAYER: &str = "muster:lambda_layer";
    pub const LAYER: &str = "muster:layer";
    pub const LIMIT: &str = "muster:limit_reached";
    pub const MANAGER: &str = "muster:manager";
    pub const OWNED_BY: &str = "muster:owned_by";
    pub const SKIPPED: &str = "muster:skipped";
    pub const SOURCE_NAME: &str = "muster:source:name";
    pub const SOURCE_VERSION: &str = "muster:source:version";
}

#[cfg(test)]
mod tests;
