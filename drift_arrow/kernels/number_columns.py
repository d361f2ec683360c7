"""Single rows of several columns of numbers in one compiled call: what a search returns beside its distances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.float_part import PARTS
from drift_arrow.kernels.float_points import gather_floats
from drift_arrow.kernels.integer_points import gather_integers
from drift_arrow.kernels.lanes import VALUES
from drift_arrow.kernels.memory import address_of, array_at
from drift_arrow.kernels.row_table import DONE, N_NUMBERS, RowTable, check_status
from drift_arrow.kernels.scratch import layout, scratch

_FLOAT: Final = 16
_CODES: Final = MappingProxyType(
    {np.dtype(f"{kind}{size}"): size for kind in "iu" for size in (1, 2, 4, 8)}
    | {np.dtype(f"f{size}"): _FLOAT + size for size in (4, 8)}
)
"""Number of each type inside the kernel; half floats are rare, and have none."""

_LINE: Final = 64
_PARTS, _ROOM = range(2)
_PLACES, _SCRATCH_BYTES = layout([(PARTS, np.uint16), (VALUES, np.uint64)])


@dataclass(frozen=True, eq=False)
class NumberColumns:
    """Columns of numbers without nulls, under one numbering of rows. Immutable; safe to use by many threads.

    numbers : (c, 4) int64     number of blocks, addresses of the arrays of the `RowTable`, and type of each column
    tables : tuple of RowTable     what the addresses point to
    item_bytes : tuple of int
    """

    numbers: NDArray[np.int64]
    tables: tuple[RowTable, ...]
    item_bytes: tuple[int, ...]

    @classmethod
    def of(cls, columns: Sequence[tuple[RowTable, np.dtype[Any]]]) -> NumberColumns:
        """Columns by their tables and types, each of which `supports`."""
        numbers = [
            (len(table.blocks), address_of(table.first_rows), address_of(table.blocks), _CODES[dtype])
            for table, dtype in columns
        ]
        array = readonly("numbers", np.array(numbers, np.int64).reshape(-1, 4), np.int64, None, 4)
        return cls(array, tuple(table for table, _ in columns), tuple(dtype.itemsize for _, dtype in columns))

    @staticmethod
    def supports(table: RowTable, dtype: np.dtype[Any]) -> bool:
        """Whether a column is of numbers that `gather_numbers` knows, none of them null."""
        return dtype in _CODES and not table.has_nulls


@kernel(inner=True)
def _gather_integers(first_rows: Any, blocks: Any, rows: Any, target: Any, code: Any) -> Any:
    if code == 1:
        return gather_integers(first_rows, blocks, rows, array_at(target, rows.size, np.uint8(0)))
    if code == 2:
        return gather_integers(first_rows, blocks, rows, array_at(target, rows.size, np.uint16(0)))
    if code == 4:
        return gather_integers(first_rows, blocks, rows, array_at(target, rows.size, np.uint32(0)))
    return gather_integers(first_rows, blocks, rows, array_at(target, rows.size, np.uint64(0)))


@kernel(inner=True)
def _gather_floats(first_rows: Any, blocks: Any, rows: Any, target: Any, code: Any, memory: Any, places: Any) -> Any:
    one, size = np.int64(1), np.int64(rows.size)
    parts = array_at(memory + places[_PARTS], np.int64(PARTS), np.uint16(0))
    if code == _FLOAT + 4:
        single = array_at(memory + places[_ROOM], np.int64(VALUES), np.uint32(0))
        return gather_floats(first_rows, blocks, rows, one, parts, single, array_at(target, (size, one), np.uint32(0)))
    double = array_at(memory + places[_ROOM], np.int64(VALUES), np.uint64(0))
    return gather_floats(first_rows, blocks, rows, one, parts, double, array_at(target, (size, one), np.uint64(0)))


@kernel
def _gather(numbers: Any, rows: Any, out: Any, line: Any, memory: Any, places: Any) -> Any:
    """Fill one piece of `out` after the other; `DONE`, or why not."""
    target = np.int64(out.ctypes.data)
    for column in range(numbers.shape[0]):
        n_blocks, code = numbers[column, 0], numbers[column, 3]
        first_rows = array_at(numbers[column, 1], n_blocks + 1, np.int64(0))
        blocks = array_at(numbers[column, 2], (n_blocks, np.int64(N_NUMBERS)), np.int64(0))
        if code < _FLOAT:
            status = np.int64(_gather_integers(first_rows, blocks, rows, target, code))
        else:
            status = np.int64(_gather_floats(first_rows, blocks, rows, target, code, memory, places))
        if status != DONE:
            return status
        n_bytes = (code & (_FLOAT - 1)) * rows.size
        target += (n_bytes + line - 1) // line * line
    return np.int64(DONE)


def gather_numbers(columns: NumberColumns, rows: NDArray[np.int64]) -> tuple[NDArray[np.uint8], list[int]] | None:
    """Values of some rows of all columns.

    Parameters
    ----------
    columns : NumberColumns
    rows : (m,) int64
        Any order, repeats allowed.

    Returns
    -------
    values : (n,) uint8
        The values of one column after the other, each from a multiple of 64 bytes on.
    starts : list of int
        Where the values of each column begin.

    Instead of both, None if a block that holds a row is absent.

    Raises
    ------
    ValueError    there is no such row, wrong dtype, shape or layout of `rows`, or a damaged vector that a row touches
    """
    rows = readonly("rows", rows, np.int64, None)
    starts, end = [], 0
    for item_bytes in columns.item_bytes:
        starts.append(end)
        end += -(-len(rows) * item_bytes // _LINE) * _LINE
    values = np.empty(end, np.uint8)
    address, memory = scratch(_SCRATCH_BYTES)
    status = int(_gather(columns.numbers, rows, values, _LINE, address, _PLACES))
    # kept until here by its name
    del memory
    if status == DONE:
        return values, starts
    for table in columns.tables:
        if not check_status(status, table, rows):
            return None
    return None
