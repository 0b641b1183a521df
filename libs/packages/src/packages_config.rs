//! NuGet's older list of a project's packages, `packages.config`. Source: learn.microsoft.com, "packages.config reference", read
//! 2026-11-24.

use crate::{
    Parsed,
    lock::{Lock, Origin},
    path::file_name,
};
use muster_domain::PackageManager;
use quick_xml::{XmlVersion, events::Event, reader::Reader};

/// Whether the file is one.
pub fn wants(path: &str) -> bool {
    file_name(path).eq_ignore_ascii_case("packages.config")
}

/// All packages that the file names.
pub fn parse(path: &str, bytes: &[u8]) -> Parsed {
    let mut lock = Lock::new(path, "nuget", PackageManager::Nuget);
    let text = match lock.text(bytes) {
        Ok(text) => text,
        Err(unreadable) => return unreadable,
    };
    let mut reader = Reader::from_str(text);
    let (mut is_list, mut number) = (false, 0);
    loop {
        match reader.read_event() {
            Ok(Event::Eof) if is_list => return lock.finish(),
            Ok(Event::Eof) => return lock.unreadable("it has no element `packages`"),
            Ok(Event::Start(element) | Event::Empty(element)) if element.name().as_ref() == "packages" => {
                is_list = true
            }
            Ok(Event::Start(element) | Event::Empty(element)) if element.name().as_ref() == "package" => {
                number += 1;
                let value = |name: &str| {
                    let attribute = element.try_get_attribute(name).ok().flatten()?;
                    attribute.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
                };
                let (name, version) = (value("id"), value("version"));
                lock.entry(format_args!("package {number}"), Origin::Registry, name.as_deref(), version.as_deref());
            }
            Ok(_) => {}
            Err(error) => {
                lock.skip(format_args!("byte {}", reader.error_position()), format!("not XML: {error}"));
                return lock.finish();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::told;

    #[test]
    fn each_element_is_a_package() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(told(&parse("packages.config", text.as_bytes())), expected, "{text}");
        };
        let head = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<packages>\n";
        let serilog = "<package id=\"Serilog\" version=\"2.10.0\" targetFramework=\"net46\" />";
        check(&format!("{head}{serilog}</packages>"), &["pkg:nuget/Serilog@2.10.0"]);
        check(
            &format!("{head}<package id=\"x\"/>{serilog}</packages>"),
            &["pkg:nuget/Serilog@2.10.0", "packages.config: package 1: `x` has no version"],
        );
        let cut = parse("packages.config", format!("{head}{serilog}<package id=").as_bytes());
        assert_eq!(cut.packages.len(), 1);
        assert!(cut.skipped[0].reason.starts_with("not XML"));
    }
}
