"""Changes to the stored bytes of a block that reach below its codec."""

from __future__ import annotations

import struct
from random import Random

import zstandard

from drift_arrow.format.layout import NUMBERS_HEADER_BYTES, CodecId
from tests.fuzz.bytes_mutator import mutate_bytes, mutate_number

_NUMBERS = struct.Struct("<BBHIIIII")
_ZSTD_LIMIT = 1 << 22


def mutate_stored(codec: int, stored: bytes, raw_len: int, random: Random) -> tuple[bytes, int]:
    """Other stored bytes, and the raw length that they should have so that they are not refused for it."""
    if codec == CodecId.ZSTD and random.random() < 0.8:
        return _mutate_compressed(stored, raw_len, random)
    if codec in {CodecId.INTEGERS, CodecId.FLOATS} and random.random() < 0.2:
        return _mutate_counts(stored, raw_len, random)
    changed = mutate_bytes(stored, random)
    return changed, len(changed) if codec == CodecId.PLAIN else raw_len


def _mutate_compressed(stored: bytes, raw_len: int, random: Random) -> tuple[bytes, int]:
    try:
        raw = zstandard.ZstdDecompressor().decompressobj().decompress(stored)[:_ZSTD_LIMIT]
    except zstandard.ZstdError:
        return mutate_bytes(stored, random), raw_len
    changed = mutate_bytes(raw, random)
    return zstandard.ZstdCompressor(level=1).compress(changed), len(changed)


def _mutate_counts(stored: bytes, raw_len: int, random: Random) -> tuple[bytes, int]:
    """Another count in the header, and about as many bytes more or less."""
    if len(stored) < NUMBERS_HEADER_BYTES:
        return mutate_bytes(stored, random), raw_len
    fields = list(_NUMBERS.unpack_from(stored))
    place = random.randrange(3, len(fields))
    before = fields[place]
    fields[place] = mutate_number(before, random, 4)
    more = min(max(fields[place] - before, -4096), 4096) * random.choice([1, 2, 4, 8])
    more += -more % 8
    at = min(len(stored), random.randrange(NUMBERS_HEADER_BYTES, len(stored) + 1) & ~7)
    body = stored[NUMBERS_HEADER_BYTES:at] + bytes(max(more, 0)) + stored[at + max(-more, 0) :]
    return _NUMBERS.pack(*fields) + body, raw_len
