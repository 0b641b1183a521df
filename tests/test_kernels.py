"""Of the kernels that are installed side by side, the one that runs counts."""

import json
from pathlib import Path

import pytest
from demo import fleet as demo_fleet
from demo import inventory
from demo.emulator import MANAGEMENT_ACCOUNT
from demo.fleet import DEBIAN_12_0
from expectations import osv
from harness.command_line import run, scan

WEAKNESS = "DEBIAN-CVE-2026-99999"
OLD, NEW = ("6.1.0-18-amd64", "6.1.76-1"), ("6.1.0-20-amd64", "6.1.85-1")
RECORD = osv(WEAKNESS, "Debian:12", "linux", NEW[1]) | {"upstream": ["CVE-2026-99999"]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A Debian with two kernels."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\n')
    (root / "var/lib/dpkg").mkdir(parents=True)
    stanza = "Package: linux-image-{}\nStatus: install ok installed\nArchitecture: amd64\nSource: linux\nVersion: {}\n\n"
    (root / "var/lib/dpkg/status").write_text("".join(stanza.format(*kernel) for kernel in (OLD, NEW)))
    return root


def test_a_folder_tells_by_its_proc_which_kernel_runs(root, tmp_path):
    (feeds := tmp_path / "feeds").mkdir()
    (feeds / f"{WEAKNESS}.json").write_text(json.dumps(RECORD))
    run("db", "build", "--from", str(feeds), "--output", database := str(tmp_path / "one.advisories"))

    def statuses() -> dict[str, tuple[str, str]]:
        verdicts = scan(f"dir:{root}", database)["verdicts"]
        return {v["package"]["version"]: (v["status"], v["explanation"]["reason"]) for v in verdicts}

    assert {version: status for version, (status, _) in statuses().items()} == {
        OLD[1]: "affected",
        NEW[1]: "not_affected",
    }
    (root / "proc/sys/kernel").mkdir(parents=True)
    (root / "proc/sys/kernel/osrelease").write_text(f"{OLD[0]}\n")
    status, reason = statuses()[OLD[1]]
    assert status == "affected" and NEW[1] in reason, "a restart is the fix"
    (root / "proc/sys/kernel/osrelease").write_text(f"{NEW[0]}\n")
    status, reason = statuses()[OLD[1]]
    assert (status, reason) == ("not_affected", f"this kernel is installed but does not run: {NEW[0]} does")


def test_an_instance_tells_by_its_inventory_which_kernel_runs(muster, demo, fleet):
    batch = fleet.instances["batch"]
    before = inventory.of_list(DEBIAN_12_0)
    kernels = [inventory.package_entry(f"linux-image-{name}", v, "amd64", "linux", v) for name, v in (OLD, NEW)]

    def boots(release: str) -> None:
        system = [entry | {"RunningKernel": release} for entry in before if entry["Manager"] == "os-release"]
        packages = [entry for entry in before if entry["Manager"] != "os-release"]
        demo_fleet.put_inventory(demo.accounts, MANAGEMENT_ACCOUNT, batch, system + packages + kernels)

    try:
        boots(OLD[0])
        muster.advise(RECORD)
        muster.wait("the running kernel's finding", lambda: batch in muster.resources_with("CVE-2026-99999"))
        boots(NEW[0])
        muster.wait("it to close after the restart", lambda: batch not in muster.resources_with("CVE-2026-99999"))
    finally:
        demo_fleet.put_inventory(demo.accounts, MANAGEMENT_ACCOUNT, batch, before)
