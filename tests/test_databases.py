"""Advisory databases: built of mixed feeds, asked, compared, signed, handed out and brought up to date."""

import base64
import functools
import json
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from harness.command_line import run, scan
from harness.feeds import osv, targz, zstd

PROJECT = Path(__file__).resolve().parent.parent

#: What is installed: a Debian with an npm package.
ROOT = {
    "etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "var/lib/dpkg/status": (
        "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl\nVersion: 3.0.9-1\n\n"
        "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nSource: zlib\nVersion: 1:1.2.13.dfsg-1\n\n"
    ),
    "app/node_modules/lodash/package.json": '{"name": "lodash", "version": "4.17.4"}',
}
SECDB = {
    "distroversion": "v3.18",
    "reponame": "main",
    "urlprefix": "https://dl-cdn.alpinelinux.org/alpine",
    "apkurl": "{{urlprefix}}/{{distroversion}}/{{reponame}}/{{arch}}/{{pkg.name}}-{{pkg.ver}}.apk",
    "archs": ["x86_64"],
    "packages": [
        {"pkg": {"name": "openssl", "secfixes": {"3.1.4-r0": ["CVE-2023-5363"], "0": ["CVE-2022-3602"]}}},
        {"pkg": {"name": "busybox", "secfixes": {"1.36.1-r2": ["CVE-2022-48174"]}}},
    ],
}
KEV = {
    "title": "CISA Catalog of Known Exploited Vulnerabilities",
    "catalogVersion": "2026.11.01",
    "dateReleased": "2026-11-01T00:00:00.0000Z",
    "count": 1,
    "vulnerabilities": [
        {
            "cveID": "CVE-2019-10744",
            "vendorProject": "lodash",
            "product": "lodash",
            "vulnerabilityName": "lodash Prototype Pollution",
            "dateAdded": "2026-10-31",
            "shortDescription": "defaultsDeep adds properties of Object.prototype.",
            "requiredAction": "Update.",
            "dueDate": "2026-11-21",
            "knownRansomwareCampaignUse": "Unknown",
            "notes": "",
        }
    ],
}
VEX = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://shop.example/vex/7",
    "author": "Shop platform team",
    "timestamp": "2026-11-01T00:00:00Z",
    "version": 1,
    "statements": [
        {
            "vulnerability": {"name": "CVE-2019-10744"},
            "products": [{"@id": "pkg:npm/lodash"}],
            "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path",
            "impact_statement": "defaultsDeep is never called",
        }
    ],
}


@pytest.fixture
def feeds(tmp_path: Path) -> Path:
    """A folder with OSV, secdb and KEV, plain, as lines and packed."""
    folder = tmp_path / "feeds"
    (folder / "npm").mkdir(parents=True)
    lodash = osv("GHSA-jf85-cpcp-j695", "CVE-2019-10744", "lodash", "4.17.12")
    (folder / "npm/GHSA-jf85-cpcp-j695.json").write_text(json.dumps(lodash))
    lines = [osv(f"GHSA-aaaa-aaaa-{n:04}", f"CVE-2024-{10_000 + n}", f"package-{n}", "2.0.0") for n in range(300)]
    (folder / "more.jsonl.zst").write_bytes(zstd("\n".join(json.dumps(line) for line in lines).encode()))
    tracker = {"openssl": ("CVE-2023-5363", "3.0.11-1~deb12u2"), "zlib": ("CVE-2022-37434", "1:1.2.11.dfsg-4.1")}
    debian = {
        f"debian/DEBIAN-{cve}.json": osv(f"DEBIAN-{cve}", cve, name, fixed, "Debian:12", upstream=[cve], aliases=[])
        for name, (cve, fixed) in tracker.items()
    }
    packed = targz({name: json.dumps(record).encode() for name, record in debian.items()})
    (folder / "debian.tar.gz").write_bytes(packed)
    (folder / "alpine.tar.gz").write_bytes(targz({"v3.18/main.json": json.dumps(SECDB).encode()}))
    (folder / "known_exploited_vulnerabilities.json").write_text(json.dumps(KEV))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> str:
    """What is scanned."""
    folder = tmp_path / "root"
    for name, content in ROOT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return f"dir:{folder}"


def test_every_format_and_ecosystem_is_documented():
    documented = (PROJECT / "docs/feeds.md").read_text()
    formats = re.findall(r'\bname: "([^"]+)"', (PROJECT / "libs/advisories/src/feeds/mod.rs").read_text())
    rows = re.findall(r"^\| ([^|]+?) \|", documented, re.MULTILINE)
    assert len(formats) > 30 and [name for name in formats if name not in rows] == []
    table = (PROJECT / "libs/domain/src/ecosystem.rs").read_text()
    ecosystems = re.findall(r'^    (?:distribution|language)\("([^"]+)"', table, re.MULTILINE)
    named = [name for row in rows for name in row.split(", ")]
    assert len(ecosystems) > 30 and [name for name in ecosystems if name not in named] == []


def build(feeds: Path, output: Path, *more: str) -> str:
    done = run("db", "build", "--from", str(feeds), *more, "--output", str(output))
    return done.stdout + done.stderr


def statuses(root: str, database: Path) -> dict[tuple[str, str], str]:
    verdicts = scan(root, str(database))["verdicts"]
    return {(verdict["vulnerability"], verdict["package"]["name"]): verdict["status"] for verdict in verdicts}


def test_a_folder_of_mixed_feeds_is_one_database(feeds, root, tmp_path):
    said = build(feeds, database := tmp_path / "one.advisories")
    for told in [
        "npm/GHSA-jf85-cpcp-j695.json: OSV, 1 records, 0 set aside",
        "more.jsonl.zst: OSV, 300 records, 0 set aside",
        "debian.tar.gz: OSV, 2 records, 0 set aside",
        "alpine.tar.gz: secdb, 3 records, 0 set aside",
        "known_exploited_vulnerabilities.json: KEV, 2 records, 0 set aside",
    ]:
        assert any(line.endswith(told) for line in said.splitlines()), f"{told} in\n{said}"
    assert statuses(root, database) == {
        ("CVE-2023-5363", "libssl3"): "affected",
        ("CVE-2022-37434", "zlib1g"): "not_affected",
        ("CVE-2019-10744", "lodash"): "affected",
    }
    [ssl] = [v for v in scan(root, str(database))["verdicts"] if v["vulnerability"] == "CVE-2023-5363"]
    assert ssl["fixed_version"] == "3.0.11-1~deb12u2"
    explanation = ssl["explanation"]
    assert (explanation["ecosystem"], explanation["name"]) == ("Debian:12", "openssl")
    assert (explanation["scheme"], explanation["source"]) == ("deb", "DEBIAN_CVE")
    assert run("db", "search", str(database), "openssl").stdout.splitlines() == [
        "Alpine:v3.18\topenssl",
        "  CVE-2022-3602\tCVE-2022-3602\tnot affected",
        "  CVE-2023-5363\tCVE-2023-5363\t[,3.1.4-r0) fixed",
        "Debian:12\topenssl",
        "  CVE-2023-5363\tDEBIAN-CVE-2023-5363\t[,3.0.11-1~deb12u2)",
    ]


def test_a_statement_of_ones_own_closes_a_finding_and_says_why(feeds, root, tmp_path):
    build(feeds, database := tmp_path / "one.advisories")
    assert statuses(root, database)["CVE-2019-10744", "lodash"] == "affected"

    own = tmp_path / "own"
    own.mkdir()
    (own / "shop.json").write_text(json.dumps(VEX))
    build(feeds, closed := tmp_path / "two.advisories", str(own))
    assert statuses(root, closed) == statuses(root, database) | {("CVE-2019-10744", "lodash"): "not_affected"}
    [verdict] = [v for v in scan(root, str(closed))["verdicts"] if v["vulnerability"] == "CVE-2019-10744"]
    vex, reason = verdict["explanation"]["vex"], verdict["explanation"]["reason"]
    assert (vex["document"], vex["author"], vex["status"]) == (VEX["@id"], VEX["author"], "not_affected")
    for words in (VEX["@id"], VEX["author"], "defaultsDeep is never called", "4.17.4 is before the fix 4.17.12"):
        assert words in reason
    assert "CVE-2019-10744" not in run("scan", root, "--advisories", str(closed)).stdout

    # About another version it says nothing.
    statement = VEX["statements"][0] | {"products": [{"@id": "pkg:npm/lodash@4.17.5"}]}
    (own / "shop.json").write_text(json.dumps(VEX | {"statements": [statement]}))
    build(feeds, other := tmp_path / "three.advisories", str(own))
    assert statuses(root, other) == statuses(root, database)
    # Nor about an image that this root is not.
    shop = {"@id": "pkg:oci/shop@sha256%3A11", "subcomponents": [{"@id": "pkg:npm/lodash"}]}
    (own / "shop.json").write_text(json.dumps(VEX | {"statements": [VEX["statements"][0] | {"products": [shop]}]}))
    build(feeds, other, str(own))
    assert statuses(root, other) == statuses(root, database)
    # What can be about nothing is named, and the database counts it.
    nowhere = VEX["statements"][0] | {"products": [{"@id": "pkg:generic/shop"}]}
    unknown = VEX["statements"][0] | {"vulnerability": {"name": "CVE-2099-1"}}
    (own / "shop.json").write_text(json.dumps(VEX | {"statements": [nowhere, unknown]}))
    said = build(feeds, other, str(own))
    assert "2 VEX statements apply to nothing that is known" in said
    info = run("db", "info", str(other)).stdout
    for told in ("pkg:generic/shop", "CVE-2099-1"):
        assert told in said and told in info
    assert any(line.split() == ["idle", "statements", "2"] for line in info.splitlines())
    assert statuses(root, other) == statuses(root, database)
    # Who still looks closes nothing.
    statement = VEX["statements"][0] | {"status": "under_investigation"}
    (own / "shop.json").write_text(json.dumps(VEX | {"statements": [statement]}))
    build(feeds, other, str(own))
    assert statuses(root, other) == statuses(root, database)


def test_what_cannot_be_read_is_named_with_its_reason_and_the_rest_counts(feeds, root, tmp_path):
    build(feeds, good := tmp_path / "good.advisories")
    (feeds / "npm/broken.json").write_text('{"id": "GHSA-x", "modified": "2026-11-01T00:00:00Z", "affected": [')
    (feeds / "npm/nothing.json").write_text('{"hello": "world"}')
    unknown = osv("OSV-1", "CVE-2024-1", "a", "1.0", ecosystem="Middle Earth")
    (feeds / "npm/unknown.json").write_text(json.dumps(unknown))
    lines = [b"{", json.dumps(osv("GHSA-bbbb-bbbb-bbbb", "CVE-2024-2", "left-pad", "1.0.1")).encode()]
    (feeds / "lines.jsonl.zst").write_bytes(zstd(b"\n".join(lines)))
    (feeds / "cut.jsonl.zst").write_bytes((feeds / "more.jsonl.zst").read_bytes()[:-5000])
    said = build(feeds, database := tmp_path / "one.advisories")
    for words in ("broken.json", "nothing.json", "Middle Earth", "line 1", "cut.jsonl.zst"):
        assert words in said, f"{words} in\n{said}"
    assert statuses(root, database) == statuses(root, good)
    assert "CVE-2024-2" in run("db", "search", str(database), "left-pad").stdout


def test_a_database_is_told_searched_and_compared(feeds, tmp_path):
    build(feeds, one := tmp_path / "one.advisories")
    told = run("db", "info", str(one)).stdout
    lines = dict(line.split(None, 1) for line in told.splitlines())
    assert lines["epoch"] == "1" and lines["format"] == "version  2" and lines["digest"].startswith("sha256:")
    assert lines["npm"] == "301 packages" and lines["Alpine:v3.18"] == "2 packages"
    assert "epoch 1" in run("db", "verify", str(one)).stdout

    found = run("db", "search", str(one), "CVE-2019-10744").stdout
    assert found.splitlines()[0].split() == ["CVE-2019-10744", "GHSA-jf85-cpcp-j695"]
    assert "known to be exploited since 2026-10-31" in found
    assert run("db", "search", str(one), "lodash").stdout.splitlines() == [
        "npm\tlodash",
        "  CVE-2019-10744\tGHSA-jf85-cpcp-j695\t[,4.17.12)",
    ]
    some = run("db", "search", str(one), "package-", "--most", "7").stdout.splitlines()
    assert len(some) == 7 and all(line.startswith("npm\tpackage-") for line in some)
    nothing = run("db", "search", str(one), "no-such-thing", expected="failed")
    assert "no-such-thing" in nothing.stderr and not nothing.stdout

    lodash = osv("GHSA-jf85-cpcp-j695", "CVE-2019-10744", "lodash", "4.17.13")
    (feeds / "npm/GHSA-jf85-cpcp-j695.json").write_text(json.dumps(lodash))
    withdrawn = osv("GHSA-cccc-cccc-cccc", "CVE-2024-3", "left-pad", "1.0.1", withdrawn="2026-11-02T00:00:00Z")
    (feeds / "npm/GHSA-cccc-cccc-cccc.json").write_text(json.dumps(withdrawn))
    build(feeds, two := tmp_path / "two.advisories", "--epoch", "9")
    assert "epoch           9" in run("db", "info", str(two)).stdout
    assert run("db", "diff", str(one), str(two)).stdout.splitlines() == ["npm\tleft-pad", "npm\tlodash"]
    assert run("db", "diff", str(two), str(two)).stdout.strip() == "no difference"
    assert "withdrawn 2026-11-02" in run("db", "search", str(two), "left-pad").stdout
    build(feeds, two)
    assert "epoch           10" in run("db", "info", str(two)).stdout, "one more than the file that is there"


def test_the_same_feeds_give_the_same_answers_in_any_order(feeds, root, tmp_path):
    parts = sorted(str(path) for path in feeds.iterdir())
    build(feeds, one := tmp_path / "one.advisories")
    run("db", "build", "--from", *reversed(parts), "--output", str(two := tmp_path / "two.advisories"))
    assert run("db", "diff", str(one), str(two)).stdout.strip() == "no difference"
    assert scan(root, str(one))["verdicts"] == scan(root, str(two))["verdicts"]


def test_a_damaged_file_is_refused_by_everything_that_opens_it(feeds, root, tmp_path):
    build(feeds, good := tmp_path / "good.advisories")
    content = good.read_bytes()
    (damaged := tmp_path / "damaged.advisories").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    (short := tmp_path / "short.advisories").write_bytes(content[: len(content) // 2])
    (other := tmp_path / "other.advisories").write_bytes(b"not a database" * 1000)
    for arguments in [("info", damaged), ("verify", damaged)]:
        assert "damaged.advisories" in refused("db", *map(str, arguments))
    for file in (short, other):
        for arguments in [("info", file), ("verify", file), ("search", file, "lodash"), ("diff", good, file)]:
            assert file.name in refused("db", *map(str, arguments))
        assert file.name in refused("scan", root, "--advisories", str(file))


def refused(*arguments: str) -> str:
    done = run(*arguments, expected="failed")
    assert len(done.stderr.splitlines()) == 1 and not done.stdout, done.stderr
    return done.stderr


@dataclass
class Web:
    """A web server on loopback that hands out a folder."""

    folder: Path
    address: str
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    (folder := tmp_path / "www").mkdir()
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_words) -> None:
            asked.append(self.path.rsplit("/", 1)[-1])

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Web(folder, f"http://127.0.0.1:{server.server_port}", asked)
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Publisher:
    """Who builds, signs and publishes."""

    feeds: Path
    folder: Path
    repository: Path

    @property
    def database(self) -> Path:
        return self.folder / "built.advisories"

    @property
    def key(self) -> str:
        return str(self.folder / "public.pem")

    def publish(self, *, fix: str, keep: int = 7) -> str:
        """A new epoch in which lodash has this fix."""
        record = osv("GHSA-jf85-cpcp-j695", "CVE-2019-10744", "lodash", fix)
        (self.feeds / "npm/GHSA-jf85-cpcp-j695.json").write_text(json.dumps(record))
        build(self.feeds, self.database)
        arguments = ("--repository", str(self.repository), "--key", str(self.folder / "secret.pem"))
        return run("db", "publish", str(self.database), *arguments, "--keep", str(keep)).stdout


@pytest.fixture
def publisher(feeds: Path, tmp_path: Path, web: Web) -> Publisher:
    """With a first epoch in a repository that the web server hands out."""
    (folder := tmp_path / "publisher").mkdir()
    publisher = Publisher(feeds, folder, web.folder / "repository")
    told = run("db", "keygen", "--secret", str(folder / "secret.pem"), "--public", publisher.key).stdout
    assert told.startswith("key ") and (folder / "secret.pem").stat().st_mode & 0o077 == 0
    publisher.publish(fix="4.17.12")
    return publisher


@pytest.fixture(params=["folder", "web"])
def source(request, publisher: Publisher, web: Web) -> str:
    """The same repository as a folder and at an address."""
    return str(publisher.repository) if request.param == "folder" else f"{web.address}/repository"


def update(file: Path, source: str, key: str, *more: str) -> str:
    done = run("db", "update", str(file), "--from", source, "--key", key, *more)
    return done.stdout + done.stderr


def test_a_client_follows_a_repository_by_deltas(publisher, source, web, tmp_path):
    file = tmp_path / "client.advisories"
    first = update(file, source, publisher.key)
    assert "epoch 1" in first and ".advisories.zst" in first
    assert file.read_bytes() == publisher.database.read_bytes()
    assert "it was there already" in update(file, source, publisher.key)

    told = publisher.publish(fix="4.17.13")
    assert "from epoch 1: 1-2.delta" in told
    web.asked.clear()
    second = update(file, source, publisher.key)
    assert "epoch 2" in second and "1-2.delta" in second and ".zst" not in second
    assert file.read_bytes() == publisher.database.read_bytes()
    if source.startswith("http"):
        assert web.asked == ["index.json", "1-2.delta"]
    whole = next(publisher.repository.glob("2-*.zst")).stat().st_size
    assert (publisher.repository / "1-2.delta").stat().st_size < whole / 2

    # Two epochs behind, and one so far behind that nothing leads from there.
    for fix in ("4.17.14", "4.17.15"):
        publisher.publish(fix=fix)
    assert "delta" in update(file, source, publisher.key)
    assert file.read_bytes() == publisher.database.read_bytes()
    for fix in ("4.17.16", "4.17.17", "4.17.18"):
        publisher.publish(fix=fix, keep=1)
    assert ".zst" in update(file, source, publisher.key)
    assert file.read_bytes() == publisher.database.read_bytes()
    assert "[,4.17.18)" in run("db", "search", str(file), "lodash").stdout


def test_what_was_tampered_with_is_refused_and_the_file_in_use_stays(publisher, source, tmp_path):
    file = tmp_path / "client.advisories"
    update(file, source, publisher.key)
    before = file.read_bytes()
    publisher.publish(fix="4.17.13")
    index = publisher.repository / "index.json"
    good = json.loads(index.read_text())
    payload = bytearray(base64.b64decode(good["payload"]))
    payload[payload.index(b'"epoch":2') + 8] = ord("3")
    signature = bytearray(base64.b64decode(good["signatures"][0]["sig"]))
    signature[0] ^= 1
    encoded = lambda raw: base64.b64encode(bytes(raw)).decode()  # noqa: E731
    for wrong in [
        good | {"payload": encoded(payload)},
        good | {"payloadType": "application/json"},
        good | {"signatures": [good["signatures"][0] | {"sig": encoded(signature)}]},
        good | {"signatures": []},
        {},
    ]:
        index.write_text(json.dumps(wrong))
        assert "index.json" in refused("db", "update", str(file), "--from", source, "--key", publisher.key)
        assert file.read_bytes() == before
    index.unlink()
    refused("db", "update", str(file), "--from", source, "--key", publisher.key)
    index.write_text(json.dumps(good))

    # A damaged delta costs bytes: the whole file is taken in its place.
    delta, whole = publisher.repository / "1-2.delta", next(publisher.repository.glob("2-*.zst"))
    damage(delta)
    assert "1-2.delta" in refused("db", "verify", str(publisher.repository), "--key", publisher.key)
    said = update(file, source, publisher.key)
    assert "refused 1-2.delta" in said and whole.name in said
    assert file.read_bytes() == publisher.database.read_bytes()
    # With both damaged nothing is taken.
    file.write_bytes(before)
    damage(whole)
    done = run("db", "update", str(file), "--from", source, "--key", publisher.key, expected="failed")
    assert whole.name in done.stderr and file.read_bytes() == before
    assert whole.name in refused("db", "verify", str(publisher.repository), "--key", publisher.key)
    left = {path.name for path in tmp_path.iterdir() if path.name.startswith("client")}
    assert left == {"client.advisories"}, "nothing half made stays"


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def test_an_older_epoch_is_refused_unless_it_is_asked_for(publisher, source, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(publisher.repository, old)
    yesterday = publisher.database.read_bytes()
    publisher.publish(fix="4.17.13")
    file = tmp_path / "client.advisories"
    update(file, source, publisher.key)
    today = file.read_bytes()

    shutil.rmtree(publisher.repository)
    shutil.copytree(old, publisher.repository)
    said = refused("db", "update", str(file), "--from", source, "--key", publisher.key)
    assert "1" in said and "2" in said and file.read_bytes() == today
    assert "epoch 1" in update(file, source, publisher.key, "--allow-rollback")
    assert file.read_bytes() == yesterday


def test_only_who_is_trusted_is_believed(publisher, source, tmp_path):
    file = tmp_path / "client.advisories"
    keys = ("--secret", str(tmp_path / "s.pem"), "--public", str(tmp_path / "p.pem"))
    run("db", "keygen", *keys)
    stranger = str(tmp_path / "p.pem")
    refused("db", "update", str(file), "--from", source, "--key", stranger)
    refused("db", "mirror", str(tmp_path / "mirror"), "--from", source, "--key", stranger)
    refused("db", "verify", str(publisher.repository), "--key", stranger)
    refused("db", "verify", str(publisher.repository))
    assert not file.exists() and not (tmp_path / "mirror/index.json").exists()
    # A secret key is no public key, and text is neither.
    for wrong in (str(tmp_path / "s.pem"), __file__):
        assert Path(wrong).name in refused("db", "update", str(file), "--from", source, "--key", wrong)
    # One of several is enough: so keys are changed.
    assert "epoch 1" in update(file, source, stranger, "--key", publisher.key)
    run("db", "update", str(file), "--from", source, expected="usage")
    refused("db", "publish", str(publisher.database), "--repository", str(tmp_path / "r"), "--key", publisher.key)


def test_a_mirror_is_a_repository(publisher, source, tmp_path):
    mirror = tmp_path / "mirror"
    told = run("db", "mirror", str(mirror), "--from", source, "--key", publisher.key).stdout
    assert "epoch 1, 1 files fetched" in told
    publisher.publish(fix="4.17.13")
    told = run("db", "mirror", str(mirror), "--from", source, "--key", publisher.key).stdout
    assert "epoch 2, 2 files fetched" in told and "1 kept" in told
    assert "signed, 3 files" in run("db", "verify", str(mirror), "--key", publisher.key).stdout
    file = tmp_path / "client.advisories"
    assert "epoch 2" in update(file, str(mirror), publisher.key)
    assert file.read_bytes() == publisher.database.read_bytes()

    damage(next(mirror.glob("2-*.zst")))
    refused("db", "verify", str(mirror), "--key", publisher.key)
    told = run("db", "mirror", str(mirror), "--from", source, "--key", publisher.key).stdout
    assert "1 files fetched" in told, "what is damaged is fetched again"
    run("db", "verify", str(mirror), "--key", publisher.key)


def test_the_signature_is_one_that_others_can_check(publisher):
    """As docs/feeds.md says: Ed25519 over DSSE's encoding of type and payload."""
    envelope = json.loads((publisher.repository / "index.json").read_text())
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    key = load_pem_public_key(Path(publisher.key).read_bytes())
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    key.verify(signature, message)
    with pytest.raises(InvalidSignature):
        key.verify(signature, message + b" ")


def test_a_feed_is_fetched_from_its_address(feeds, root, web, tmp_path):
    shutil.copytree(feeds, web.folder / "feeds")
    names = ["npm/GHSA-jf85-cpcp-j695.json", *(path.name for path in feeds.iterdir() if path.is_file())]
    addresses = [f"{web.address}/feeds/{name}?token=1" for name in names]
    output = tmp_path / "fetched.advisories"
    run("db", "build", "--from", *addresses, "--output", str(output))
    build(feeds, built := tmp_path / "built.advisories")
    assert run("db", "diff", str(built), str(output)).stdout.strip() == "no difference"
    assert statuses(root, output) == statuses(root, built)
    assert sorted(web.asked) == sorted(f"{Path(name).name}?token=1" for name in names)

    before = output.read_bytes()
    for address in (f"{web.address}/feeds/nothing.json", "http://127.0.0.1:1/feed.json"):
        said = run("db", "build", "--from", *addresses, address, "--output", str(output), expected="failed").stderr
        assert address in said.splitlines()[-1]
    assert output.read_bytes() == before
