//! The life of a repository in a folder: published, followed by clients and mirrors, and tampered with in every way that a
//! web server or a disk can.

use muster_advisories::distribution::{
    DistributionError, EpochEntry, EpochId, FileName, Index, Plan, PublicKey, Published, Rollback, SecretKey, Step,
    Trust, Updated, apply, from_folder, generate, mirror, plan, publish, read_index, sign, update,
};
use muster_advisories::{Builder, Database, Item, source};
use muster_domain::Advisory;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

fn advisories() -> Vec<Advisory> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/osv");
    let mut advisories = Vec::new();
    source::read(folder, &mut |item| {
        if let Item::Advisory(advisory) = item {
            advisories.push(advisory);
        }
    })
    .unwrap();
    advisories
}

/// A publisher with a key, and databases that grow by a record from epoch to epoch.
struct World {
    folder: tempfile::TempDir,
    key: Vec<SecretKey>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = vec![key(folder.path(), "publisher")];
        Self { folder, key }
    }

    /// With epochs 1, 2 and 3 published.
    fn published() -> Self {
        let world = Self::new();
        for epoch in 1..=3 {
            world.publish(epoch);
        }
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn repository(&self) -> PathBuf {
        self.path("repository")
    }

    fn trust(&self) -> Trust {
        Trust::from(vec![self.key[0].public().clone()])
    }

    /// The database of an epoch: many copies of the records, so that a delta pays, less one for each epoch to come.
    fn database(&self, epoch: u64) -> PathBuf {
        let path = self.path(&format!("built-{epoch}.db"));
        let mut builder = Builder::new(epoch, "2026-11-24T00:00:00Z".parse().unwrap());
        let left_out = 10usize.saturating_sub(epoch as usize);
        for copy in 0..20 {
            for mut advisory in advisories().into_iter().skip(if copy == 7 { left_out } else { 0 }) {
                advisory.id.0 += &format!("-{copy}");
                builder.add(advisory);
            }
        }
        builder.write(&path).unwrap();
        path
    }

    fn publish(&self, epoch: u64) -> Published {
        publish(&self.repository(), &self.database(epoch), &self.key, 3).unwrap()
    }

    /// A client's file of this epoch.
    fn client(&self, epoch: u64) -> PathBuf {
        let path = self.path("client.db");
        fs::copy(self.database(epoch), &path).unwrap();
        path
    }

    fn update(&self, client: &Path) -> Result<Updated, DistributionError> {
        update(Some(client), client, &self.trust(), from_folder(&self.repository()))
    }

    fn index(&self) -> Index {
        read_index(&self.trust(), from_folder(&self.repository())).unwrap()
    }

    /// Signs another index than the publisher would.
    fn sign(&self, change: impl FnOnce(&mut serde_json::Value)) {
        let mut index = serde_json::from_slice(&self.index().to_payload()).unwrap();
        change(&mut index);
        let envelope = sign(index.to_string().as_bytes(), &self.key);
        fs::write(self.repository().join("index.json"), envelope).unwrap();
    }

    /// Changes a file of the repository.
    fn tamper(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let path = self.repository().join(name);
        let mut bytes = fs::read(&path).unwrap();
        change(&mut bytes);
        fs::write(path, bytes).unwrap();
    }

    /// The name of the newest full file.
    fn full(&self) -> String {
        self.index().newest().full.name.to_string()
    }
}

fn key(folder: &Path, name: &str) -> SecretKey {
    let secret = folder.join(format!("{name}.pem"));
    generate(&secret, &folder.join(format!("{name}.pub.pem"))).unwrap();
    SecretKey::read(&secret).unwrap()
}

fn names(updated: &Updated) -> Vec<&str> {
    updated.taken.iter().map(|file| file.name.as_str()).collect()
}

/// What an update left beside the client's file, or a mirror in its folder, unfinished.
fn partials(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".partial")).collect()
}

fn same(a: &Path, b: &Path) -> bool {
    fs::read(a).unwrap() == fs::read(b).unwrap()
}

#[test]
fn a_client_that_is_behind_takes_a_delta_and_has_the_same_bytes() {
    let world = World::published();
    let client = world.client(1);
    let updated = world.update(&client).unwrap();
    assert_eq!(names(&updated), ["1-3.delta"]);
    assert!(updated.refused.is_empty());
    assert!(updated.fetched_bytes < world.index().newest().full.bytes);
    assert!(same(&client, &world.path("built-3.db")));
    assert_eq!(updated.id.epoch, 3);
    assert!(partials(world.folder.path()).is_empty());

    let again = world.update(&client).unwrap();
    assert_eq!((names(&again).len(), again.fetched_bytes), (0, 0));
}

#[test]
fn deltas_are_chained_where_none_leads_all_the_way() {
    let world = World::published();
    world.sign(|index| {
        index["deltas"].as_array_mut().unwrap().retain(|delta| delta["file"]["name"] != "1-3.delta");
    });
    let client = world.client(1);
    let updated = world.update(&client).unwrap();
    assert_eq!(names(&updated), ["1-2.delta", "2-3.delta"]);
    assert!(same(&client, &world.path("built-3.db")));
    assert!(partials(world.folder.path()).is_empty());
}

#[test]
fn a_client_without_a_database_takes_the_full_file() {
    let world = World::published();
    let target = world.path("client.db");
    for current in [None, Some(target.as_path())] {
        let updated = update(current, &target, &world.trust(), from_folder(&world.repository())).unwrap();
        assert_eq!(names(&updated), [world.full()]);
        assert!(updated.refused.is_empty());
        assert!(same(&target, &world.path("built-3.db")));
        fs::remove_file(&target).unwrap();
    }
}

#[test]
fn a_database_that_is_broken_or_from_elsewhere_is_replaced_by_the_full_file() {
    let world = World::published();
    let client = world.client(1);
    fs::write(&client, "not a database").unwrap();
    let updated = world.update(&client).unwrap();
    assert_eq!(names(&updated), [world.full()]);
    assert_eq!(updated.refused[0].name, client.display().to_string());

    // built here, of an epoch that the repository has with other contents
    let mut builder = Builder::new(2, "2026-11-24T00:00:00Z".parse().unwrap());
    let advisory = advisories().remove(0);
    builder.add(advisory);
    builder.write(&client).unwrap();
    assert_eq!(names(&world.update(&client).unwrap()), [world.full()]);
    assert!(same(&client, &world.path("built-3.db")));
}

#[test]
fn the_new_database_may_go_to_another_place_than_the_one_in_use() {
    let world = World::published();
    let (client, other) = (world.client(1), world.path("other.db"));
    let to_other = || update(Some(&client), &other, &world.trust(), from_folder(&world.repository())).unwrap();
    assert_eq!(names(&to_other()), ["1-3.delta"]);
    assert!(same(&client, &world.path("built-1.db")) && same(&other, &world.path("built-3.db")));

    // in use is the newest already: copied, not fetched
    fs::remove_file(&other).unwrap();
    fs::copy(world.path("built-3.db"), &client).unwrap();
    assert_eq!(to_other().fetched_bytes, 0);
    assert!(same(&other, &client));
}

/// Each leaves the client's file as it was.
#[test]
fn an_index_that_is_not_to_be_trusted_changes_nothing() {
    type Tamper = fn(&World);
    let rows: &[(&str, Tamper, &str)] = &[
        ("no index", |world| fs::remove_file(world.repository().join("index.json")).unwrap(), "Missing"),
        ("an empty one", |world| world.tamper("index.json", Vec::clear), "NotAnEnvelope"),
        ("cut short", |world| world.tamper("index.json", |bytes| bytes.truncate(200)), "NotAnEnvelope"),
        ("a changed byte", |world| world.tamper("index.json", |bytes| bytes[30] ^= 1), "WrongSignature"),
        ("far too long", |world| world.tamper("index.json", |bytes| bytes.resize(5 << 20, b' ')), "IndexTooLong"),
        (
            "signed by a stranger",
            |world| {
                let envelope = sign(&world.index().to_payload(), &[key(world.folder.path(), "stranger")]);
                fs::write(world.repository().join("index.json"), envelope).unwrap();
            },
            "UnknownKey",
        ),
        (
            "signed by nobody",
            |world| {
                fs::write(world.repository().join("index.json"), sign(&world.index().to_payload(), &[])).unwrap();
            },
            "Unsigned",
        ),
        (
            "a name above the folder",
            |world| world.sign(|index| index["epochs"][2]["full"]["name"] = "../x".into()),
            "Index",
        ),
        (
            "a name from the root",
            |world| world.sign(|index| index["deltas"][0]["file"]["name"] = "/etc/passwd".into()),
            "Index",
        ),
        ("a huge database", |world| world.sign(|index| index["epochs"][2]["bytes"] = u64::MAX.into()), "Index"),
        ("a huge file", |world| world.sign(|index| index["epochs"][2]["full"]["bytes"] = (3u64 << 30).into()), "Index"),
        ("no epoch", |world| world.sign(|index| index["epochs"] = serde_json::json!([])), "Index"),
        ("a later format", |world| world.sign(|index| index["format"] = 2.into()), "Index"),
    ];
    for (what, tamper, expected) in rows {
        let world = World::published();
        let client = world.client(1);
        tamper(&world);
        let error = world.update(&client).unwrap_err();
        assert!(format!("{error:?}").starts_with(expected), "{what}: {error:?}");
        assert!(same(&client, &world.path("built-1.db")), "{what}");
        assert!(partials(world.folder.path()).is_empty(), "{what}");
        let folder = world.path("mirror");
        let error = mirror(from_folder(&world.repository()), &folder, &world.trust()).unwrap_err();
        assert!(format!("{error:?}").starts_with(expected), "{what}: {error:?}");
        assert!(!folder.join("index.json").exists(), "{what}");
    }
}

/// Each is refused by name, and the full file taken.
#[test]
fn a_broken_delta_gives_way_to_the_full_file() {
    type Tamper = fn(&World);
    let rows: &[(&str, Tamper, &str)] = &[
        ("missing", |world| fs::remove_file(world.repository().join("1-3.delta")).unwrap(), "Missing"),
        ("a changed byte", |world| world.tamper("1-3.delta", |bytes| bytes[60] ^= 1), "FileDiffers"),
        ("cut short", |world| world.tamper("1-3.delta", |bytes| bytes.truncate(60)), "FileLength"),
        ("longer", |world| world.tamper("1-3.delta", |bytes| bytes.push(0)), "FileLength"),
        (
            "of other epochs",
            |world| {
                fs::copy(world.repository().join("2-3.delta"), world.repository().join("1-3.delta")).unwrap();
            },
            "File",
        ),
        (
            "claims more",
            |world| {
                world.sign(|index| {
                    let bytes = index["deltas"][1]["file"]["bytes"].as_u64().unwrap();
                    index["deltas"][1]["file"]["bytes"] = (bytes + 1).into();
                })
            },
            "FileLength",
        ),
        // signed by mistake: what it makes is not what the index says
        ("no delta", |world| list_as_delta(world, b"not a delta"), "Damaged"),
        (
            "of another file",
            |world| list_as_delta(world, &fs::read(world.repository().join("2-3.delta")).unwrap()),
            "Damaged",
        ),
    ];
    for (what, tamper, expected) in rows {
        let world = World::published();
        let client = world.client(1);
        assert_eq!(world.index().deltas()[1].file.name.as_str(), "1-3.delta");
        tamper(&world);
        let updated = world.update(&client).unwrap();
        assert_eq!(names(&updated), [world.full()], "{what}");
        let refused = &updated.refused[0];
        assert_eq!(refused.name, "1-3.delta", "{what}");
        assert!(format!("{:?}", refused.why).starts_with(expected), "{what}: {:?}", refused.why);
        assert!(same(&client, &world.path("built-3.db")), "{what}");
        assert!(partials(world.folder.path()).is_empty(), "{what}");
    }
}

/// Signs these bytes as the delta from 1 to 3.
fn list_as_delta(world: &World, bytes: &[u8]) {
    fs::write(world.repository().join("1-3.delta"), bytes).unwrap();
    world.sign(|index| {
        index["deltas"][1]["file"]["digest"] = muster_domain::Digest::of(bytes).as_str().into();
        index["deltas"][1]["file"]["bytes"] = bytes.len().into();
    });
}

/// Signs these bytes as the newest full file.
fn list_as_full(world: &World, bytes: &[u8]) {
    fs::write(world.repository().join(world.full()), bytes).unwrap();
    world.sign(|index| {
        index["deltas"] = serde_json::json!([]);
        index["epochs"][2]["full"]["digest"] = muster_domain::Digest::of(bytes).as_str().into();
        index["epochs"][2]["full"]["bytes"] = bytes.len().into();
    });
}

/// Each is refused by name, and the client's file stays.
#[test]
fn a_broken_full_file_changes_nothing() {
    type Tamper = fn(&World);
    let rows: &[(&str, Tamper, &str)] = &[
        ("missing", |world| fs::remove_file(world.repository().join(world.full())).unwrap(), "Missing"),
        ("a changed byte", |world| world.tamper(&world.full(), |bytes| bytes[100] ^= 1), "FileDiffers"),
        ("cut short", |world| world.tamper(&world.full(), |bytes| bytes.truncate(100)), "FileLength"),
        ("longer", |world| world.tamper(&world.full(), |bytes| bytes.push(0)), "FileLength"),
        ("no zstd", |world| list_as_full(world, b"plain"), "Damaged"),
        // 1 GiB of zeros in 32 KiB: ends at the length that the index says
        ("a bomb", |world| list_as_full(world, &zstd::encode_all(io::repeat(0).take(1 << 30), 1).unwrap()), "Damaged"),
        (
            "another database",
            |world| {
                list_as_full(world, &zstd::encode_all(fs::File::open(world.path("built-2.db")).unwrap(), 1).unwrap());
            },
            "ResultDiffers",
        ),
        (
            "no database",
            |world| {
                list_as_full(world, &zstd::encode_all(&b"plain"[..], 1).unwrap());
                world.sign(|index| {
                    index["epochs"][2]["digest"] = muster_domain::Digest::of(b"plain").as_str().into();
                    index["epochs"][2]["bytes"] = 5.into();
                });
            },
            "Unusable",
        ),
        (
            "of another epoch than listed",
            |world| {
                world.sign(|index| {
                    index["deltas"] = serde_json::json!([]);
                    index["epochs"][2]["epoch"] = 4.into();
                })
            },
            "EpochDiffers",
        ),
    ];
    for (what, tamper, expected) in rows {
        let world = World::published();
        let client = world.client(1);
        tamper(&world);
        if *what != "of another epoch than listed" {
            world.sign(|index| index["deltas"] = serde_json::json!([]));
        }
        let error = world.update(&client).unwrap_err();
        assert!(format!("{error:?}").starts_with(expected), "{what}: {error:?}");
        assert!(same(&client, &world.path("built-1.db")), "{what}");
        assert!(partials(world.folder.path()).is_empty(), "{what}");
    }
}

#[test]
fn an_older_index_is_refused_unless_the_operator_allows_it() {
    let world = World::published();
    let old_index = fs::read(world.repository().join("index.json")).unwrap();
    world.publish(4);
    let client = world.client(4);
    fs::write(world.repository().join("index.json"), &old_index).unwrap();
    assert!(matches!(world.update(&client), Err(DistributionError::RolledBack { have: 4, found: 3 })));
    assert!(same(&client, &world.path("built-4.db")));

    // without the file, only a caller that remembers is safe
    let mut trust = Trust { newest_seen: Some(4), ..world.trust() };
    let fresh = world.path("fresh.db");
    let error = update(None, &fresh, &trust, from_folder(&world.repository())).unwrap_err();
    assert!(matches!(error, DistributionError::RolledBack { have: 4, found: 3 }));
    assert!(!fresh.exists());

    trust.rollback = Rollback::Allowed;
    let updated = update(Some(&client), &client, &trust, from_folder(&world.repository())).unwrap();
    assert_eq!(names(&updated), [world.full()]); // no delta leads back
    assert!(same(&client, &world.path("built-3.db")));
}

#[test]
fn keys_are_rotated_by_signing_with_both_for_a_while() {
    let mut world = World::published();
    let new_key = key(world.folder.path(), "new");
    let new_trust = Trust::from(vec![new_key.public().clone()]);
    // a stranger's key alone does not take the repository over
    let error = publish(&world.repository(), &world.database(4), std::slice::from_ref(&new_key), 3).unwrap_err();
    assert!(matches!(error, DistributionError::UnknownKey { .. }));

    world.key.push(new_key);
    world.publish(4);
    assert_eq!(world.index().newest().id.epoch, 4);
    let index = read_index(&new_trust, from_folder(&world.repository())).unwrap();
    assert_eq!(index.newest().id.epoch, 4);

    world.key.remove(0);
    let again = world.publish(4); // the same database: only signed anew
    assert_eq!(again.id.epoch, 4);
    assert_eq!(again.deltas.len(), 2);
    assert_eq!(world.index().newest().id.epoch, 4);
    assert_eq!(world.publish(5).id.epoch, 5);
}

#[test]
fn epochs_only_go_up_and_what_is_damaged_is_not_published() {
    let world = World::published();
    let before = fs::read(world.repository().join("index.json")).unwrap();
    let error = publish(&world.repository(), &world.database(2), &world.key, 3).unwrap_err();
    assert!(matches!(error, DistributionError::NotNewer { epoch: 2, newest: 3 }));

    let damaged = world.database(4);
    let mut bytes = fs::read(&damaged).unwrap();
    let end = bytes.len() - 1;
    bytes[end] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    let error = publish(&world.repository(), &damaged, &world.key, 3).unwrap_err();
    assert!(matches!(error, DistributionError::Unusable { name, .. } if name == damaged.display().to_string()));
    let error = publish(&world.repository(), &world.path("nowhere.db"), &world.key, 3).unwrap_err();
    assert!(matches!(error, DistributionError::Unusable { .. }));
    let error = publish(&world.repository(), &world.database(4), &[], 3).unwrap_err();
    assert!(matches!(error, DistributionError::NoSecretKey));
    assert_eq!(fs::read(world.repository().join("index.json")).unwrap(), before);
}

#[test]
fn old_files_stay_for_one_more_publication_and_leftovers_go() {
    let world = World::published();
    let first = world.index().epochs()[0].full.name.to_string();
    // a publisher was killed between write and rename, and a person put a page there
    fs::write(world.repository().join(".4-aaaa.advisories.zst.new.partial"), "half").unwrap();
    fs::write(world.repository().join("README.html"), "hello").unwrap();

    let published = world.publish(4);
    assert_eq!(published.deltas.iter().map(|delta| delta.from.epoch).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(published.removed, [".4-aaaa.advisories.zst.new.partial"]);
    assert_eq!(world.index().epochs().iter().map(|entry| entry.id.epoch).collect::<Vec<_>>(), [2, 3, 4]);
    assert!(world.repository().join(&first).exists()); // listed a moment ago

    let published = world.publish(5);
    let mut removed = ["1-2.delta", "1-3.delta", first.as_str()];
    removed.sort_unstable(); // the name of a full file begins with its epoch and goes on with its digest
    assert_eq!(published.removed, removed);
    assert!(world.repository().join("README.html").exists());
    assert!(partials(&world.repository()).is_empty());
    let deltas: Vec<String> = world.index().deltas().iter().map(|delta| delta.file.name.to_string()).collect();
    assert_eq!(deltas, ["3-4.delta", "3-5.delta", "4-5.delta"]);
}

#[test]
fn a_repository_that_lost_a_file_drops_it_from_the_index_and_says_so() {
    let world = World::published();
    let second = world.index().epochs()[1].full.name.to_string();
    world.tamper(&second, |bytes| bytes[50] ^= 1);
    let published = world.publish(4);
    assert_eq!(published.dropped.len(), 1);
    assert_eq!(published.dropped[0].0.as_str(), second);
    assert!(matches!(&published.dropped[0].1, DistributionError::FileDiffers { name, .. } if *name == second));
    assert_eq!(world.index().epochs().iter().map(|entry| entry.id.epoch).collect::<Vec<_>>(), [3, 4]);
}

#[test]
fn a_killed_update_leaves_the_old_file_and_the_next_one_cleans_up() {
    let world = World::published();
    let client = world.client(1);
    for name in [".client.db.fetched.partial", ".client.db.even.partial", ".client.db.odd.partial"] {
        fs::write(world.path(name), vec![7; 3_000_000]).unwrap(); // longer than what comes next
    }
    assert_eq!(names(&world.update(&client).unwrap()), ["1-3.delta"]);
    assert!(same(&client, &world.path("built-3.db")));
    assert!(partials(world.folder.path()).is_empty());
}

#[test]
fn two_at_work_on_one_file_don_t_mix() {
    let world = World::published();
    let client = world.client(1);
    let (repository, trust) = (world.repository(), world.trust());
    let mut open = from_folder(&repository);
    let outer = update(Some(&client), &client, &trust, |name: &str| {
        let inner = update(Some(&client), &client, &trust, from_folder(&repository));
        assert!(matches!(inner, Err(DistributionError::Busy(path)) if path == client));
        open(name)
    });
    assert_eq!(outer.unwrap().id.epoch, 3);
    // the folder of a mirror, too
    let folder = world.path("mirror");
    let mut open = from_folder(&repository);
    mirror(
        |name: &str| {
            assert!(matches!(mirror(from_folder(&repository), &folder, &trust), Err(DistributionError::Busy(_))));
            open(name)
        },
        &folder,
        &trust,
    )
    .unwrap();
}

#[test]
fn a_connection_that_breaks_changes_nothing_and_is_named() {
    let world = World::published();
    let client = world.client(1);
    world.sign(|index| index["deltas"] = serde_json::json!([]));
    let mut open = from_folder(&world.repository());
    let error = update(Some(&client), &client, &world.trust(), |name: &str| {
        let file = open(name)?;
        Ok(if name == "index.json" { file } else { Box::new(file.take(1_000).chain(Broken)) })
    });
    assert!(matches!(error, Err(DistributionError::Fetch { name, .. }) if name == world.full()));
    assert!(same(&client, &world.path("built-1.db")));
    assert!(partials(world.folder.path()).is_empty());

    // a server that never ends is read as far as the index says
    let mut open = from_folder(&world.repository());
    let error = update(Some(&client), &client, &world.trust(), |name: &str| {
        Ok(if name == "index.json" { open(name)? } else { Box::new(io::repeat(1)) })
    });
    assert!(matches!(error, Err(DistributionError::FileLength { name, .. }) if name == world.full()));
    assert!(same(&client, &world.path("built-1.db")));
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    }
}

#[test]
fn a_mirror_has_every_file_and_fetches_only_what_it_lacks() {
    let world = World::published();
    let folder = world.path("mirror");
    let copy = || mirror(from_folder(&world.repository()), &folder, &world.trust()).unwrap();
    let mirrored = copy();
    assert_eq!((mirrored.epoch, mirrored.fetched.len(), mirrored.kept), (3, 6, 0)); // 3 databases, 3 deltas
    assert!(same(&folder.join("index.json"), &world.repository().join("index.json")));

    // a client of the mirror
    let client = world.client(1);
    let updated = update(Some(&client), &client, &world.trust(), from_folder(&folder)).unwrap();
    assert_eq!(names(&updated), ["1-3.delta"]);

    // damaged on this side, and a transfer that was killed
    fs::write(folder.join("1-3.delta"), "damaged").unwrap();
    fs::write(folder.join(".2-3.delta.fetched.partial"), "half").unwrap();
    let mirrored = copy();
    assert_eq!((mirrored.fetched, mirrored.kept), (vec!["1-3.delta".to_owned()], 5));

    world.publish(4);
    let mirrored = copy();
    assert_eq!((mirrored.epoch, mirrored.fetched.len(), mirrored.kept), (4, 3, 3)); // 4, 2-4, 3-4; 2, 3 and 2-3 stay
    assert_eq!(mirrored.removed, [".2-3.delta.fetched.partial"]);
    assert!(folder.join("1-3.delta").exists()); // of the index before
    assert!(copy().removed.is_empty());
}

#[test]
fn a_mirror_takes_no_broken_file_and_no_older_index() {
    let world = World::published();
    let folder = world.path("mirror");
    let copy = || mirror(from_folder(&world.repository()), &folder, &world.trust());
    copy().unwrap();
    let old_index = fs::read(world.repository().join("index.json")).unwrap();
    world.publish(4);
    let new_index = fs::read(world.repository().join("index.json")).unwrap();

    world.tamper("3-4.delta", |bytes| bytes[50] ^= 1);
    assert!(matches!(copy(), Err(DistributionError::FileDiffers { name, .. }) if name == "3-4.delta"));
    assert_eq!(fs::read(folder.join("index.json")).unwrap(), old_index);
    world.tamper("3-4.delta", |bytes| bytes[50] ^= 1);
    assert_eq!(copy().unwrap().epoch, 4);

    fs::write(world.repository().join("index.json"), old_index).unwrap();
    assert!(matches!(copy(), Err(DistributionError::RolledBack { have: 4, found: 3 })));
    assert_eq!(fs::read(folder.join("index.json")).unwrap(), new_index);
}

#[test]
fn a_service_may_fetch_by_itself_and_apply_step_by_step() {
    let world = World::published();
    let client = world.client(1);
    let index = world.trust().accept(&fs::read(world.repository().join("index.json")).unwrap(), Some(1)).unwrap();
    let have = index.epochs()[0].id.clone();
    let Plan { steps, bytes } = plan(&index, Some(&have));
    let [step] = &steps[..] else { panic!("{steps:?}") };
    assert_eq!((step.from.as_ref(), bytes), (Some(&have), step.file.bytes));
    let fetched = world.repository().join(step.file.name.as_str());

    // not on another file than it was made from, nor on none
    let wrong = world.path("built-2.db");
    let error = apply(step, Some(&wrong), &fetched, &client).unwrap_err();
    assert!(matches!(error, DistributionError::BaseDiffers { path, .. } if path == wrong));
    assert!(matches!(apply(step, None, &fetched, &client), Err(DistributionError::Damaged { .. })));
    assert!(same(&client, &world.path("built-1.db")));

    apply(step, Some(&client), &fetched, &client).unwrap();
    assert!(same(&client, &world.path("built-3.db")));
    assert_eq!(Database::open(&client).unwrap().epoch(), 3);
    assert!(plan(&index, Some(&index.newest().id)).steps.is_empty());
}

/// An index of these epochs' full files and deltas, by bytes.
fn index_of(epochs: &[(u64, u64)], deltas: &[(u64, u64, u64)]) -> Index {
    let id = |epoch: u64| EpochId { epoch, digest: muster_domain::Digest::of(&epoch.to_le_bytes()) };
    let file = |name: String, bytes| muster_advisories::distribution::FileEntry {
        name: FileName::try_from(name).unwrap(),
        digest: id(0).digest,
        bytes,
    };
    let epoch = |&(epoch, bytes): &(u64, u64)| EpochEntry {
        id: id(epoch),
        built_at: "2026-11-24T00:00:00Z".parse().unwrap(),
        bytes: 1_000,
        full: file(format!("{epoch}.zst"), bytes),
    };
    let delta = |&(from, to, bytes): &(u64, u64, u64)| muster_advisories::distribution::DeltaEntry {
        from: id(from),
        to: id(to),
        file: file(format!("{from}-{to}.delta"), bytes),
    };
    Index::new(epochs.iter().map(epoch).collect(), deltas.iter().map(delta).collect()).unwrap()
}

#[test]
fn the_way_with_the_fewest_bytes_is_planned() {
    let epochs = [(2, 100), (3, 100), (4, 100)];
    let check = |deltas: &[(u64, u64, u64)], have: Option<u64>, expected: &[&str]| {
        let have = have.map(|epoch| EpochId { epoch, digest: muster_domain::Digest::of(&epoch.to_le_bytes()) });
        let plan = plan(&index_of(&epochs, deltas), have.as_ref());
        let names: Vec<&str> = plan.steps.iter().map(|step| step.file.name.as_str()).collect();
        assert_eq!(names, expected, "{deltas:?} {have:?}");
        assert_eq!(plan.bytes, plan.steps.iter().map(|step: &Step| step.file.bytes).sum::<u64>());
    };
    check(&[], None, &["4.zst"]);
    check(&[], Some(2), &["4.zst"]);
    check(&[], Some(4), &[]);
    check(&[(2, 4, 10)], None, &["4.zst"]);
    check(&[(2, 4, 10)], Some(2), &["2-4.delta"]);
    check(&[(2, 3, 4), (3, 4, 4), (2, 4, 10)], Some(2), &["2-3.delta", "3-4.delta"]);
    check(&[(3, 4, 4), (2, 3, 8), (2, 4, 10)], Some(2), &["2-4.delta"]); // in any order
    check(&[(2, 3, 60), (3, 4, 60)], Some(2), &["4.zst"]); // more than all of it
    check(&[(2, 4, 100)], Some(2), &["4.zst"]); // as much: the one that needs no base
    check(&[(1, 2, 4), (2, 4, 4)], Some(1), &["1-2.delta", "2-4.delta"]); // from an epoch that is not listed any more
    check(&[(2, 3, 4)], Some(2), &["4.zst"]); // leads nowhere
    check(&[(2, 4, 10)], Some(9), &["4.zst"]); // not one of theirs
}

#[test]
fn a_chain_has_an_end() {
    let epochs: Vec<(u64, u64)> = (1..=100).map(|epoch| (epoch, 1_000)).collect();
    let deltas: Vec<(u64, u64, u64)> = (1..100).map(|epoch| (epoch, epoch + 1, 1)).collect();
    let index = index_of(&epochs, &deltas);
    let steps = |epoch: usize| plan(&index, Some(&index.epochs()[epoch - 1].id)).steps.len();
    assert_eq!((steps(68), steps(67)), (32, 1)); // 33 times the whole database written, to save some bytes
}

#[test]
fn keys_may_be_had_from_files_for_the_client() {
    let world = World::published();
    let trust = Trust::from(vec![PublicKey::read(&world.path("publisher.pub.pem")).unwrap()]);
    assert_eq!(read_index(&trust, from_folder(&world.repository())).unwrap(), world.index());
}
