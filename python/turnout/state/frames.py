"""How bytes lie in files: frames in a segment of the log, a seal before a snapshot.

A segment is eight bytes that name the format, then frames: length (u32), CRC-32 of the payload (u32), payload; little-
endian. The CRC starts from the complement of the length, so that zeros, as a crash may leave, are no frame. A snapshot
is eight bytes, the payload's BLAKE2b of 16 bytes, the payload.
"""

from __future__ import annotations

import hashlib
import struct
from zlib import crc32

SEGMENT_MAGIC = b"TNTLOG01"
SNAPSHOT_MAGIC = b"TNTSNP01"

_FRAME = struct.Struct("<II")
_SEAL = len(SNAPSHOT_MAGIC) + 16


def _check(size: int, payload: bytes | memoryview) -> int:
    return crc32(payload, size ^ 0xFFFFFFFF)


def frame(payload: bytes) -> bytes:
    return _FRAME.pack(len(payload), _check(len(payload), payload)) + payload


def frames(segment: bytes) -> tuple[list[memoryview], int]:
    """The payloads up to the first frame that is not whole, and where that one begins."""
    view, end, unpack = memoryview(segment), len(segment), _FRAME.unpack_from
    if segment[: len(SEGMENT_MAGIC)] != SEGMENT_MAGIC:
        return [], 0
    payloads, at = [], len(SEGMENT_MAGIC)
    while at + _FRAME.size <= end:
        size, check = unpack(segment, at)
        stop = at + _FRAME.size + size
        payload = view[at + _FRAME.size : stop]
        if stop > end or _check(size, payload) != check:
            break
        payloads.append(payload)
        at = stop
    return payloads, at


def _digest(payload: bytes | memoryview) -> bytes:
    return hashlib.blake2b(payload, digest_size=16).digest()


def seal(snapshot: bytes) -> bytes:
    return SNAPSHOT_MAGIC + _digest(snapshot) + snapshot


def unseal(data: bytes) -> bytes | None:
    """The snapshot in `data`, or None where it is not whole."""
    payload = memoryview(data)[_SEAL:]
    if data[:_SEAL] != SNAPSHOT_MAGIC + _digest(payload):
        return None
    return bytes(payload)
