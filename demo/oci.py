"""OCI images made of folders, and their way into a registry over its HTTP API (OCI image spec 1.1, distribution spec 1.1)."""

import base64
import gzip
import hashlib
import io
import json
import tarfile
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
#: Makes a layer's digest the same on every machine and day.
EPOCH = 0


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


@dataclass
class Layer:
    """Files to add and paths to take away, as one compressed tar."""

    #: Path in the image -> folder or file on disk, or the bytes themselves.
    add: dict[str, Path | bytes] = field(default_factory=dict)
    #: Paths of lower layers that are gone.
    remove: list[str] = field(default_factory=list)
    #: Folders whose content of lower layers is gone.
    opaque: list[str] = field(default_factory=list)

    def tar(self) -> bytes:
        """The same bytes for the same content: sorted, with no owner and no time."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for place, source in sorted(self.add.items()):
                if isinstance(source, bytes):
                    add_file(archive, place, source, 0o644)
                    continue
                for path in sorted([source] if source.is_file() else source.rglob("*")):
                    inner = place if path == source else f"{place}/{path.relative_to(source)}"
                    add_path(archive, inner.lstrip("/"), path)
            for path in sorted(self.remove):
                folder, _, name = path.strip("/").rpartition("/")
                add_file(archive, f"{folder}/.wh.{name}", b"", 0o644)
            for folder in sorted(self.opaque):
                add_file(archive, f"{folder.strip('/')}/.wh..wh..opq", b"", 0o644)
        return buffer.getvalue()


def add_path(archive: tarfile.TarFile, name: str, path: Path) -> None:
    member = tarfile.TarInfo(name)
    member.mtime = EPOCH
    member.mode = path.lstat().st_mode & 0o7777
    if path.is_symlink():
        member.type, member.linkname = tarfile.SYMTYPE, str(path.readlink())
        archive.addfile(member)
    elif path.is_dir():
        member.type = tarfile.DIRTYPE
        archive.addfile(member)
    elif path.is_file():
        add_file(archive, name, path.read_bytes(), member.mode)


def add_file(archive: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    member = tarfile.TarInfo(name.lstrip("/"))
    member.size, member.mode, member.mtime = len(content), mode, EPOCH
    archive.addfile(member, io.BytesIO(content))


@dataclass
class Blob:
    """A descriptor and its content."""

    media_type: str
    content: bytes

    @property
    def digest(self) -> str:
        return digest_of(self.content)

    def descriptor(self, **more: object) -> dict:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content), **more}


@dataclass
class Image:
    """One platform's image: its manifest, and the blobs that it names."""

    architecture: str
    manifest: Blob
    blobs: list[Blob]

    @property
    def digest(self) -> str:
        return self.manifest.digest


def layer_blob(layer: Layer | bytes) -> tuple[Blob, str]:
    """The compressed layer and its diff id; bytes are taken as they are (a broken layer, for a test)."""
    if isinstance(layer, bytes):
        return Blob(LAYER, layer), digest_of(layer)
    plain = layer.tar()
    return Blob(LAYER, gzip.compress(plain, compresslevel=1, mtime=EPOCH)), digest_of(plain)


def image(architecture: str, layers: list[Blob], diff_ids: list[str]) -> Image:
    """An image of layers from bottom to top."""
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": ["/bin/bash"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }
    configuration = Blob(CONFIG, json.dumps(config).encode())
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": configuration.descriptor(),
        "layers": [layer.descriptor() for layer in layers],
    }
    return Image(architecture, Blob(MANIFEST, json.dumps(manifest).encode()), [configuration, *layers])


def index(images: list[Image]) -> Blob:
    """A multi-platform index."""
    manifests = [i.manifest.descriptor(platform={"os": "linux", "architecture": i.architecture}) for i in images]
    return Blob(INDEX, json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}).encode())


class Registry:
    """The registry's API as far as pushing needs it."""

    def __init__(self, address: str, password: str) -> None:
        self.base = f"http://{address}/v2"
        self.authorization = "Basic " + base64.b64encode(f"AWS:{password}".encode()).decode()

    def push(self, repository: str, image: Image, tags: list[str]) -> None:
        """The blobs that are not there yet, the manifest by its digest, and each tag."""
        for blob in image.blobs:
            self.push_blob(repository, blob)
        self.push_manifest(repository, image.manifest, tags)

    def push_blob(self, repository: str, blob: Blob) -> None:
        if self.has(f"{repository}/blobs/{blob.digest}"):
            return
        place = self.call("POST", f"{repository}/blobs/uploads/", b"").headers["Location"]
        url = f"{place}{'&' if '?' in place else '?'}digest={blob.digest}"
        self.call("PUT", url, blob.content, "application/octet-stream")

    def push_manifest(self, repository: str, manifest: Blob, tags: list[str]) -> None:
        for reference in [manifest.digest, *tags]:
            self.call("PUT", f"{repository}/manifests/{reference}", manifest.content, manifest.media_type)

    def has(self, path: str) -> bool:
        try:
            self.call("HEAD", path)
        except urllib.error.HTTPError as refused:
            if refused.code == 404:
                return False
            raise
        return True

    def call(self, method: str, path: str, body: bytes | None = None, media_type: str = "application/octet-stream"):
        url = path if path.startswith("http") else f"{self.base}/{path}"
        request = urllib.request.Request(url, data=body, method=method)
        request.add_header("Authorization", self.authorization)
        request.add_header("Content-Type", media_type)
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()
            return answer
