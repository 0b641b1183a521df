//! Build information as Go's linker writes it, inside the smallest ELF that has an address space.

use super::*;
use proptest::prelude::*;

/// Where the one segment of the test's programs lies in memory, and in the file behind the two headers.
const ADDRESS: u64 = 0x40_0000;
const SEGMENT_OFFSET: usize = 0x80;

/// An ELF for x86-64 (little endian) with one writable segment and no sections, as `sstrip` leaves it.
fn elf(segment: &[u8]) -> Vec<u8> {
    let size = (segment.len() as u64).to_le_bytes();
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    bytes.extend([2, 0, 0x3e, 0, 1, 0, 0, 0]); // executable, x86-64
    bytes.extend([ADDRESS, 0x40, 0].map(u64::to_le_bytes).concat()); // entry, program headers, section headers
    bytes.extend([0, 0, 0, 0, 0x40, 0, 0x38, 0, 1, 0, 0x40, 0, 0, 0, 0, 0]); // sizes and counts
    bytes.extend([1, 0, 0, 0, 6, 0, 0, 0]); // PT_LOAD, readable and writable
    bytes.extend([SEGMENT_OFFSET as u64, ADDRESS, ADDRESS].map(u64::to_le_bytes).concat());
    bytes.extend([size, size, 0x1000_u64.to_le_bytes()].concat());
    bytes.resize(SEGMENT_OFFSET, 0);
    bytes.extend(segment);
    bytes
}

fn framed(modules: &str) -> Vec<u8> {
    [&[0x30; 16][..], modules.as_bytes(), &[0xf9; 16]].concat()
}

/// From Go 1.18 on: the strings stand behind the header.
fn inline(version: &str, modules: &[u8]) -> Vec<u8> {
    let string = |text: &[u8]| {
        let length = [text.len() as u8 & 0x7f | 0x80, (text.len() >> 7) as u8];
        [&length, text].concat()
    };
    [MAGIC, &[8, FLAG_INLINE], &[0; 16], &string(version.as_bytes()), &string(modules)].concat()
}

/// Up to Go 1.17: addresses of two Go strings, each an address and a length.
fn pointers(version: &str, modules: &[u8], pointer_bytes: usize, is_big_endian: bool) -> Vec<u8> {
    let number = |number: u64| match (pointer_bytes, is_big_endian) {
        (4, false) => (number as u32).to_le_bytes().to_vec(),
        (4, true) => (number as u32).to_be_bytes().to_vec(),
        (_, false) => number.to_le_bytes().to_vec(),
        (_, true) => number.to_be_bytes().to_vec(),
    };
    let strings = ADDRESS + HEADER_BYTES as u64;
    let text = strings + 4 * pointer_bytes as u64;
    let mut bytes = [MAGIC, &[pointer_bytes as u8, u8::from(is_big_endian)]].concat();
    bytes.extend([number(strings), number(strings + 2 * pointer_bytes as u64)].concat());
    bytes.resize(HEADER_BYTES, 0);
    bytes.extend([number(text), number(version.len() as u64)].concat());
    bytes.extend([number(text + version.len() as u64), number(modules.len() as u64)].concat());
    bytes.extend([version.as_bytes(), modules].concat());
    bytes
}

/// Package URLs, then reasons; `None`: not a Go program.
fn read(bytes: &[u8]) -> Option<Vec<String>> {
    let parsed = parse("bin/x", bytes)?;
    let packages = parsed.packages.into_iter().map(|package| package.purl);
    Some(packages.chain(parsed.skipped.into_iter().map(|skipped| skipped.reason)).collect())
}

const MODULES: &str = "path\tgithub.com/a/b/cmd/b\nmod\tgithub.com/a/b\t(devel)\t\n\
    dep\tgolang.org/x/text\tv0.3.7\th1:olpwvP2KacW1ZWvsR7uQhoyTYvKAupfQrRGBFM352Gk=\nbuild\t-compiler=gc\n";
const PACKAGES: [&str; 3] =
    ["pkg:golang/stdlib@1.21.1", "pkg:golang/github.com/a/b@%28devel%29", "pkg:golang/golang.org/x/text@v0.3.7"];

#[test]
fn both_layouts_tell_the_same() {
    let check = |information: Vec<u8>| assert_eq!(read(&elf(&information)).unwrap(), PACKAGES);
    let modules = framed(MODULES);
    check(inline("go1.21.1", &modules));
    check([vec![0; 48], inline("go1.21.1", &modules)].concat()); // somewhere in the segment
    check([[MAGIC, &[0; 18]].concat(), inline("go1.21.1", &modules)].concat()); // behind the magic as a constant
    for pointer_bytes in [4, 8] {
        check(pointers("go1.21.1", &modules, pointer_bytes, false));
        check(pointers("go1.21.1", &modules, pointer_bytes, true)); // as on s390x
    }
}

#[test]
fn the_toolchain_is_the_standard_librarys_version() {
    let check = |version: &str, expected: &str| {
        let packages = parse("x", &elf(&inline(version, &[]))).unwrap().packages;
        assert_eq!(packages.iter().map(|package| package.version.as_str()).collect::<Vec<_>>(), [expected]);
    };
    check("go1.19.8", "1.19.8");
    check("go1.21rc2", "1.21rc2");
    check("go1.21.3 X:boringcrypto", "1.21.3");
    check("devel go1.23-0123456 Mon Jan 1", "devel go1.23-0123456 Mon Jan 1"); // between releases: no order
}

#[test]
fn the_platform_is_told_by_the_settings() {
    let check = |modules: &str, expected: Option<&str>| {
        let packages = parse("x", &elf(&inline("go1.21.1", &framed(modules)))).unwrap().packages;
        assert!(packages.iter().all(|package| package.architecture.as_deref() == expected), "{modules}");
    };
    let settings =
        "dep\ta.org/b\tv1.0.0\nbuild\t-compiler=gc\nbuild\tGOARCH=amd64\nbuild\tGOOS=linux\nbuild\tGOAMD64=v1\n";
    check(settings, Some("linux/amd64"));
    check("dep\ta.org/b\tv1.0.0\n", None); // before Go 1.18
    check("build\tGOOS=linux\n", None);
    check("build\tGOOS=\nbuild\tGOARCH=a/b\n", None);
}

#[test]
fn a_replaced_module_is_what_was_taken_in_its_place() {
    let check = |modules: &str, expected: &[&str]| {
        let read = read(&elf(&inline("go1.21.1", &framed(modules)))).unwrap();
        assert_eq!(read[1..], *expected, "{modules}");
    };
    let after = "dep\tc.org/d\tv1.0.0+incompatible\th1:=\n";
    check(
        &format!("dep\ta.org/b\tv1.0.0\n=>\tfork.org/b\tv1.0.1\th1:=\n{after}"),
        &["pkg:golang/fork.org/b@v1.0.1", "pkg:golang/c.org/d@v1.0.0%2Bincompatible"],
    );
    check("dep\ta.org/b\tv1.0.0\n=>\t./b\t(devel)\t\n", &["pkg:golang/a.org/b@%28devel%29"]); // a folder: version unknown
    check("=>\ta.org/b\tv1.0.0\n", &[]); // in place of nothing
    check("dep\ta.org/b\n", &["it has no name or no version"]);
}

#[test]
fn what_is_broken_is_named_and_what_is_not_go_is_not() {
    let check = |bytes: &[u8], expected: Option<&str>| {
        assert_eq!(read(bytes).map(|told| told.join(" ")).as_deref(), expected);
    };
    check(b"#!/bin/sh\n", None);
    check(b"\x7fELF", None);
    check(&elf(&[0; 64]), None); // a C program
    check(&elf(&inline("1.0", &[])), Some("its build information is broken"));
    check(&elf(&inline("go1.21.1", &[])[..36]), Some("its build information is broken"));
    check(&elf(&pointers("go1.21.1", &[], 3, false)), Some("its build information is broken"));
    let nowhere = [MAGIC, &[8, 0], &[0xff; 16]].concat();
    check(&elf(&nowhere), Some("its build information is broken"));
}

#[test]
fn programs_are_looked_for_in_the_usual_places() {
    for (path, expected) in [
        ("usr/local/bin/terraform-provider-aws_v5.0.0_x5", true),
        ("usr/sbin/dockerd", true),
        ("ko-app/controller", true),
        ("manager", true),   // an image `FROM scratch`
        ("bootstrap", true), // a Lambda function with a runtime of its own
        ("tool.exe", true),
        ("README.md", false),
        ("usr/share/doc/x", false),
    ] {
        assert_eq!(wants(path), expected, "{path}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(
        start in 0..4_usize,
        bytes in proptest::collection::vec(any::<u8>(), 0..2_000),
    ) {
        parse("x", &[BEGINNINGS[start], &bytes].concat());
        parse("x", &elf(&[MAGIC, &bytes].concat()));
        parse("x", &elf(&[MAGIC, &[8, FLAG_INLINE], &bytes].concat()));
    }

    #[test]
    fn flipped_bytes_are_read_without_a_panic(at in 0..400_usize, byte in any::<u8>()) {
        for information in [inline("go1.21.1", &framed(MODULES)), pointers("go1.21.1", &framed(MODULES), 8, false)] {
            let mut program = elf(&information);
            let at = at % program.len();
            program[at] = byte;
            parse("x", &program);
        }
    }
}
