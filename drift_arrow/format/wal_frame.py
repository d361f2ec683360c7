"""One WAL record: 40 bytes of header, the payload, zeros up to 8 bytes.

Notes
-----
Header: magic, length u32, seqno u64, durable_offset u64, type u8, fragment u8, zero u16, header checksum u32, checksum
u64. Both checksums start from the salt of the file, so that neither records of other files nor bytes that a user put
into a payload can pass for a record of this file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np

from drift_arrow.format.checksum import xxh3_64
from drift_arrow.format.layout import (
    MAX_RECORD_BYTES,
    RECORD_ALIGNMENT,
    RECORD_HEADER_BYTES,
    RECORD_MAGIC,
    Buffer,
    padding_bytes,
)

_FIELDS: Final = struct.Struct("<4sIQQBBH")
_CHECKSUMS: Final = struct.Struct("<IQ")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHeader:
    """What a record says of itself; `type` and `fragment` are numbers of `RecordType` and `Fragment`."""

    length: int
    seqno: int
    durable_offset: int
    type: int
    fragment: int

    def encode(self, salt: bytes, payload: memoryview) -> bytes:
        """The 40 bytes before `payload`."""
        fields = _FIELDS.pack(RECORD_MAGIC, self.length, self.seqno, self.durable_offset, self.type, self.fragment, 0)
        return fields + _CHECKSUMS.pack(_header_checksum(salt, fields), xxh3_64(salt, fields, payload))


@dataclass(frozen=True, slots=True)
class Record:
    """An intact record, from its header at `start` to the end of its padding at `end`."""

    header: RecordHeader
    payload: memoryview
    start: int
    end: int


def read_record(view: memoryview, offset: int, salt: bytes) -> Record | None:
    """The record at `offset`, or None if there is none that verifies."""
    header = read_record_header(view, offset, salt)
    if header is None:
        return None
    start = offset + RECORD_HEADER_BYTES
    stop = start + header.length
    end = stop + padding_bytes(header.length, RECORD_ALIGNMENT)
    # Bounds before the payload is touched: it may reach past the torn end of the file.
    if header.length > MAX_RECORD_BYTES or end > len(view) or any(view[stop:end]):
        return None
    _, checksum = _CHECKSUMS.unpack_from(view, offset + _FIELDS.size)
    if xxh3_64(salt, view[offset : offset + _FIELDS.size], view[start:stop]) != checksum:
        return None
    return Record(header, view[start:stop], offset, end)


def read_record_header(view: memoryview, offset: int, salt: bytes) -> RecordHeader | None:
    """The header at `offset`, or None if there is none that verifies; its payload may be damaged."""
    raw = view[offset : offset + RECORD_HEADER_BYTES]
    if len(raw) < RECORD_HEADER_BYTES:
        return None
    magic, length, seqno, durable_offset, kind, fragment, reserved = _FIELDS.unpack_from(raw)
    header_checksum, _ = _CHECKSUMS.unpack_from(raw, _FIELDS.size)
    if magic != RECORD_MAGIC or reserved or _header_checksum(salt, raw[: _FIELDS.size]) != header_checksum:
        return None
    return RecordHeader(length=length, seqno=seqno, durable_offset=durable_offset, type=kind, fragment=fragment)


def vouched_bytes(view: memoryview, start: int, salt: bytes) -> int:
    """Largest durable offset of any intact record header at or after `start`, which is a multiple of 8; 0 if none.

    Notes
    -----
    Only headers are verified, never their payloads: a payload full of forged headers must not cost a hash of the rest
    of the file each, and a header alone proves what had been synced when it was written.
    """
    words = np.frombuffer(view[start : len(view) - len(view) % RECORD_ALIGNMENT], dtype="<u4")[::2]
    places = np.flatnonzero(words == int.from_bytes(RECORD_MAGIC, "little")) * RECORD_ALIGNMENT + start
    headers = (read_record_header(view, int(place), salt) for place in places)
    return max((header.durable_offset for header in headers if header is not None), default=0)


def _header_checksum(salt: bytes, fields: Buffer) -> int:
    return xxh3_64(salt, fields) & 0xFFFFFFFF
