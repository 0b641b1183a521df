"""Broken and hostile files, as they are met in the wild and made on purpose."""

import io
import struct
import tarfile
import zlib

CHUNK_BYTES = 1 << 20
CHUNKS = 3400
#: Zeros of one file: the most that a zip without 64-bit extensions can name is 4 GiB - 1.
BOMB_BYTES = CHUNKS * CHUNK_BYTES


def deflated_zeros(before: bytes = b"") -> tuple[bytes, int]:
    """A raw deflate stream of these bytes and then 3.4 GiB of zeros, a few megabytes long, and its CRC-32."""
    chunk = bytes(CHUNK_BYTES)
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    begin = compressor.compress(before + chunk) + compressor.flush(zlib.Z_FULL_FLUSH)
    # After a full flush the same input gives the same output, which can be repeated as it is.
    once = compressor.compress(chunk) + compressor.flush(zlib.Z_FULL_FLUSH)
    data = begin + once * (CHUNKS - 1) + compressor.flush(zlib.Z_FINISH)
    checksum = zlib.crc32(before)
    for _ in range(CHUNKS):
        checksum = zlib.crc32(chunk, checksum)
    return data, checksum


def layer_of_zeros(path: str) -> bytes:
    """A compressed tar with one file of 3.4 GiB of zeros. It ends as a tar does: its last zeros are its end mark."""
    member = tarfile.TarInfo(path)
    member.size = BOMB_BYTES - 1024
    header = member.tobuf()
    data, checksum = deflated_zeros(header)
    trailer = struct.pack("<LL", checksum, (len(header) + BOMB_BYTES) & 0xFFFFFFFF)
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff" + data + trailer


def zip_of_zeros(names: list[str]) -> bytes:
    """A valid zip of a few megabytes whose entries are 3.4 GiB of zeros each."""
    data, checksum = deflated_zeros()
    archive, directory = bytearray(), bytearray()
    for name in names:
        raw = name.encode()
        sizes = struct.pack("<LLL", checksum, len(data), BOMB_BYTES)
        common = struct.pack("<HHHHH", 20, 0, zlib.DEFLATED, 0, 0x21) + sizes + struct.pack("<HH", len(raw), 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + common
        directory += struct.pack("<HHHLL", 0, 0, 0, 0o644 << 16, len(archive)) + raw
        archive += b"PK\x03\x04" + common + raw + data
    end = struct.pack("<4HLLH", 0, 0, len(names), len(names), len(directory), len(archive), 0)
    return bytes(archive + directory) + b"PK\x05\x06" + end


def tar_with_escaping_paths(target: str, content: bytes) -> bytes:
    """A tar whose entry and links point out of the folder that it is unpacked in."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo(f"../../../{target}")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("var/lib/dpkg")
        link.type, link.linkname = tarfile.SYMTYPE, "../../../../etc"
        archive.addfile(link)
    return buffer.getvalue()
