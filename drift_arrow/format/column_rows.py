"""Single rows of a payload column, without a look at its blocks from Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drift_arrow.format.numbers import number_dtype
from drift_arrow.format.pieces import MAX_PIECE_BYTES
from drift_arrow.format.row_lines import RowLine, offsets_dtype
from drift_arrow.format.warm_column import WarmColumn
from drift_arrow.kernels._aligned import aligned
from drift_arrow.kernels.float_points import gather_float_points
from drift_arrow.kernels.integer_points import gather_integer_points
from drift_arrow.kernels.row_table import RowTable, gather_validity
from drift_arrow.kernels.string_points import gather_string_points

_FEW_ROWS: Final = 64
_SPARSE_SHARE: Final = 64

_Known = Mapping[int, tuple[WarmColumn, RowLine]]


def is_sparse(n_wanted: int, n_rows: int) -> bool:
    """Whether so many rows are better fetched one by one than by way of their blocks: at most one in 64, or 64."""
    return n_wanted <= max(_FEW_ROWS, n_rows // _SPARSE_SHARE)


class ColumnRows:
    """Rows of one column, as far as its blocks are open.

    Parameters
    ----------
    kind : pa.DataType
        Of the column; `supports` holds.
    first_rows : (b + 1,) int64
        First row of each block, then the number of rows.

    Notes
    -----
    Safe to use by many threads. The table is replaced, never changed: who still reads an old one keeps its blocks.
    """

    def __init__(self, kind: pa.DataType, first_rows: NDArray[np.int64]) -> None:
        self._kind, self._first_rows = kind, first_rows
        # one attribute, so that no thread sees a table of other blocks
        self._state: tuple[_Known, RowTable | None] = ({}, None)

    @staticmethod
    def supports(kind: pa.DataType) -> bool:
        """Numbers, strings and binaries; other types are fetched by the block."""
        return number_dtype(kind) is not None or offsets_dtype(kind) is not None

    @property
    def table(self) -> RowTable | None:
        """Where kernels find the rows, for as long as the table lives; None if no block was ever open."""
        return self._state[1]

    def take(self, rows: NDArray[np.int64]) -> pa.Array | None:
        """Rows of the segment, in any order; None if they are many or none, or if a block of theirs is not open.

        Raises
        ------
        ValueError
            There is no such row, or a vector is damaged that a row touches.
        """
        table = self.table
        if table is None or not len(rows) or not is_sparse(len(rows), int(self._first_rows[-1])):
            return None
        return take_known(table, self._kind, rows)

    def update(self, blocks: Mapping[int, WarmColumn]) -> list[int]:
        """Know these blocks, by their place in the column, and no others: whatever is known is kept alive.

        Returns the places of those that were not known before.
        """
        before, _ = self._state
        known: dict[int, tuple[WarmColumn, RowLine]] = {}
        for place, block in blocks.items():
            old = before.get(place)
            line = old[1] if old is not None and old[0] is block else block.line()
            if line is not None:
                known[place] = (block, line)
        if known.keys() == before.keys() and all(line is before[place][1] for place, (_, line) in known.items()):
            return []
        lines = [known[place][1].numbers if place in known else None for place in range(len(self._first_rows) - 1)]
        self._state = known, RowTable.of(self._first_rows, lines, [line.owner for _, line in known.values()])
        return [place for place in known if place not in before]


def take_known(table: RowTable, kind: pa.DataType, rows: NDArray[np.int64]) -> pa.Array | None:
    """Rows of a column of type `kind` by their numbers in `table`; None if a block of theirs is not open.

    Raises
    ------
    ValueError
        There is no such row, or a vector is damaged that a row touches.
    """
    dtype = number_dtype(kind)
    buffers = _strings(table, rows, kind) if dtype is None else _numbers(table, rows, dtype)
    if buffers is None:
        return None
    n_nulls, validity = 0, None
    if table.has_nulls:
        found = gather_validity(table, rows)
        assert found is not None
        bits, n_nulls = found
        validity = pa.py_buffer(bits) if n_nulls else None
    return pa.Array.from_buffers(kind, len(rows), [validity, *buffers], n_nulls)


def _strings(table: RowTable, rows: NDArray[np.int64], kind: pa.DataType) -> list[pa.Buffer] | None:
    dtype = offsets_dtype(kind)
    assert dtype is not None
    offsets = np.empty(len(rows) + 1, dtype)
    content = gather_string_points(table, rows, offsets, MAX_PIECE_BYTES)
    return None if content is None else [pa.py_buffer(offsets), pa.py_buffer(content)]


def _numbers(table: RowTable, rows: NDArray[np.int64], dtype: np.dtype[Any]) -> list[pa.Buffer] | None:
    values = aligned(len(rows), dtype)
    if dtype.kind == "f":
        is_found = gather_float_points(table, rows, values.reshape(-1, 1))
    else:
        is_found = gather_integer_points(table, rows, values)
    return [pa.py_buffer(values)] if is_found else None
