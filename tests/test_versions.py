"""Versions, ranges, package URLs and CVSS vectors: a line in, a line out, thousands in one call."""

import json
import re
from pathlib import Path

import pytest
from harness.command_line import run

DOCS = Path(__file__).resolve().parent.parent / "docs"

#: Scheme, the lesser, the greater: what only this scheme orders so.
ORDERS = [
    ("deb", "1.0~rc1", "1.0"),
    ("deb", "9", "1:1"),
    ("rpm", "1.0-1.el9", "1.0^git1-1.el9"),
    ("rpm", "1.0~rc1", "1.0"),
    ("apk", "1.0_rc1", "1.0"),
    ("apk", "1.0-r9", "1.0-r10"),
    ("alpm", "1.0rc1-1", "1.0-1"),
    ("pep440", "1.0.dev1", "1.0a1"),
    ("pep440", "1.0", "1.0.post1"),
    ("npm", "1.0.0-beta.2", "1.0.0-beta.11"),
    ("cargo", "1.0.0-rc.1", "1.0.0"),
    ("go", "v0.0.0-20190308221718-c2843e01d9a2", "v0.0.1"),
    ("go", "go1.21rc2", "go1.21.0"),
    ("hex", "1.0.0-a", "1.0.0"),
    ("pub", "1.0.0", "1.0.0+1"),
    ("swift", "v1.9.0", "1.10.0"),
    ("maven", "1.0-alpha-1", "1.0"),
    ("maven", "1.0", "1.0-sp-1"),
    ("gem", "1.0.pre1", "1.0"),
    ("nuget", "1.0-beta.2", "1.0.0.0"),
    ("composer", "1.0-RC1", "1.0"),
    ("conan", "1.1.1", "1.1.1w"),
    ("cran", "1.0", "1.0-1"),
    ("hackage", "1.0", "1.0.0"),
    ("bitnami", "1.2.3", "1.2.3-1"),
    ("openssl", "1.0.2z", "1.0.2za"),
    ("windows", "10.0.17763.5000", "10.0.17763.5122"),
    ("generic", "1.9", "1.10"),
]

#: Scheme, range, what is in it, what is not.
RANGES = [
    ("npm", "^1.2.3 || >=3.0.0", "1.9.0", "2.0.0"),
    ("npm", ">=1.0.0", "1.0.0", "1.1.0-rc.1"),  # a pre-release only beside one of the same numbers
    ("cargo", "1.2", "1.9.0", "2.0.0"),
    ("pep440", "~=1.4.2", "1.4.9", "1.5"),
    ("pep440", "<1.0", "0.9.post1", "1.0rc1"),
    ("gem", "~> 1.2.3, != 1.2.5", "1.2.4", "1.2.5"),
    ("composer", "^1.2 | 3.*", "3.1", "2.0"),
    ("maven", "(,1.0],[1.2,)", "1.0", "1.1"),
    ("nuget", "[1.0,2.0)", "1.0.0", "2.0"),
    ("hex", "~> 2.0.1", "2.0.9", "2.1.0"),
    ("pub", "^1.2.3", "1.9.0", "2.0.0"),
    ("swift", "1.0.0..<2.0.0", "1.9.9", "2.0.0"),
    ("deb", ">> 1.0", "1.0-1", "1.0"),
    ("rpm", ">= 1.0", "1.0-1.el9", "0.9-1.el9"),
    ("apk", ">=1.2 <2.0", "1.2_p1", "1.2_rc1"),
    ("npm", "vers:deb/>=1.0|<2.0", "1.0-1", "2.0"),  # `vers:` names its scheme itself
    ("deb", "vers:pypi/!=1.0", "1.0.post1", "1.0"),
    ("generic", "vers:npm/*", "7.0.0", None),
]


def schemes() -> list[str]:
    return run("version", "schemes").stdout.split()


def test_every_scheme_is_documented_and_tried_here():
    rows = re.findall(r"^\| ([a-z0-9]+) \|", (DOCS / "versions.md").read_text().split("## Ranges")[0], re.MULTILINE)
    assert sorted(row for row in rows if row != "scheme") == sorted(schemes())
    assert {scheme for scheme, *_ in ORDERS} == set(schemes())


@pytest.mark.parametrize(("scheme", "less", "greater"), ORDERS)
def test_a_version_is_ordered_by_its_schemes_own_rule(scheme, less, greater):
    lines = f"{less}\t{greater}\n{greater}\t{less}\n{less}\t{less}\n"
    assert run("version", "compare", "--scheme", scheme, stdin=lines).stdout == "<\n>\n=\n"


@pytest.mark.parametrize(
    ("scheme", "what"),
    [
        ("deb", "1 0"),
        ("npm", "1.0"),
        ("pep440", "latest"),
        ("windows", "KB5031356"),
        ("openssl", "1.1.1k-7.el8"),
        ("composer", "dev-main"),
        ("maven", "${project.version}"),
        ("apk", "1.0_foo"),
        ("generic", "unknown"),
        ("rpm", ""),
        pytest.param("deb", "é" * 3000, id="deb-long"),
    ],
)
def test_what_is_no_version_has_no_order_and_lies_in_no_range(scheme, what):
    lines = f"{what}\t1.0.0\n1.0.0\t{what}\n{what}\t{what}\n1.0.0\t1.0.0\n"
    assert run("version", "compare", "--scheme", scheme, stdin=lines).stdout.split() == ["?", "?", "?", "="]
    answer = run("version", "contains", "--scheme", scheme, stdin=f"vers:all/*\t1.0.0\nvers:{scheme}/>=1.0.0\t{what}\n")
    assert answer.stdout.split()[1] == "?"


@pytest.mark.parametrize(("scheme", "text", "within", "outside"), RANGES)
def test_a_range_is_read_as_its_scheme_writes_it(scheme, text, within, outside):
    lines = "".join(f"{text}\t{version}\n" for version in (within, outside) if version)
    expected = ["yes", "no"][: 1 if outside is None else 2]
    assert run("version", "contains", "--scheme", scheme, stdin=lines).stdout.split() == expected


def test_what_is_no_range_holds_nothing_that_anybody_knows():
    broken = [("npm", ">=a b"), ("maven", "1.0"), ("deb", "< 1.0"), ("npm", "vers:npm/<2.0.0|>=3.0.0|>=1.0.0")]
    broken += [("npm", "vers:nonsense/1"), ("npm", "vers:npm"), ("composer", "dev-main"), ("pep440", "=>1")]
    for scheme, text in broken:
        answer = run("version", "contains", "--scheme", scheme, stdin=f"{text}\t1.0.0\n").stdout
        assert answer == "?\n", (scheme, text)


def test_thousands_of_lines_are_answered_in_their_order():
    count = 20_000
    versions = [f"{number // 100}.{number % 100}.0" for number in range(count)]
    lines = "".join(f"{left}\t{right}\n" for left, right in zip(versions, versions[1:] + versions[:1], strict=True))
    signs = run("version", "compare", "--scheme", "npm", stdin=lines).stdout.split()
    assert signs == ["<"] * (count - 1) + [">"]

    # More ranges than are kept, each asked again later.
    asked = [(f">={number % 3000}.0.0", f"{number % 5000}.0.0") for number in range(count)]
    lines = "".join(f"{text}\t{version}\n" for text, version in asked)
    answers = run("version", "contains", "--scheme", "cargo", stdin=lines).stdout.split()
    assert answers == ["yes" if number % 5000 >= number % 3000 else "no" for number in range(count)]

    names = [f"pkg:npm/package-{number}@{number}.0.0" for number in range(count)]
    read = [json.loads(line) for line in run("purl", "parse", stdin="\n".join(names)).stdout.splitlines()]
    assert [one["purl"] for one in read] == names
    built = run("purl", "build", stdin="\n".join(json.dumps(one) for one in read)).stdout.splitlines()
    assert built == names

    vectors = ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "nonsense"] * (count // 2)
    scored = [json.loads(line) for line in run("cvss", "score", stdin="\n".join(vectors)).stdout.splitlines()]
    assert [one.get("score") for one in scored] == [9.8, None] * (count // 2)


def test_a_line_of_another_shape_is_named_and_the_answers_before_it_stand():
    for command, good, answer in [
        (("version", "compare", "--scheme", "deb"), "1\t2\n", "<\n"),
        (("version", "contains", "--scheme", "npm"), "^1.0.0\t1.0.0\n", "yes\n"),
    ]:
        for broken in ("no tab", ""):
            done = run(*command, stdin=good * 3 + broken + "\n" + good, expected="failed")
            assert done.stdout == answer * 3
            assert len(done.stderr.splitlines()) == 1 and "line 4" in done.stderr
    long = run("version", "compare", "--scheme", "deb", stdin="1\t2\n" + "1" * 70_000 + "\t1\n", expected="failed")
    assert long.stdout == "<\n" and "line 2" in long.stderr
    for command in (("purl", "parse"), ("purl", "build"), ("cvss", "score")):
        done = run(*command, stdin="\nnonsense\n\x00\n[]\n")
        assert [json.loads(line).keys() for line in done.stdout.splitlines()] == [{"error"}] * 4, command
        assert all(json.loads(line)["error"] for line in done.stdout.splitlines())


def test_a_package_url_is_taken_apart_and_comes_back_canonical():
    line = "pkg:NPM/%40Scope/name@1.0.0-rc.1+b?Vcs_Url=git%2Bhttps://x&a=#./src//lib/"
    one = json.loads(run("purl", "parse", stdin=line).stdout)
    assert one.keys() == {"type", "namespace", "name", "version", "qualifiers", "subpath", "purl"}
    assert (one["type"], one["name"], one["version"]) == ("npm", "name", "1.0.0-rc.1+b")
    assert one["namespace"].lower() == "@scope" and one["subpath"] == "src/lib"
    assert one["qualifiers"] == {"vcs_url": "git+https://x"}, "an empty one is none"
    again = json.loads(run("purl", "parse", stdin=one["purl"]).stdout)
    assert again == one
    assert run("purl", "build", stdin=json.dumps(one)).stdout.strip() == one["purl"]

    for line, canonical in [
        ("pkg:pypi/Foo_Bar@1.0", "pkg:pypi/foo-bar@1.0"),
        ("pkg:golang/google.golang.org/genproto@v1#/a/b", "pkg:golang/google.golang.org/genproto@v1#a/b"),
        ("pkg:deb/Debian/curl@7.50-1?distro=jessie&arch=i386", "pkg:deb/debian/curl@7.50-1?arch=i386&distro=jessie"),
    ]:
        assert json.loads(run("purl", "parse", stdin=line).stdout)["purl"] == canonical
    wrong = ["npm/a", "pkg:npm", "pkg:/a", "pkg:n pm/a", "pkg:npm/a@%zz", "pkg:npm/a?=b", "pkg:npm/", "https://a/b"]
    answers = run("purl", "parse", stdin="\n".join(wrong)).stdout.splitlines()
    assert [line for line, answer in zip(wrong, answers, strict=True) if "error" not in json.loads(answer)] == []


@pytest.mark.parametrize(
    ("vector", "version", "base", "temporal", "environmental", "score", "severity"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "3.1", 9.8, None, None, 9.8, "CRITICAL"),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "3.0", 6.1, None, None, 6.1, "MEDIUM"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "3.1", 0.0, None, None, 0.0, "NONE"),
        # CVE-2002-0392 of the guide to version 2, with its three scores
        (
            "AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:H",
            "2.0", 7.8, 6.4, 9.2, 9.2, "HIGH",
        ),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "4.0", 9.3, None, None, 9.3, "CRITICAL"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", "4.0", 10.0, None, None, 10.0, "CRITICAL"),
    ],
)  # fmt: skip
def test_a_vector_has_the_scores_of_its_specification(vector, version, base, temporal, environmental, score, severity):
    one = json.loads(run("cvss", "score", stdin=vector).stdout)
    assert one == {
        "version": version,
        "base": base,
        "temporal": temporal,
        "environmental": environmental,
        "score": score,
        "severity": severity,
    }


def test_what_is_no_vector_is_an_error_and_no_score():
    vectors = ["CVSS:3.1/AV:N", "CVSS:9.9/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV:N/AC:L/Au:N/C:N/I:N"]
    vectors += [f"CVSS:3.1/{twice}/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" for twice in ("AV:X", "AV:N/AV:N")]
    answers = [json.loads(line) for line in run("cvss", "score", stdin="\n".join(vectors)).stdout.splitlines()]
    assert [answer.keys() for answer in answers] == [{"error"}] * len(vectors)
