use super::{header, is_left_behind, module_stream, parse, source_of_file, wants};
use crate::Parsed;
use proptest::prelude::*;
use rusqlite::Connection;

const FOLDER: &str = "usr/lib/sysimage/rpm";

/// A tag and its data, as `(tag, type, count, bytes)`.
type Tag = (u32, u32, u32, Vec<u8>);

fn text(tag: u32, value: &str) -> Tag {
    (tag, 6, 1, [value.as_bytes(), b"\0"].concat())
}

fn number(tag: u32, value: u32) -> Tag {
    (tag, 4, 1, value.to_be_bytes().to_vec())
}

/// A header as it stands in a database.
fn written(tags: &[Tag]) -> Vec<u8> {
    let (mut index, mut data) = (Vec::new(), Vec::new());
    for (tag, kind, count, bytes) in tags {
        let offset = u32::try_from(data.len()).unwrap();
        index.extend([*tag, *kind, offset, *count].map(u32::to_be_bytes).concat());
        data.extend_from_slice(bytes);
    }
    let lengths = [tags.len(), data.len()].map(|length| u32::try_from(length).unwrap().to_be_bytes()).concat();
    [lengths, index, data].concat()
}

/// bind of Red Hat Enterprise Linux 9, which has an epoch.
fn bind() -> Vec<Tag> {
    vec![
        text(header::NAME, "bind-utils"),
        text(header::VERSION, "9.16.23"),
        text(header::RELEASE, "18.el9_4.6"),
        number(header::EPOCH, 32),
        text(header::ARCHITECTURE, "x86_64"),
        text(header::SOURCE_RPM, "bind-9.16.23-18.el9_4.6.src.rpm"),
    ]
}

fn sqlite(headers: &[Vec<u8>]) -> Vec<u8> {
    let connection = Connection::open_in_memory().unwrap();
    let table = "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)";
    connection.execute(table, []).unwrap();
    for header in headers {
        connection.execute("INSERT INTO Packages (blob) VALUES (?)", [header]).unwrap();
    }
    connection.serialize(rusqlite::MAIN_DB).unwrap().to_vec()
}

fn ndb(headers: &[Vec<u8>]) -> Vec<u8> {
    let word = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let mut slots = [b"RpmP".as_slice(), &word(0), &word(1), &word(1), &word(headers.len() + 1), &[0; 12]].concat();
    let mut blobs = Vec::new();
    for (index, header) in headers.iter().enumerate() {
        let (number, block) = (word(index + 1), word((4096 + blobs.len()) / 16));
        slots.extend([b"Slot".as_slice(), &number, &block, &word(header.len().div_ceil(16) + 2)].concat());
        blobs.extend([b"BlbS".as_slice(), &number, &word(1), &word(header.len()), header].concat());
        blobs.resize(blobs.len().next_multiple_of(16), 0);
    }
    while slots.len() < 4096 {
        slots.extend([b"Slot".as_slice(), &[0; 12]].concat());
    }
    [slots, blobs].concat()
}

/// A page of 512 bytes: its number's successor, items and offset, its kind, and what is written at which place.
fn page(next: u32, items: u16, offset: u16, kind: u8, written: &[(usize, &[u8])]) -> Vec<u8> {
    let mut page = vec![0; 512];
    page[16..20].copy_from_slice(&next.to_le_bytes());
    page[20..22].copy_from_slice(&items.to_le_bytes());
    page[22..24].copy_from_slice(&offset.to_le_bytes());
    page[25] = kind;
    for (at, bytes) in written {
        page[*at..*at + bytes.len()].copy_from_slice(bytes);
    }
    page
}

/// Each header on overflow pages of its own, as large ones are.
fn berkeley(headers: &[Vec<u8>]) -> Vec<u8> {
    let meta = page(0, 0, 0, 8, &[(12, &0x0006_1561_u32.to_le_bytes()), (20, &512_u32.to_le_bytes())]);
    let (mut table, mut chains) = (Vec::new(), Vec::new());
    let first_chain = 1 + headers.len();
    for (index, header) in headers.iter().enumerate() {
        let first = u32::try_from(first_chain + chains.len() / 512).unwrap();
        let length = u32::try_from(header.len()).unwrap();
        let key = [&[1], u32::try_from(index + 1).unwrap().to_le_bytes().as_slice()].concat();
        let value = [&[3, 0, 0, 0], first.to_le_bytes().as_slice(), &length.to_le_bytes()].concat();
        let places = [507_u16.to_le_bytes(), 495_u16.to_le_bytes()].concat();
        table.extend(page(0, 2, 495, 13, &[(26, &places), (507, &key), (495, &value)]));
        let pieces: Vec<&[u8]> = header.chunks(400).collect();
        for (number, piece) in pieces.iter().enumerate() {
            let next = if number + 1 < pieces.len() { first + u32::try_from(number).unwrap() + 1 } else { 0 };
            chains.extend(page(next, 1, u16::try_from(piece.len()).unwrap(), 7, &[(26, piece)]));
        }
    }
    [meta, table, chains].concat()
}

/// Name, version, source and module of each package, then what was set aside.
fn told(parsed: &Parsed) -> Vec<String> {
    let packages = parsed.packages.iter().map(|package| {
        let source = package.source.as_ref().map(|source| format!("{} {}", source.name, source.version));
        let module = package.module.as_deref().map(|module| format!(" {module}")).unwrap_or_default();
        format!("{} {} ({}){module}", package.name, package.version, source.unwrap_or_default())
    });
    let skipped = parsed.skipped.iter().map(|skipped| format!("{}: {}", skipped.place, skipped.reason));
    packages.chain(skipped).collect()
}

/// Every form of the database tells the same of these headers.
fn check(headers: &[Vec<Tag>], expected: &[&str]) {
    let headers: Vec<Vec<u8>> = headers.iter().map(|tags| written(tags)).collect();
    for (name, bytes) in
        [("rpmdb.sqlite", sqlite(&headers)), ("Packages.db", ndb(&headers)), ("Packages", berkeley(&headers))]
    {
        let path = format!("{FOLDER}/{name}");
        let expected: Vec<String> = expected.iter().map(|line| line.replace("PATH", &path)).collect();
        assert_eq!(told(&parse(&path, &bytes)), expected, "{name}");
    }
}

#[test]
fn a_package_is_the_same_from_every_form() {
    let mut long = bind();
    long.push(text(1005, &"a description over several pages ".repeat(60)));
    check(&[bind(), long], &["bind-utils 32:9.16.23-18.el9_4.6 (bind 32:9.16.23-18.el9_4.6)"; 2]);
}

#[test]
fn a_module_keeps_its_stream() {
    let tags = vec![
        text(header::NAME, "nodejs"),
        text(header::VERSION, "18.18.2"),
        text(header::RELEASE, "1.module+el8.9.0+20424+e1d8e8d9"),
        number(header::EPOCH, 0), // the same as none
        text(header::MODULARITY_LABEL, "nodejs:18:8090020231019152822:a75119d5"),
    ];
    check(&[tags], &["nodejs 18.18.2-1.module+el8.9.0+20424+e1d8e8d9 () nodejs:18"]);
    assert_eq!(module_stream("perl"), "perl");
}

#[test]
fn a_bad_header_is_told_and_the_others_are_read() {
    let key = vec![text(header::NAME, "gpg-pubkey"), text(header::VERSION, "1"), text(header::RELEASE, "1")];
    let nameless = vec![text(header::VERSION, "1"), text(header::RELEASE, "1")];
    let half = vec![text(header::NAME, "x"), text(header::VERSION, "1")];
    check(
        &[key, nameless, half, bind()],
        &[
            "bind-utils 32:9.16.23-18.el9_4.6 (bind 32:9.16.23-18.el9_4.6)",
            "PATH#2: the header has no name",
            "PATH#3: the header has no version and release",
        ],
    );
}

#[test]
fn files_that_prove_a_language_package_are_owned() {
    let mut tags = bind();
    tags.extend([
        (1116, 4, 3, [0_u32, 1, 7].map(u32::to_be_bytes).concat()),
        (1117, 8, 3, b"METADATA\0README\0nowhere\0".to_vec()),
        (1118, 8, 2, b"/usr/lib/python3.9/site-packages/six-1.15.0.dist-info/\0/usr/share/doc/\0".to_vec()),
    ]);
    let owned = parse(&format!("{FOLDER}/rpmdb.sqlite"), &sqlite(&[written(&tags)])).owned;
    let path = "usr/lib/python3.9/site-packages/six-1.15.0.dist-info/METADATA";
    assert_eq!(owned, [(path.to_owned(), "bind-utils".to_owned())].into());
}

#[test]
fn what_is_no_such_database_says_so() {
    let check = |name: &str, bytes: &[u8], expected: &str| {
        let path = format!("{FOLDER}/{name}");
        assert_eq!(told(&parse(&path, bytes)), [format!("{path}: {expected}")], "{name}");
    };
    let other = "it is not a database of the kind that its name says";
    check("rpmdb.sqlite", b"", other);
    check("Packages.db", b"RpmQ", other);
    check("Packages", &[0; 600], other);
    let mut encrypted = berkeley(&[]);
    encrypted[24] = 1;
    check("Packages", &encrypted, "it is encrypted or no hash table");
    let mut circle = berkeley(&[written(&bind())]);
    circle[2 * 512 + 22..2 * 512 + 24].copy_from_slice(&[1, 0]); // the page has one byte and no successor
    check("Packages", &circle, "a value's pages are not where its item says");
    let mut elsewhere = ndb(&[written(&bind())]);
    elsewhere[40] = 0xff; // the slot's block
    check("Packages.db", &elsewhere, "one of its packages is not where its slot says");
    let view = Connection::open_in_memory().unwrap();
    let query =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS hnum, x'00' AS blob FROM n";
    view.execute(&format!("CREATE VIEW Packages AS {query}"), []).unwrap();
    let bytes = view.serialize(rusqlite::MAIN_DB).unwrap().to_vec();
    check("rpmdb.sqlite", &bytes, "its `Packages` is not a table");
    let log = "the last changes stand in this log, which is not read; `PRAGMA wal_checkpoint` moves them";
    check("rpmdb.sqlite-wal", b"x", log);
    assert_eq!(parse(&format!("{FOLDER}/rpmdb.sqlite-wal"), b""), Parsed::default());
}

#[test]
fn of_several_forms_in_one_folder_the_newest_counts() {
    let check = |path: &str, beside: &str, expected: bool| {
        assert_eq!(is_left_behind(path, |other| other == beside), expected, "{path} beside {beside}");
    };
    check("var/lib/rpm/Packages", "var/lib/rpm/rpmdb.sqlite", true);
    check("var/lib/rpm/Packages.db", "var/lib/rpm/rpmdb.sqlite", true);
    check("var/lib/rpm/Packages.db", "var/lib/rpm/Packages", false);
    check("var/lib/rpm/Packages", "usr/lib/sysimage/rpm/rpmdb.sqlite", false); // another folder
    check("var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite", false);
    check("srv/Packages", "srv/rpmdb.sqlite", false);
    assert!(wants("var/lib/rpm/Packages") && !wants("var/lib/rpm/Name") && !wants("srv/var/lib/rpm/Packages"));
}

#[test]
fn a_source_is_read_from_its_file() {
    let check = |file: &str, expected: Option<(&str, &str)>| {
        let expected = expected.map(|(name, version)| (name.to_owned(), version.to_owned()));
        assert_eq!(source_of_file(file), expected, "{file}");
    };
    check("openssl-3.0.7-27.el9.src.rpm", Some(("openssl", "3.0.7-27.el9")));
    check("java-1.8.0-openjdk-1.8.0.402.b06-2.el9.src.rpm", Some(("java-1.8.0-openjdk", "1.8.0.402.b06-2.el9")));
    check("firmware-1-2.nosrc.rpm", Some(("firmware", "1-2")));
    check("openssl.src.rpm", None);
    check("(none)", None);
}

proptest! {
    #[test]
    fn a_damaged_database_is_read_without_a_panic(
        form in 0_usize..3, at in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 1..5),
    ) {
        let headers = [written(&bind())];
        let (name, mut database) = match form {
            0 => ("rpmdb.sqlite", sqlite(&headers)),
            1 => ("Packages.db", ndb(&headers)),
            _ => ("Packages", berkeley(&headers)),
        };
        let at = at.index(database.len());
        for (place, byte) in database[at..].iter_mut().zip(bytes) {
            *place = byte;
        }
        parse(&format!("{FOLDER}/{name}"), &database);
    }
}
