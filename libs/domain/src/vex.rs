//! Whom a VEX statement is about, by the package URLs that it names (OpenVEX 0.2, "Product"; purl-spec, types `oci`, `docker`,
//! `deb`, `rpm`; read 2026-11-24).

use crate::{ECOSYSTEMS, ImageIdentity, OperatingSystem, Package, PackageUrl, VexStatement};

/// Names under which Docker Hub is known.
const DOCKER_HUB: [&str; 3] = ["index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"];

impl VexStatement {
    /// Why the statement can be about nothing that an inventory holds; `None`: it may be.
    pub fn why_idle(&self) -> Option<&'static str> {
        let Ok(product) = PackageUrl::parse(&self.product) else {
            return Some("its product is no package URL");
        };
        if product.is_image() {
            return None;
        }
        if !self.subcomponents.is_empty() {
            return Some("its product has parts and is no image");
        }
        let is_judged = ECOSYSTEMS.iter().any(|row| row.purl_type == product.package_type);
        (!is_judged).then_some("its product is neither an image nor a package of a kind that is judged")
    }

    /// Whether the statement is about this package of a root with this system, which is this image's.
    pub fn is_about(&self, package: &Package, os: Option<&OperatingSystem>, image: Option<&ImageIdentity>) -> bool {
        let Ok(product) = PackageUrl::parse(&self.product) else {
            return false;
        };
        if !product.is_image() {
            return self.subcomponents.is_empty() && product.names(package, os);
        }
        let names_part = |part: &String| PackageUrl::parse(part).is_ok_and(|part| part.names(package, os));
        image.is_some_and(|image| product.names_image(image))
            && (self.subcomponents.is_empty() || self.subcomponents.iter().any(names_part))
    }
}

impl PackageUrl {
    /// Whether it names a container image.
    pub fn is_image(&self) -> bool {
        ["oci", "docker"].contains(&self.package_type.as_str())
    }

    /// Whether it names this image. What it leaves out it leaves open, but a digest decides alone: tags move, and an image
    /// has the same digest wherever it is copied.
    pub fn names_image(&self, image: &ImageIdentity) -> bool {
        let version = self.version.as_deref();
        if let Some(digest) = version.filter(|version| version.starts_with("sha256:")) {
            return image.digests.iter().any(|own| own.as_str() == digest);
        }
        // An `oci` URL has its tag as a qualifier, a `docker` URL as its version.
        let tag = self.qualifiers.get("tag").map(String::as_str).or(version);
        image.repository.as_deref().is_some_and(|repository| self.names_repository(repository))
            && tag.is_none_or(|tag| image.tags.iter().any(|own| own == tag))
    }

    /// Writers end `repository_url` with the image's name or leave it out there.
    fn names_repository(&self, repository: &str) -> bool {
        let repository = plain_repository(repository);
        let name = match &self.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.clone(),
        };
        match self.qualifiers.get("repository_url").map(|url| plain_repository(url)) {
            Some(url) => {
                repository == url && url.ends_with(&format!("/{name}")) || repository == format!("{url}/{name}")
            }
            None => repository.ends_with(&format!("/{name}")),
        }
    }

    /// Whether it names the package, or the source package that it was built from (`arch=source`, `arch=src`). What it leaves out
    /// it leaves open.
    fn names(&self, package: &Package, os: Option<&OperatingSystem>) -> bool {
        let Ok(own) = PackageUrl::parse(&package.purl) else {
            return false;
        };
        let is_source = self.qualifiers.get("arch").is_some_and(|arch| ["source", "src"].contains(&arch.as_str()));
        let (name, version) = match &package.source {
            Some(source) if is_source => (source.name.as_str(), Some(source.version.as_str())),
            _ if is_source => return false,
            _ => (own.name.as_str(), own.version.as_deref()),
        };
        let is_its = |(key, value): (&String, &String)| match key.as_str() {
            "arch" if is_source => true,
            "distro" => own.qualifiers.get("distro") == Some(value) || os.is_some_and(|os| is_release(value, os)),
            _ => own.qualifiers.get(key) == Some(value),
        };
        self.package_type == own.package_type
            && self.namespace == own.namespace
            && self.name == name
            && self.version.as_deref().is_none_or(|wanted| version == Some(wanted))
            && self.qualifiers.iter().all(is_its)
            && self.subpath.as_ref().is_none_or(|subpath| own.subpath.as_ref() == Some(subpath))
    }
}

/// `docker.io/library/debian` of `https://index.docker.io/library/debian/`.
fn plain_repository(url: &str) -> String {
    let url = ["https://", "http://"].iter().find_map(|scheme| url.strip_prefix(scheme)).unwrap_or(url);
    let url = url.trim_end_matches('/').to_lowercase();
    match url.split_once('/') {
        Some((host, name)) if DOCKER_HUB.contains(&host) => format!("docker.io/{name}"),
        _ if DOCKER_HUB.contains(&url.as_str()) => "docker.io".to_owned(),
        _ => url,
    }
}

/// Writers of package URLs tell a release by its name or its number: `bookworm`, `debian-12`, `ubuntu/jammy`.
fn is_release(distro: &str, os: &OperatingSystem) -> bool {
    let release = distro.strip_prefix(os.id.as_str()).map_or(distro, |rest| rest.trim_start_matches(['-', '/']));
    release == os.version || os.codename.as_deref() == Some(release)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Digest, Ecosystem, PackageManager, SourcePackage, VexStatus};

    fn statement(product: &str, subcomponents: &[&str]) -> VexStatement {
        VexStatement {
            vulnerability: "CVE-2023-1".into(),
            product: product.into(),
            subcomponents: subcomponents.iter().map(|&part| part.to_owned()).collect(),
            status: VexStatus::NotAffected,
            justification: None,
            statement: None,
            author: String::new(),
            document: String::new(),
            timestamp: None,
        }
    }

    fn libssl() -> Package {
        Package {
            ecosystem: Some(Ecosystem::debian("12")),
            name: "libssl3".into(),
            version: "3.0.11-1+b2".into(),
            purl: "pkg:deb/debian/libssl3@3.0.11-1%2Bb2?arch=amd64&distro=debian-12".into(),
            manager: PackageManager::Os,
            source: Some(SourcePackage { name: "openssl".into(), version: "3.0.11-1".into() }),
            architecture: Some("amd64".into()),
            module: None,
            paths: Vec::new(),
            layer: None,
            lambda_layer: None,
            owned_by: None,
        }
    }

    fn bookworm() -> OperatingSystem {
        OperatingSystem {
            id: "debian".into(),
            version: "12".into(),
            pretty_name: String::new(),
            codename: Some("bookworm".into()),
        }
    }

    #[test]
    fn a_source_package_stands_for_what_was_built_from_it() {
        let check = |product: &str, expected: bool| {
            assert_eq!(statement(product, &[]).is_about(&libssl(), Some(&bookworm()), None), expected, "{product}");
        };
        check("pkg:deb/debian/openssl?arch=source", true);
        check("pkg:deb/debian/openssl@3.0.11-1?arch=source", true); // the source's version, not the binary's
        check("pkg:deb/debian/openssl@3.0.11-1%2Bb2?arch=source", false);
        check("pkg:deb/debian/openssl@3.0.11-1?arch=source&distro=bookworm", true); // as Debian's tools write it
        check("pkg:deb/debian/openssl@3.0.11-1?arch=source&distro=debian/bookworm", true);
        check("pkg:deb/debian/openssl?arch=source&distro=trixie", false);
        check("pkg:deb/ubuntu/openssl?arch=source", false);
        check("pkg:deb/debian/openssl", false); // the binary package of that name, which is another one
        check("pkg:deb/debian/libssl3?distro=debian-12", true);
        check("pkg:deb/debian/libssl3?arch=arm64", false);
    }

    #[test]
    fn an_image_is_named_by_its_digest_or_by_where_it_is() {
        let digest = Digest::of(b"manifest");
        let image = ImageIdentity {
            digests: vec![digest.clone()],
            repository: Some("registry-1.docker.io/library/debian".into()),
            tags: vec!["12".into()],
        };
        let check = |product: &str, expected: bool| {
            let product = PackageUrl::parse(product).unwrap();
            assert_eq!(product.names_image(&image), expected, "{product}");
        };
        let digest = digest.as_str().replace(':', "%3A");
        check(&format!("pkg:oci/debian@{digest}"), true);
        check(&format!("pkg:oci/copy@{digest}?repository_url=ghcr.io/other/copy&tag=13"), true); // the same image
        check(&format!("pkg:oci/debian@sha256%3A{}", "0".repeat(64)), false);
        check("pkg:oci/debian?repository_url=docker.io/library/debian&tag=12", true);
        check("pkg:oci/debian?repository_url=index.docker.io/library", true); // as older writers have it
        check("pkg:oci/debian?repository_url=docker.io/library/debian&tag=13", false);
        check("pkg:oci/debian?repository_url=ghcr.io/library/debian", false);
        check("pkg:oci/debian", true);
        check("pkg:oci/bian", false);
        check("pkg:docker/library/debian@12", true);
        check("pkg:docker/debian@11", false);
        let nameless = ImageIdentity { repository: None, ..image.clone() };
        assert!(!PackageUrl::parse("pkg:oci/debian").unwrap().names_image(&nameless));
    }

    #[test]
    fn what_is_said_of_an_image_is_said_of_the_parts_that_are_named_or_of_all() {
        let image = ImageIdentity { repository: Some("ghcr.io/x/app".into()), ..ImageIdentity::default() };
        let check = |subcomponents: &[&str], image: Option<&ImageIdentity>, expected: bool| {
            let statement = statement("pkg:oci/app?repository_url=ghcr.io/x/app", subcomponents);
            assert_eq!(statement.is_about(&libssl(), Some(&bookworm()), image), expected, "{subcomponents:?}");
        };
        check(&[], Some(&image), true);
        check(&["pkg:npm/a", "pkg:deb/debian/libssl3"], Some(&image), true);
        check(&["pkg:deb/debian/openssl?arch=source"], Some(&image), true);
        check(&["pkg:npm/a"], Some(&image), false);
        check(&["pkg:deb/debian/libssl3"], None, false); // the same package in a root that is no image
        check(&[], Some(&ImageIdentity::default()), false);
    }

    #[test]
    fn a_statement_that_can_be_about_nothing_says_why() {
        let check = |product: &str, subcomponents: &[&str], expected: Option<&str>| {
            assert_eq!(statement(product, subcomponents).why_idle(), expected, "{product}");
        };
        check("pkg:oci/app", &["pkg:npm/a"], None);
        check("pkg:deb/debian/openssl?arch=source", &[], None);
        check("pkg:npm/app@1", &["pkg:npm/a"], Some("its product has parts and is no image"));
        let kind = "its product is neither an image nor a package of a kind that is judged";
        check("pkg:generic/app@1", &[], Some(kind));
        check("pkg:github/x/app", &[], Some(kind));
        check("app", &[], Some("its product is no package URL"));
    }
}
