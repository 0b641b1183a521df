#!/usr/bin/env python3
"""Records what the version schemes' own tools answer, into fixtures/<scheme>.tsv beside this file.

The tests read the recorded files and need none of the tools. To record anew:

    tests/record.py --data FOLDER [--rows N] [--seed N] [SCHEME ...]

FOLDER holds the advisory archives from which real version strings are taken. What each scheme needs:

    deb     dpkg                      dpkg --compare-versions; a warning about bad syntax counts as a refusal
    pep440  Python with `packaging`   packaging.version.Version
    npm     node and npm              the package `semver`, strict (no `loose`)
    cargo   cargo                     the crate `semver`: Version::parse and cmp_precedence
    go      go, 1.22 or later         golang.org/x/mod/semver for modules (the copy that go is built with), go/version
                                      for toolchains (`go...`)

A row is `A<TAB>B<TAB>answer`: `<`, `>` or `=` for what the tool says of A against B. `?` means that it refuses the
version, which then stands in both columns; a version that it reads has a row against itself, too. Each scheme's rows
are the hard ones by hand (each against each), real versions of one package in pairs, real versions of different
packages in pairs, and random strings over the scheme's alphabet.

Two answers are not recorded on purpose. node-semver rounds pre-release numbers above 2^53, and go/version does not
know what a module is: these are decided and tested in npm.rs and go.rs.
"""

import argparse
import collections
import io
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

HARD = {
    "deb": """1.0|1|0|00|1.|1.0-0|1.0-00|1.0-1|0:1.0|00:1.0|1:1.0|1:0.1|1.0~|1.0~~|1.0~~a|1.0~rc1|1.0~rc1-1|1.0a|1.0Z|1.0+|1.0-a|1.0-~
        |1.0.|1.0:1|1:2:3|1.0-rc1-2|1.0-2|1.0+dfsg-1|1.0+b1|1.0-1+b1|1.0-1~bpo11+1|1.0-1+deb12u1|1.0-1+deb12u10|1.0-1+deb12u9
        |1.0-1ubuntu1|1.0-1build1|1.10|1.9|1.09|2147483647:1|2147483648:1|99999999999999999999:1|-1:1|+1:1|:1|a:1|1:|1.0-|-1|~1|a1|unknown
        |1_0|1 0| 1.0|1.0 |1.0-1_1|1.0-1:1|1:1.0-1:1|1.0é|1.0/2|1.0,2|1.0a0|1.0a|1.0a~|1.0.a|1.0.+|1.0.~|1.0~1|1.0~a~b
        |1.20230101000000000000000000|1.20230101000000000000000001|0.0000000000000000000000000000001|1:1.2.11.dfsg-2+b1|1-1-1-1|1+-+|1--1""",
    "pep440": """1|1.0|1.0.0|01.0|v1.0|V1.0| 1.0 |0|0.0|1!0|0!1|1!1.0|01!1|1.0a|1.0a0|1.0alpha|1.0-alpha.1|1.0_ALPHA_1|1.0a1|1.0.a1|1.0b1|1.0beta1
        |1.0c1|1.0rc1|1.0pre1|1.0preview1|1.0.PRE-1|1.0rc01|1.0rc10|1.0.post|1.0.post0|1.0post1|1.0-1|1.0-r1|1.0rev1|1.0_rev_1|1.0.post.1|1.0.dev
        |1.0dev0|1.0.dev1|1.0-DEV|1.0a1.dev1|1.0a1.post1|1.0a1.post1.dev1|1.0a1-1|1.0a-1|1.0a-|1.0a.|1.0.post1.dev1|1.0.post-dev|1.0+a|1.0+A|1.0+1
        |1.0+01|1.0+10|1.0+9|1.0+a.1|1.0+a-1|1.0+a_1|1.0+1.a|1.0+1a|1.0+ubuntu.1|1.0.0+1|1.0.dev1+1|1.1|1.0.1|1.0.0.0.1|1.10|2022.12.7|2022.12.07
        |1.0a--1|1.0rcr1|1.0post-|1.0_1|1.0--1|1.0-|1.0.|1..0|.1|1.0+|1.0+a..b|1.0+a+b|1.0-1-1|1.0rc1a1|1.0.x|unknown||vv1|v|1 .0|a!1|!1|1!|1!2!3
        |1.0.post.-1|1.0.post.1.2|1.0re1|1.0prev1|1.0al1|1.0p1|1.0é|1.0-20200101-1|99999999999999999999.1|99999999999999999998.1|1.*|>=1.0|1.0r-c""",
    "npm": """0.0.0|0.0.1|1.0.0|v1.0.0|V1.0.0|=1.0.0|=v1.0.0| 1.0.0|1.0.0 |v 1.0.0|vv1.0.0|1.0.0-0|1.0.0-1|1.0.0-10|1.0.0-2|1.0.0-a|1.0.0-A|1.0.0-alpha
        |1.0.0-alpha.1|1.0.0-alpha.beta|1.0.0-beta|1.0.0-beta.2|1.0.0-beta.11|1.0.0-rc.1|1.0.0-rc1|1.0.0-rc10|1.0.0--|1.0.0---|1.0.0--1|1.0.0-a-b|1.0.0-a.-
        |1.0.0-0a|1.0.0-00a|1.0.0-01|1.0.0-1.01|1.0.0-1.0|1.0.0-1.|1.0.0-.1|1.0.0-a..b|1.0.0-|1.0.0+|1.0.0+1|1.0.0+01|1.0.0+a.b|1.0.0+a..b|1.0.0+a+b
        |1.0.0-a+b-c|1.0.0+b-c|1.0.0-a_b|1.0.0alpha|1.0.0.0|1.0|1||*|x|latest|1.x|01.0.0|1.00.0|1.0.00|1.10.0|1.9.0|2.0.0|9007199254740991.0.0
        |9007199254740992.0.0|1.0.9007199254740991|1.0.99999999999999999999|1.0.0-é|1.0.0-4.5.6.7|1.0.0-4.5.6|1.0.0-4.5.6.a|^1.0.0|1.0.0-20230101120000""",
    "cargo": """0.0.0|0.0.1|1.0.0|v1.0.0|=1.0.0| 1.0.0|1.0.0 |1.0.0-0|1.0.0-1|1.0.0-10|1.0.0-2|1.0.0-a|1.0.0-A|1.0.0-alpha|1.0.0-alpha.1|1.0.0-alpha.beta
        |1.0.0-beta|1.0.0-beta.2|1.0.0-beta.11|1.0.0-rc.1|1.0.0-rc1|1.0.0-rc10|1.0.0--|1.0.0--1|1.0.0-a-b|1.0.0-0a|1.0.0-01|1.0.0-1.|1.0.0-.1|1.0.0-a..b
        |1.0.0-|1.0.0+|1.0.0+1|1.0.0+01|1.0.0+a.b|1.0.0+a..b|1.0.0+a+b|1.0.0-a+b-c|1.0.0-a_b|1.0.0alpha|1.0.0.0|1.0|1||*|01.0.0|1.00.0|1.10.0|1.9.0
        |18446744073709551615.0.0|18446744073709551616.0.0|1.0.0-18446744073709551616|1.0.0-18446744073709551617|1.0.0-9007199254740992
        |1.0.0-9007199254740993|1.0.0-é|111.25.0+1.1.1t|111.24.0+1.1.1s|0.9.3+1.1.1k|0.9.3+3.0.0""",
    "go": """v1|v1.0|v1.0.0|v1.2|v1.2.0|v1.2.3|v1.2.4|v1.2.3-pre|v1.2.3-pre.0.20191109021931-daa7c04131f5|v1.2.4-0.20191109021931-daa7c04131f5
        |v0.0.0-20190308221718-c2843e01d9a2|v0.0.0-20200622213623-75b288015ac9|v0.0.0|v2.0.0+incompatible|v2.0.0|v2.0.1-0.20200101000000-abcdefabcdef+incompatible
        |v1.2-pre|v1-pre|v1.2+build|v01.2.3|v1.02.3|v1.2.3-01|v1.2.3-|v1.2.3+|v1.2.3-a..b|v1.2.3-a_b|v|v1.|v1.2.|v1.2.3.4|V1.2.3|v1.2.3-rc.1|v1.2.3-rc1
        |v1.2.3-0|v1.2.3-A|v1.2.3-a|v1.2.3--|v99999999999999999999.0.0|v99999999999999999998.0.0|v1.99999999999999999999|1.2.3|1.2.3-0|1.21.0-0|1.21.0-rc.2|1.21.0
        |go1|go1.0|go1.2|go1.2.2|go1.5|go1.18beta1|go1.18beta2|go1.18rc1|go1.18|go1.18.1|go1.18.10|go1.18.9|go1.20|go1.20rc1|go1.20.0|go1.21|go1.21rc1|go1.21rc2
        |go1.21rc10|go1.21.0|go1.21.3|go1.22-custom|go1.22.1-custom|go1.22.1|go1.21rc2-bigcorp|go1.21rc|go1.21alpha1|go1.21.0rc1|go1.9.2rc2|go1.21RC1|go1.21rc02
        |go1.01|go01.1|go1.|go1.21.|go1.2.3.4|go|go1.21-|go2|go1.99999999999999999999|go1.21.99999999999999999999|gov1.2.3|go1.21rc1.2|go1x|go1rc1|go1.21a1b1""",
}

ALPHABET = {
    "deb": ["0", "1", "10", "09", "a", "b", "Z", "~", "+", "-", ".", ":", "_", "~~", "+b1"],
    "pep440": ["0", "1", "10", "01", ".", "-", "_", "!", "+", "a", "b", "rc", "c", "alpha", "BETA", "pre", "preview", "post", "r", "rev", "dev", "v", " "],
    "npm": ["0", "1", "10", "01", ".", ".", "-", "+", "a", "Z", "v", "1.0.0", "1.0.0-", "2.1.3-rc.", "="],
    "cargo": ["0", "1", "10", "01", ".", ".", "-", "+", "a", "Z", "1.0.0", "1.0.0-", "2.1.3-rc."],
    "go": ["0", "1", "10", "01", ".", ".", "-", "+", "a", "rc", "beta", "v1.0.0", "v1.2.", "v1.0.0-", "go1.", "go1.21", "go1.20", "v", "go"],
}


def lines(data, name):
    """The lines of a compressed file."""
    return subprocess.run(["zstd", "-dc", "--long=27", os.path.join(data, name)], check=True, capture_output=True).stdout.decode().splitlines()


def texts(data, name, ending):
    """The text of the files in a compressed archive whose path has that ending."""
    raw = subprocess.run(["zstd", "-dc", "--long=27", os.path.join(data, name)], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        for member in archive:
            if member.isfile() and member.name.endswith(ending):
                yield archive.extractfile(member).read().decode(errors="replace")


LOCK_FILES = ["lockfile-fixtures-osv-scalibr.tar.zst", "lockfile-fixtures-osv-scanner.tar.zst"]
SEMVER = r"v?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?"


def real_deb(data):
    with open("/var/lib/dpkg/status") as status:
        for version in re.findall(r"^Version: (.*)$", status.read(), re.M):
            yield version, version
    for text in texts(data, "debian-security-tracker-2023.tar.zst", "/list"):
        yield from re.findall(r"^\s*\[\w+\] - (\S+) ([^\s<(]\S*)", text, re.M)


def real_pep440(data):
    for text in texts(data, "pypa-advisory-database.tar.zst", ".yaml"):
        name = re.search(r"^\s*name: (\S+)", text, re.M)
        for version in re.findall(r"^\s*- ['\"]?([^'\":\s]*\d[^'\":\s]*)['\"]?$", text, re.M):
            if not version.startswith(("CVE-", "GHSA-", "PYSEC-", "SNYK-", "BIT-", "http")):
                yield name.group(1) if name else "", version


def real_npm(data):
    for line in lines(data, "nodejs-security-wg-npm.jsonl.zst"):
        record = json.loads(line)
        text = json.dumps([record.get("vulnerable_versions"), record.get("patched_versions"), record])
        for version in re.findall(SEMVER, text):
            yield str(record.get("module_name")), version
    for archive in LOCK_FILES:
        for text in texts(data, archive, "package-lock.json"):
            for name, version in re.findall(r'"([^"]+)": \{\s*"version": "([^"]+)"', text):
                yield name, version


def real_cargo(data):
    for text in texts(data, "rustsec-advisory-db.tar.zst", ".md"):
        name = re.search(r'^package = "([^"]+)"', text, re.M)
        for line in re.findall(r"^(?:patched|unaffected) = (.*)$", text, re.M):
            for version in re.findall(r"\d[0-9A-Za-z.+-]*", line):
                yield name.group(1) if name else "", version
    for archive in LOCK_FILES:
        for text in texts(data, archive, "Cargo.lock"):
            yield from re.findall(r'name = "([^"]+)"\s*version = "([^"]+)"', text)


def real_go(data):
    for line in lines(data, "go-vulndb-osv.jsonl.zst"):
        for affected in json.loads(line).get("affected", []):
            for events in affected.get("ranges", []):
                for event in events["events"]:
                    for version in event.values():
                        if version != "0":
                            yield affected["package"]["name"], version
    for archive in LOCK_FILES:
        for text in texts(data, archive, "go.mod"):
            yield from re.findall(r"^\s*(?:require )?(\S+\.\S+/\S+) (v\S+)", text, re.M)
    for text in texts(data, "endoflife-date.tar.zst", "/go.md"):
        for version in re.findall(r'"?(1\.\d+(?:\.\d+)?)"?\s*$', text, re.M):
            yield "toolchain", "go" + version
    for minor in range(1, 27):
        for suffix in ["", "beta1", "rc1", "rc2", ".1", ".12"] + ([".0"] if minor >= 21 else []):
            yield "toolchain", f"go1.{minor}{suffix}"


def ask_deb(pairs):
    for a, b in pairs:
        answer = "?"
        for operator, sign in [("lt", "<"), ("eq", "="), ("gt", ">")]:
            done = subprocess.run(["dpkg", "--compare-versions", a, operator, b], capture_output=True, text=True)
            # dpkg reads the empty string as "no version", which is none.
            if done.returncode > 1 or done.stderr or not a.strip() or not b.strip():
                break
            if done.returncode == 0:
                answer = sign
                break
        yield answer


def ask_pep440(pairs):
    from packaging.version import InvalidVersion, Version

    for a, b in pairs:
        try:
            a, b = Version(a), Version(b)
            yield "<" if a < b else ">" if a > b else "="
        except InvalidVersion:
            yield "?"


def ask_program(command, pairs, cwd):
    """A program that reads tab-separated pairs and answers each in a line."""
    text = "".join(f"{a}\t{b}\n" for a, b in pairs)
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=cwd).stdout.splitlines()


def ask_npm(pairs):
    program = """
        const semver = require('semver');
        for (const line of require('fs').readFileSync(0, 'utf8').split('\\n').slice(0, -1)) {
            const [a, b] = line.split('\\t').map(version => semver.parse(version));
            console.log(a && b ? '<=>'[semver.compare(a, b) + 1] : '?');
        }"""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "semver@7"], cwd=folder, check=True, capture_output=True)
        return ask_program(["node", "-e", program], pairs, folder)


def ask_cargo(pairs):
    program = """
        fn main() {
            for line in std::io::stdin().lines() {
                let line = line.unwrap();
                let (a, b) = line.split_once('\\t').unwrap();
                let answer = match (semver::Version::parse(a), semver::Version::parse(b)) {
                    (Ok(a), Ok(b)) => ["<", "=", ">"][(a.cmp_precedence(&b) as i8 + 1) as usize],
                    _ => "?",
                };
                println!("{answer}");
            }
        }"""
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "src"))
        with open(os.path.join(folder, "src/main.rs"), "w") as file:
            file.write(program)
        with open(os.path.join(folder, "Cargo.toml"), "w") as file:
            file.write('[package]\nname = "answers"\nedition = "2024"\n[dependencies]\nsemver = "1"\n[workspace]\n')
        return ask_program(["cargo", "run", "--quiet"], pairs, folder)


def ask_go(pairs):
    program = """package main
        import (
            "bufio"
            "fmt"
            "go/version"
            "os"
            "strings"
            "answers/semver"
        )
        func main() {
            lines := bufio.NewScanner(os.Stdin)
            for lines.Scan() {
                pair := strings.SplitN(lines.Text(), "\\t", 2)
                compare, valid := semver.Compare, semver.IsValid
                if strings.HasPrefix(pair[0], "go") {
                    compare, valid = version.Compare, version.IsValid
                } else {
                    for i := range pair {
                        if !strings.HasPrefix(pair[i], "v") {
                            pair[i] = "v" + pair[i] // as OSV leaves it out
                        }
                    }
                }
                if valid(pair[0]) && valid(pair[1]) {
                    fmt.Println(string("<=>"[compare(pair[0], pair[1])+1]))
                } else {
                    fmt.Println("?")
                }
            }
        }"""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "main.go"), "w") as file:
            file.write(program)
        with open(os.path.join(folder, "go.mod"), "w") as file:
            file.write("module answers\ngo 1.22\n")
        root = subprocess.run(["go", "env", "GOROOT"], check=True, capture_output=True, text=True).stdout.strip()
        shutil.copytree(os.path.join(root, "src/cmd/vendor/golang.org/x/mod/semver"), os.path.join(folder, "semver"))
        return ask_program(["go", "run", "."], pairs, folder)


SCHEMES = {
    "deb": (real_deb, ask_deb),
    "pep440": (real_pep440, ask_pep440),
    "npm": (real_npm, ask_npm),
    "cargo": (real_cargo, ask_cargo),
    "go": (real_go, ask_go),
}


def kind(version):
    """Go's modules and toolchains are never put in one question."""
    return version.startswith("go")


def is_recordable(scheme, version):
    rounded = scheme == "npm" and any(int(number) >= 2**53 for number in re.findall(r"\d+", version.partition("-")[2]))
    # Without `v` and three numbers it is a toolchain for us, which golang.org/x/mod/semver does not know.
    short = scheme == "go" and not version.startswith(("v", "go")) and version.count(".") < 2
    return not (rounded or short or "\t" in version or "\n" in version)


def record(scheme, data, rows):
    real, ask = SCHEMES[scheme]
    packages = collections.defaultdict(list)
    for package, version in real(data):
        if version not in packages[package]:
            packages[package].append(version)
    hard = [version.strip("\n") for version in re.split(r"\n? {8}\||\|", HARD[scheme])]
    random_strings = ["".join(random.choices(ALPHABET[scheme], k=random.randint(1, 6))) for _ in range(rows // 4)]

    pairs = [(a, b) for a, b in itertools.combinations(hard, 2)]
    of_one_package = [pair for versions in packages.values() for pair in itertools.pairwise(versions)]
    pairs += random.sample(of_one_package, min(rows // 3, len(of_one_package)))
    every = sorted({version for versions in packages.values() for version in versions})
    pairs += [tuple(random.sample(every, 2)) for _ in range(rows // 3)]

    alone = sorted({version for version in hard + random_strings + [version for pair in pairs for version in pair] if is_recordable(scheme, version)})
    readable = [version for version, answer in zip(alone, ask([(version, version) for version in alone])) if answer == "="]
    known = set(readable)
    random_readable = [version for version in random_strings if version in known]
    pairs += [tuple(random.choices(random_readable, k=2)) for _ in range(rows // 4)]
    pairs = [random.choice([(a, b), (b, a)]) for a, b in pairs if a in known and b in known and a != b and kind(a) == kind(b)]
    pairs = sorted(set(random.sample(pairs, min(rows, len(pairs)))))

    path = os.path.join(HERE, "fixtures", f"{scheme}.tsv")
    with open(path, "w") as file:
        others = [version for version in alone if version not in hard]
        chosen = [version for version in alone if version in hard] + random.sample(others, min(rows // 2, len(others)))
        itself = [(version, version, "=" if version in known else "?") for version in chosen]
        answered = [(a, b, answer) for (a, b), answer in zip(pairs, ask(pairs))]
        for row in sorted(set(itself + answered)):
            file.write("\t".join(row) + "\n")
    with open(path) as file:
        print(scheme, collections.Counter(line[-2] for line in file))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", required=True, help="folder of the advisory archives")
    arguments.add_argument("--rows", type=int, default=2400, help="pairs of different versions a scheme (2400)")
    arguments.add_argument("--seed", type=int, default=1, help="of the choice of rows (1)")
    arguments.add_argument("schemes", nargs="*", help="all when none is named")
    chosen = arguments.parse_args()
    for scheme in chosen.schemes or SCHEMES:
        random.seed(f"{scheme} {chosen.seed}")
        record(scheme, chosen.data, chosen.rows)


if __name__ == "__main__":
    main()
