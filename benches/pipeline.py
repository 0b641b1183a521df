"""The whole pipeline on one machine: resources per second, what one new advisory costs, and memory at rest.

    python benches/pipeline.py [--images N] [--sinks securityhub,eventbridge]

Run it with the Python of the environment that `./test` makes, and with `MUSTER_BINARY` or `CARGO_TARGET_DIR` set. An
emulated account gets the demo fleet and N images on one shared base, each with a configuration of its own, so that
each is a resource. Images, because AWS' own limits allow thousands of them a second; instances would measure SSM's
limit. The emulator and the registry answer on the same cores: what is measured is a lower bound. Nothing is asserted.
"""

import argparse
import json
import re
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from demo import fleet as demo_fleet  # noqa: E402
from demo import oci  # noqa: E402
from demo.fleet import MANAGEMENT_ACCOUNT, REGION  # noqa: E402
from demo.up import Demo  # noqa: E402
from harness.sinks import Sinks  # noqa: E402
from harness.system import Embedded  # noqa: E402

REPOSITORY = "bench/app"
REST_S = 20
WAIT_S = 900


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--sinks", default="securityhub,eventbridge")
    options = parser.parse_args()
    cache = Path.home() / ".cache/muster/demo/cache"
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as folder:
        with Demo(Path(folder) / "demo", cache, lambda words: print(words, file=sys.stderr)) as demo:
            add_images(demo, options.images)
            system = Embedded(demo, Path(folder) / "muster", MUSTER_SINKS=options.sinks, MUSTER_SWEEP_SECONDS="600")
            try:
                measure(demo, system, options)
            finally:
                system.abandon()


def add_images(demo: Demo, count: int) -> None:
    """Images of a Debian that was never updated, pushed to the registry and told to ECR."""
    recorded = json.loads((ROOT / "demo/inventories/debian-12.0.json").read_text())
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


def measure(demo: Demo, system: Embedded, options: argparse.Namespace) -> None:
    begun = time.monotonic()
    system.start()
    process = system.processes["muster"]
    process.wait_for(re.compile(r'swept kind="(image)" changed=[1-9]'), WAIT_S)
    listed = time.monotonic()
    resources, findings, opened, told = settled(system)
    time.sleep(REST_S)
    resident, peak = memory(process.child.pid)

    record = {
        "schema_version": "1.7.0",
        "id": "GHSA-benc-hmar-kkkk",
        "modified": "2026-11-24T00:00:00Z",
        "affected": [
            {
                "package": {"ecosystem": "npm", "name": "lodash"},
                "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "4.17.5"}]}],
            }
        ],
    }
    sinks = Sinks(demo.accounts)
    advised = time.monotonic()
    system.advise(record)
    while not any("GHSA-benc" in finding["Title"] for finding in sinks.hub(MANAGEMENT_ACCOUNT)):
        time.sleep(0.05)
    heard = time.monotonic()

    rows = [
        ("resources", f"{resources}"),
        ("findings", f"{findings}"),
        ("sinks", options.sinks),
        ("from start until the images were listed, s", f"{listed - begun:.1f}"),
        ("from there until all findings were open, s", f"{opened - listed:.1f}"),
        ("resources per second, read to scored", f"{resources / (opened - listed):.0f}"),
        ("from the listing until all sinks were told, s", f"{told - listed:.1f}"),
        ("findings per second, to the sinks", f"{findings / (told - listed):.0f}"),
        ("a new advisory for one package to Security Hub, s", f"{heard - advised:.2f}"),
        (f"resident after {REST_S} s of rest, MB", f"{resident / 1e6:.0f}"),
        ("peak, MB", f"{peak / 1e6:.0f}"),
    ]
    for name, value in rows:
        print(f"{name:<52} {value}")


def settled(system: Embedded) -> tuple[int, int, float, float]:
    """Resources, findings, when the last finding was open, and when the last sink was told."""
    opened, before = 0.0, -1
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        status = system.status()
        findings = sum(status["findings"].values())
        if findings != before:
            opened, before = time.monotonic(), findings
        covered = sum(status["coverage"].values()) - status["coverage"].get("PENDING_INITIAL_SCAN", 0)
        behind = sum(sink["behind"] for sink in status["sinks"])
        if len(status["accounts"]) == 4 and covered == status["resources"] and findings and not behind:
            return status["resources"], findings, opened, time.monotonic()
        time.sleep(0.05)
    raise SystemExit("the pipeline does not settle")


def memory(pid: int) -> tuple[int, int]:
    """Resident now and at most, in bytes (proc(5))."""
    status = Path(f"/proc/{pid}/status").read_text()
    read = lambda name: int(re.search(rf"{name}:\s+(\d+) kB", status).group(1)) * 1024  # noqa: E731
    return read("VmRSS"), read("VmHWM")


if __name__ == "__main__":
    main()
