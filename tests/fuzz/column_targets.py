"""Stored bytes of payload columns, one target per codec."""

from __future__ import annotations

import struct
from functools import cache, partial
from random import Random
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from drift_arrow.format.codecs.part import Encoded
from drift_arrow.format.codecs.string_dictionary import StringDictionary
from drift_arrow.format.column import gather_chunks
from drift_arrow.format.column_block import open_column
from drift_arrow.format.column_encoder import ColumnEncoder
from drift_arrow.format.layout import MAX_BLOCK_BYTES, CodecId
from tests.format.samples import arrays
from tests.fuzz.bytes_mutator import mutate_number
from tests.fuzz.stored_mutator import mutate_stored
from tests.fuzz.target import Target

_PATH = "fuzz"
# number of the sample, number of values, raw length: what stands beside the stored bytes in a file
_PREFIX = struct.Struct("<III")
_PROFILES = ("hot", "cold")
_REPEATS = 250


class _Sample(NamedTuple):
    """A column as one profile stores it."""

    kind: pa.DataType
    n_values: int
    encoded: Encoded
    dictionary: StringDictionary | None


def column_seeds(codec: CodecId) -> list[bytes]:
    """Columns that the encoder stores in this way."""
    return [
        _PREFIX.pack(number, sample.n_values, sample.encoded.raw_len) + bytes(sample.encoded.stored)
        for number, sample in enumerate(_samples())
        if sample.encoded.codec == codec
    ]


def mutate_column(codec: CodecId, data: bytes, random: Random) -> bytes:
    """Other stored bytes, or another declaration."""
    if len(data) < _PREFIX.size:
        data = data + bytes(_PREFIX.size)
    number, n_values, raw_len = _PREFIX.unpack_from(data)
    stored = data[_PREFIX.size :]
    choice = random.random()
    if choice < 0.04:
        n_values = mutate_number(n_values, random, 4)
    elif choice < 0.08:
        raw_len = mutate_number(raw_len, random, 4)
    elif choice < 0.1:
        number = random.randrange(len(_samples()))
    else:
        stored, raw_len = mutate_stored(codec, stored, raw_len, random)
    return _PREFIX.pack(number, n_values, raw_len & 0xFFFFFFFF) + stored


def parse_column(codec: CodecId, data: bytes) -> None:
    """As a segment does, which has checked the header of the block and knows the type."""
    if len(data) < _PREFIX.size:
        return
    number, n_values, raw_len = _PREFIX.unpack_from(data)
    sample, stored = _samples()[number % len(_samples())], memoryview(data)[_PREFIX.size :]
    if raw_len > MAX_BLOCK_BYTES or len(stored) > raw_len or not n_values:
        return  # the header of the block would be refused
    place = {"dictionary": sample.dictionary, "path": _PATH, "offset": 0}
    block = open_column(stored, codec, raw_len, sample.kind, n_values, **place)
    block.describe()
    places = np.unique(np.array([0, n_values // 2, n_values - 1]))[::-1]
    taken, rows = block.take(places), block.read()
    for array, size in ((taken, len(places)), (rows, n_values)):
        assert len(array) == size
        array.validate(full=not _has_bounded_values(array.type))
    # as text, which Arrow makes of any number, be it a time that Python cannot hold
    assert rows.take(pa.array(places)).to_string() == taken.to_string()


def _has_bounded_values(kind: pa.DataType) -> bool:
    """Whether Arrow takes some values of the bits of a type for wrong, though they endanger nobody."""
    if isinstance(kind, pa.BaseExtensionType):
        return _has_bounded_values(kind.storage_type)
    if pt.is_date64(kind) or pt.is_time(kind) or pt.is_decimal(kind):
        return True
    return any(_has_bounded_values(kind.field(number).type) for number in range(kind.num_fields))


@cache
def _samples() -> list[_Sample]:
    """Columns of every type, short and of more than one vector of 1024 values, in both profiles."""
    short = list(arrays().values())
    repeated = [pa.chunked_array([array] * _REPEATS) for array in short]
    columns = [pa.chunked_array([array]) for array in [*short, *_numbers(), *_texts()]] + repeated
    found = []
    for column in columns:
        rows = gather_chunks(column)
        for profile in _PROFILES:
            encoder = ColumnEncoder(column.type, profile)
            encoder.encode(rows)
            # once more, for the first time may have trained the dictionary
            encoded, data = encoder.encode(rows), encoder.dictionary
            dictionary = None if data is None else StringDictionary(data)
            if encoded.raw_len <= MAX_BLOCK_BYTES:
                found.append(_Sample(column.type, len(rows), encoded, dictionary))
    return found


def _numbers() -> list[pa.Array]:
    random = np.random.default_rng(11)
    rows = 2500
    outliers = np.where(random.random(rows) < 0.01, 1 << 40, random.integers(0, 100, rows))
    prices = random.integers(0, 100_000, rows) / 100
    holes = random.random(rows) < 0.2
    return [
        pa.array(np.cumsum(random.integers(0, 50, rows))),
        pa.array(outliers),
        pa.array(outliers.astype(np.uint64), mask=holes),
        pa.array(np.full(rows, 7, np.int16)),
        pa.array(np.repeat(random.integers(0, 1 << 60, 20), rows // 20)),
        pa.array(random.integers(-100, 100, rows).astype(np.int8)),
        pa.array(prices),
        pa.array(prices.astype(np.float32), mask=holes),
        pa.array(random.normal(size=rows)),
        pa.array(random.normal(size=rows).astype(np.float32)),
        pa.array(random.normal(size=rows).astype(np.float16)),
    ]


def _texts() -> list[pa.Array]:
    random = np.random.default_rng(12)
    rows = 2500
    words = np.array([f"word-{number}" for number in range(500)])
    return [
        pa.array(words[random.integers(0, 9, rows)]),
        pa.array([" ".join(chosen) for chosen in words[random.integers(0, 500, (rows, 6))]]),
        pa.array([random.bytes(int(size)) for size in random.integers(0, 9, rows)], pa.binary()),
        pa.array([random.bytes(7) for _ in range(rows)], pa.binary(7)),
        long_texts(1500),
    ]


def long_texts(rows: int) -> pa.Array:
    """Lines so long, of so few words, that a dictionary of the column pays."""
    random = np.random.default_rng(4)
    words = np.array([bytes(random.integers(97, 123, 120, np.uint8)).decode() for _ in range(60)])
    return pa.array([f"{' '.join(line)} {row}" for row, line in enumerate(words[random.integers(0, 60, (rows, 3))])])


def _codecs() -> list[CodecId]:
    return sorted({CodecId(sample.encoded.codec) for sample in _samples()})


COLUMN_TARGETS = tuple(
    Target(
        name=f"column_{codec.name.lower()}",
        seeds=partial(column_seeds, codec),
        mutate=partial(mutate_column, codec),
        parse=partial(parse_column, codec),
    )
    for codec in _codecs()
)
