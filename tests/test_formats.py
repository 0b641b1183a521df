"""What `scan` and `inventory` write: the documented JSON to the letter, CycloneDX by its schema, SARIF by its rules."""

import json
from urllib.parse import quote, unquote

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from harness.command_line import run, scan

#: The members that docs/command-line.md names, no more and no less.
DOCUMENT = {"target", "os", "packages", "verdicts", "undetermined", "skipped", "limits_reached"}
OS = {"id", "version", "pretty_name", "codename"}
PACKAGE = {"name", "version", "purl", "type", "paths"}
VERDICT = {"vulnerability", "aliases", "package", "status", "fixed_version", "severity", "score", "explanation"}
EXPLANATION = {"advisory", "source", "ecosystem", "name", "installed", "scheme", "range", "vendor", "reason"}
#: What an explanation has besides where there is such a thing.
SOMETIMES = {"state", "remark", "vex"}
RANGE = {"introduced", "fixed", "last_affected"}
SEVERITIES = {"UNTRIAGED", "INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"}
SHAPES = ("dir", "zip", "oci", "oci-tar", "sbom")


@pytest.fixture(scope="module")
def document(targets, database) -> dict:
    return scan(targets["dir"], database)


@pytest.fixture(scope="module")
def shown(document) -> set[str]:
    """What is told of: all but what is not affected."""
    return {verdict["vulnerability"] for verdict in document["verdicts"] if verdict["status"] != "not_affected"}


def check_package(package: dict) -> None:
    assert package.keys() == PACKAGE
    assert package["purl"].startswith(f"pkg:{package['type']}/")
    assert package["name"] and package["version"]
    assert all(isinstance(path, str) and not path.startswith("/") for path in package["paths"])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_scan_has_the_documented_shape(targets, database, shape):
    document = scan(targets[shape], database)
    assert document.keys() == DOCUMENT
    assert document["target"]
    assert document["os"].keys() == OS and (document["os"]["id"], document["os"]["version"]) == ("debian", "12")
    assert {package["name"] for package in document["packages"]} == {"libssl3", "zlib1g", "requests", "lodash"}
    for package in document["packages"]:
        check_package(package)
    assert document["verdicts"]
    for verdict in document["verdicts"]:
        assert verdict.keys() == VERDICT
        assert isinstance(verdict["aliases"], list) and verdict["vulnerability"] not in verdict["aliases"]
        check_package(verdict["package"])
        assert verdict["package"] in document["packages"]
        assert verdict["status"] in ("affected", "not_affected", "undetermined")
        assert verdict["fixed_version"] is None or isinstance(verdict["fixed_version"], str)
        assert verdict["severity"] in SEVERITIES
        assert verdict["score"] is None or 0 <= verdict["score"] <= 10
        explanation = verdict["explanation"]
        assert EXPLANATION <= explanation.keys() <= EXPLANATION | SOMETIMES
        assert explanation["range"] is None or explanation["range"].keys() == RANGE
        for name in ("advisory", "source", "ecosystem", "name", "installed", "scheme", "reason"):
            assert explanation[name], name
    assert document["undetermined"] == document["skipped"] == document["limits_reached"] == []


def test_what_is_there_is_found(document):
    affected = {(v["vulnerability"], v["package"]["name"]) for v in document["verdicts"] if v["status"] == "affected"}
    for pair in [("CVE-2023-5363", "libssl3"), ("CVE-2018-18074", "requests"), ("CVE-2019-10744", "lodash")]:
        assert pair in affected


def test_what_could_not_be_judged_or_read_is_told(database, tmp_path):
    """On stdout in the document, on stderr as a line each; never as "not affected"."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text('ID=plan9\nVERSION_ID="4"\n')
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text(
        "Package: a\nStatus: install ok installed\nVersion: 1\n\n: broken\n\n"
    )
    done = run("scan", f"dir:{tmp_path}", "--advisories", database, "--format", "json")
    document = json.loads(done.stdout)
    assert document.keys() == DOCUMENT and document["verdicts"] == []
    assert document["os"]["id"] == "plan9"
    [gap] = document["undetermined"]
    assert gap.keys() == {"ecosystem", "reason", "packages"} and gap["packages"] == 1 and gap["reason"]
    for skipped in document["skipped"]:
        assert skipped.keys() == {"place", "reason"}
    assert "var/lib/dpkg/status" in " ".join(skipped["place"] for skipped in document["skipped"])
    lines = done.stderr.splitlines()
    assert len(lines) == 1 + len(document["skipped"]) and all(line.startswith("muster: ") for line in lines)


def test_a_root_without_an_operating_system_says_so(targets, database, tmp_path):
    (tmp_path / "node_modules/lodash").mkdir(parents=True)
    (tmp_path / "node_modules/lodash/package.json").write_text('{"name": "lodash", "version": "4.17.4"}')
    document = scan(f"dir:{tmp_path}", database)
    assert document["os"] is None
    assert "CVE-2019-10744" in {verdict["vulnerability"] for verdict in document["verdicts"]}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("command", ["scan", "inventory"])
def test_cyclonedx_is_valid_by_its_schema(targets, database, shown, shape, command):
    more = ["--advisories", database] if command == "scan" else []
    text = run(command, targets[shape], *more, "--format", "cyclonedx").stdout
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert fault is None, repr(fault)[:500]
    bom = json.loads(text)
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    references = [component["bom-ref"] for component in bom["components"]]
    assert len(references) == len(set(references))
    if command == "scan":
        assert {vulnerability["id"] for vulnerability in bom["vulnerabilities"]} == shown
        assert all(affects["ref"] in references for one in bom["vulnerabilities"] for affects in one["affects"])


@pytest.mark.parametrize("shape", SHAPES)
def test_sarif_says_the_same_by_its_rules(targets, database, shown, shape):
    """The constraints of SARIF 2.1.0 that code-scanning pages insist on."""
    sarif = scan(targets[shape], database, form="sarif")
    assert sarif["version"] == "2.1.0" and sarif["$schema"].endswith("sarif-schema-2.1.0.json")
    [one] = sarif["runs"]
    assert one.keys() <= {"tool", "automationDetails", "results"}
    driver = one["tool"]["driver"]
    assert driver["name"] == "muster" and driver["version"]
    rules = [rule["id"] for rule in driver["rules"]]
    assert len(rules) == len(set(rules)) and set(rules) == shown
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert 0 < float(rule["properties"].get("security-severity", "5")) <= 10
        assert len(rule["properties"]["tags"]) == len(set(rule["properties"]["tags"]))
    prints = []
    for result in one["results"]:
        assert result["ruleId"] in rules and result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        [location] = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert uri == quote(unquote(uri), safe="/~"), "a relative reference"
        prints.append(json.dumps(result["partialFingerprints"]))
        assert all(isinstance(value, str) for value in result["partialFingerprints"].values())
    assert {result["ruleId"] for result in one["results"]} == shown
    assert len(prints) == len(set(prints)), "one alert each"


def test_an_index_gives_a_run_or_a_document_for_each_platform(demo, database):
    target = f"image:{demo.registry_address}/shop/web:latest"
    keys = {"MUSTER_REGISTRY_USER": "AWS", "MUSTER_REGISTRY_PASSWORD": demo.password}

    def written(command: str, form: str):
        more = ["--advisories", database] if command == "scan" else []
        return json.loads(run(command, target, *more, "--format", form, environment=keys).stdout)

    for document in written("scan", "json"):
        assert document.keys() == DOCUMENT
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    for bom in [*written("scan", "cyclonedx"), *written("inventory", "cyclonedx")]:
        fault = validator.validate_str(json.dumps(bom))
        assert fault is None, repr(fault)[:500]
    runs = written("scan", "sarif")["runs"]
    ids = [one["automationDetails"]["id"] for one in runs]
    assert len(ids) == len(set(ids)) == 2
    table = run("scan", target, "--advisories", database, environment=keys).stdout
    assert table.count(" packages: ") == 2
