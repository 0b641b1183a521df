"""Commands of `muster`, and one root in every shape that they read."""

import json
import subprocess
import tarfile
import zipfile
from pathlib import Path

from demo import oci
from harness.processes import clean_environment
from harness.system import binary

STATUS = """\
Package: libssl3
Status: install ok installed
Architecture: amd64
Source: openssl
Version: 3.0.9-1

Package: zlib1g
Status: install ok installed
Architecture: amd64
Source: zlib
Version: 1:1.2.13.dfsg-1

"""
#: A small Debian with a Python and an npm package.
FILES = {
    "etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "var/lib/dpkg/status": STATUS,
    "usr/lib/python3/site-packages/requests-2.19.1.dist-info/METADATA": "Name: requests\nVersion: 2.19.1\n\n",
    "app/node_modules/lodash/package.json": '{"name": "lodash", "version": "4.17.4"}',
}
#: Exit codes, as docs/command-line.md lists them.
CODES = {"good": 0, "failed": 1, "found": 2, "incomplete": 3, "usage": 64}


def run(
    *arguments: str, expected: str = "good", stdin: str = "", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """One command in a pipe, which must end with the expected code."""
    environment = clean_environment() | (environment or {})
    done = subprocess.run(
        [binary(), *arguments], input=stdin, capture_output=True, text=True, timeout=60, env=environment
    )
    assert done.returncode == CODES[expected], f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def scan(target: str, database: str, *more: str, form: str = "json") -> dict:
    return json.loads(run("scan", target, "--advisories", database, "--format", form, *more).stdout)


def shapes(folder: Path) -> dict[str, str]:
    """The same root as a target of every kind that needs no registry."""
    root = folder / "root"
    for name, content in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    with zipfile.ZipFile(folder / "root.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    layout(folder / "layout", root)
    with tarfile.open(folder / "layout.tar", "w") as archive:
        archive.add(folder / "layout", arcname=".")
    bom = run("inventory", f"dir:{root}", "--format", "cyclonedx").stdout
    (folder / "bom.json").write_text(bom)
    return {
        "dir": f"dir:{root}",
        "zip": f"zip:{folder / 'root.zip'}",
        "oci": f"oci:{folder / 'layout'}",
        "oci-tar": f"oci:{folder / 'layout.tar'}",
        "sbom": f"sbom:{folder / 'bom.json'}",
    }


def layout(folder: Path, root: Path) -> None:
    """An OCI image layout with the root as its one layer."""
    blob, diff_id = oci.layer_blob(oci.Layer({name: (root / name).read_bytes() for name in FILES}))
    image = oci.image("amd64", [blob], [diff_id])
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    for part in [*image.blobs, image.manifest]:
        (blobs / part.digest.removeprefix("sha256:")).write_bytes(part.content)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [image.manifest.descriptor()]}))
