"""How right matching is, against labels: what is counted where, and what is said of the rest."""

import json
from pathlib import Path

import pytest
from harness.command_line import run
from harness.feeds import osv, zstd

COLUMNS = "Precision Recall Recall-of-all F1 Found Missed Unknown Wrong Rightly-not Undetermined Not-judged".split()
DEBIAN_IMAGE = "shop/web@sha256:" + "1" * 64
OTHER_IMAGE = "shop/api@sha256:" + "2" * 64
APK_IMAGE = "shop/tiny@sha256:" + "3" * 64


def label(package: str, version: str, vulnerability: str, says: str, image: str = OTHER_IMAGE, **more) -> str:
    """In the shape of the public labels, with a field that nobody asked for."""
    stated = {"image": {"exact": image}, "package": {"name": package, "version": version}, "tool": "somebody@1"}
    return json.dumps(stated | {"vulnerability_id": vulnerability, "label": says} | more)


#: By what each is there for.
LABELS = [
    # found, under its alias, too
    label("lodash", "4.17.4", "GHSA-jf85-cpcp-j695", "TP"),
    label("lodash", "4.17.4", "CVE-2019-10744", "TP", ecosystem="npm"),
    label("lodash", "4.17.4", "GHSA-xxxx-xxxx-xxxx", "TP", effective_cve="CVE-2019-10744"),
    # missed: it is fixed there, so the label is wrong or the record
    label("lodash", "4.17.12", "CVE-2019-10744", "TP"),
    # wrongly found, and rightly not
    label("lodash", "4.17.5", "CVE-2019-10744", "FP"),
    label("lodash", "4.17.21", "CVE-2019-10744", "FP"),
    # nobody knows; neither do we
    label("lodash", "4.17.4", "CVE-2019-10744", "??"),
    label("lodash", "latest", "CVE-2019-10744", "TP"),
    # no mark in the version, and no language knows the name
    label("left-pad", "1.0.0", "CVE-2024-1", "TP"),
    # an apk package, whose name npm knows, in an image that tells no release
    label("lodash", "4.17.4-r1", "CVE-2019-10744", "TP", image=APK_IMAGE),
    # a vulnerability that the database does not hold
    label("lodash", "4.17.4", "CVE-2099-1", "TP"),
    # a release of which nothing is known
    label("tar", "1.34-1+deb10u1", "CVE-2022-48303", "TP", ecosystem="Debian:10"),
    # Debian by its marks, also where a package of the same image has none
    label("tar", "1.34+dfsg-1+deb11u1", "CVE-2022-48303", "FP", image=DEBIAN_IMAGE),
    label("tar", "1.30-1", "CVE-2022-48303", "TP", image=DEBIAN_IMAGE),
    # by its source package
    label("libssl3", "3.0.9-1", "CVE-2023-5363", "TP", ecosystem="Debian:12",
          source={"name": "openssl", "version": "3.0.9-1"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def advisories(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("accuracy")
    records = [
        osv("GHSA-jf85-cpcp-j695", "CVE-2019-10744", "lodash", "4.17.12"),
        osv("DEBIAN-CVE-2022-48303", "CVE-2022-48303", "tar", "1.34+dfsg-1+deb11u1", "Debian:11"),
        osv("DEBIAN-CVE-2023-5363", "CVE-2023-5363", "openssl", "3.0.11-1~deb12u2", "Debian:12"),
    ]
    (folder / "records.jsonl").write_text("\n".join(json.dumps(record) for record in records))
    run("db", "build", "--from", str(folder / "records.jsonl"), "--output", str(folder / "one.advisories"))
    return str(folder / "one.advisories")


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    (path := tmp_path / "labels.jsonl").write_text("\n".join(LABELS) + "\n")
    return path


def measured(labels: Path, advisories: str, *more: str) -> tuple[dict[str, dict[str, str]], list[str]]:
    """The table by distribution, and the lines below it."""
    lines = run("accuracy", "--labels", str(labels), "--advisories", advisories, *more).stdout.splitlines()
    assert lines[0].split() == ["Distribution", *" ".join(COLUMNS).replace("-", " ").split()]
    end = next(number for number, line in enumerate(lines) if line.split()[0] == "all") + 1
    rows = [line.replace("not told", "not-told", 1).split() for line in lines[1:end]]
    table = {row[0]: dict(zip(COLUMNS, row[1:], strict=True)) for row in rows}
    return table, [line for line in lines[end:] if line]


def counts(row: dict[str, str]) -> list[int]:
    return [int(row[column]) for column in COLUMNS[4:]]


def test_each_label_is_counted_where_it_belongs(labels, advisories):
    table, _ = measured(labels, advisories)
    assert {name: counts(row) for name, row in table.items()} == {
        # found, missed, unknown, wrong, rightly not, undetermined, not judged
        "npm": [3, 1, 1, 1, 1, 1, 0],
        "not-told": [0, 0, 0, 0, 0, 0, 2],
        "Debian:10": [0, 0, 0, 0, 0, 0, 1],
        "Debian:11": [1, 0, 0, 0, 1, 0, 0],
        "Debian:12": [1, 0, 0, 0, 0, 0, 0],
        "all": [5, 1, 1, 1, 2, 1, 3],
    }
    shares = lambda name: [table[name][column] for column in COLUMNS[:4]]  # noqa: E731
    assert shares("npm") == ["0.750", "0.750", "0.600", "0.750"]
    assert shares("all") == ["0.833", "0.833", "0.714", "0.833"]
    assert shares("Debian:10") == shares("not-told") == ["-", "-", "-", "-"], "nothing to divide by"


def test_what_matching_does_not_agree_with_is_explained(labels, advisories):
    _, misses = measured(labels, advisories)
    assert misses == [
        "not found: CVE-2019-10744 in lodash 4.17.12 (npm): 4.17.12 is not before the fix 4.17.12",
        "wrongly found: CVE-2019-10744 in lodash 4.17.5 (npm): 4.17.5 is before the fix 4.17.12",
    ]
    assert measured(labels, advisories, "--misses", "1")[1] == misses[:1]
    assert measured(labels, advisories, "--misses", "0")[1] == []


def test_packed_labels_and_broken_ones(labels, advisories, tmp_path):
    (packed := tmp_path / "labels.jsonl.zst").write_bytes(zstd(labels.read_bytes()))
    assert measured(packed, advisories) == measured(labels, advisories)

    (broken := tmp_path / "broken.jsonl").write_text("\n".join([LABELS[0], "{", '{"label": "TP"}', LABELS[1]]))
    done = run("accuracy", "--labels", str(broken), "--advisories", advisories)
    assert [line.split(": ")[2].split(" is ")[0] for line in done.stderr.splitlines()] == ["line 2", "line 3"]
    assert counts(measured(broken, advisories)[0]["all"])[0] == 2

    (nothing := tmp_path / "nothing.jsonl").write_text("")
    (no_label := tmp_path / "no_label.jsonl").write_text("{}\n")
    for path in (nothing, no_label, tmp_path / "nowhere"):
        done = run("accuracy", "--labels", str(path), "--advisories", advisories, expected="failed")
        assert str(path) in done.stderr.splitlines()[-1] and not done.stdout
    run("accuracy", "--advisories", advisories, expected="usage")
