"""Records of feeds, and how they come packed."""

import io
import tarfile


def osv(record: str, cve: str, name: str, fixed: str, ecosystem: str = "npm", **more) -> dict:
    """A record of one package that is affected from the beginning until the fix."""
    events = [{"introduced": "0"}, {"fixed": fixed}]
    affected = {"package": {"ecosystem": ecosystem, "name": name}, "ranges": [{"type": "SEMVER", "events": events}]}
    stated = {"schema_version": "1.7.0", "id": record, "aliases": [cve], "modified": "2026-11-01T00:00:00Z"}
    return stated | {"published": "2019-07-10T00:00:00Z", "affected": [affected], "summary": "told"} | more


def zstd(content: bytes) -> bytes:
    """A zstd frame of stored blocks (RFC 8878 §3.1.1): nothing here compresses, and everything reads it."""
    most = 128 * 1024
    blocks = [content[at : at + most] for at in range(0, len(content), most)] or [b""]
    frame = b"\x28\xb5\x2f\xfd\xa0" + len(content).to_bytes(4, "little")
    for number, block in enumerate(blocks, 1):
        frame += (len(block) << 3 | (number == len(blocks))).to_bytes(3, "little") + block
    return frame


def targz(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()
