"""The command line: targets, formats, exit codes, and errors of one line."""

import json
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
from demo.up import ADVISORIES
from harness.processes import clean_environment
from harness.system import binary

STATUS = """\
Package: libssl3
Status: install ok installed
Architecture: amd64
Source: openssl
Version: 3.0.9-1

Package: zlib1g
Status: install ok installed
Architecture: amd64
Source: zlib
Version: 1:1.2.13.dfsg-1

"""
FILES = {
    "etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "var/lib/dpkg/status": STATUS,
    "usr/lib/python3/site-packages/requests-2.19.1.dist-info/METADATA": "Name: requests\nVersion: 2.19.1\n\n",
    "app/node_modules/lodash/package.json": '{"name": "lodash", "version": "4.17.4"}',
}
CODES = {"good": 0, "failed": 1, "found": 2, "usage": 64}


def run(*arguments: str, expected: str = "good", stdin: str = "", environment: dict[str, str] | None = None):
    environment = clean_environment() | (environment or {})
    done = subprocess.run(
        [binary(), *arguments], input=stdin, capture_output=True, text=True, timeout=60, env=environment
    )
    assert done.returncode == CODES[expected], f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("database") / "demo.advisories"
    built = run("db", "build", "--from", str(ADVISORIES), "--output", str(path))
    assert "advisories" in built.stdout and path.is_file()
    return str(path)


@pytest.fixture(scope="module")
def targets(tmp_path_factory) -> dict[str, str]:
    """The same root in every shape that needs no registry."""
    folder = tmp_path_factory.mktemp("targets")
    root = folder / "root"
    for name, content in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    with zipfile.ZipFile(folder / "root.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    layout(folder / "layout", root)
    with tarfile.open(folder / "layout.tar", "w") as archive:
        archive.add(folder / "layout", arcname=".")
    bom = run("inventory", f"dir:{root}", "--format", "cyclonedx").stdout
    (folder / "bom.json").write_text(bom)
    return {
        "dir": f"dir:{root}",
        "zip": f"zip:{folder / 'root.zip'}",
        "oci": f"oci:{folder / 'layout'}",
        "oci-tar": f"oci:{folder / 'layout.tar'}",
        "sbom": f"sbom:{folder / 'bom.json'}",
    }


def layout(folder: Path, root: Path) -> None:
    """An OCI image layout with the root as its one layer."""
    from demo import oci

    blob, diff_id = oci.layer_blob(oci.Layer({name: (root / name).read_bytes() for name in FILES}))
    image = oci.image("amd64", [blob], [diff_id])
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    for part in [*image.blobs, image.manifest]:
        (blobs / part.digest.removeprefix("sha256:")).write_bytes(part.content)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [image.manifest.descriptor()]}))


def scan(target: str, database: str, *more: str) -> dict:
    return json.loads(run("scan", target, "--advisories", database, "--format", "json", *more).stdout)


def test_a_scan_has_the_documented_shape(targets, database):
    document = scan(targets["dir"], database)
    assert {"target", "os", "packages", "verdicts"} <= document.keys()
    assert document["os"]["id"] == "debian" and document["os"]["version"] == "12"
    assert {"name", "version", "purl", "type", "paths"} == document["packages"][0].keys()
    for verdict in document["verdicts"]:
        expected = "vulnerability aliases package status fixed_version severity score explanation"
        assert verdict.keys() == set(expected.split())
        assert verdict["status"] in ("affected", "not_affected", "undetermined")
        assert verdict["explanation"]["reason"]
    affected = {(v["vulnerability"], v["package"]["name"]) for v in document["verdicts"] if v["status"] == "affected"}
    for pair in [("CVE-2023-5363", "libssl3"), ("CVE-2018-18074", "requests"), ("CVE-2019-10744", "lodash")]:
        assert pair in affected


def test_the_same_root_gets_the_same_verdicts_in_every_shape(targets, database):
    def verdicts(name: str) -> list:
        found = scan(targets[name], database)["verdicts"]
        return sorted((v["vulnerability"], v["package"]["purl"], v["status"], v["fixed_version"] or "") for v in found)

    expected = verdicts("dir")
    assert expected
    for name in ("zip", "oci", "oci-tar", "sbom"):
        assert verdicts(name) == expected, name


def test_an_index_in_a_registry_gives_every_platform_to_who_may_read_it(demo, database):
    target = f"image:{demo.registry_address}/shop/web:latest"
    denied = run("scan", target, "--advisories", database, expected="failed")
    assert len(denied.stderr.splitlines()) == 1 and "shop/web" in denied.stderr

    keys = {"MUSTER_REGISTRY_USER": "AWS", "MUSTER_REGISTRY_PASSWORD": demo.password}
    arguments = ["scan", target, "--advisories", database, "--format", "json"]
    documents = json.loads(run(*arguments, environment=keys).stdout)
    assert len(documents) == 2
    assert all(document["verdicts"] for document in documents)
    one = json.loads(run(*arguments, "--platform", "linux/arm64", environment=keys).stdout)
    assert one["target"] in {document["target"] for document in documents}
    run(*arguments, "--platform", "plan9/vax", environment=keys, expected="failed")


def test_fail_on_decides_the_exit_code(targets, database):
    run("scan", targets["dir"], "--advisories", database, "--fail-on", "critical", expected="found")
    run("scan", targets["dir"], "--advisories", database)
    empty = Path(targets["dir"].removeprefix("dir:")) / "etc"
    run("scan", f"dir:{empty}", "--advisories", database, "--fail-on", "low")


def test_sarif_and_cyclonedx_say_the_same_as_json(targets, database):
    shown = {v["vulnerability"] for v in scan(targets["dir"], database)["verdicts"] if v["status"] != "not_affected"}
    run_format = lambda name: json.loads(  # noqa: E731
        run("scan", targets["dir"], "--advisories", database, "--format", name).stdout
    )
    sarif = run_format("sarif")
    assert sarif["version"] == "2.1.0"
    [one] = sarif["runs"]
    assert {rule["id"] for rule in one["tool"]["driver"]["rules"]} == shown
    for result in one["results"]:
        assert result["ruleId"] in shown and result["level"] in ("error", "warning", "note")
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    bom = run_format("cyclonedx")
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    assert {vulnerability["id"] for vulnerability in bom["vulnerabilities"]} == shown
    references = {component["bom-ref"] for component in bom["components"]}
    assert all(v["affects"][0]["ref"] in references for v in bom["vulnerabilities"])


def test_a_pipe_gets_neither_colours_nor_progress(targets, database):
    done = run("scan", targets["dir"], "--advisories", database)
    assert "\x1b" not in done.stdout + done.stderr
    assert "CVE-2019-10744" in done.stdout
    assert not done.stderr


def test_the_data_folders_database_is_used_when_none_is_named(targets, database, tmp_path):
    folder = tmp_path / "advisories"
    folder.mkdir()
    settings = {"MUSTER_DATA_FOLDER": str(tmp_path)}
    nothing = run("scan", targets["dir"], expected="failed", environment=settings)
    assert str(folder) in nothing.stderr and len(nothing.stderr.splitlines()) == 1
    shutil.copy(database, folder / "one.advisories")
    assert "CVE-2019-10744" in run("scan", targets["dir"], environment=settings).stdout


def test_an_error_is_one_line_that_names_the_thing_at_fault(targets, database, tmp_path):
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK this is no zip")
    wrong = tmp_path / "wrong.advisories"
    wrong.write_bytes(b"this is no database" * 100)
    for arguments, words in [
        (("scan", f"zip:{broken}", "--advisories", database), "broken.zip"),
        (("scan", "dir:/nowhere/at/all", "--advisories", database), "/nowhere/at/all"),
        (("scan", "sbom:/nowhere.json", "--advisories", database), "/nowhere.json"),
        (("scan", targets["dir"], "--advisories", str(wrong)), "wrong.advisories"),
        (("scan", targets["dir"], "--advisories", "/no/database"), "/no/database"),
        (("db", "info", str(wrong)), "wrong.advisories"),
        (("db", "build", "--from", "/no/feeds", "--output", str(tmp_path / "x")), "/no/feeds"),
        (("status", "--gateway", "http://127.0.0.1:1"), "127.0.0.1:1"),
    ]:
        done = run(*arguments, expected="failed")
        assert len(done.stderr.splitlines()) == 1 and words in done.stderr, done.stderr
        assert not done.stdout


def test_a_wrong_command_line_has_an_exit_code_of_its_own():
    run("scan", expected="usage")
    run("scan", "floppy:a", expected="usage")
    run("version", "compare", "--scheme", "roman", expected="usage")
    run("--help")
    run("--version")


def test_inventory_lists_what_is_there(targets):
    document = json.loads(run("inventory", targets["oci"], "--format", "json").stdout)
    assert [package["name"] for package in document["packages"]].count("libssl3") == 1
    assert "lodash" in run("inventory", targets["zip"]).stdout


def test_a_database_says_what_it_holds(database):
    told = run("db", "info", database).stdout
    assert "Debian:12" in told and "npm" in told and "digest" in told


def test_versions_are_compared_line_by_line():
    schemes = run("version", "schemes").stdout.split()
    assert {"deb", "pep440", "npm"} <= set(schemes)
    lines = "1.0~rc1\t1.0\n2:1\t10\n1\t1\n!\t1\n" * 2000
    signs = run("version", "compare", "--scheme", "deb", stdin=lines).stdout.split()
    assert signs == ["<", ">", "=", "?"] * 2000


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    lines = tmp_path / "lines"
    lines.write_text("1\t2\n" * 200_000)
    command = f"{binary()} version compare --scheme deb < {lines}; echo code $? >&2"
    done = subprocess.run(["bash", "-c", f"{{ {command}; }} | head -1"], capture_output=True, text=True, timeout=60)
    assert done.stdout == "<\n" and done.stderr == "code 0\n"
