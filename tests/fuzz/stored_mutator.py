"""Changes to the stored bytes of a block that reach the parts and frames inside of it, with sizes that fit again.

What lies where is guessed, not known: a place that reads like the header of a part or like a zstd frame mostly is one.
"""

from __future__ import annotations

import struct
from random import Random

import zstandard

from drift_arrow.format.layout import ARRAY_ALIGNMENT, CodecId, padding_bytes
from tests.fuzz.bytes_mutator import mutate_bytes, mutate_number

_PART = struct.Struct("<B3sIII")
_COMPRESSED = struct.Struct("<B3sI")
_FRAME_MAGIC = b"\x28\xb5\x2f\xfd"
_MOST_RAW_BYTES = 1 << 20


def mutate_stored(codec: int, stored: bytes, raw_len: int, random: Random) -> tuple[bytes, int]:
    """Other stored bytes, and the raw length that they should have so that they are not refused for it."""
    if codec == CodecId.PLAIN:
        stored = mutate_bytes(stored, random)
        return stored, len(stored)
    if codec == CodecId.ZSTD:
        stored = _mutate_frame(stored, random)
        return stored, _raw_size(stored, raw_len)
    if codec == CodecId.COMPRESSED and random.random() < 0.8:
        return _mutate_compressed(stored, raw_len, random)
    return random.choice(_CHANGES)(stored, raw_len, random)


def _mutate_frame(frame: bytes, random: Random) -> bytes:
    """Other content of a zstd frame, or one time in five another frame."""
    raw = _decompress(frame)
    if raw is None or random.random() < 0.2:
        return mutate_bytes(frame, random)
    return zstandard.ZstdCompressor(level=1).compress(mutate_bytes(raw[0], random))


def _mutate_compressed(stored: bytes, raw_len: int, random: Random) -> tuple[bytes, int]:
    """Another encoding inside of `CodecId.COMPRESSED`."""
    if len(stored) < _COMPRESSED.size:
        return mutate_bytes(stored, random), raw_len
    codec, zeros, _ = _COMPRESSED.unpack_from(stored)
    raw = _decompress(stored[_COMPRESSED.size :])
    if raw is None:
        return mutate_bytes(stored, random), raw_len
    inside, raw_len = mutate_stored(codec if codec != CodecId.COMPRESSED else CodecId.FLOATS, raw[0], raw_len, random)
    frame = zstandard.ZstdCompressor(level=1).compress(inside)
    return _COMPRESSED.pack(codec, zeros, len(inside)) + frame, raw_len


def _mutate_any(stored: bytes, raw_len: int, random: Random) -> tuple[bytes, int]:
    return mutate_bytes(stored, random), raw_len


def _mutate_count(stored: bytes, raw_len: int, random: Random) -> tuple[bytes, int]:
    """Another number near the front, and about as many bytes more or less behind it."""
    if len(stored) < 8:
        return mutate_bytes(stored, random), raw_len
    place = random.randrange(0, min(len(stored) - 3, 96), 4)
    before = int.from_bytes(stored[place : place + 4], "little")
    after = mutate_number(before, random, 4)
    more = min(max(after - before, -4096), 4096) * random.choice([1, 2, 4, 8])
    more += -more % ARRAY_ALIGNMENT
    at = random.randrange(place + 4, len(stored) + 1)
    at = min(len(stored), at + padding_bytes(at, ARRAY_ALIGNMENT))
    behind = bytes(max(more, 0)) + stored[at + max(-more, 0) :]
    return stored[:place] + after.to_bytes(4, "little") + stored[place + 4 : at] + behind, raw_len


def _mutate_part(stored: bytes, raw_len: int, random: Random) -> tuple[bytes, int]:
    """Another header of a part, or a change inside of it, to which its lengths are fitted."""
    places = [place for place in range(0, len(stored) - _PART.size + 1, ARRAY_ALIGNMENT) if _is_part(stored, place)]
    if not places:
        return mutate_bytes(stored, random), raw_len
    place = random.choice(places[:8])
    codec, zeros, n_values, part_raw_len, stored_len = _PART.unpack_from(stored, place)
    start, stop = place + _PART.size, place + _PART.size + stored_len
    inside, new_raw_len = stored[start:stop], part_raw_len
    kind = random.random()
    if kind < 0.7:
        inside, new_raw_len = mutate_stored(codec, inside, part_raw_len, random)
    elif kind < 0.8:
        codec = random.choice(list(CodecId))
    elif kind < 0.9:
        n_values = mutate_number(n_values, random, 4)
    else:
        new_raw_len = mutate_number(part_raw_len, random, 4)
    header = _PART.pack(codec, zeros, n_values, new_raw_len & 0xFFFFFFFF, len(inside))
    rest = stored[stop + padding_bytes(stop, ARRAY_ALIGNMENT) :]
    changed = stored[:place] + header + inside + bytes(padding_bytes(len(inside), ARRAY_ALIGNMENT)) + rest
    return changed, max(raw_len + new_raw_len - part_raw_len, 0)


def _mutate_framed(stored: bytes, raw_len: int, random: Random) -> tuple[bytes, int]:
    """Another content of one of the zstd frames, and another entry in the table before them."""
    places = [place for place in range(len(stored)) if stored.startswith(_FRAME_MAGIC, place)]
    if not places:
        return mutate_bytes(stored, random), raw_len
    place = random.choice(places)
    raw = _decompress(stored[place:])
    if raw is None:
        return mutate_bytes(stored, random), raw_len
    content, frame_len = raw
    changed = mutate_bytes(content, random)
    frame = zstandard.ZstdCompressor(level=1).compress(changed)
    entry, new_entry = struct.pack("<II", frame_len, len(content)), struct.pack("<II", len(frame), len(changed))
    before, rest = stored[:place].replace(entry, new_entry, 1), stored[place + frame_len :].rstrip(b"\0")
    joined = before + frame + rest
    return joined + bytes(padding_bytes(len(joined), ARRAY_ALIGNMENT)), max(raw_len + len(changed) - len(content), 0)


def _is_part(stored: bytes, place: int) -> bool:
    codec, zeros, _, _, stored_len = _PART.unpack_from(stored, place)
    fits = 0 < stored_len <= len(stored) - place - _PART.size
    return fits and codec in CodecId.__members__.values() and not any(zeros)


def _decompress(data: bytes) -> tuple[bytes, int] | None:
    """Content and size of the frame at the start of `data`."""
    try:
        # a frame may say little and become much
        if not 0 <= zstandard.frame_content_size(data) <= _MOST_RAW_BYTES:
            return None
        decompressor = zstandard.ZstdDecompressor().decompressobj()
        raw = decompressor.decompress(data)
    except zstandard.ZstdError:
        return None
    return raw, len(data) - len(decompressor.unused_data)


def _raw_size(frame: bytes, raw_len: int) -> int:
    try:
        return min(zstandard.frame_content_size(frame), 0xFFFFFFFF) & 0xFFFFFFFF
    except zstandard.ZstdError:
        return raw_len


_CHANGES = (*[_mutate_any] * 4, *[_mutate_count] * 2, *[_mutate_part] * 4, *[_mutate_framed] * 2)
