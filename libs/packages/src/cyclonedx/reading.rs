//! Reading CycloneDX 1.2 to 1.6.

use super::property;
use crate::{Parsed, merge::ecosystem_of, npm, os_release, rpm};
use muster_domain::{
    Components, Ecosystem, Gap, ImageIdentity, Inventory, OperatingSystem, Package, PackageManager, PackageUrl,
    Skipped, SourcePackage,
};
use serde::Deserialize;

/// Bytes of a document. One with 100,000 components has about 60 MB.
pub const BYTES_MAX: usize = 128 << 20;

/// Components that are taken.
pub const COMPONENTS_MAX: usize = 200_000;

/// Components inside components.
pub const DEPTH_MAX: usize = 32;

/// Why a document could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum SbomError {
    /// It is too large.
    #[error("its {bytes} bytes are more than the limit of {BYTES_MAX}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// It is no JSON, or not of the form that CycloneDX has.
    #[error("not a CycloneDX JSON document")]
    Malformed(#[from] serde_json::Error),
    /// It is JSON of another kind.
    #[error("not a CycloneDX JSON document: `bomFormat` is not `CycloneDX`")]
    NotCycloneDx,
    /// A version that we do not know.
    #[error("CycloneDX version `{0}` is none of 1.2 to 1.6")]
    UnknownVersion(String),
}

const VERSIONS: [&str; 5] = ["1.2", "1.3", "1.4", "1.5", "1.6"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    bom_format: Option<String>,
    spec_version: Option<String>,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize, Default)]
struct Metadata {
    component: Option<Component>,
    #[serde(default)]
    properties: Vec<Property>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(rename = "bom-ref")]
    reference: Option<String>,
    #[serde(default)]
    name: String,
    version: Option<String>,
    description: Option<String>,
    purl: Option<String>,
    #[serde(default)]
    properties: Vec<Property>,
    #[serde(default)]
    evidence: Evidence,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Property {
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Deserialize, Default)]
struct Evidence {
    #[serde(default)]
    occurrences: Vec<Occurrence>,
}

#[derive(Deserialize)]
struct Occurrence {
    #[serde(default)]
    location: String,
}

/// The software that the document tells of.
pub fn read(bytes: &[u8]) -> Result<Inventory, SbomError> {
    if bytes.len() > BYTES_MAX {
        return Err(SbomError::TooLarge { bytes: bytes.len() });
    }
    let document: Document = serde_json::from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))?;
    if document.bom_format.as_deref() != Some("CycloneDX") {
        return Err(SbomError::NotCycloneDx);
    }
    let version = document.spec_version.unwrap_or_default();
    if !VERSIONS.contains(&version.as_str()) {
        return Err(SbomError::UnknownVersion(version));
    }
    let mut found = Found::default();
    found.metadata(&document.metadata.properties);
    let subject = document.metadata.component.map(|component| component.components).unwrap_or_default();
    for component in subject.iter().chain(&document.components) {
        found.component(component, 0);
    }
    Ok(found.finish())
}

#[derive(Default)]
struct Found {
    os: Option<OperatingSystem>,
    parsed: Parsed,
    count: usize,
    limits: Vec<String>,
    gaps: Vec<Gap>,
    image: Option<ImageIdentity>,
}

impl Found {
    fn metadata(&mut self, properties: &[Property]) {
        for property in properties {
            let value = property.value.clone().unwrap_or_default();
            match property.name.as_str() {
                property::LIMIT => self.limits.push(value),
                property::SKIPPED => {
                    if let Ok(skipped) = serde_json::from_str::<Skipped>(&value) {
                        self.parsed.skip(skipped.place, skipped.reason);
                    }
                }
                property::GAP => self.gaps.extend(serde_json::from_str::<Gap>(&value)),
                property::IMAGE => self.image = serde_json::from_str(&value).ok(),
                _ => {}
            }
        }
    }

    fn component(&mut self, component: &Component, depth: usize) {
        if self.count >= COMPONENTS_MAX {
            return self.limits.push(format!("more than {COMPONENTS_MAX} components; the rest was left out"));
        }
        if depth >= DEPTH_MAX {
            return self.limits.push(format!("components inside more than {DEPTH_MAX} others were left out"));
        }
        self.count += 1;
        match (component.kind.as_str(), &component.purl) {
            ("operating-system", _) => self.os = Some(operating_system(component)),
            (_, Some(purl)) => match package(component, purl) {
                Ok(package) => self.parsed.add(package),
                Err(reason) => self.parsed.skip(place(component), reason),
            },
            ("library" | "framework" | "application", None) => {
                self.parsed.skip(place(component), "no package URL");
            }
            _ => {} // files, devices, data and the like are no packages
        }
        for inner in &component.components {
            self.component(inner, depth + 1);
        }
    }

    /// OS packages are of the release that their package URL tells, or else of the document's system.
    fn finish(mut self) -> Inventory {
        let is_os = |package: &&mut Package| package.ecosystem.is_none() && package.manager == PackageManager::Os;
        for package in self.parsed.packages.iter_mut().filter(is_os) {
            package.ecosystem = PackageUrl::parse(&package.purl).ok().and_then(|purl| release(&purl, self.os.as_ref()));
        }
        if self.parsed.untold > 0 {
            self.limits.push(format!("{} more records were left out", self.parsed.untold));
        }
        let inventory = Inventory::new(self.os, self.parsed.packages, self.parsed.skipped, self.limits);
        Inventory { gaps: self.gaps, image: self.image, ..inventory }
    }
}

fn place(component: &Component) -> String {
    match &component.reference {
        Some(reference) => format!("component `{reference}`"),
        None => format!("component `{} {}`", component.name, component.version.as_deref().unwrap_or_default()),
    }
}

fn operating_system(component: &Component) -> OperatingSystem {
    let (id, version) = (component.name.to_lowercase(), component.version.clone().unwrap_or_default());
    os_release::system(id, version, component.description.clone(), value(component, property::CODENAME))
}

fn package(component: &Component, purl: &str) -> Result<Package, String> {
    let malformed = |error| format!("`{purl}` is no package URL: {error}");
    let written = Components::parse(purl).map_err(malformed)?;
    let purl = PackageUrl::build(written.clone()).map_err(malformed)?;
    let version = written.version.or_else(|| component.version.clone());
    let version = version.filter(|version| !version.is_empty()).ok_or("no version")?;
    let version = with_epoch(&purl, version);
    let name = match (purl.package_type.as_str(), &purl.namespace, written.namespace) {
        // The canonical form writes these small, though names of different case are different.
        ("npm" | "golang", _, Some(namespace)) => format!("{namespace}/{}", written.name),
        ("npm" | "golang", _, None) => written.name,
        ("composer", Some(namespace), _) => format!("{namespace}/{}", purl.name),
        ("maven", Some(namespace), _) => format!("{namespace}:{}", purl.name),
        _ => purl.name.clone(),
    };
    if !npm::is_name(&name) {
        return Err("no name".to_owned());
    }
    let ecosystem = Ecosystem::of_purl_type(&purl.package_type).filter(|ecosystem| !ecosystem.row().is_distribution);
    // A package URL has the canonical name (`jinja2`); the component may have the package's own spelling (`Jinja2`).
    let is_spelling = |ecosystem: &Ecosystem| ecosystem.normalise(&component.name) == ecosystem.normalise(&name);
    let name = if ecosystem.as_ref().is_some_and(is_spelling) { component.name.clone() } else { name };
    let mut paths: Vec<String> =
        component.evidence.occurrences.iter().map(|occurrence| occurrence.location.clone()).collect();
    paths.extend(
        component
            .properties
            .iter()
            .filter(|property| is_path(&property.name))
            .filter_map(|property| property.value.as_deref().map(|path| path.trim_start_matches('/').to_owned())),
    );
    paths.retain(|path| !path.is_empty());
    paths.sort();
    paths.dedup();
    let qualifier = |name: &str| purl.qualifiers.get(name);
    // As cyclonedx-gomod writes the platform of a program.
    let platform = || Some(format!("{}/{}", qualifier("goos")?, qualifier("goarch")?));
    let arch = qualifier("arch").cloned().or_else(platform);
    let layer = value(component, property::LAYER).or_else(|| value(component, "aquasecurity:trivy:LayerDigest"));
    Ok(Package {
        ecosystem,
        name,
        version,
        manager: manager(component, &purl.package_type),
        source: source(component, &purl),
        architecture: value(component, property::ARCHITECTURE).or(arch),
        paths,
        layer: layer.and_then(|layer| layer.parse().ok()),
        module: None,
        lambda_layer: value(component, property::LAMBDA_LAYER),
        owned_by: value(component, property::OWNED_BY),
        purl: purl.to_string(),
    })
}

/// A package URL of rpm has the epoch as a qualifier (purl-spec, types, rpm); without it an old version would look new.
fn with_epoch(purl: &PackageUrl, version: String) -> String {
    let epoch = purl.qualifiers.get("epoch").filter(|epoch| purl.package_type == "rpm" && *epoch != "0");
    match epoch {
        Some(epoch) if !version.contains(':') => format!("{epoch}:{version}"),
        _ => version,
    }
}

/// Properties of Syft and Trivy that tell a file.
fn is_path(name: &str) -> bool {
    name == "aquasecurity:trivy:FilePath" || (name.starts_with("syft:location:") && name.ends_with(":path"))
}

fn value(component: &Component, name: &str) -> Option<String> {
    let property = component.properties.iter().find(|property| property.name == name)?;
    property.value.clone().filter(|value| !value.is_empty())
}

fn manager(component: &Component, purl_type: &str) -> PackageManager {
    let stated = value(component, property::MANAGER);
    if let Some(manager) = stated.and_then(|manager| serde_json::from_value(manager.into()).ok()) {
        return manager;
    }
    match purl_type {
        "deb" | "rpm" | "apk" => PackageManager::Os,
        "pypi" => PackageManager::PythonPkg,
        "npm" => PackageManager::NodePkg,
        "golang" => PackageManager::GoMod,
        "cargo" => PackageManager::Cargo,
        _ => PackageManager::Generic,
    }
}

/// The source package: by our properties, Trivy's, Syft's, or the `upstream` qualifier that Syft writes
/// (`openssl`, `glibc@2.36-9`), which it leaves out when the source has the binary's name.
fn source(component: &Component, purl: &PackageUrl) -> Option<SourcePackage> {
    if !["deb", "rpm", "apk"].contains(&purl.package_type.as_str()) {
        return None;
    }
    let binary_version = || with_epoch(purl, purl.version.clone().unwrap_or_default());
    if let Some(name) = value(component, property::SOURCE_NAME) {
        let version = value(component, property::SOURCE_VERSION).unwrap_or_else(binary_version);
        return Some(SourcePackage { name, version });
    }
    if let Some(name) = value(component, "aquasecurity:trivy:SrcName") {
        let part = |part: &str| value(component, &format!("aquasecurity:trivy:Src{part}"));
        let version = part("Version").map(|upstream| {
            let epoch = part("Epoch").map(|epoch| format!("{epoch}:")).unwrap_or_default();
            let revision = part("Release").map(|release| format!("-{release}")).unwrap_or_default();
            format!("{epoch}{upstream}{revision}")
        });
        return Some(SourcePackage { name, version: version.unwrap_or_else(binary_version) });
    }
    if let Some(name) = value(component, "syft:metadata:source") {
        let version = value(component, "syft:metadata:sourceVersion").unwrap_or_else(binary_version);
        return Some(SourcePackage { name, version });
    }
    let upstream = purl.qualifiers.get("upstream")?;
    if let Some((name, version)) = rpm::source_of_file(upstream) {
        return Some(SourcePackage { name, version: with_epoch(purl, version) });
    }
    let (name, version) = match upstream.split_once('@') {
        Some((name, version)) => (name.to_owned(), version.to_owned()),
        None => (upstream.clone(), binary_version()),
    };
    Some(SourcePackage { name, version })
}

/// Debian's releases by name (debian.org/releases, read 2026-11-24).
const CODENAMES: [(&str, &str); 9] = [
    ("wheezy", "7"),
    ("jessie", "8"),
    ("stretch", "9"),
    ("buster", "10"),
    ("bullseye", "11"),
    ("bookworm", "12"),
    ("trixie", "13"),
    ("forky", "14"),
    ("duke", "15"),
];

/// What package URLs call a distribution that calls itself something else in os-release(5).
const NAMESPACES: &[(&str, &str)] = &[
    ("redhat", "rhel"),
    ("amazon", "amzn"),
    ("amazonlinux", "amzn"),
    ("oracle", "ol"),
    ("oraclelinux", "ol"),
    ("rocky-linux", "rocky"),
    ("suse", "sles"),
    ("opensuse", "opensuse-leap"),
    ("photon-os", "photon"),
    ("cbl-mariner", "mariner"),
];

/// The release of an OS package: `distro=debian-12`, `alpine-3.18.4`, `bookworm`; without it the system's, where it is of the
/// distribution that the package URL names.
fn release(purl: &PackageUrl, os: Option<&OperatingSystem>) -> Option<Ecosystem> {
    let named =
        |id: &str| NAMESPACES.iter().find(|(name, _)| *name == id).map_or(id.to_owned(), |(_, id)| (*id).to_owned());
    let ecosystem = match (purl.qualifiers.get("distro"), os) {
        (Some(distro), _) => match CODENAMES.iter().find(|(name, _)| name == distro) {
            Some((_, major)) => Ecosystem::of_system("debian", major),
            None => {
                let (id, version) = distro.rsplit_once('-').unwrap_or((distro, ""));
                Ecosystem::of_system(&named(id), version)
            }
        },
        (None, Some(os)) => {
            let is_its = purl.namespace.as_ref().is_none_or(|namespace| named(namespace) == os.id);
            ecosystem_of(os).filter(|_| is_its)
        }
        (None, None) => None,
    };
    ecosystem.filter(|ecosystem| ecosystem.row().purl_type == purl.package_type)
}
