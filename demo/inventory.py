"""What SSM's agent would send of an instance: entries of `AWS:Application` and `Custom:MusterPackages`."""

import hashlib
import json
import os
import subprocess
import tempfile
from datetime import datetime, UTC
from pathlib import Path

APPLICATION_TYPE = "AWS:Application"
PACKAGES_TYPE = "Custom:MusterPackages"
#: The script that an SSM document runs on an instance; it writes the agent's custom inventory file.
SCRIPT = Path(__file__).resolve().parent.parent / "deploy/ssm/muster-packages.sh"

Entry = dict[str, str]


def of_machine() -> list[Entry]:
    """The machine's own packages."""
    return by_script({})


def of_root(root: Path) -> list[Entry]:
    """The packages of a Debian root folder, of which no kernel runs."""
    return by_script(
        {
            "DPKG_ADMINDIR": str(root / "var/lib/dpkg"),
            "MUSTER_OS_RELEASE": str(root / "usr/lib/os-release"),
            "MUSTER_KERNEL_RELEASE": "",
        }
    )


def by_script(variables: dict[str, str]) -> list[Entry]:
    """What the very script that instances run writes."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | variables | {"MUSTER_INVENTORY_FOLDER": folder}
        done = subprocess.run(["sh", str(SCRIPT)], env=environment, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise RuntimeError(f"{SCRIPT.name}: {done.stderr.strip()}")
        [file] = Path(folder).glob("*.json")
        return json.loads(file.read_text())["Content"]


def of_list(file: Path) -> list[Entry]:
    """The packages of a recorded list under `inventories/`."""
    recorded = json.loads(file.read_text())
    return [os_entry(recorded["release"]["ID"], recorded["release"]["VERSION_ID"]), *recorded["packages"]]


def os_entry(identity: str, version: str) -> Entry:
    return package_entry(identity, version, "", "", "") | {"Manager": "os-release"}


def package_entry(name: str, version: str, architecture: str, source: str, source_version: str) -> Entry:
    return {
        "Name": name,
        "Version": version,
        "Architecture": architecture,
        "SourceName": source,
        "SourceVersion": source_version,
        "Manager": "dpkg",
    }


def applications(entries: list[Entry]) -> list[Entry]:
    """The same packages as the agent's own plugin tells them: without their sources."""
    return [
        {
            "Name": entry["Name"],
            "Version": entry["Version"],
            "Architecture": entry["Architecture"],
            "ApplicationType": "admin",
            "PackageId": f"{entry['Name']}_{entry['Version'].split(':')[-1]}_{entry['Architecture']}.deb",
        }
        for entry in entries
        if entry["Manager"] == "dpkg"
    ]


def item(type_name: str, schema: str, content: list[Entry]) -> dict:
    """One item of PutInventory."""
    return {
        "TypeName": type_name,
        "SchemaVersion": schema,
        "CaptureTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "ContentHash": hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(),
        "Content": content,
    }
