"""Columns of every Arrow type through the encoder and back, whole and row by row."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift_arrow.errors import InvalidArgumentError
from drift_arrow.format.column_encoder import ColumnEncoder
from drift_arrow.format.layout import HEADER_BYTES, PAGE_BYTES, CodecId
from drift_arrow.format.plain import from_plain, to_plain
from tests.format.columns import LENGTHS, NUMBER_TYPES, PROFILES, long_arrays, random_rows, store, stored_as
from tests.format.samples import arrays, same

NAMES = sorted(arrays())

LEAVES = [
    *NUMBER_TYPES,
    *(pa.bool_(), pa.null(), pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.binary(5)),
    *(pa.binary(0), pa.decimal128(38, 3), pa.decimal256(70, 1)),
    *(pa.dictionary(pa.int32(), pa.string()), pa.dictionary(pa.uint64(), pa.int16())),
]


def containers(kinds):
    return st.one_of(
        kinds.map(pa.list_),
        kinds.map(pa.large_list),
        st.tuples(kinds, st.integers(1, 3)).map(lambda pair: pa.list_(*pair)),
        st.lists(kinds, max_size=3).map(lambda some: pa.struct([(str(i), kind) for i, kind in enumerate(some)])),
    )


KINDS = st.recursive(st.sampled_from(LEAVES), containers, max_leaves=4)


def taken(array, places):
    return array.take(pa.array(places))


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("name", NAMES)
def test_every_type_comes_back(name, n, profile):
    array = long_arrays(n)[name]
    block = store(array, profile).open()
    assert block.n_values == n
    assert same(block.read(), array)
    places = np.random.default_rng(n).integers(0, n, 30 if n else 0)
    assert same(block.take(places), taken(array, places))


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", NAMES)
def test_every_type_comes_back_if_all_is_null(name, profile):
    array = arrays()[name]
    if pa.types.is_union(array.type):
        pytest.skip("a union has no nulls of its own")
    nulls = to_plain(pa.nulls(1030, array.type))
    block = store(nulls, profile).open()
    assert block.read().equals(nulls)
    assert block.take(np.array([1029, 0])).equals(nulls.slice(0, 2))


@pytest.mark.parametrize("name", NAMES)
def test_slices_come_back(name):
    array = long_arrays(2100)[name]
    for start, length in [(0, 1025), (1, 1024), (7, 0), (13, 2050), (2099, 1)]:
        rows = array.slice(start, length)
        assert same(store(rows).read(), rows)


@pytest.mark.parametrize("name", NAMES)
def test_the_exact_type_comes_back_from_the_plain_form(name):
    array = arrays()[name]
    assert same(from_plain(store(array).read(), array.type), array)


@settings(deadline=None)  # kernels are loaded on the way
@given(KINDS, st.sampled_from([0, 1, 2, 70, 1023, 1024, 1025]), st.integers(0, 2**32), st.sampled_from(PROFILES))
def test_any_rows_of_any_type_come_back(kind, n, seed, profile):
    random = np.random.default_rng(seed)
    array = random_rows(kind, n + 5, random).slice(3, n)
    block = store(array, profile).open()
    found = block.read()
    found.validate()
    assert found.equals(array)
    places = random.integers(0, n, int(random.integers(0, 20)) if n else 0)
    assert block.take(places).equals(taken(array, places))


def test_rows_under_a_null_list_are_left_out():
    offsets, values = pa.array([0, 3, None, 5], pa.int32()), pa.array([1, 2, 3, 4, 5])
    array = pa.ListArray.from_arrays(offsets, values)
    # the null has the range of two values, as writers may leave it
    array = pa.Array.from_buffers(
        array.type, 3, [pa.py_buffer(b"\x05"), pa.py_buffer(np.array([0, 2, 4, 5], np.int32))], children=[values]
    )
    block = store(array).open()
    assert block.read().to_pylist() == [[1, 2], None, [5]]
    assert block.read().values.to_pylist() == [1, 2, 5]


def test_types_deeper_than_parts_may_nest_come_back():
    kind = pa.int64()
    for _ in range(50):
        kind = pa.struct([("inside", kind)])
    array = pa.nulls(3, kind)
    assert store(array).read().equals(array)


def test_a_small_column_is_a_stream_that_needs_no_compiled_code():
    for array in (pa.array(np.arange(400)), pa.array(["word"] * 20), arrays()["uuid"], pa.nulls(9)):
        encoded = ColumnEncoder(array.type, "hot").encode(array)
        assert encoded.codec in {CodecId.PLAIN, CodecId.ZSTD}
        assert len(encoded.stored) <= PAGE_BYTES - HEADER_BYTES
        assert stored_as(encoded, array).read().equals(array)
    large = pa.array(np.arange(600))
    assert ColumnEncoder(large.type, "hot").encode(large).codec == CodecId.INTEGERS


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", NAMES)
def test_stored_bytes_are_no_longer_than_declared(name, profile):
    for array in (to_plain(arrays()[name]), long_arrays(3000)[name]):
        encoded = ColumnEncoder(array.type, profile).encode(array)
        assert len(encoded.stored) <= encoded.raw_len
        assert same(stored_as(encoded, array).read(), array)


def test_noise_is_not_packed():
    noise = pa.array(np.random.default_rng(7).integers(-(2**63), 2**63 - 1, 4096))
    assert ColumnEncoder(noise.type, "hot").encode(noise).codec == CodecId.PLAIN


def test_equal_rows_have_equal_stored_bytes():
    rows = pa.array([1.25, None, 3.5] * 700)
    joined = pa.concat_arrays([rows.slice(0, 700), rows.slice(700)])
    for profile in PROFILES:
        assert store(rows, profile) == store(joined, profile)


def test_rows_of_another_type_than_their_column_are_refused():
    with pytest.raises(InvalidArgumentError, match="another type"):
        ColumnEncoder(pa.int64(), "hot").encode(pa.array([1.5]))


def test_stored_bytes_may_lie_anywhere():
    for array in long_arrays(1100).values():
        column = store(array)
        assert same(column.with_stored(memoryview(b"x" + column.stored)[1:]).read(), array)  # type: ignore[arg-type]


def test_lists_and_binaries_of_no_size_come_back():
    for array in (pa.array([[], None, []], pa.list_(pa.int8(), 0)), pa.array([b"", None, b""], pa.binary(0))):
        column = store(array)
        assert column.raw_len == 3 + 1
        assert column.read().equals(array)
        assert column.open().take(np.array([1, 0])).equals(array.take(pa.array([1, 0])))
