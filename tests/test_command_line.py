"""The command line: targets, exit codes, and errors of one line."""

import json
import shutil
import subprocess
from pathlib import Path

from demo.up import ADVISORIES
from harness.command_line import run, scan
from harness.system import binary


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
    content = bytearray(Path(database).read_bytes())
    (short := tmp_path / "short.advisories").write_bytes(content[:5000])
    content[len(content) // 2] ^= 0xFF
    (damaged := tmp_path / "damaged.advisories").write_bytes(content)
    (tmp_path / "empty").mkdir()
    for arguments, words in [
        (("scan", f"zip:{broken}", "--advisories", database), "broken.zip"),
        (("scan", "dir:/nowhere/at/all", "--advisories", database), "/nowhere/at/all"),
        (("scan", "sbom:/nowhere.json", "--advisories", database), "/nowhere.json"),
        (("scan", targets["dir"], "--advisories", str(wrong)), "wrong.advisories"),
        (("scan", targets["dir"], "--advisories", "/no/database"), "/no/database"),
        (("db", "info", str(wrong)), "wrong.advisories"),
        (("db", "build", "--from", "/no/feeds", "--output", str(tmp_path / "x")), "/no/feeds"),
        (("db", "info", "/no/database"), "/no/database"),
        (("db", "info", str(damaged)), "damaged.advisories"),
        (("db", "info", str(short)), "short.advisories"),
        (("scan", targets["dir"], "--advisories", str(short)), "short.advisories"),
        (("scan", f"oci:{tmp_path / 'empty'}", "--advisories", database), "empty"),
        (("scan", f"oci:{broken}", "--advisories", database), "broken.zip"),
        (("scan", f"sbom:{wrong}", "--advisories", database), "wrong.advisories"),
        (("scan", "image:127.0.0.1:1/shop/web:1.0", "--advisories", database), "127.0.0.1:1"),
        (("inventory", "dir:/nowhere/at/all"), "/nowhere/at/all"),
        (("status", "--gateway", "http://127.0.0.1:1"), "127.0.0.1:1"),
        (("findings", "list", "--gateway", "http://127.0.0.1:1"), "127.0.0.1:1"),
        (("coverage", "--gateway", "nonsense"), "nonsense"),
        (("dead-letters", "list", "--gateway", "http://127.0.0.1:1"), "127.0.0.1:1"),
    ]:
        done = run(*arguments, expected="failed")
        assert len(done.stderr.splitlines()) == 1 and words in done.stderr, done.stderr
        assert not done.stdout


def test_a_wrong_command_line_has_an_exit_code_of_its_own():
    run("scan", expected="usage")
    run("scan", "floppy:a", expected="usage")
    run("version", "compare", "--scheme", "roman", expected="usage")
    run("scan", "dir:.", "--format", "xml", expected="usage")
    run("scan", "dir:.", "--fail-on", "bad", expected="usage")
    run("scan", "image:UPPER CASE", expected="usage")
    run("up", "--listen", "nowhere", expected="usage")
    run("up", "--services", "gateway,nonsense", expected="usage")
    run("db", "build", "--output", "x", expected="usage")
    run("no-such-command", expected="usage")
    run(expected="usage")
    run("--help")
    run("--version")


def test_inventory_lists_what_is_there(targets):
    document = json.loads(run("inventory", targets["oci"], "--format", "json").stdout)
    assert [package["name"] for package in document["packages"]].count("libssl3") == 1
    assert "lodash" in run("inventory", targets["zip"]).stdout


def test_a_database_says_what_it_holds(database):
    told = run("db", "info", database).stdout
    assert "Debian:12" in told and "npm" in told and "digest" in told


def test_a_database_is_built_of_several_sources_and_never_of_none(database, tmp_path):
    output = tmp_path / "x.advisories"
    epss, kev = ADVISORIES / "epss_scores.csv", ADVISORIES / "known_exploited_vulnerabilities.json"
    several = run(
        "db", "build", "--from", str(ADVISORIES / "osv"), str(epss), "--from", str(kev), "--output", str(output)
    )
    assert "60 advisories" in several.stdout  # 57 of OSV and 3 of CISA
    contents = lambda path: run("db", "info", path).stdout.splitlines()[4:]  # noqa: E731
    assert contents(str(output)) == contents(database)

    before = output.read_bytes()
    (tmp_path / "nothing").mkdir()
    (tmp_path / "broken.json").write_text("{")
    for source in ("nothing", "broken.json"):
        done = run("db", "build", "--from", str(tmp_path / source), "--output", str(output), expected="failed")
        assert source in done.stderr.splitlines()[-1] and not done.stdout
    assert output.read_bytes() == before


def test_versions_are_compared_line_by_line():
    schemes = run("version", "schemes").stdout.split()
    assert {"deb", "pep440", "npm"} <= set(schemes)
    lines = "1.0~rc1\t1.0\n2:1\t10\n1\t1\n!\t1\n" * 2000
    signs = run("version", "compare", "--scheme", "deb", stdin=lines).stdout.split()
    assert signs == ["<", ">", "=", "?"] * 2000
    for scheme in schemes:
        assert run("version", "compare", "--scheme", scheme, stdin="1.0.0\t1.0.0\r\n1.0.0\t1.0.1").stdout == "=\n<\n", (
            scheme
        )
    assert run("version", "compare", "--scheme", "deb", stdin="").stdout == ""
    wrong = run("version", "compare", "--scheme", "deb", stdin="1\t2\n1 2\n", expected="failed")
    assert wrong.stdout == "<\n" and wrong.stderr == "muster: line 2: no tab between two versions\n"


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    lines = tmp_path / "lines"
    lines.write_text("1\t2\n" * 200_000)
    command = f"{binary()} version compare --scheme deb < {lines}; echo code $? >&2"
    done = subprocess.run(["bash", "-c", f"{{ {command}; }} | head -1"], capture_output=True, text=True, timeout=60)
    assert done.stdout == "<\n" and done.stderr == "code 0\n"
