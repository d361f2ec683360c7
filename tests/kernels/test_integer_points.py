"""Values picked one by one against the column that decodes from the same bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels.encoded_floats import EncodedFloats
from drift_arrow.kernels.floats import encode_floats
from drift_arrow.kernels.integer_points import gather_integer_points
from drift_arrow.kernels.integer_schemes import DELTA, DICTIONARY, FRAME
from drift_arrow.kernels.integers import decode_integers, encode_integers
from drift_arrow.kernels.memory import address_of
from drift_arrow.kernels.row_table import RowTable, floats_line, integers_line, plain_line
from tests.kernels.encoded import UNSIGNED, WIDTHS, one_vector, random_codes
from tests.kernels.test_integers import DTYPES, SHAPES


def table_of(*blocks):
    """One block after the other, None for one that is absent and has a row."""
    counts = [1 if encoded is None else encoded.length for encoded in blocks]
    lines = [None if encoded is None else integers_line(encoded.table) for encoded in blocks]
    return RowTable.of(np.cumsum([0, *counts]), lines, blocks)


def picked(table, rows, dtype):
    out = np.empty(len(rows), dtype)
    assert gather_integer_points(table, np.array(rows, np.int64), out)
    return out


def assert_points(encoded):
    whole = decode_integers(encoded)
    rows = np.random.default_rng(0).permutation(len(whole))
    np.testing.assert_array_equal(picked(table_of(encoded), rows, whole.dtype), whole[rows])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("whole_bytes", [False, True])
def test_every_value_of_every_column_comes_back(dtype, shape, whole_bytes):
    assert_points(encode_integers(SHAPES[shape](3000).astype(dtype), whole_bytes=whole_bytes))


@pytest.mark.parametrize(("dtype", "width"), WIDTHS)
@pytest.mark.parametrize("scheme", [FRAME, DELTA])
def test_values_of_every_width_come_back(dtype, width, scheme):
    exceptions = [(0, 3), (500, 7), (1023, 9)]
    assert_points(one_vector(dtype, scheme, random_codes(width), width=width, base=5, exceptions=exceptions))


@pytest.mark.parametrize("dtype", UNSIGNED)
def test_sums_of_no_width_start_anew_at_their_exceptions(dtype):
    assert_points(one_vector(dtype, DELTA, base=3, exceptions=[(0, 1), (10, 0), (11, 100)]))


@pytest.mark.parametrize("dtype", UNSIGNED)
@pytest.mark.parametrize("width", [1, 8])
def test_codes_without_an_entry_mean_the_last_one(dtype, width):
    assert_points(one_vector(dtype, DICTIONARY, random_codes(width), width=width, base=2, dictionary=[4, 8, 15]))


@given(st.data())
def test_values_of_many_blocks_come_in_the_order_asked_for(data):
    shapes = data.draw(st.lists(st.sampled_from(sorted(SHAPES)), min_size=1, max_size=5))
    columns = [SHAPES[shape](data.draw(st.sampled_from([1, 1024, 1500]))).astype(np.int64) for shape in shapes]
    blocks = [encode_integers(column) for column in columns]
    lines = [integers_line(encoded.table) for encoded in blocks]
    lines[0] = plain_line(len(columns[0]), address_of(columns[0]))
    table = RowTable.of(np.cumsum([0, *map(len, columns)]), lines, (blocks, columns))
    rows = data.draw(st.lists(st.integers(0, sum(map(len, columns)) - 1), max_size=30))
    np.testing.assert_array_equal(picked(table, rows, np.int64), np.concatenate(columns)[np.array(rows, np.int64)])


def test_values_of_absent_blocks_are_not_found():
    encoded = encode_integers(np.arange(8))
    table, out = table_of(encoded, None, encoded), np.empty(2, np.int64)
    assert gather_integer_points(table, np.array([0, 9]), out)
    assert not gather_integer_points(table, np.array([0, 8]), out)


@pytest.mark.parametrize("row", [-1, 8, 2**62, -(2**63)])
def test_rows_that_are_not_there_are_refused(row):
    with pytest.raises(ValueError, match="there is no such row; got="):
        picked(table_of(encode_integers(np.arange(8))), [0, row], np.int64)


@pytest.mark.parametrize("line", [integers_line(encode_integers(np.arange(8)).table), plain_line(8, 0)])
def test_rows_past_the_values_of_a_block_are_refused(line):
    with pytest.raises(ValueError, match="there is no such row"):
        picked(RowTable.of(np.array([0, 9]), [line], ()), [8], np.int64)


def test_blocks_of_another_type_are_refused():
    encoded: EncodedFloats = encode_floats(np.zeros(8))
    with pytest.raises(ValueError, match="another type"):
        picked(RowTable.of(np.array([0, 8]), [floats_line(encoded)], [encoded]), [0], np.int64)


@pytest.mark.parametrize(
    ("rows", "out"),
    [
        (np.zeros(2, np.int32), np.empty(2, np.int64)),
        (np.zeros(2, np.int64), np.empty(3, np.int64)),
        (np.zeros(2, np.int64), np.empty(2)),
        (np.zeros(2, np.int64), np.empty(4, np.int64)[::2]),
        (np.zeros(2, np.int64), None),
    ],
)
def test_rows_and_outputs_of_other_types_and_shapes_are_refused(rows, out):
    with pytest.raises(ValueError, match=r"rows|out"):
        gather_integer_points(table_of(encode_integers(np.arange(8))), rows, out)
