"""Encoded columns for tests: any array through the encoder and back, and arrays of every type and length."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from drift_arrow.format.codecs.part import ColumnBlock, Encoded
from drift_arrow.format.codecs.string_dictionary import StringDictionary
from drift_arrow.format.column_block import open_column
from drift_arrow.format.column_encoder import ColumnEncoder
from drift_arrow.format.encoding import Encoding
from drift_arrow.format.numbers import number_dtype, numbers_of
from drift_arrow.format.plain import to_plain
from tests.format.samples import arrays

PROFILES = ("hot", "cold")
LENGTHS = (0, 1, 1023, 1024, 1025)

INTEGER_TYPES = [
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
    *(pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")),
    *(pa.timestamp("s"), pa.timestamp("ns", "Europe/Paris"), pa.duration("ms"), pa.decimal32(9, 2), pa.decimal64(18)),
]
FLOAT_TYPES = [pa.float16(), pa.float32(), pa.float64()]
NUMBER_TYPES = INTEGER_TYPES + FLOAT_TYPES


@dataclass(frozen=True)
class Stored:
    """A block of a column without its header."""

    kind: pa.DataType
    n_values: int
    codec: int
    raw_len: int
    stored: bytes
    dictionary: bytes | None = None

    def open(self) -> ColumnBlock:
        dictionary = None if self.dictionary is None else StringDictionary(self.dictionary)
        stored = memoryview(self.stored)
        return open_column(
            stored, self.codec, self.raw_len, self.kind, self.n_values, dictionary=dictionary, path="p", offset=64
        )

    def read(self) -> pa.Array:
        return self.open().read()

    def with_stored(self, stored: bytes) -> Stored:
        return replace(self, stored=stored)


def store(array: pa.Array, profile: str = "hot", *, encoder: ColumnEncoder | None = None) -> Stored:
    """Encode an array of any type, however small it is."""
    encoder = encoder or ColumnEncoder(array.type, profile)
    plain = to_plain(array)
    return stored_as(encoder.encode_part(plain), plain, encoder.dictionary)


def stored_as(encoded: Encoded, array: pa.Array, dictionary: bytes | None = None) -> Stored:
    codec, stored, raw_len = encoded
    return Stored(array.type, len(array), int(codec), raw_len, bytes(stored), dictionary)


def names_of(encoding: Encoding) -> list[str]:
    """Codecs of a tree, from the root down."""
    return [encoding.name, *(name for child in encoding.children for name in names_of(child))]


def long_arrays(n: int, seed: int = 5) -> dict[str, pa.Array]:
    """n rows of every type in plain form, repeated at random from a few."""
    random = np.random.default_rng(seed)
    return {name: to_plain(rows).take(pa.array(random.integers(0, len(rows), n))) for name, rows in arrays().items()}


def dtype_of(kind: pa.DataType) -> np.dtype[Any]:
    dtype = number_dtype(kind)
    assert dtype is not None
    return dtype


def numbers(kind: pa.DataType, n: int, seed: int = 1) -> np.ndarray[Any, Any]:
    """Values that every scheme of encoding has something to do with: steps, runs, few distinct ones, and noise."""
    random = np.random.default_rng(seed)
    dtype = dtype_of(kind)
    if dtype.kind == "f":
        decimals = np.round(random.normal(size=n) * 100) / 4
        return np.where(np.arange(n) < 2000, decimals, random.normal(size=n)).astype(dtype)
    shapes = [np.arange(n), np.arange(n) // 300, random.choice([3, 90, 101], size=n), random.integers(0, 120, size=n)]
    return np.choose(np.arange(n) // 1024 % 4, shapes).astype(dtype)


def array_of(kind: pa.DataType, values, is_null=None) -> pa.Array:
    """As `pa.array`, but of any bits: buffers are taken as they are."""
    bitmap = None if is_null is None else pa.py_buffer(np.packbits(~is_null, bitorder="little"))
    return pa.Array.from_buffers(kind, len(values), [bitmap, pa.py_buffer(values)])


def assert_same_bits(found: pa.Array, wanted: pa.Array) -> None:
    """Type, nulls, and every bit of numbers that are not null."""
    is_valid = wanted.is_valid().to_numpy(zero_copy_only=False)
    assert found.type == wanted.type
    assert found.is_valid().to_numpy(zero_copy_only=False).tolist() == is_valid.tolist()
    left, right = (numbers_of(array)[is_valid].tobytes() for array in (found, wanted))
    assert left == right


def random_rows(kind: pa.DataType, n: int, random: np.random.Generator) -> pa.Array:  # noqa: PLR0911
    """n rows of a type in plain form, a fifth of them null, with extreme values among them."""
    mask = random.random(n) < 0.2 if n else np.zeros(0, np.bool_)
    if pt.is_null(kind):
        return pa.nulls(n)
    if pt.is_boolean(kind):
        return pa.array(random.random(n) < 0.3, mask=mask)
    if number_dtype(kind) is not None:
        return _random_numbers(kind, n, random, mask)
    if pt.is_decimal(kind):
        words = random.integers(-9, 9, (n, kind.bit_width // 64))
        words[:, 1:] = (words[:, :1] < 0) * -1
        return array_of(kind, np.ascontiguousarray(words), mask)
    if pt.is_fixed_size_binary(kind):
        return pa.array([random.bytes(kind.byte_width) for _ in range(n)], kind, mask=mask)
    if pt.is_struct(kind):
        fields = [random_rows(kind.field(i).type, n, random) for i in range(kind.num_fields)]
        return pa.StructArray.from_arrays(fields, fields=list(kind), mask=pa.array(mask))
    if pt.is_fixed_size_list(kind):
        values = random_rows(kind.value_type, n * kind.list_size, random)
        return pa.FixedSizeListArray.from_arrays(values, type=kind, mask=pa.array(mask))
    if pt.is_list(kind) or pt.is_large_list(kind):
        return _random_lists(kind, n, random, mask)
    if pt.is_dictionary(kind):
        values = random_rows(kind.value_type, 7, random)
        indices = pa.array(random.integers(0, 7, n), kind.index_type, mask=mask)
        return pa.DictionaryArray.from_arrays(indices, values)
    pool = ["", "é𝄞", "x" * 40, *(str(i) * 3 for i in range(300))]
    text = [pool[i] for i in random.integers(0, len(pool), n)]
    is_text = pt.is_string(kind) or pt.is_large_string(kind)
    return pa.array(text if is_text else [word.encode() for word in text], kind, mask=mask)


def _random_numbers(kind, n, random, mask):
    dtype = dtype_of(kind)
    if dtype.kind == "f":
        values = np.where(random.random(n) < 0.5, np.round(random.normal(size=n), 2), random.normal(size=n) * 1e4)
        return array_of(kind, values.astype(dtype), mask)
    info = np.iinfo(dtype)
    ends = np.array([info.min, info.max, 0, 1, info.max // 2], dtype)
    steps = (np.arange(n) * int(random.integers(0, 4))).astype(dtype)
    return array_of(kind, np.where(random.random(n) < 0.1, random.choice(ends, n), steps), mask)


def _random_lists(kind, n, random, mask):
    lengths = random.integers(0, 4, n)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    values = random_rows(kind.value_type, int(offsets[-1]), random)
    is_large = pt.is_large_list(kind)
    array_type = pa.LargeListArray if is_large else pa.ListArray
    places = offsets.astype(np.int64 if is_large else np.int32)
    return array_type.from_arrays(places, values, type=kind, mask=pa.array(mask))
