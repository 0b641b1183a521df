"""Muster beside its peers on the same input and the same advisories: whole processes, and what they find.

    python benches/peers.py --rustsec ADVISORY-DB --lock Cargo.lock [--runs N]
    python benches/peers.py --govulndb OSV-RECORDS --program PROGRAM [--runs N]

Needs the standard library alone; `MUSTER_BINARY` names the program under test, `CARGO_AUDIT` and `GOVULNCHECK` the
peers where they are not in the PATH. A peer that is not there is named and Muster is measured alone.

- `--rustsec` is RustSec's advisory-db as a `.tar.zst`; cargo-audit gets it as the git repository that it wants.
- `--govulndb` is Go's vulnerability database as one OSV record a line, `.zst`; govulncheck gets it as the folder that
  vuln.go.dev serves, in the layout of today and in that of before 2023.

Muster's advisory file is built of the same records beforehand, as the peers' copies are: neither is in the times. Both
programs run in turn, after one round that is not counted, so that files are in the page cache and a busy machine is
busy for both. cargo-audit runs as it does by default and once more without its look at yanked versions, which Muster
has no counterpart to. Peak memory counts mapped pages of files, too. Where the findings differ, each difference is printed
with what is known of it; nothing is asserted.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

#: A package and an advisory's identifier.
Finding = tuple[str, str]


@dataclass
class Run:
    """One whole process."""

    wall_s: float
    output: bytes


#: Runs a command from a small process: the kernel counts the memory of whoever starts a program to its peak. This one
#: has about 10 MiB.
PEAK = """
import os, sys
silent = os.open(os.devnull, os.O_WRONLY)
actions = [(os.POSIX_SPAWN_DUP2, silent, 1), (os.POSIX_SPAWN_DUP2, silent, 2)]
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=actions)
print(os.wait4(child, 0)[2].ru_maxrss / 1024)
"""


def peak_mib(command: list[str], environment: dict[str, str], folder: Path) -> float:
    python = [sys.executable, "-S", "-c", PEAK]
    told = subprocess.run(python + command, env=os.environ | environment, cwd=folder, capture_output=True, check=True)
    return float(told.stdout)


def run(command: list[str], environment: dict[str, str], folder: Path) -> Run:
    """Exit codes are not looked at: each program has its own for "something was found"."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        subprocess.run(command, stdout=output, stderr=errors, env=os.environ | environment, cwd=folder, check=False)
        wall_s = time.perf_counter() - start
        output.seek(0)
        text = output.read()
        if not text:
            errors.seek(0)
            print(f"{command[0]} said nothing but: {errors.read().decode().strip()}")
        return Run(wall_s, text)


def measure(
    commands: dict[str, list[str]], folders: dict[str, Path], environment: dict[str, str], runs: int
) -> dict[str, bytes]:
    """The output of each command that has one; its times are printed. All run in turn."""
    first = {name: run(command, environment, folders[name]) for name, command in commands.items()}
    taken: dict[str, list[Run]] = {name: [] for name, one in first.items() if one.output}
    for _ in range(runs):
        for name in taken:
            taken[name].append(run(commands[name], environment, folders[name]))
    medians = {}
    for name, all_runs in taken.items():
        walls = [one.wall_s * 1000 for one in all_runs]
        medians[name] = statistics.median(walls)
        peak = peak_mib(commands[name], environment, folders[name])
        print(f"{name}: median {medians[name]:.1f} ms, {min(walls):.1f} to {max(walls):.1f}; peak {peak:.1f} MiB")
    ours, *others = medians.values()
    for name, other in zip(list(medians)[1:], others, strict=True):
        print(f"{name} takes {other / ours:.1f} times as long; load average {os.getloadavg()[0]:.1f}")
    return {name: all_runs[-1].output for name, all_runs in taken.items()}


def muster() -> str:
    return os.environ.get("MUSTER_BINARY") or shutil.which("muster") or sys.exit("MUSTER_BINARY names no program")


def peer(variable: str, name: str) -> str | None:
    path = os.environ.get(variable) or shutil.which(name)
    if not path:
        print(f"{name} is not here: Muster alone is measured")
    return path


def built(folder: Path, feed: Path) -> Path:
    advisories = folder / "advisories.db"
    subprocess.run(
        [muster(), "db", "build", "--from", str(feed), "--output", str(advisories)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return advisories


def scan(folder: Path, advisories: Path) -> list[str]:
    return [muster(), "scan", "--format", "json", "--advisories", str(advisories), f"dir:{folder}"]


def ours(output: bytes) -> tuple[dict[Finding, set[str]], dict[Finding, str]]:
    """What Muster calls affected, each with all identifiers of its vulnerability, since one vulnerability may have
    several advisories; and its reason for every package and advisory that it looked at."""
    found: dict[Finding, set[str]] = {}
    reasons: dict[Finding, str] = {}
    report = json.loads(output)
    print(f"muster judged {len(report['packages'])} packages")
    for verdict in report["verdicts"]:
        pair = (f"{verdict['package']['name']} {verdict['package']['version']}", verdict["explanation"]["advisory"])
        names = {pair[1], verdict["vulnerability"], *verdict["aliases"]}
        reasons |= {(pair[0], name): f"{verdict['status']}: {verdict['explanation']['reason']}" for name in names}
        if verdict["status"] == "affected":
            found.setdefault(pair, set()).update(names)
    return found, reasons


def compare(
    name: str, found: dict[Finding, set[str]], theirs: dict[Finding, str], reasons: dict[Finding, str], why
) -> None:
    """`theirs` says of each finding what the peer calls it, `why` what may explain one of ours that it lacks."""
    told = {(package, other) for (package, _), names in found.items() for other in names}
    both = theirs.keys() & told
    print(f"muster {len(found)} findings, {name} {len(theirs)}, of which muster has {len(both)}")
    for finding in sorted(theirs.keys() - told):
        print(f"  only {name} ({theirs[finding]}): {' '.join(finding)}; muster: {reasons.get(finding, 'not looked at')}")
    for finding in sorted(found):
        if not any((finding[0], other) in theirs for other in found[finding]):
            print(f"  only muster: {' '.join(finding)}; {why(finding)}")


def cargo_audit(folder: Path, feed: Path, lock: Path, runs: int) -> None:
    clone = folder / "advisory-db"
    clone.mkdir()
    subprocess.run(["tar", "--zstd", "-xf", str(feed), "-C", str(clone)], check=True)
    git = ["git", "-C", str(clone), "-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "advisories"]):
        subprocess.run(git + command, check=True)
    locked = folder / "locked"
    locked.mkdir()
    shutil.copy(lock, locked / "Cargo.lock")
    commands = {"muster": scan(locked, built(folder, feed))}
    if program := peer("CARGO_AUDIT", "cargo-audit"):
        options = ["--db", str(clone), "--no-fetch", "--stale", "--json", "--file", str(locked / "Cargo.lock")]
        commands["cargo-audit"] = commands["cargo-audit, no yanked"] = [program, "audit", *options]
        settings = folder / "plain" / ".cargo" / "audit.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text("[yanked]\nenabled = false\nupdate_index = false\n")
        print(subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip())
    folders = {"muster": folder, "cargo-audit": folder, "cargo-audit, no yanked": folder / "plain"}
    outputs = measure(commands, folders, {}, runs)
    found, reasons = ours(outputs["muster"])
    if "cargo-audit" in outputs:
        report = json.loads(outputs["cargo-audit"])
        told = [("vulnerability", one) for one in report["vulnerabilities"]["list"]]
        told += [(kind, one) for kind, those in report["warnings"].items() for one in those if one["advisory"]]
        package = lambda one: f"{one['package']['name']} {one['package']['version']}"  # noqa: E731
        theirs = {(package(one), one["advisory"]["id"]): kind for kind, one in told}
        compare("cargo-audit", found, theirs, reasons, lambda _: "no explanation")


def go_database(folder: Path, records: list[dict]) -> None:
    """The folder that vuln.go.dev serves (go.dev/doc/security/vuln/database, "API"), and its predecessor."""
    by_module: dict[str, list[dict]] = {}
    for record in records:
        for module in {affected["package"]["name"] for affected in record["affected"]}:
            by_module.setdefault(module, []).append(record)
    now = "2026-01-01T00:00:00Z"

    def write(name: str, content: object) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))

    for record in records:
        write(f"ID/{record['id']}.json", record)
    write("index/db.json", {"modified": now})
    write("index/vulns.json", [{"id": r["id"], "modified": now, "aliases": r.get("aliases", [])} for r in records])
    vulns = {module: [{"id": r["id"], "modified": now} for r in those] for module, those in by_module.items()}
    write("index/modules.json", [{"path": module, "vulns": those} for module, those in sorted(vulns.items())])
    write("index.json", dict.fromkeys(by_module, now))
    for module, those in by_module.items():
        # Capital letters are escaped, as in the module cache (go.dev/ref/mod, "Module cache").
        escaped = "".join(f"!{letter.lower()}" if letter.isupper() else letter for letter in module)
        write(f"{escaped}.json", those)


def messages(output: bytes) -> list[dict]:
    """JSON values one after the other."""
    decoder, text, found = json.JSONDecoder(), output.decode().strip(), []
    while text:
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:].lstrip()
    return found


def govulncheck_findings(output: bytes) -> dict[Finding, str]:
    """Of the stream of today (`finding`) and of the one report that versions before 2023-04 write (`Vulns`)."""
    theirs = {}

    def take(advisory: str, module: str, version: str, is_called: bool) -> None:
        if module == "stdlib":
            version = version.removeprefix("go").removeprefix("v")
        key = (f"{module} {version}", advisory)
        if is_called or key not in theirs:
            theirs[key] = "its symbols are there" if is_called else "its module is there"

    for message in messages(output):
        if "finding" in message:
            frame = message["finding"]["trace"][0]
            take(message["finding"]["osv"], frame["module"], frame.get("version", ""), "function" in frame)
        for vulnerability in message.get("Vulns") or []:
            for module in vulnerability["Modules"]:
                is_called = any(package.get("CallStacks") for package in module.get("Packages") or [])
                take(vulnerability["OSV"]["id"], module["Path"], module["FoundVersion"], is_called)
    return theirs


def why_not_in_program(record: dict, program: bytes) -> str:
    """What explains that govulncheck, which looks for vulnerable symbols, lacks what is in the module's range."""
    imports = [i for a in record["affected"] for i in a.get("ecosystem_specific", {}).get("imports", [])]
    here = {"goos": platform.system().lower(), "goarch": {"x86_64": "amd64"}.get(platform.machine(), platform.machine())}
    for kind, ours_is in here.items():
        if imports and all(i.get(kind) and ours_is not in i[kind] for i in imports):
            return f"the record is for {', '.join(sorted({name for i in imports for name in i[kind]}))} only"
    for one in imports:
        symbols = [f"{one['path']}.{symbol}" for symbol in one.get("symbols", [])]
        pointers = [f"{one['path']}.(*{s.split('.')[0]}).{s.split('.')[1]}" for s in one.get("symbols", []) if "." in s]
        present = [symbol for symbol in symbols + pointers if symbol.encode() + b"\0" in program]
        if present:
            return f"the program holds the function {present[0]}"
    return f"none of its symbols is in the program: {', '.join(sorted({i['path'] for i in imports}))}"


def govulncheck(folder: Path, feed: Path, program: Path, runs: int) -> None:
    lines = subprocess.run(["zstdcat", str(feed)], capture_output=True, check=True).stdout.splitlines()
    records = {record["id"]: record for record in map(json.loads, lines) if "withdrawn" not in record}
    plain = folder / "records.jsonl"
    plain.write_text("".join(json.dumps(record) + "\n" for record in records.values()))
    database = folder / "vulndb"
    go_database(database, list(records.values()))
    programs = folder / "programs" / "bin"
    programs.mkdir(parents=True)
    copy = Path(shutil.copy(program, programs))
    commands = {"muster": scan(programs.parent, built(folder, plain))}
    if checker := peer("GOVULNCHECK", "govulncheck"):
        usage = subprocess.run([checker, "-h"], capture_output=True, text=True, check=False)
        mode = ["-mode", "binary"] if "-mode" in usage.stdout + usage.stderr else []
        commands["govulncheck"] = [checker, *mode, "-json", str(copy)]
    outputs = measure(commands, dict.fromkeys(commands, folder), {"GOVULNDB": f"file://{database}"}, runs)
    found, reasons = ours(outputs["muster"])
    if "govulncheck" in outputs:
        content = copy.read_bytes()
        why = lambda finding: why_not_in_program(records[finding[1]], content)  # noqa: E731
        compare("govulncheck", found, govulncheck_findings(outputs["govulncheck"]), reasons, why)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rustsec", type=Path)
    parser.add_argument("--lock", type=Path, action="append", default=[])
    parser.add_argument("--govulndb", type=Path)
    parser.add_argument("--program", type=Path, action="append", default=[])
    parser.add_argument("--runs", type=int, default=10)
    arguments = parser.parse_args()
    measured = [(cargo_audit, arguments.rustsec, lock) for lock in arguments.lock]
    measured += [(govulncheck, arguments.govulndb, program) for program in arguments.program]
    for compared, feed, subject in measured:
        if feed is None:
            parser.error("--lock needs --rustsec, --program needs --govulndb")
        print(f"\n{subject}")
        with tempfile.TemporaryDirectory() as folder:
            compared(Path(folder), feed, subject, arguments.runs)


if __name__ == "__main__":
    main()
