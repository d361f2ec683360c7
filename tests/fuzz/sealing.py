"""Headers whose fields somebody changed who knows how to write checksums."""

from __future__ import annotations

import struct
from random import Random

from drift_arrow.format.checksum import xxh3_64
from drift_arrow.format.layout import HEADER_BYTES, UUID_BYTES
from tests.fuzz.bytes_mutator import mutate_number

FILE_HEADER = struct.Struct("<4sHH16s32sQ")
BLOCK_HEADER = struct.Struct("<4sBBHQIIIIQ16sQ")
_CHECKED_BYTES = HEADER_BYTES - 8
_UUID_START = 8
# offset and size of what a block header says: type, codec, column, first_row, n_values, raw_len, stored_len, zero
_BLOCK_FIELDS = ((4, 1), (5, 1), (6, 2), (8, 8), (16, 4), (20, 4), (24, 4), (28, 4))
# version, reserved, and the details in words of either size
_FILE_FIELDS = ((4, 2), (6, 2), *((place, size) for size in (4, 8) for place in range(24, 56, size)))


def uuid_of(file_header: bytes) -> bytes:
    """The 16 bytes of the UUID in a file header."""
    return file_header[_UUID_START : _UUID_START + UUID_BYTES]


def seal_file_header(header: bytes) -> bytes:
    """The 64 bytes with their checksum made right."""
    checked = header[:_CHECKED_BYTES]
    return checked + xxh3_64(checked).to_bytes(8, "little")


def seal_block_header(header: bytes, uuid: bytes, stored: bytes | None = None) -> bytes:
    """The 64 bytes with their checksums made right; that of the stored bytes only if they are given."""
    checked = header[:_CHECKED_BYTES]
    if stored is not None:
        checked = checked[:32] + xxh3_64(stored).to_bytes(8, "little") + checked[40:]
    return checked + xxh3_64(uuid, checked).to_bytes(8, "little")


def change_block_header(header: bytes, random: Random) -> bytes:
    """Another value in one field; the checksum is left as it is."""
    return _change_field(header, random, _BLOCK_FIELDS)


def change_file_header(header: bytes, random: Random) -> bytes:
    """Another version, or another number among the details; the checksum is left as it is."""
    return _change_field(header, random, _FILE_FIELDS)


def _change_field(header: bytes, random: Random, fields: tuple[tuple[int, int], ...]) -> bytes:
    place, size = random.choice(fields)
    value = mutate_number(int.from_bytes(header[place : place + size], "little"), random, size)
    return header[:place] + value.to_bytes(size, "little") + header[place + size :]
