"""Arrow columns through DuckDB's vectors and back."""

from __future__ import annotations

import ctypes
import datetime as dt
import decimal
import random
import uuid

import pyarrow as pa
import pytest

from drift_arrow.duckdb_udf import capi, converter
from drift_arrow.errors import InvalidArgumentError

N_ROWS = 5_000
SLICES = [(0, 5), (3, 100), (0, 2048), (7, 2048), (4096, 904)]
_random = random.Random(7)


def number():
    return _random.randrange(100)


SAMPLES = {
    pa.bool_(): lambda: _random.random() < 0.5,
    pa.int8(): number,
    pa.uint16(): number,
    pa.int32(): number,
    pa.int64(): number,
    pa.uint64(): lambda: 2**64 - 1 - number(),
    pa.float16(): lambda: float(number()),
    pa.float32(): lambda: float(number()),
    pa.float64(): _random.random,
    pa.string(): lambda: "long enough to lie outside " * (number() % 2) + str(number()),
    pa.large_string(): lambda: str(number()),
    pa.string_view(): lambda: "long enough to lie outside " * (number() % 2) + str(number()),
    pa.binary(): lambda: bytes([number(), 0, number()]),
    pa.binary(5): lambda: bytes([number()] * 5),
    pa.decimal128(9, 2): lambda: decimal.Decimal(number()),
    pa.decimal128(38, 5): lambda: decimal.Decimal(number()),
    pa.decimal256(20, 2): lambda: decimal.Decimal(number()),
    pa.date32(): lambda: dt.date(2026, 1, 1) + dt.timedelta(number()),
    pa.date64(): lambda: dt.date(2026, 1, 1) + dt.timedelta(number()),
    pa.time32("ms"): lambda: dt.time(1, 2, number() % 60),
    pa.time64("us"): lambda: dt.time(1, 2, number() % 60, number()),
    pa.timestamp("s"): lambda: dt.datetime.fromisoformat(f"2026-01-01T00:00:{10 + number() % 50}"),
    pa.timestamp("ms", "UTC"): lambda: dt.datetime(2026, 1, 1, 0, 0, number() % 60, tzinfo=dt.UTC),
    pa.timestamp("us"): lambda: dt.datetime.fromisoformat(f"2026-01-01T00:00:01.{100_000 + number()}"),
    pa.dictionary(pa.int8(), pa.string()): lambda: f"value {number()}",
}


def sampled(kind, make):
    """N_ROWS values, every fifth or so null."""
    return pa.array([None if _random.random() < 0.2 else make() for _ in range(N_ROWS)], kind)


def nestings(kind, make):
    """The type inside others, and how to make values of them."""
    inner = pa.struct([("a", kind), ("b", pa.int32())])

    def several():
        return [None if _random.random() < 0.2 else make() for _ in range(number() % 4)]

    def pair():
        return None if _random.random() < 0.2 else {"a": make(), "b": number()}

    yield pa.list_(kind), several
    yield pa.large_list(kind), several
    yield pa.list_(kind, 2), lambda: [make(), None]
    yield pa.map_(pa.string(), kind), lambda: [(f"key {position}", make()) for position in range(number() % 3)]
    yield inner, pair
    yield pa.list_(inner), lambda: [pair() for _ in range(number() % 3)]
    yield pa.struct([("s", inner), ("c", pa.int8())]), lambda: {"s": pair(), "c": 1}
    yield pa.list_(pa.list_(kind, 2)), lambda: [[make(), None]]


def through_duckdb(array):
    """The array as DuckDB gives it back after an import."""
    column = converter.column_type(array.type)
    types = (ctypes.c_void_p * 1)(column.logical)
    chunk = capi.create_data_chunk(types, 1)
    try:
        converter.fill_vector(capi.data_chunk_get_vector(chunk, 0), array, column)
        capi.data_chunk_set_size(chunk, len(array))
        return converter._export(types, chunk)
    finally:
        capi.destroy("data_chunk", chunk)


@pytest.mark.parametrize(("start", "length"), SLICES)
@pytest.mark.parametrize("kind", SAMPLES, ids=str)
def test_values_and_nulls_are_kept_in_any_slice(kind, start, length):
    array = sampled(kind, SAMPLES[kind]).slice(start, length)
    assert through_duckdb(array).to_pylist() == array.to_pylist()


@pytest.mark.parametrize("kind", SAMPLES, ids=str)
def test_values_and_nulls_are_kept_at_any_depth(kind):
    for nested, make in nestings(kind, SAMPLES[kind]):
        array = sampled(nested, make)
        for start, length in SLICES:
            part = array.slice(start, length)
            assert through_duckdb(part).to_pylist() == part.to_pylist(), str(nested)


def test_children_that_are_slices_keep_their_place():
    inner = pa.StructArray.from_arrays([pa.array(range(40)).slice(5), pa.array(map(str, range(35)))], ["a", "b"])
    middle = pa.StructArray.from_arrays([inner.slice(3)], ["inner"])
    offsets = pa.array(range(0, 20, 2), pa.int32())
    arrays = [
        pa.StructArray.from_arrays([middle.slice(2)], ["middle"]),
        pa.ListArray.from_arrays(offsets, middle.slice(2)),
        pa.FixedSizeListArray.from_arrays(inner.slice(5, 20), 2),
        pa.MapArray.from_arrays(offsets, pa.array(map(str, range(31))), inner.slice(4)),
        pa.ListViewArray.from_arrays(offsets, pa.array([1] * 10, pa.int32()), inner.slice(6)),
    ]
    for array in arrays:
        assert array.offset == 0
        assert through_duckdb(array).to_pylist() == array.to_pylist(), str(array.type)


def test_null_columns_stay_null():
    assert through_duckdb(pa.nulls(7)).to_pylist() == [None] * 7


def test_durations_become_intervals():
    array = pa.array([dt.timedelta(seconds=90)], pa.duration("s"))
    assert through_duckdb(array).to_pylist() == [pa.MonthDayNano([0, 0, 90 * 10**9])]


def test_run_ends_are_expanded():
    array = pa.RunEndEncodedArray.from_arrays([2, 5], pa.array(["a", None]))
    assert through_duckdb(array.slice(1)).to_pylist() == ["a", None, None, None]


def test_uuids_are_uuids():
    value = uuid.UUID(int=2**127 + 12345)
    array = pa.array([value.bytes, None], pa.uuid())
    assert through_duckdb(array).to_pylist() == [str(value), None]


def test_an_extension_that_duckdb_does_not_know_becomes_its_storage():
    array = pa.FixedShapeTensorArray.from_storage(
        pa.fixed_shape_tensor(pa.float32(), [2]), pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2))
    )
    assert through_duckdb(array).to_pylist() == [[1.0, 2.0]]


@pytest.mark.parametrize(
    "kind",
    [
        pa.decimal256(60, 2),
        pa.list_(pa.decimal256(60, 2)),
        pa.list_(pa.run_end_encoded(pa.int32(), pa.string())),
        pa.list_view(pa.dictionary(pa.int8(), pa.string())),
        pa.dense_union([pa.field("a", pa.int8()), pa.field("b", pa.string())]),
    ],
    ids=str,
)
def test_a_type_that_duckdb_lacks_is_refused(kind):
    with pytest.raises(InvalidArgumentError):
        converter.column_type(kind)


def test_the_memory_of_a_column_outlives_the_array():
    column = converter.column_type(pa.string())
    types = (ctypes.c_void_p * 1)(column.logical)
    chunk = capi.create_data_chunk(types, 1)
    converter.fill_vector(capi.data_chunk_get_vector(chunk, 0), pa.array(["a string of some length"] * 9), column)
    capi.data_chunk_set_size(chunk, 9)
    pa.array(["overwritten" * 3] * 9)
    assert converter._export(types, chunk).to_pylist() == ["a string of some length"] * 9
    capi.destroy("data_chunk", chunk)
