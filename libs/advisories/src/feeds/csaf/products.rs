//! The product tree: from a product's id to the package and the platform that it is a component of.

use super::document::{Csaf, Product, Relationship, Text};
use muster_domain::PackageUrl;
use std::cell::Cell;
use std::collections::HashMap;

/// Most relationships from a component to its platform; Red Hat has two at most (package of a module of a stream).
const CHAIN_MAX: usize = 8;

/// Most products that are gone through for being in groups, in one document: a short list of groups may name a long one of
/// products again and again.
const GROUPED_MAX: usize = 10_000_000;
/// The architectures of package files.
const ARCHITECTURES: [&str; 14] = [
    "x86_64", "aarch64", "ppc64le", "s390x", "noarch", "src", "i386", "i486", "i586", "i686", "ppc64", "ppc", "s390",
    "ia64",
];

/// Every product of a document by its id.
pub(super) struct Products<'d, 'a> {
    plain: HashMap<&'d str, &'d Product<'a>>,
    related: HashMap<&'d str, &'d Relationship<'a>>,
    groups: HashMap<&'d str, &'d [Text<'a>]>,
    /// How many products of groups may still be gone through.
    grouped_left: Cell<usize>,
}

/// A product that a status names: a component and the platform that it belongs to.
#[derive(Clone, Copy)]
pub(super) struct Resolved<'d, 'a> {
    /// The id of the component by itself.
    pub component: &'d str,
    /// The component in the tree; `None` when the tree has not got it.
    pub component_product: Option<&'d Product<'a>>,
    /// The platform, where the component is a component of one.
    pub platform: Option<&'d str>,
    /// The platform in the tree.
    pub platform_product: Option<&'d Product<'a>>,
    /// A product on the way from the component to the platform: the module that a package comes from.
    pub between: Option<&'d Product<'a>>,
}

impl<'d, 'a> Products<'d, 'a> {
    pub(super) fn new(csaf: &'d Csaf<'a>) -> Self {
        let tree = &csaf.product_tree;
        Self {
            plain: tree.products().map(|product| (&*product.product_id, product)).collect(),
            related: tree
                .relationships
                .iter()
                .map(|relationship| (&*relationship.full_product_name.product_id, relationship))
                .collect(),
            groups: tree.product_groups.iter().map(|group| (&*group.group_id, &*group.product_ids)).collect(),
            grouped_left: Cell::new(GROUPED_MAX),
        }
    }

    /// The products that a remediation, threat or flag is about; none named: `None`, all.
    pub(super) fn named<'x>(
        &'x self,
        product_ids: &'x [Text<'a>],
        group_ids: &'x [Text<'a>],
    ) -> Option<impl Iterator<Item = &'x str>> {
        let groups = group_ids.iter().filter_map(|group| self.groups.get(&**group));
        let grouped = groups.filter(|ids| self.has_room_for(ids.len())).flat_map(|ids| ids.iter());
        let is_about_all = product_ids.is_empty() && group_ids.is_empty();
        (!is_about_all).then(|| product_ids.iter().chain(grouped).map(|id| &**id))
    }

    fn has_room_for(&self, products: usize) -> bool {
        let left = self.grouped_left.get().checked_sub(products);
        self.grouped_left.set(left.unwrap_or_default());
        left.is_some()
    }

    /// Whether groups named more products than a document is given time for.
    pub(super) fn is_exhausted(&self) -> bool {
        self.grouped_left.get() == 0
    }

    /// Where a product id leads.
    pub(super) fn resolve(&self, id: &'d str) -> Resolved<'d, 'a> {
        let Some(relationship) = self.related.get(id) else {
            return self.resolve_plain(id);
        };
        let mut component = &*relationship.product_reference;
        let mut platform = &*relationship.relates_to_product_reference;
        let mut between = None;
        for _ in 0..CHAIN_MAX {
            match (self.related.get(component), self.related.get(platform)) {
                (Some(next), _) => component = &next.product_reference,
                (None, Some(next)) => {
                    between = self.plain.get(&*next.product_reference).copied();
                    platform = &next.relates_to_product_reference;
                }
                (None, None) => break,
            }
        }
        Resolved {
            component,
            component_product: self.plain.get(component).copied(),
            platform: Some(platform),
            platform_product: self.plain.get(platform).copied(),
            between,
        }
    }

    /// Without a relationship a product stands for itself, or is spelled `platform:component`.
    fn resolve_plain(&self, id: &'d str) -> Resolved<'d, 'a> {
        // A platform's own id may have colons, too (`Container suse/sle15:15.5`).
        let colons = id.match_indices(':').map(|(at, _)| (&id[..at], &id[at + 1..])).take(CHAIN_MAX);
        let mut colons = colons.filter(|_| !self.plain.contains_key(id));
        let spelled = colons.find(|(platform, _)| self.plain.contains_key(platform));
        let (component, platform) = spelled.map_or((id, None), |(platform, component)| (component, Some(platform)));
        Resolved {
            component,
            component_product: self.plain.get(component).copied(),
            platform,
            platform_product: platform.and_then(|platform| self.plain.get(platform).copied()),
            between: None,
        }
    }
}

impl Product<'_> {
    /// Its package URL as written.
    pub(super) fn purl(&self) -> Option<&str> {
        self.product_identification_helper.as_ref()?.purl.as_deref().filter(|purl| !purl.is_empty())
    }

    /// Its CPE as written.
    pub(super) fn cpe(&self) -> Option<&str> {
        self.product_identification_helper.as_ref()?.cpe.as_deref().filter(|cpe| !cpe.is_empty())
    }
}

/// An RPM package as a package URL or a bare component tells it.
#[derive(Debug, PartialEq)]
pub(super) struct Rpm {
    pub name: String,
    /// `epoch:version-release`, the epoch only where it is told.
    pub version: Option<String>,
    /// `src` for a source package; `None`: not told.
    pub architecture: Option<String>,
    /// As `rpmmod` has it: `nodejs:18:8080020230418141236:63b34585`, or less.
    pub module: Option<String>,
    /// Whether the name is told to be a binary or a source package's: a bare component's is not.
    pub is_told: bool,
}

impl Rpm {
    /// What kind of package a package URL is of, and the package when it is an RPM.
    pub(super) fn of_purl(purl: &str) -> Result<Self, String> {
        let read = PackageUrl::parse(purl).map_err(|_| String::new())?;
        if read.package_type != "rpm" {
            return Err(read.package_type);
        }
        let qualifier = |key| read.qualifiers.get(key).cloned();
        let module = qualifier("rpmmod");
        let is_stream = |version: &&str| {
            module.as_deref().and_then(|module| module.split(':').nth(1)).is_some_and(|stream| stream == *version)
        };
        // Of a module's unfixed component the stream stands where the version would.
        let version = read.version.as_deref().filter(|version| !is_stream(version));
        let version = version.map(|version| match qualifier("epoch") {
            Some(epoch) if !version.contains(':') => format!("{epoch}:{version}"),
            _ => version.to_owned(),
        });
        let architecture = qualifier("arch");
        Ok(Self { name: read.name, version, architecture, module, is_told: true })
    }

    /// A component without a package URL: `openssl`, or `log4j:2/log4j` of a module. Anything else with a slash is an image.
    pub(super) fn of_component(component: &str) -> Option<Self> {
        let (module, name) = match component.split_once('/') {
            Some((module, name)) if module.contains(':') => (Some(module.to_owned()), name),
            Some(_) => return None,
            None => (None, component),
        };
        if name.is_empty() || name.contains(['/', ':', '@']) || name.ends_with("-container") {
            return None;
        }
        Some(Self { name: name.to_owned(), version: None, architecture: None, module, is_told: false })
    }

    /// A package file's name without a package URL: `gnutls-0:3.6.16-5.el8_6.4.aarch64`, `libxz5-5.6.2-1.1`. `None`: the
    /// name has no version and release that begin with digits.
    pub(super) fn of_file(component: &str) -> Option<Self> {
        let component = component.strip_suffix(".rpm").unwrap_or(component);
        let architecture = ARCHITECTURES
            .iter()
            .copied()
            .find(|architecture| component.strip_suffix(architecture).is_some_and(|rest| rest.ends_with('.')));
        let rest =
            architecture.map_or(component, |architecture| &component[..component.len() - architecture.len() - 1]);
        let (rest, release) = rest.rsplit_once('-')?;
        let (name, version) = rest.rsplit_once('-')?;
        let begins = |text: &str| text.starts_with(|letter: char| letter.is_ascii_digit());
        if name.is_empty() || !begins(version) || !begins(release) {
            return None;
        }
        Some(Self {
            name: name.to_owned(),
            version: Some(format!("{version}-{release}")),
            architecture: architecture.map(str::to_owned),
            module: None,
            is_told: false,
        })
    }

    /// Whether its version was built in a module, whoever tells which.
    pub(super) fn is_modular(&self) -> bool {
        self.module.is_some() || self.version.as_deref().is_some_and(|version| version.contains(".module"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_read_from_its_url() {
        let check = |purl: &str, expected: &str| {
            let shown = match Rpm::of_purl(purl) {
                Ok(rpm) => {
                    let word = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
                    format!("{} {} {} {}", rpm.name, word(rpm.version), word(rpm.architecture), word(rpm.module))
                }
                Err(kind) => format!("is {kind}"),
            };
            assert_eq!(shown, expected, "{purl}");
        };
        check("pkg:rpm/redhat/gnutls@3.6.16-5.el8_6.4?arch=aarch64", "gnutls 3.6.16-5.el8_6.4 aarch64 -");
        check("pkg:rpm/redhat/bind@9.8.2-0.68.rc1.el6?arch=src&epoch=32", "bind 32:9.8.2-0.68.rc1.el6 src -");
        check("pkg:rpm/redhat/gnutls?arch=src", "gnutls - src -");
        check("pkg:rpm/redhat/libcurl", "libcurl - - -");
        check(
            "pkg:rpm/redhat/ruby@2.5.9-111.module%2Bel8.9.0%2B19193%2B435404ae?arch=i686&rpmmod=ruby:2.5:8090:b46abd14",
            "ruby 2.5.9-111.module+el8.9.0+19193+435404ae i686 ruby:2.5:8090:b46abd14",
        );
        // The stream is no version.
        check("pkg:rpm/redhat/go-toolset@rhel8?arch=src&rpmmod=go-toolset:rhel8", "go-toolset - src go-toolset:rhel8");
        check("pkg:rpm/suse/xz@5.6.2-1.1?upstream=xz-5.6.2-1.1.src.rpm", "xz 5.6.2-1.1 - -");
        check("pkg:maven/io.netty/netty-codec@4.1", "is maven");
        check("pkg:oci/nodejs?repository_url=registry.redhat.io/rhel8/nodejs", "is oci");
        check("not a url", "is ");
    }

    #[test]
    fn a_bare_component_is_a_package_or_an_image() {
        let check = |component: &str, expected: Option<(&str, Option<&str>)>| {
            let rpm = Rpm::of_component(component);
            let shown = rpm.as_ref().map(|rpm| (rpm.name.as_str(), rpm.module.as_deref()));
            assert_eq!(shown, expected, "{component}");
        };
        check("openssl", Some(("openssl", None)));
        check("pki-deps:10.6/pki-servlet-engine", Some(("pki-servlet-engine", Some("pki-deps:10.6"))));
        check("rhel8/nodejs", None); // an image's path
        check("openshift-golang-builder-container", None);
        check("nodejs:18/", None);
        check("", None);
    }

    #[test]
    fn a_package_file_is_split_from_its_end() {
        let check = |component: &str, expected: Option<(&str, &str, Option<&str>)>| {
            let rpm = Rpm::of_file(component);
            let shown = rpm.as_ref().map(|rpm| {
                (rpm.name.as_str(), rpm.version.as_deref().unwrap_or_default(), rpm.architecture.as_deref())
            });
            assert_eq!(shown, expected, "{component}");
        };
        check("gnutls-0:3.6.16-5.el8_6.4.aarch64", Some(("gnutls", "0:3.6.16-5.el8_6.4", Some("aarch64"))));
        check(
            "libopenssl-1_0_0-devel-1.0.2p-150000.3.70.1",
            Some(("libopenssl-1_0_0-devel", "1.0.2p-150000.3.70.1", None)),
        );
        check("libxz5-32bit-5.6.2-1.1.x86_64.rpm", Some(("libxz5-32bit", "5.6.2-1.1", Some("x86_64"))));
        check("python3-samba-dc", None);
        check("openssl", None);
        check("libopenssl-1_0_0-devel", None); // `1_0_0` might be a version, `devel` is no release
    }
}
