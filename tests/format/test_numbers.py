"""Columns of numbers through each of their codecs: every bit, nulls, and what of it is in place."""

import struct

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift_arrow.format.codecs.compressed import encode_compressed
from drift_arrow.format.codecs.dictionary import encode_by_dictionary
from drift_arrow.format.codecs.numbers import encode_numbers
from drift_arrow.format.codecs.planes import encode_planes
from drift_arrow.format.distinct import find_distinct
from drift_arrow.format.layout import NUMBERS_HEADER_BYTES
from drift_arrow.format.numbers import filled_numbers, number_dtype, numbers_of
from drift_arrow.format.warm_column import WarmColumn
from drift_arrow.kernels._aligned import aligned
from tests.format.columns import (
    FLOAT_TYPES,
    INTEGER_TYPES,
    NUMBER_TYPES,
    array_of,
    assert_same_bits,
    dtype_of,
    numbers,
    stored_as,
)
from tests.format.samples import arrays

ENCODERS = {
    "packed": encode_numbers,
    "whole bytes": lambda array: encode_numbers(array, whole_bytes=True),
    "compressed": lambda array: encode_compressed(encode_numbers(array, whole_bytes=True)),
    "planes": encode_planes,
}


def packed(array):
    return stored_as(encode_numbers(array), array)


@pytest.fixture(params=ENCODERS)
def encode(request):
    return lambda array: stored_as(ENCODERS[request.param](array), array)


@pytest.mark.parametrize("n", [0, 1, 1025, 4096])
@pytest.mark.parametrize("kind", NUMBER_TYPES, ids=str)
def test_every_type_comes_back(encode, kind, n):
    is_null = np.random.default_rng(2).random(n) < 0.3
    for array in (array_of(kind, numbers(kind, n)), array_of(kind, numbers(kind, n), is_null)):
        assert_same_bits(encode(array).read(), array)


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("kind", [pa.int8(), pa.timestamp("us"), pa.float64()], ids=str)
def test_rows_are_written_to_given_memory_unless_some_are_null(encode, kind, streams):
    array = array_of(kind, numbers(kind, 2500))
    memory = aligned(2501, numbers_of(array).dtype)
    memory[:] = 77
    assert WarmColumn(encode(array).open()).read_into(memory[:2500], streams=streams)
    assert memory[:2500].tobytes() == numbers_of(array).tobytes()
    assert memory[2500] == 77
    nulls = array_of(kind, numbers(kind, 2500), np.arange(2500) == 9)
    assert not WarmColumn(encode(nulls).open()).read_into(memory[:2500], streams=streams)


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint32(), pa.float16(), pa.float64()], ids=str)
def test_rows_are_taken_in_any_order(encode, kind):
    n = 5000
    array = array_of(kind, numbers(kind, n), np.arange(n) % 7 == 0)
    block = encode(array).open()
    for places in ([], [0], [n - 1, 0, n - 1], [1023, 1024, 2047, 2048], np.random.default_rng(1).integers(0, n, 4000)):
        rows = np.array(places, np.int64)
        assert_same_bits(block.take(rows), array.take(pa.array(rows)))


@pytest.mark.parametrize("kind", [pa.int16(), pa.int64(), pa.float32(), pa.float64()], ids=str)
def test_many_rows_of_few_vectors_are_taken_by_the_vector(encode, kind):
    n = 12 * 1024 - 5
    array = array_of(kind, numbers(kind, n), np.arange(n) % 7 == 0)
    rows = np.concatenate([np.arange(n - 90, n), np.arange(3 * 1024, 4 * 1024, 5), [n - 1]])[::-1].copy()
    assert_same_bits(encode(array).open().take(rows), array.take(pa.array(rows)))


@pytest.mark.parametrize("kind", INTEGER_TYPES, ids=str)
def test_extreme_integers_come_back(encode, kind):
    info = np.iinfo(dtype_of(kind))
    ends = np.array([info.min, info.max, info.min, info.max - 1, 0], info.dtype)
    for values in (np.tile(ends, 300), np.full(1500, info.min), np.full(1500, info.max)):
        array = array_of(kind, values.astype(info.dtype))
        assert numbers_of(encode(array).read()).tobytes() == array.buffers()[1].to_pybytes()


def unusual_floats(kind):
    dtype = dtype_of(kind)
    info, bits = np.finfo(dtype), np.dtype(f"u{dtype.itemsize}")
    usual = np.array([0.0, -0.0, np.inf, -np.inf, info.max, info.min, info.tiny, info.smallest_subnormal], dtype)
    nans = np.array([np.nan], dtype).view(bits) + np.arange(1, 9).astype(bits)
    signs = nans | bits.type(1 << (8 * dtype.itemsize - 1))
    return array_of(kind, np.tile(np.concatenate([usual, nans.view(dtype), signs.view(dtype)]), 100))


@pytest.mark.parametrize("kind", FLOAT_TYPES, ids=str)
def test_every_bit_of_unusual_floats_comes_back(encode, kind):
    array = unusual_floats(kind)
    assert_same_bits(encode(array).read(), array)


@pytest.mark.parametrize("kind", FLOAT_TYPES, ids=str)
def test_every_bit_of_unusual_floats_comes_back_from_a_dictionary(kind):
    array = unusual_floats(kind)
    distinct = find_distinct(array, 1e9)
    assert distinct is not None
    assert len(distinct.values) == 24
    column = stored_as(encode_by_dictionary(array, distinct.codes, distinct.values, encode_numbers), array)
    assert_same_bits(column.read(), array)


@settings(deadline=None)  # kernels are loaded on the way
@given(
    st.sampled_from(NUMBER_TYPES),
    st.sampled_from(sorted(ENCODERS)),
    st.binary(max_size=600),
    st.integers(1, 40),
    st.none() | st.integers(0, 2**32),
)
def test_any_bits_come_back(kind, encoder, data, repeats, nulls):
    dtype = dtype_of(kind)
    values = np.tile(np.frombuffer(data[: len(data) // dtype.itemsize * dtype.itemsize], dtype), repeats)
    is_null = None if nulls is None else np.random.default_rng(nulls).random(len(values)) < 0.5
    wanted = array_of(kind, values, is_null)
    found = stored_as(ENCODERS[encoder](wanted), wanted).read()
    is_valid = wanted.is_valid().to_numpy(zero_copy_only=False)
    assert found.is_valid().to_numpy(zero_copy_only=False).tolist() == is_valid.tolist()
    assert numbers_of(found)[is_valid].tobytes() == values[is_valid].tobytes()


@pytest.mark.parametrize("name", sorted(arrays()))
def test_columns_of_one_number_per_row_are_numbers_and_no_others(name):
    kind = arrays()[name].type
    is_small_decimal = pa.types.is_decimal32(kind) or pa.types.is_decimal64(kind)
    is_time = pa.types.is_timestamp(kind) or pa.types.is_duration(kind)
    assert (number_dtype(kind) is not None) == (kind in NUMBER_TYPES or is_time or is_small_decimal)


def test_nulls_cost_no_more_than_their_bitmap():
    random = np.random.default_rng(3)
    is_null = np.arange(4096) % 3 == 0
    steady = np.arange(4096) // 64
    noisy = np.where(is_null, random.integers(0, 2**60, size=4096), steady)
    without = len(packed(pa.array(steady)).stored)
    assert len(packed(pa.array(noisy, mask=is_null)).stored) <= without + 512 + 64
    # and less than that if they stand together
    many = np.arange(1 << 16) < 50_000
    assert len(packed(pa.array(np.zeros(1 << 16), mask=many)).stored) < 2500


def test_nulls_take_the_value_before_them_or_the_first():
    assert filled_numbers(pa.array([None, None, 7, None, 9, None])).tolist() == [7, 7, 7, 7, 9, 9]
    assert filled_numbers(pa.nulls(2, pa.int8())).tolist() == [0, 0]


@pytest.mark.parametrize("kind", [pa.int32(), pa.float64()], ids=str)
def test_values_start_where_wide_instructions_want_them(kind):
    array = array_of(kind, numbers(kind, 1001), np.arange(1001) % 7 == 0)
    bitmap, values = packed(array).read().buffers()
    assert values.address % 64 == 0
    assert (bitmap.size, values.size) == (126, 1001 * dtype_of(kind).itemsize)


def test_the_header_has_the_size_of_its_table():
    column = packed(pa.array(np.arange(5, dtype=np.int16)))
    assert struct.unpack_from("<B3sI", column.stored) == (0, bytes(3), 0)
    assert struct.unpack_from("<BBHI", column.stored, 8) == (2, 0, 0, 5)
    assert len(packed(pa.nulls(0, pa.int16())).stored) == 8 + NUMBERS_HEADER_BYTES + 128
