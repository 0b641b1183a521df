//! Go programs: the build information that Go's linker puts into every executable, stripped ones included.
//! Source: Go's packages debug/buildinfo and runtime/debug ("BuildInfo"), read 2026-11-24.
//!
//! The format has a magic and two layouts: up to Go 1.17 addresses of two Go strings, from Go 1.18 on the strings
//! themselves. The strings are the toolchain's version and a text with one line per module.

use crate::{Parsed, purl};
use memchr::memmem;
use muster_domain::{Ecosystem, Package, PackageManager};
use object::{Endianness, Object, ObjectSection, ObjectSegment};

/// Folders in which images have their programs: the system's, and where builders (`ko`) and habit put a single one.
const FOLDERS: [&str; 5] = ["bin", "sbin", "libexec", "app", "ko-app"];

/// What the executables of the formats read here begin with: ELF, PE (`MZ`), Mach-O with 64 and 32 bits, little endian.
/// Universal Mach-O files and those of other byte orders are left out: no image or Lambda function runs them.
const BEGINNINGS: [&[u8]; 4] = [b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe"];

const MAGIC: &[u8] = b"\xff Go buildinf:";
/// The magic and what follows it lie at addresses that are multiples of this.
const ALIGNMENT: usize = 16;
/// The magic, the size of a pointer, the flags, and two pointers or room for them.
const HEADER_BYTES: usize = 32;
const FLAG_BIG_ENDIAN: u8 = 1;
const FLAG_INLINE: u8 = 2;

/// Bytes of the toolchain's version.
const VERSION_BYTES_MAX: usize = 256;
/// Bytes of the text of modules. The largest programs have a thousand modules of a hundred bytes.
const MODULES_BYTES_MAX: usize = 4 << 20;
/// Places with the magic that are looked at where the section table is gone. Programs that look for build information
/// hold the magic as a constant, too.
const PLACES_MAX: usize = 16;

/// Whether there may be a program at this path. Programs have no names of their own: [`begins`] tells on.
pub fn wants(path: &str) -> bool {
    match path.rsplit_once('/') {
        Some((folder, _)) => FOLDERS.contains(&crate::path::file_name(folder)),
        None => !path.is_empty() && !path.contains('.') || path.ends_with(".exe"), // `/manager` of an image, Lambda's `bootstrap`
    }
}

/// Whether a file that begins with these bytes is an executable of a format that is read.
pub fn begins(bytes: &[u8]) -> bool {
    BEGINNINGS.iter().any(|beginning| bytes.starts_with(beginning))
}

/// The modules of a Go program and its standard library; `None`: it is no Go program.
pub fn parse(path: &str, bytes: &[u8]) -> Option<Parsed> {
    if !begins(bytes) {
        return None;
    }
    let program = object::File::parse(bytes).ok()?;
    let (version, modules) = match build_information(&program)? {
        Ok(strings) => strings,
        Err(reason) => return Some(Parsed::unreadable(path, reason)),
    };
    let platform = platform(modules);
    let package =
        |name: &str, version: &str| Package { architecture: platform.clone(), ..package(name, version, path) };
    let mut parsed = Parsed::default();
    parsed.add(package("stdlib", toolchain_version(version)));
    for module in (Modules { lines: modules.lines(), next: None }) {
        if module.name.is_empty() || module.version.is_empty() {
            parsed.skip(format!("{path}: module `{}`", module.name), "it has no name or no version");
        } else {
            parsed.add(package(module.name, module.version));
        }
    }
    Some(parsed)
}

/// The version as advisories of the standard library write it: `1.21.1` of `go1.21.1 X:boringcrypto`. A toolchain
/// between releases (`devel go1.23-…`) stays as it is: no order has a place for it.
fn toolchain_version(raw: &str) -> &str {
    let word = raw.split_ascii_whitespace().next().unwrap_or(raw);
    word.strip_prefix("go").unwrap_or(raw)
}

/// `GOOS/GOARCH` of the settings that Go 1.18 and later write down; `None`: not told.
fn platform(modules: &str) -> Option<String> {
    /// Real ones have up to 8 letters.
    const WORD_BYTES_MAX: usize = 32;
    let setting = |name: &str| {
        let value =
            modules.lines().find_map(|line| line.strip_prefix("build\t")?.strip_prefix(name)?.strip_prefix('='))?;
        let is_word =
            (1..=WORD_BYTES_MAX).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_word.then_some(value)
    };
    Some(format!("{}/{}", setting("GOOS")?, setting("GOARCH")?))
}

type Strings<'a> = (&'a str, &'a str);

/// The toolchain's version and the text of modules; `None`: there is no build information.
fn build_information<'a>(program: &object::File<'a>) -> Option<Result<Strings<'a>, &'static str>> {
    let section = ["__go_buildinfo", ".go.buildinfo"].into_iter().find_map(|name| program.section_by_name(name));
    let section = section.and_then(|section| section.data().ok());
    if let Some(strings) = section.filter(|data| data.starts_with(MAGIC)).map(|data| strings(program, data)) {
        return Some(strings);
    }
    let data = program.segments().filter_map(|segment| segment.data().ok());
    let places =
        data.flat_map(|data| memmem::find_iter(data, MAGIC).filter(|at| at % ALIGNMENT == 0).map(|at| &data[at..]));
    let mut found = None;
    for place in places.take(PLACES_MAX) {
        let strings = strings(program, place);
        if strings.is_ok() {
            return Some(strings);
        }
        found.get_or_insert(strings);
    }
    found
}

/// The two strings of the build information at the start of `data`.
fn strings<'a>(program: &object::File<'a>, data: &'a [u8]) -> Result<Strings<'a>, &'static str> {
    const BROKEN: &str = "its build information is broken";
    let header = data.get(..HEADER_BYTES).ok_or(BROKEN)?;
    let (pointer_bytes, flags) = (header[MAGIC.len()], header[MAGIC.len() + 1]);
    let (version, modules) = if flags & FLAG_INLINE != 0 {
        let (version, rest) = inline_string(&data[HEADER_BYTES..]).ok_or(BROKEN)?;
        (version, inline_string(rest).ok_or(BROKEN)?.0)
    } else {
        let is_big_endian = flags & FLAG_BIG_ENDIAN != 0;
        let memory = Memory { program, pointer_bytes: pointer_bytes.into(), is_big_endian };
        let string = |index| memory.number(&header[ALIGNMENT..], index).and_then(|address| memory.string(address));
        (string(0).ok_or(BROKEN)?, string(1).unwrap_or_default())
    };
    if version.len() > VERSION_BYTES_MAX || modules.len() > MODULES_BYTES_MAX {
        return Err("its build information is too long");
    }
    let version = std::str::from_utf8(version).map_err(|_| BROKEN)?;
    if !version.starts_with("go") && !version.starts_with("devel") {
        return Err(BROKEN);
    }
    let modules = std::str::from_utf8(unframed(modules)).map_err(|_| BROKEN)?;
    Ok((version, modules))
}

/// The text without the 16 bytes on either side by which a running program finds it.
fn unframed(modules: &[u8]) -> &[u8] {
    const FRAME: usize = 16;
    match modules.len().checked_sub(FRAME) {
        Some(end) if end > FRAME && modules[end - 1] == b'\n' => &modules[FRAME..end],
        _ => &[],
    }
}

/// A string behind its length as a varint, and what follows.
fn inline_string(data: &[u8]) -> Option<(&[u8], &[u8])> {
    const VARINT_BYTES_MAX: usize = 5; // 32 bits are more than any file that is read
    let mut length = 0_u64;
    for (index, byte) in data.iter().take(VARINT_BYTES_MAX).enumerate() {
        length |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return data[index + 1..].split_at_checked(usize::try_from(length).ok()?);
        }
    }
    None
}

/// What lies at the addresses of a program that is not running.
struct Memory<'p, 'a> {
    program: &'p object::File<'a>,
    pointer_bytes: usize,
    is_big_endian: bool,
}

impl<'a> Memory<'_, 'a> {
    /// From an address to the end of its segment.
    fn at(&self, address: u64) -> Option<&'a [u8]> {
        self.program.segments().find_map(|segment| {
            let offset = usize::try_from(address.checked_sub(segment.address())?).ok()?;
            segment.data().ok()?.get(offset..).filter(|data| !data.is_empty())
        })
    }

    /// A number of a pointer's size, the index-th of those at the start of `data`.
    fn number(&self, data: &[u8], index: usize) -> Option<u64> {
        let bytes = data.get(index * self.pointer_bytes..(index + 1) * self.pointer_bytes)?;
        let endianness = if self.is_big_endian { Endianness::Big } else { Endianness::Little };
        let read = |bytes: &mut dyn Iterator<Item = &u8>| bytes.fold(0, |number, byte| number << 8 | u64::from(*byte));
        match (self.pointer_bytes, endianness) {
            (4 | 8, Endianness::Big) => Some(read(&mut bytes.iter())),
            (4 | 8, Endianness::Little) => Some(read(&mut bytes.iter().rev())),
            _ => None,
        }
    }

    /// The Go string whose address and length stand at `address`.
    fn string(&self, address: u64) -> Option<&'a [u8]> {
        let header = self.at(address)?;
        let length = usize::try_from(self.number(header, 1)?).ok()?;
        self.at(self.number(header, 0)?)?.get(..length)
    }
}

struct Module<'a> {
    name: &'a str,
    version: &'a str,
}

/// The modules of a program's text: `mod` is its own, `dep` what it was built with, and `=>` behind one of them what
/// was taken in its place.
struct Modules<'a> {
    lines: std::str::Lines<'a>,
    /// The module whose line was read while looking for `=>`.
    next: Option<Module<'a>>,
}

impl<'a> Iterator for Modules<'a> {
    type Item = Module<'a>;

    fn next(&mut self) -> Option<Module<'a>> {
        for line in self.lines.by_ref() {
            let mut fields = line.split('\t');
            let kind = fields.next().unwrap_or_default();
            let module = Module { name: fields.next().unwrap_or_default(), version: fields.next().unwrap_or_default() };
            match kind {
                "mod" | "dep" => {
                    if let Some(earlier) = self.next.replace(module) {
                        return Some(earlier);
                    }
                }
                "=>" => self.next = self.next.take().map(|replaced| in_place_of(replaced, module)),
                _ => {}
            }
        }
        self.next.take()
    }
}

/// A folder in place of a module holds that module's code in a version that nobody knows: Go's word for it is `(devel)`.
fn in_place_of<'a>(replaced: Module<'a>, replacement: Module<'a>) -> Module<'a> {
    let is_folder = replacement.name.starts_with(['.', '/']) || matches!(replacement.version, "" | "(devel)");
    if is_folder { Module { name: replaced.name, version: "(devel)" } } else { replacement }
}

fn package(name: &str, version: &str, path: &str) -> Package {
    Package {
        ecosystem: Ecosystem::of_purl_type("golang"),
        purl: purl::golang(name, version),
        name: name.to_owned(),
        version: version.to_owned(),
        manager: PackageManager::GoMod,
        source: None,
        architecture: None,
        paths: vec![path.to_owned()],
        layer: None,
        module: None,
        lambda_layer: None,
        owned_by: None,
    }
}

#[cfg(test)]
mod tests;
