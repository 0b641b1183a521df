//! What to do about a vulnerable package, in its package manager's words.

use muster_domain::{Package, PackageManager};

/// The command that brings a fixed version, when the package manager has one.
pub(crate) fn command(package: &Package, fixed_version: Option<&str>) -> Option<String> {
    let fixed_version = fixed_version?;
    let named = |command: &str| is_plain(&package.name).then(|| format!("{command} {}", package.name));
    match package.manager {
        PackageManager::Os if package.purl.starts_with("pkg:deb/") => Some("apt-get update && apt-get upgrade".into()),
        PackageManager::Os if package.purl.starts_with("pkg:apk/") => Some("apk update && apk upgrade".into()),
        PackageManager::PythonPkg | PackageManager::Pip => named("pip install --upgrade"),
        PackageManager::NodePkg | PackageManager::Npm => named("npm update"),
        PackageManager::Yarn => named("yarn upgrade"),
        PackageManager::Pipenv => named("pipenv update"),
        PackageManager::Poetry => named("poetry update"),
        PackageManager::Gemspec => named("gem update"),
        PackageManager::Bundler => named("bundle update"),
        PackageManager::Composer => named("composer update"),
        PackageManager::Nuget => named("dotnet add package"),
        PackageManager::Cargo => named("cargo update --package"),
        PackageManager::GoMod if is_plain(fixed_version) => {
            named("go get").map(|command| format!("{command}@v{}", fixed_version.trim_start_matches('v')))
        }
        // Built into an artifact, which is built anew; or of a manager without a command that brings one version.
        PackageManager::GoMod
        | PackageManager::DotnetCore
        | PackageManager::Jar
        | PackageManager::Pom
        | PackageManager::Os
        | PackageManager::Generic => None,
    }
}

/// Whether a name can stand in a command that someone may paste into a shell: names come from the scanned files.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@/._+-".contains(&byte);
    !name.is_empty() && !name.starts_with('-') && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(manager: PackageManager, purl: &str, name: &str, fixed: Option<&str>, expected: Option<&str>) {
        let package = Package { purl: purl.into(), ..crate::samples::package(manager, name, "1.0") };
        assert_eq!(command(&package, fixed).as_deref(), expected, "{name}");
    }

    #[test]
    fn each_package_manager_has_its_command() {
        use PackageManager::{Bundler, Cargo, Composer, Generic, GoMod, Jar, NodePkg, Npm, Os, Pip, PythonPkg};
        let deb = "pkg:deb/debian/openssl@1.0";
        check(Os, deb, "openssl", Some("2.0"), Some("apt-get update && apt-get upgrade"));
        check(Os, "pkg:rpm/fedora/openssl@1.0", "openssl", Some("2.0"), None);
        check(Pip, "", "requests", Some("2.0"), Some("pip install --upgrade requests"));
        check(PythonPkg, "", "zope.interface", Some("2.0"), Some("pip install --upgrade zope.interface"));
        check(Npm, "", "@scope/name", Some("2.0"), Some("npm update @scope/name"));
        check(NodePkg, "", "lodash", Some("2.0"), Some("npm update lodash"));
        check(Cargo, "", "time", Some("2.0"), Some("cargo update --package time"));
        check(GoMod, "", "golang.org/x/net", Some("0.17.0"), Some("go get golang.org/x/net@v0.17.0"));
        check(Os, "pkg:apk/alpine/openssl@1.0", "openssl", Some("2.0"), Some("apk update && apk upgrade"));
        check(Bundler, "", "rack", Some("2.0"), Some("bundle update rack"));
        check(Composer, "", "twig/twig", Some("2.0"), Some("composer update twig/twig"));
        check(Jar, "", "org.apache.logging.log4j:log4j-core", Some("2.17.1"), None);
        check(Generic, "", "anything", Some("2.0"), None);
    }

    #[test]
    fn without_a_fix_no_command_helps() {
        check(PackageManager::Pip, "", "requests", None, None);
    }

    #[test]
    fn a_hostile_name_never_reaches_a_command() {
        check(PackageManager::Pip, "", "requests; rm -rf /", Some("2.0"), None);
        check(PackageManager::Npm, "", "--global", Some("2.0"), None);
        check(PackageManager::GoMod, "", "example.org/x", Some("1.0`id`"), None);
    }
}
