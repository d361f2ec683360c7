"""Strings picked one by one, and the bits of nulls, against Arrow."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.format.row_lines import array_line, offsets_dtype
from drift_arrow.kernels.encoded_integers import EncodedIntegers
from drift_arrow.kernels.integers import encode_integers
from drift_arrow.kernels.row_table import RowTable, gather_validity, integers_line, plain_line
from drift_arrow.kernels.string_points import gather_string_points

KINDS = [pa.string(), pa.large_string(), pa.binary(), pa.large_binary()]
LIMIT = 1 << 20


def table_of(*arrays):
    lines = [array_line(array) for array in arrays]
    return RowTable.of(np.cumsum([0, *map(len, arrays)]), [line and line.numbers for line in lines], arrays)


def picked(table, rows, kind):
    rows, offsets = np.array(rows, np.int64), np.empty(len(rows) + 1, offsets_dtype(kind))
    content = gather_string_points(table, rows, offsets, LIMIT)
    found = gather_validity(table, rows)
    assert content is not None
    assert found is not None
    bits, n_nulls = found
    array = pa.Array.from_buffers(kind, len(rows), [pa.py_buffer(part) for part in (bits, offsets, content)])
    array.validate(full=True)
    assert array.null_count == n_nulls
    return array.to_pylist()


words = st.lists(st.none() | st.text(max_size=40), min_size=1, max_size=12)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_strings_of_many_blocks_come_in_the_order_asked_for(kind, data):
    arrays = []
    for block in data.draw(st.lists(words, min_size=1, max_size=4)):
        # a slice of a longer array, as a map of an Arrow stream may hold
        start = data.draw(st.integers(0, 9))
        arrays.append(pa.array([None] * start + block, pa.string()).cast(kind).slice(start))
    whole = pa.concat_arrays(arrays).to_pylist()
    rows = data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=20))
    assert picked(table_of(*arrays), rows, kind) == [whole[row] for row in rows]


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 64, 5000])
def test_strings_of_every_length_are_copied_whole(length):
    array = pa.array([chr(65 + i) * length for i in range(3)])
    assert picked(table_of(array), [2, 0, 2, 1], array.type) == [array[i].as_py() for i in (2, 0, 2, 1)]


def test_bytes_under_a_null_are_not_copied():
    array = pa.Array.from_buffers(
        pa.string(), 2, [pa.py_buffer(b"\x02"), pa.py_buffer(np.array([0, 3, 5], np.int32)), pa.py_buffer(b"abcde")]
    )
    offsets = np.empty(4, np.int32)
    content = gather_string_points(table_of(array), np.array([0, 1, 0]), offsets, LIMIT)
    assert content is not None
    assert content.tobytes() == b"de"
    assert offsets.tolist() == [0, 0, 2, 2]


def test_strings_longer_than_the_limit_are_not_copied():
    table, rows, offsets = table_of(pa.array(["abc", "de"])), np.array([0, 1, 1]), np.empty(4, np.int32)
    assert gather_string_points(table, rows, offsets, 6) is None
    assert gather_string_points(table, rows, offsets, 7) is not None


def test_lengths_that_no_offset_can_name_are_still_counted():
    ends = np.array([0, 2**31 - 1], np.int32)
    table = RowTable.of(np.array([0, 1]), [plain_line(1, ends.ctypes.data, 0)], [ends])
    assert gather_string_points(table, np.zeros(3, np.int64), np.empty(4, np.int32), 2**31 - 1) is None


def test_strings_of_absent_blocks_are_not_found():
    line = array_line(pa.array(["a"]))
    assert line is not None
    table = RowTable.of(np.array([0, 1, 2]), [line.numbers, None], [line])
    assert gather_string_points(table, np.array([1]), np.empty(2, np.int32), LIMIT) is None
    assert gather_validity(table, np.array([0, 1])) is None


@pytest.mark.parametrize("row", [-1, 2, 2**62])
def test_rows_that_are_not_there_are_refused(row):
    with pytest.raises(ValueError, match="there is no such row"):
        gather_string_points(table_of(pa.array(["a", "b"])), np.array([row]), np.empty(2, np.int32), LIMIT)
    with pytest.raises(ValueError, match="there is no such row"):
        gather_validity(table_of(pa.array(["a", None])), np.array([0, row]))


def test_rows_past_the_strings_of_a_block_are_refused():
    table = RowTable.of(np.array([0, 2]), [plain_line(1, 0, 0)], ())
    with pytest.raises(ValueError, match="there is no such row"):
        gather_string_points(table, np.array([1]), np.empty(2, np.int32), LIMIT)
    with pytest.raises(ValueError, match="there is no such row"):
        gather_validity(table, np.array([1]))


def test_blocks_of_another_type_are_refused():
    encoded: EncodedIntegers = encode_integers(np.arange(8))
    table = RowTable.of(np.array([0, 8]), [integers_line(encoded.table)], [encoded])
    with pytest.raises(ValueError, match="another type"):
        gather_string_points(table, np.array([0]), np.empty(2, np.int32), LIMIT)


@pytest.mark.parametrize("offsets", [None, np.empty(2), np.empty(3, np.int32), np.empty(4, np.int32)[::2]])
def test_offsets_of_other_types_and_shapes_are_refused(offsets):
    with pytest.raises(ValueError, match="offsets"):
        gather_string_points(table_of(pa.array(["a"])), np.array([0]), offsets, LIMIT)


def test_a_table_of_other_blocks_than_it_has_lines_is_refused():
    with pytest.raises(ValueError, match="first_rows"):
        RowTable.of(np.array([0, 1, 2]), [None], ())
    with pytest.raises(ValueError, match="first_rows must ascend"):
        RowTable.of(np.array([0, 2, 1]), [None, None], ())
