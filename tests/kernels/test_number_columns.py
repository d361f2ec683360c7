from __future__ import annotations

import numpy as np
import pytest

from drift_arrow.kernels.float_points import gather_float_points
from drift_arrow.kernels.floats import encode_floats
from drift_arrow.kernels.integers import encode_integers
from drift_arrow.kernels.memory import address_of
from drift_arrow.kernels.number_columns import NumberColumns, gather_numbers
from drift_arrow.kernels.row_table import RowTable, floats_line, integers_line, plain_line

N_ROWS = 3000
INTEGERS = [f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)]
FLOATS = ["f4", "f8"]


def column(dtype, *, plain):
    random = np.random.default_rng(len(dtype))
    if plain:
        values = random.integers(0, 100, N_ROWS).astype(dtype)
        line = plain_line(N_ROWS, address_of(values))
        return values, RowTable.of(np.array([0, N_ROWS]), [line], [values])
    if dtype[0] == "f":
        values = (random.integers(0, 10_000, N_ROWS) / 100).astype(dtype)
        encoded = encode_floats(values)
        return values, RowTable.of(np.array([0, N_ROWS]), [floats_line(encoded)], [encoded])
    values = random.integers(0, 100, N_ROWS).astype(dtype)
    numbers = encode_integers(values)
    return values, RowTable.of(np.array([0, N_ROWS]), [integers_line(numbers.table)], [numbers])


@pytest.mark.parametrize("plain", [False, True])
def test_columns_of_all_types_come_back_together(plain):
    names = INTEGERS + FLOATS
    columns = [column(name, plain=plain) for name in names]
    together = NumberColumns.of([(table, values.dtype) for values, table in columns])
    rows = np.random.default_rng(1).integers(0, N_ROWS, 37)
    found = gather_numbers(together, rows)
    assert found is not None
    memory, starts = found
    for (values, _), start in zip(columns, starts, strict=True):
        assert start % 64 == 0
        piece = memory[start : start + 37 * values.itemsize].view(values.dtype)
        np.testing.assert_array_equal(piece, values[rows])


def test_nothing_comes_back_if_a_block_is_not_open():
    values, table = column("i8", plain=True)
    absent = RowTable.of(np.array([0, N_ROWS]), [None], [])
    together = NumberColumns.of([(table, values.dtype), (absent, values.dtype)])
    assert gather_numbers(together, np.array([5])) is None


def test_a_row_that_does_not_exist_is_refused():
    values, table = column("i8", plain=True)
    together = NumberColumns.of([(table, values.dtype)])
    for row in (-1, N_ROWS):
        with pytest.raises(ValueError, match="no such row"):
            gather_numbers(together, np.array([row]))


def test_half_floats_and_nulls_are_not_supported():
    _, table = column("f4", plain=True)
    assert not NumberColumns.supports(table, np.dtype("f2"))
    bits = np.zeros(N_ROWS // 8, np.uint8)
    line = plain_line(N_ROWS, address_of(bits), validity=address_of(bits))
    nulls = RowTable.of(np.array([0, N_ROWS]), [line], [bits])
    assert not NumberColumns.supports(nulls, np.dtype("i1"))


def test_one_column_of_floats_is_that_of_its_own_kernel():
    values, table = column("f8", plain=False)
    rows, out = np.arange(0, N_ROWS, 7), np.empty((N_ROWS // 7 + 1, 1))
    assert gather_float_points(table, rows, out)
    found = gather_numbers(NumberColumns.of([(table, values.dtype)]), rows)
    assert found is not None
    assert found[0][: out.nbytes].tobytes() == out.tobytes()
