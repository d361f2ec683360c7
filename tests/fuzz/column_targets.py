"""Stored bytes of payload columns, one target per codec."""

from __future__ import annotations

import struct
from functools import partial
from random import Random

import numpy as np
import pyarrow as pa

from drift_arrow.format.codec import NUMBER_CODECS, codec_of
from drift_arrow.format.column import decode_column, encode_column, gather_chunks
from drift_arrow.format.layout import MAX_BLOCK_BYTES, CodecId
from drift_arrow.format.numbers import join_numbers, number_codec, number_dtype, split_numbers
from tests.format.samples import arrays
from tests.fuzz.bytes_mutator import mutate_number
from tests.fuzz.stored_mutator import mutate_stored
from tests.fuzz.target import Target

_PATH = "fuzz"
# number of the type, number of values, raw length: what stands beside the stored bytes in a file
_PREFIX = struct.Struct("<III")


def _samples() -> list[pa.Array]:
    """Columns of every type, short ones and some of more than one vector of 1024 values."""
    random = np.random.default_rng(11)
    rows = 2500
    ascending = np.cumsum(random.integers(0, 50, rows))
    outliers = np.where(random.random(rows) < 0.01, 1 << 40, random.integers(0, 100, rows))
    prices = random.integers(0, 100_000, rows) / 100
    long = [
        pa.array(ascending),
        pa.array(outliers),
        pa.array(outliers.astype(np.uint64), mask=random.random(rows) < 0.2),
        pa.array(np.full(rows, 7, np.int16)),
        pa.array(np.repeat(random.integers(0, 1 << 60, 20), rows // 20)),
        pa.array(random.integers(-100, 100, rows).astype(np.int8)),
        pa.array(prices),
        pa.array(prices.astype(np.float32), mask=random.random(rows) < 0.2),
        pa.array(random.normal(size=rows)),
        pa.array(random.normal(size=rows).astype(np.float32)),
        pa.array(random.normal(size=rows).astype(np.float16)),
        pa.array([f"word {row % 9}" for row in range(rows)]),
    ]
    return [*arrays().values(), *long]


_KINDS = [array.type for array in _samples()]


def column_seeds(codec: CodecId) -> list[bytes]:
    """Columns that this codec can store, whether it would be chosen or not."""
    found = []
    for number, array in enumerate(_samples()):
        rows = gather_chunks(pa.chunked_array([array]))
        stored, raw_len = _encode(codec, rows)
        if stored is not None:
            found.append(_PREFIX.pack(number, len(rows), raw_len) + stored)
    return found


def mutate_column(codec: CodecId, data: bytes, random: Random) -> bytes:
    """Other stored bytes, or another declaration."""
    if len(data) < _PREFIX.size:
        data = data + bytes(_PREFIX.size)
    kind, n_values, raw_len = _PREFIX.unpack_from(data)
    stored = data[_PREFIX.size :]
    choice = random.random()
    if choice < 0.05:
        n_values = mutate_number(n_values, random, 4)
    elif choice < 0.1:
        raw_len = mutate_number(raw_len, random, 4)
    elif choice < 0.12:
        kind = random.randrange(len(_KINDS))
    else:
        stored, raw_len = mutate_stored(codec, stored, raw_len, random)
    return _PREFIX.pack(kind, n_values, raw_len & 0xFFFFFFFF) + stored


def parse_column(codec: CodecId, data: bytes) -> None:
    """As a segment does, which has checked the header of the block and knows the type."""
    if len(data) < _PREFIX.size:
        return
    number, n_values, raw_len = _PREFIX.unpack_from(data)
    kind, stored = _KINDS[number % len(_KINDS)], memoryview(data)[_PREFIX.size :]
    if raw_len > MAX_BLOCK_BYTES or len(stored) > raw_len:
        return  # the header of the block would be refused
    raw = codec_of(codec, path=_PATH).decode(stored, raw_len, path=_PATH, offset=0)
    if codec in NUMBER_CODECS:
        join_numbers(raw, codec, kind, n_values, path=_PATH, offset=0).validate(full=True)
    else:
        decode_column(raw, kind, n_values, path=_PATH, offset=0).validate(full=True)


def _encode(codec: CodecId, rows: pa.Array) -> tuple[bytes | None, int]:
    dtype = number_dtype(rows.type)
    if codec in NUMBER_CODECS:
        if dtype is None or number_codec(dtype) != codec:
            return None, 0
        numbers = split_numbers(rows)
        return NUMBER_CODECS[codec].encode_numbers(*numbers), numbers.raw_len
    stream = encode_column(rows)
    stored = stream.to_pybytes() if codec == CodecId.PLAIN else codec_of(codec, path=_PATH).encode(stream)  # type: ignore[attr-defined]
    return stored, stream.size


COLUMN_TARGETS = tuple(
    Target(
        name=f"column_{codec.name.lower()}",
        seeds=partial(column_seeds, codec),
        mutate=partial(mutate_column, codec),
        parse=partial(parse_column, codec),
    )
    for codec in CodecId
)
