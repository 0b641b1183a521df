"""The whole pipeline on one machine: resources per second, what one new advisory costs, and memory at rest.

    python benches/pipeline.py [--instances N] [--images N] [--sinks securityhub,eventbridge] [--advisories FILE]

Run it with the Python of the environment that `./test` makes, and with `MUSTER_BINARY` or `CARGO_TARGET_DIR` set. An
emulated account gets the demo fleet and

- N instances with, in turn, one of three package lists in SSM: this machine's own, a recorded Debian 12.0 that was
  never updated, and a Debian root of a dozen packages. The same software is judged once. Muster takes half of what AWS
  allows, so reading many instances is as fast as 10 calls a second with 50 packages each, however fast it is itself:
  see the processor time per resource.
- N images on one shared base, each with a configuration of its own, so that each is a resource. AWS' limits allow
  thousands of them a second: they show what Muster itself needs.

Then it runs `muster up --once` twice, and `muster up` from nothing until a new advisory has reached Security Hub. The
emulator and the registry answer on the same cores; the rows `busy` say how much of the time they took. With
`--advisories`, memory is measured once more with that file (the benchmark of muster-engine leaves one of two million
ranges in the temporary folder). All times are from the log's own stamps or the kernel's accounts. Nothing is asserted.
"""

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from demo import fleet as demo_fleet  # noqa: E402
from demo import inventory, oci  # noqa: E402
from demo.fleet import MANAGEMENT_ACCOUNT, REGION  # noqa: E402
from demo.up import Demo, die_with_parent  # noqa: E402
from harness.sinks import Sinks  # noqa: E402
from harness.system import Embedded, binary  # noqa: E402

REPOSITORY = "bench/app"
#: How long nothing happens before memory is read: the first look at what is behind falls into it.
REST_S = 30
WAIT_S = 1800
#: RunInstances' own default limit for one call is far higher; moto is asked in bites.
INSTANCES_AT_ONCE = 100
#: New advisories, one after the other: the feeds are looked at once a second, so that the first alone tells little.
NEW_ADVISORIES = 7
STAMP = r"^(\S+Z) .*"
TOLD = r'sink="securityhub".*published told='


@dataclass
class Pass:
    """One run of `muster up --once`."""

    wall_s: float
    processor_s: float
    emulator_s: float
    calls: int
    log: str
    last_line: str

    def between(self, first: str, last: str) -> float:
        """Seconds from the last log line that fits `first` to the last one that fits `last`."""
        return stamps(self.log, last)[-1] - stamps(self.log, first)[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", type=int, default=500)
    parser.add_argument("--images", type=int, default=0)
    parser.add_argument("--sinks", default="securityhub,eventbridge")
    parser.add_argument("--advisories", type=Path, help="a built advisory file to measure memory with, besides")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped
    cache = Path.home() / ".cache/muster/demo/cache"
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as folder:
        with Demo(Path(folder) / "demo", cache, lambda words: print(words, file=sys.stderr)) as demo:
            add_instances(demo, options.instances)
            add_images(demo, options.images)
            settings = {"MUSTER_SINKS": options.sinks, "MUSTER_SWEEP_SECONDS": "600"}
            # Each in a folder of its own, so that each begins with a first pass.
            show([("sinks", options.sinks), *passes(demo, Embedded(demo, Path(folder) / "once", **settings))])
            stays = Embedded(demo, Path(folder) / "stays", **settings)
            show(at_rest(demo, stays, "the demo's advisories", new_advisory="securityhub" in options.sinks))
            if options.advisories:
                settings["MUSTER_ADVISORIES"] = str(options.advisories)
                large = Embedded(demo, Path(folder) / "large", **settings)
                show(at_rest(demo, large, options.advisories.name, new_advisory=False))


def add_instances(demo: Demo, count: int) -> None:
    """Instances that SSM manages, in the default network, which nothing reaches."""
    lists = [
        inventory.of_machine(),
        inventory.of_list(demo_fleet.DEBIAN_12_0),
        inventory.of_root(demo.software.debian_root("amd64")),
    ]
    builder = demo_fleet.Builder(demo.accounts, demo.software, demo.registry, demo.say)
    ec2 = demo.accounts.client("ec2", MANAGEMENT_ACCOUNT, REGION)
    made: list[str] = []
    while len(made) < count:
        bite = min(INSTANCES_AT_ONCE, count - len(made))
        answer = ec2.run_instances(
            ImageId="ami-0123456789abcdef0", InstanceType="t3.small", MinCount=bite, MaxCount=bite
        )
        made += [instance["InstanceId"] for instance in answer["Instances"]]
    for number, instance in enumerate(made):
        builder.manage(MANAGEMENT_ACCOUNT, instance, "Online", lists[number % len(lists)])


def add_images(demo: Demo, count: int) -> None:
    """Images of a Debian that was never updated, pushed to the registry and told to ECR."""
    if count == 0:
        return
    recorded = json.loads(demo_fleet.DEBIAN_12_0.read_text())
    stanza = "Package: {Name}\nStatus: install ok installed\nArchitecture: {Architecture}\nSource: {SourceName}\nVersion: {Version}\n"
    files = {
        "etc/os-release": b'ID=debian\nVERSION_ID="12"\n',
        "var/lib/dpkg/status": "\n".join(stanza.format(**package) for package in recorded["packages"]).encode(),
    }
    blob, diff_id = oci.layer_blob(oci.Layer(files))
    ecr = demo.accounts.client("ecr", MANAGEMENT_ACCOUNT, REGION)
    ecr.create_repository(repositoryName=REPOSITORY)
    for number in range(count):
        image = oci.image(f"amd64.{number}", [blob], [diff_id])
        demo.registry.push(REPOSITORY, image, [str(number)])
        demo_fleet.put_image(ecr, REPOSITORY, image.manifest, [str(number)])


def passes(demo: Demo, system: Embedded) -> list[tuple[str, str]]:
    """The first pass, and one that finds nothing changed."""
    first, second = one_pass(demo, system, "first"), one_pass(demo, system, "second")
    resources, _, findings = (int(number) for number in re.findall(r"\d+", first.last_line))
    listed, scored, told = r'swept kind="instance" changed=[1-9]', ": scored ", "published told="
    to_scored, to_told = first.between(listed, scored), first.between(listed, told)
    return [
        ("what there is", first.last_line),
        ("first pass: whole, s", f"{first.wall_s:.1f}"),
        ("  instances listed until the last finding was open, s", f"{to_scored:.1f}"),
        ("  resources per second, read to scored", f"{resources / to_scored:.1f}"),
        ("  instances listed until all sinks were told, s", f"{to_told:.1f}"),
        ("  resources per second, read to told", f"{resources / to_told:.1f}"),
        ("  findings per second, told", f"{findings / to_told:.0f}"),
        ("  muster's processor time per resource, ms", f"{1000 * first.processor_s / resources:.1f}"),
        ("  muster busy, of one core", f"{first.processor_s / first.wall_s:.0%}"),
        ("  emulator and registry busy, of one core", f"{first.emulator_s / first.wall_s:.0%}"),
        ("  AWS calls", f"{first.calls}"),
        ("second pass, nothing changed: whole, s", f"{second.wall_s:.1f}"),
        ("  AWS calls", f"{second.calls}"),
        ("  muster's processor time, s", f"{second.processor_s:.2f}"),
    ]


def one_pass(demo: Demo, system: Embedded, name: str) -> Pass:
    folder = system.folder / "muster"
    folder.mkdir(parents=True, exist_ok=True)
    log = system.folder / f"{name}.log"
    environment = system.environment | {"MUSTER_DATA_FOLDER": str(folder), "MUSTER_LOG": "info"}
    calls, emulator = sum(demo.accounts.calls().values()), busy_s(demo)
    begun = time.monotonic()
    with open(log, "wb") as output:
        child = subprocess.Popen(
            [binary(), "up", "--once", "--listen", "127.0.0.1:0"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            preexec_fn=die_with_parent,
        )
        printed = child.stdout.read().decode()
        _, code, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(code)
    wall = time.monotonic() - begun
    if child.returncode != 0:
        raise SystemExit(f"muster up --once: exit {child.returncode}\n{log.read_text()[-2000:]}")
    return Pass(
        wall_s=wall,
        processor_s=used.ru_utime + used.ru_stime,
        emulator_s=busy_s(demo) - emulator,
        calls=sum(demo.accounts.calls().values()) - calls,
        log=log.read_text(),
        last_line=printed.strip().splitlines()[-1],
    )


def at_rest(demo: Demo, system: Embedded, what: str, new_advisory: bool) -> list[tuple[str, str]]:
    """Memory of `muster up` some time after its first pass, and what a new advisory for one package costs."""
    system.start()
    try:
        system.settle(WAIT_S)
        time.sleep(REST_S)
        pid = system.processes["muster"].child.pid
        rows = [
            (f"at rest with {what}: resident, MB", f"{memory(pid, 'VmRSS') / 1e6:.0f}"),
            ("  of it memory of its own, MB", f"{memory(pid, 'RssAnon') / 1e6:.0f}"),
            ("  of it pages of files, MB", f"{memory(pid, 'RssFile') / 1e6:.0f}"),
            ("  peak, MB", f"{memory(pid, 'VmHWM') / 1e6:.0f}"),
        ]
        if new_advisory:
            took = sorted(advised(demo, system, number) for number in range(1, NEW_ADVISORIES + 1))
            words = f"{took[0]:.2f} to {took[-1]:.2f}, median {statistics.median(took):.2f}"
            rows.append(("new advisory for one package: to Security Hub, s", words))
        return rows
    finally:
        system.abandon()


def advised(demo: Demo, system: Embedded, number: int) -> float:
    """Seconds from the feed's change until the last finding of it was told."""
    record = {
        "schema_version": "1.7.0",
        "id": f"GHSA-benc-hmar-kkk{number}",
        "modified": "2026-11-24T00:00:00Z",
        "affected": [
            {
                "package": {"ecosystem": "npm", "name": "lodash"},
                "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "4.17.5"}]}],
            }
        ],
    }
    process = system.processes["muster"]
    changed = time.time()
    system.advise(record)
    # Looking must not keep the emulator from answering Muster: the log is read first, Security Hub asked afterwards.
    while not (told := [at for at in stamps(process.output(), TOLD) if at > changed]):
        if time.time() > changed + WAIT_S:
            raise SystemExit("the new advisory does not reach Security Hub")
        time.sleep(0.05)
    system.settle(WAIT_S)
    assert any(record["id"] in finding["Title"] for finding in Sinks(demo.accounts).hub(MANAGEMENT_ACCOUNT))
    told = [at for at in stamps(process.output(), TOLD) if at > changed]
    return told[-1] - changed


def stamps(log: str, pattern: str) -> list[float]:
    """When the lines that fit were written, in seconds since 1970."""
    found = re.findall(STAMP + f"(?:{pattern})", log, re.MULTILINE)
    times = [match if isinstance(match, str) else match[0] for match in found]
    return [datetime.fromisoformat(at).timestamp() for at in times]


def busy_s(demo: Demo) -> float:
    """Processor seconds that the emulator and the registry have used (proc(5), stat)."""
    ticks = 0
    for child in demo.children:
        fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(pid: int, name: str) -> int:
    """A line of proc(5)'s status, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", status).group(1)) * 1024


def show(rows: list[tuple[str, str]]) -> None:
    for name, value in rows:
        print(f"{name:<62} {value}", flush=True)


if __name__ == "__main__":
    main()
