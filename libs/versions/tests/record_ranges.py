#!/usr/bin/env python3
"""Records what the schemes' own tools answer about ranges, into fixtures/ranges/<scheme>.tsv beside this file.

The tests read the recorded files and need none of the tools. To record anew:

    tests/record_ranges.py --data FOLDER [--rows N] [--seed N] [SCHEME ...]

The tools are those of `record.py`:

    npm       semver.Range, strict           pep440    packaging's SpecifierSet.contains(version, prereleases=True)
    gem       Gem::Requirement               composer  Semver::satisfies (VersionParser::parseConstraints)
    cargo     the crate semver: VersionReq   maven     VersionRange.createFromVersionSpec, containsVersion
    hex       Version.match?

A row is `RANGE<TAB>VERSION<TAB>answer`: `yes` or `no`, or `?` where the tool refuses the range or the version. Each
scheme's ranges are the hard ones by hand, and shapes filled with real versions of one package; versions are those, and
their neighbours by a suffix.

Not recorded on purpose: what is decided in another way (see the file of each grammar): Maven's bare versions, which hold
everything; Composer's branches; Maven's circles; and versions without an order or with one that differs from the tool's (see record.py).
"""

import argparse
import collections
import os
import random
import re
import tempfile

import record
from record import HERE, ask_program

SHAPES = {
    "npm": "^A|~A|>=A|>A|<A|<=A|=A|A|>=A <B|>A <=B|A - B|<A || >=B|^A || ^B|~A || B|>=A <B || >C|>= A < B|^P|~P|P|>P|<=P|>=P|<P|P - Q|P.x|P.*|=P|~> A|^ A|vA",
    "pep440": ">=A|>A|<A|<=A|==A|!=A|~=A|===A|>=A,<B|>A,<=B|>= A, != B, < C|==P.*|!=P.*|>=P|<P|~=P|>P|<=P|==P|!=P,>=A|~=P.0|>=A,==P.*",
    "gem": "~> A|>= A|> A|< A|<= A|= A|A|!= A|~> A, >= B|>= A, < B|~> P|>= P, != A|< P|~> P, < A|>A,<=B|~> P.a|>= P.a",
    "composer": "^A|~A|>=A|>A|<A|<=A|=A|A|!=A|>=A,<B|>=A <B|>A <=B|A - B|<A || >=B|^A \\| ^B|~P|^P|P.*|P.x|P - Q|>=P|<P|<=P|>P|>=A@beta|^P@dev|>=P@alpha|<P@RC|==A|<>A|P.*@dev|>= A, < B|v1.*",
    "cargo": "^A|~A|>=A|>A|<A|<=A|=A|A|>=A, <B|>A, <=B|P|^P|~P|=P|>P|>=P|<P|<=P|P.*|>=P, <Q|*|>= A, < B|=P.*|>P.*",
    "maven": "[A,B)|(A,B]|[A,B]|(A,B)|[A]|(,A]|(,A)|[A,)|(A,)|(,A],[B,)|[A,B),[C,)|(,A),(A,)|[P,Q)|(,P],[Q,)|[ A , B )|[A,B] , (C,)",
    "hex": "~> A|>= A|> A|< A|<= A|== A|A|!= A|>= A and < B|~> P|== A or ~> P|< A or > B|~> P and != A|>A and <=B|~> A or == B and != C",
}
SHAPES = {scheme: re.split(r"(?<!\\)\|(?!\|)(?<!\|\|)", shapes) for scheme, shapes in SHAPES.items()}

HARD = {
    "npm": ["", "*", "x", "X", "||", "* || 1.0.0-a", ">=0.0.0", ">=0.0.0-0", "<0.0.0-0", "^0.0.0", "^0", "^0.0", "~0", "^0.0.1-beta", "^0.1.2-beta", "~1.2.3-beta.2", "1.x.x", "1.X", "1.*", ">1.x", "<=1.x", "<1.x", ">=1.x", "=1.x",
            ">*", "<*", ">=*", "<=*", "latest", "1.x.3", ">", "^", "1.2.3.4", ">=1.0.0, <2.0.0", "01.2", "!=1.0.0", "1.2.3 - ", "- 1.2.3", "1.2.3 -2.0.0", "^1.2.3+build", "1.2.3+b || 2.0.0+c", ">=1.2.3-a <1.2.3", ">1.2.3-a <1.2.3-c || 2.0.0-x",
            "9007199254740991.0.0", "9007199254740992.0.0", "^9007199254740991", ">=1.0.0  <2.0.0", " 1.2.3 ", "v1.2.3", "=v1.2.3", "~v1.2", "^v1", "1 2", "1.2.3 1.2.4", "~1.2.x", "^x", "^1.x", "*.1", "x - 2", "1 - *", "1.2.3-a - 1.2.3-c", "1.2.3 || x", "^1.2.3-01"],
    "pep440": ["", ",", ">=1.0,", "1.0", "=1.0", "~=1", "~=1.0", "~=2.2.post3", "~=1.4.5a4", "==1.*", "==1.0.*", "!=1.*", ">=1.*", "==1.0a1.*", "==1.0+a", "!=1.0+a", "<=1.0+a", "===1.0", "===foo", "=== 1.0", "<1.0", "<1.0rc1", "<1.0.post1", "<1.0.dev1", ">1.0",
               ">1.0.post1", ">1.0rc1", ">1.0.dev1", "<0", ">=1!0", "<1!0", "==v1.0", "== 1.0 ", ">=1.0 <2.0", "^1.0", "==1.0.0.*", "~=1.0.0.0", "!=1.0.post1", "==1.0.dev1", "<=1.0", ">= 1.0 , < 2.0", "==1!1.*", "~=1!1.0"],
    "gem": ["", ">=", "~> x", "== 1.0", "=> 1.0", ">= 1.0 < 2.0", "^1.0", ">= 1.0,", ">= 0", ">= 0.a", "~> 0", "~> 1", "~> 1.0", "~> 1.0.0", "~> 1.0.a", "~> 1.a", "~> 1.0-1", "~> 1.2.3.4", "~> 9", "~> 1.99", "!= 1.0", "=1.0", ">1.0", "~>1.0", " >= 1.0 ", "< 1.0.a"],
    "composer": ["*", "x", "v*", "*.*", "^0", "^0.0", "^0.0.0", "^0.0.3", "^0.1", "~0", "~1", "~1.2.3.4", "^1.2.3.4", "~1.x-dev", "^1.x-dev", "1.x-dev", ">=1.x-dev", "<1.x-dev", "1.*.*", "1.2.3.*", "0.*", "0.0.*", "1.0-beta1", "^1.0-beta1", "~1.0-beta1", "~1.0.0-RC2",
                 "<2.0-beta2", "<2.0beta2", ">=2.0beta2", ">=1.0-", ">1.0-dev", ">=1.0@stable", ">=1.0@beta", "1.0@dev", "@dev", "*@beta", "^1.0@RC", "~>1.0", "^a", "=>1.0", "^", ">=", "1.0 - 2.0-beta1", "1.0-beta - 2.0", "1 - 2", "1.0 - 2.0.0", "^1.0+build", ">=1.0+b",
                 "!=1.0", "<>1.0", "==1.0", "==1.0 || 1.1", "1.0|1.1", "1.0||1.1", ">1.0,<2.0||>=3", ">=1,>=2", "20100102", ">=20100102", "<2010-01-02", ">=1.0-p1", "<=1.0-patch2", "~1.0-p1"],
    "cargo": ["", "*", "x", "a", ">=1.0,", "1.0 2.0", "*, 1.0", "01.0", "1.2.3.4", "==1.0.0", "!=1.0.0", "1.0-a", "1 || 2", "v1.0", "^0.0.0", "^0", "^0.0", "~0", "0.0.3", "1.*.*", "1.2.*", "1.x", "=1", "=1.2", ">1", ">1.2", "<1", "<1.2", "<=1", "<=1.2", ">=1", ">=1.2", "~1", "~1.2",
              "1.0.0-rc.1", "^1.0.0-rc.1", ">=1.0.0-rc.1, <1.0.0", "=1.0.0-a", "~1.0.0-a", "<1.0.0-b", ">1.0.0-a", "<=1.0.0-b", ">=1.0.0+b", "^0.1.0-a", "^0.0.1-a", "18446744073709551615", "18446744073709551616", ">1.*", "^1.*", ">=1.*", "<=1.*", "1.*.3", ">=1.0.0-a, <2", " 1.0 ", ">= 1.0 , < 2"],
    "maven": ["(,)", "[,]", "(1.0)", "[1.0,1.0)", "[2,1]", "[1,2],[1.5,3]", "[3,4],[1,2]", "[1,2),3", "[1.0,", "[1,2)x", "[1,2)[3,4)", "[1.0]", "(,1.0],[1.2,)", "[2.0,2.12.3),[2.13.0,2.15.0)", "[1.0-alpha,1.0]", "[1.0,2.0-SNAPSHOT)", "[1]", "(,1)"],
    "hex": ["", ">= 1.0", "~> 1", "~> 1.0", "~> 1.0.0", "~> 0.0", "~> 0.0.1", "~> 2.1.3-dev", "~> 2.0-dev", "= 1.0.0", "1.0.0 2.0.0", "1.0.0 or", "and 1.0.0", ">= 1.0.0, < 2.0.0", "^1.0.0", "~> 1.x", "== 1.0.0+b", "!= 1.0.0", "> 1.0.0-a", "< 1.0.0", "~> 1.0.0-a.1"],
}

NEIGHBOURS = {
    "npm": ["{}-0", "{}-beta.1", "{}-rc.1", "{}+b"],
    "pep440": ["{}.dev1", "{}a1", "{}rc1", "{}.post1", "{}+local", "{}.post1.dev1", "{}.0", "{}.1"],
    "gem": ["{}.a", "{}.rc1", "{}.0", "{}.1", "{}-1", "{}.0.b"],
    "composer": ["{}-dev", "{}-alpha1", "{}-beta2", "{}-RC1", "{}-p1", "{}.0", "{}.1", "v{}"],
    "cargo": ["{}-0", "{}-a", "{}-rc.1", "{}-b+c"],
    "maven": ["{}-SNAPSHOT", "{}-rc1", "{}.Final", "{}-1", "{}.0", "{}.1", "{}-jre"],
    "hex": ["{}-0", "{}-dev", "{}-rc.1", "{}+b"],
}

PLAIN = ["0.0.0", "0.0.1", "0.0.3", "0.1.0", "0.1.2", "1.0.0", "1.0.1", "1.2.0", "1.2.3", "1.2.4", "1.3.0", "1.9.9", "2.0.0", "2.1.0", "3.0.0", "0.0.0-a", "1.0.0-a", "1.0.0-b", "1.2.3-a", "1.2.3-b", "1.2.3-beta.2", "2.0.0-0", "2.0.0-x", "2.0.0-beta1"]
SHORT = ["1", "1.0", "1.1", "1.2", "2.0", "1.5", "2.12.2", "2.13.0"]
VERSIONS = {
    "npm": PLAIN,
    "cargo": PLAIN,
    "hex": PLAIN,
    "maven": PLAIN + SHORT,
    "pep440": [version for version in PLAIN if "-" not in version] + SHORT + ["1.0rc1", "1.0.dev1", "1.0.post1", "1.0+a", "1.0+a.1", "1.0.post1+a", "1.0a1", "1.0rc1.post1", "1!1.0", "2.0.dev0", "0.dev0", "1.0.post1.dev1", "1.4.5a4", "1.5.dev0", "2.2.post3", "foo"],
    "gem": [version for version in PLAIN if "-" not in version] + SHORT + ["1.a", "1.0.a", "2.a", "2.0.rc1", "1.0.1.a", "1.1.a", "0.a", "1.100", "10", "10.a", "1.0-1", "1.2.a", "bad version"],
    "composer": [version for version in PLAIN if not re.search(r"-[0x]|-beta\.", version)] + SHORT + ["1.0-beta1", "1.0-dev", "2.0-beta1", "2.0-beta2", "1.x-dev", "1.0.x-dev", "20100102", "20100103", "2010-01-02", "1.0-p1", "1.0-p2", "0.9", "2.0-RC1", "9999999-dev", "3.1", "bad version"],
}


def ask_npm(pairs):
    program = """
        const semver = require('semver');
        for (const line of require('fs').readFileSync(0, 'utf8').split('\\n').slice(0, -1)) {
            const [text, version] = line.split('\\t');
            let range = null;
            try { range = new semver.Range(text); } catch {}
            console.log(range && semver.parse(version) ? (range.test(version) ? 'yes' : 'no') : '?');
        }"""
    with tempfile.TemporaryDirectory() as folder:
        record.subprocess.run(["npm", "install", "--no-audit", "--no-fund", "semver@7"], cwd=folder, check=True, capture_output=True)
        return ask_program(["node", "-e", program], pairs, folder)


def ask_pep440(pairs):
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    for text, version in pairs:
        try:
            specifiers = SpecifierSet(text)
            if not text.startswith("==="):
                Version(version)
            yield "yes" if specifiers.contains(version, prereleases=True) else "no"
        except (InvalidSpecifier, InvalidVersion):
            yield "?"


def ask_gem(pairs):
    program = """
        $stdin.set_encoding("UTF-8")
        $stdin.each_line(chomp: true) do |line|
            text, version = line.split("\\t", -1)
            begin
                list = text.empty? ? [""] : text.split(",", -1)
                requirement = Gem::Requirement.new(list)
                puts requirement.satisfied_by?(Gem::Version.new(version)) ? "yes" : "no"
            rescue ArgumentError
                puts "?"
            end
        end"""
    return ask_program(["ruby", "-e", program], pairs, None)


def ask_composer(pairs):
    program = """
        require '/usr/share/php/Composer/Semver/autoload.php';
        while (($line = fgets(STDIN)) !== false) {
            [$text, $version] = explode("\\t", rtrim($line, "\\n"));
            try {
                echo Composer\\Semver\\Semver::satisfies($version, $text) ? 'yes' : 'no', "\\n";
            } catch (UnexpectedValueException $e) {
                echo "?\\n";
            }
        }"""
    return ask_program(["php", "-r", program], pairs, None)


def ask_cargo(pairs):
    program = """
        fn main() {
            for line in std::io::stdin().lines() {
                let line = line.unwrap();
                let (text, version) = line.split_once('\\t').unwrap();
                println!("{}", match (semver::VersionReq::parse(text), semver::Version::parse(version)) {
                    (Ok(range), Ok(version)) => if range.matches(&version) { "yes" } else { "no" },
                    _ => "?",
                });
            }
        }"""
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "src"))
        with open(os.path.join(folder, "src/main.rs"), "w") as file:
            file.write(program)
        with open(os.path.join(folder, "Cargo.toml"), "w") as file:
            file.write('[package]\nname = "answers"\nedition = "2024"\n[dependencies]\nsemver = "1"\n[workspace]\n')
        return ask_program(["cargo", "run", "--quiet"], pairs, folder)


def ask_maven(pairs):
    program = """
        import org.apache.maven.artifact.versioning.*;
        public class Answers {
            public static void main(String[] arguments) throws Exception {
                var input = new java.io.BufferedReader(new java.io.InputStreamReader(System.in, "UTF-8"));
                for (String line; (line = input.readLine()) != null; ) {
                    String[] pair = line.split("\\\\t", -1);
                    String answer = "?";
                    try {
                        VersionRange range = VersionRange.createFromVersionSpec(pair[0]);
                        answer = range.containsVersion(new DefaultArtifactVersion(pair[1])) ? "yes" : "no";
                    } catch (InvalidVersionSpecificationException e) {
                    }
                    System.out.println(answer);
                }
            }
        }"""
    jars = "/usr/share/maven/lib/maven-artifact-3.x.jar:/usr/share/maven/lib/commons-lang3.jar:/usr/share/java/commons-lang3.jar"
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "Answers.java"), "w") as file:
            file.write(program)
        return ask_program(["java", "-cp", jars, "Answers.java"], pairs, folder)


def ask_hex(pairs):
    program = """
        for line <- IO.stream(:stdio, :line) do
          [text, version] = line |> String.trim_trailing("\\n") |> String.split("\\t")
          with {:ok, text} <- Version.parse_requirement(text), {:ok, version} <- Version.parse(version) do
            IO.puts(if Version.match?(version, text), do: "yes", else: "no")
          else
            _ -> IO.puts("?")
          end
        end"""
    return ask_program(["elixir", "--erl", "+fnu", "-e", program], pairs, None)


ASK = {"npm": ask_npm, "pep440": ask_pep440, "gem": ask_gem, "composer": ask_composer, "cargo": ask_cargo, "maven": ask_maven, "hex": ask_hex}


def filled(shape, versions):
    """The shape with versions for its letters: A, B, C whole, P and Q their first one or two numbers."""
    chosen = sorted(random.choices(versions, k=3), key=lambda version: [int(number) for number in re.findall(r"\d{1,9}", version)])
    parts = dict(zip("ABC", chosen))
    for letter, version in zip("PQ", chosen):
        numbers = re.findall(r"\d+", re.match(r"[\d.]*", version.lstrip("v")).group(0)) or ["1"]
        parts[letter] = ".".join(numbers[: random.choice([1, 2, 2])])
    text = re.sub(r"\b[ABCPQ](?=\b|\.|@)|(?<=v)A", lambda match: parts[match.group(0)], shape.replace("\\", ""))
    return text, chosen


def is_recordable(scheme, text, version):
    both = f"{text} {version}"
    if "\t" in both or "\n" in both or not record.is_recordable(scheme, version):
        return False
    if scheme == "maven":
        # Red Hat's `1.0.redhat-1` stands in a circle of Maven's with pre-releases of 1.0; see maven.rs.
        if (re.search(r"\.[A-Za-z]+[.-]", both) or "-0" in version) and version.endswith(("-SNAPSHOT", "-rc1")):
            return False
        return text.startswith(("[", "(")) and not re.search(r"[${}*:\s]", version + re.sub(r"[\s,]", "", text))
    if scheme == "composer":
        return not re.search(r"dev-|master| as |\d{16}|p\d+@", both)
    if scheme == "npm":
        return not re.search(r"\d{17}", both)
    return True


def record_ranges(scheme, data, rows):
    packages = collections.defaultdict(list)
    for package, version in record.SCHEMES[scheme][0](data):
        if re.search(r"\d", version) and version not in packages[package] and len(version) < 60:
            packages[package].append(version)
    of_packages = [versions for versions in packages.values() if len(versions) > 1]
    pairs = {(text, version) for text in HARD[scheme] for version in random.sample(VERSIONS[scheme], min(16, len(VERSIONS[scheme])))}
    while len(pairs) < rows:
        versions = random.choice(of_packages + [VERSIONS[scheme]] * (len(of_packages) // 2 + 1))
        text, chosen = filled(random.choice(SHAPES[scheme]), versions)
        near = random.choice(NEIGHBOURS[scheme]).format(random.choice(chosen))
        pairs.add((text, random.choice([random.choice(versions), random.choice(chosen), near])))
    pairs = sorted(pair for pair in pairs if is_recordable(scheme, *pair))
    os.makedirs(os.path.join(HERE, "fixtures/ranges"), exist_ok=True)
    answers = collections.Counter()
    with open(os.path.join(HERE, "fixtures/ranges", f"{scheme}.tsv"), "w") as file:
        for (text, version), answer in zip(pairs, ASK[scheme](pairs)):
            file.write(f"{text}\t{version}\t{answer}\n")
            answers[answer] += 1
    print(scheme, answers)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", required=True, help="folder of the advisory archives")
    arguments.add_argument("--rows", type=int, default=2400, help="rows a scheme (2400)")
    arguments.add_argument("--seed", type=int, default=1, help="of the choice of rows (1)")
    arguments.add_argument("schemes", nargs="*", help="all when none is named")
    chosen = arguments.parse_args()
    for scheme in chosen.schemes or ASK:
        random.seed(f"{scheme} {chosen.seed}")
        record_ranges(scheme, chosen.data, chosen.rows)


if __name__ == "__main__":
    main()
