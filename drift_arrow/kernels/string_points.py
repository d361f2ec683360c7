"""Single strings from anywhere in a segment, into the two buffers of a column of strings."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import check_writable, readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.memory import array_at
from drift_arrow.kernels.row_table import (
    ABSENT,
    BODY,
    FORM,
    NO_ROW,
    NOT_OPEN,
    OTHER_FORM,
    PLAIN,
    RowTable,
    check_status,
    find_block,
    is_null,
)

_OFFSETS: Final = 1
_BYTES: Final = 2
"""Places in a line of `PLAIN`, behind the number of values."""


@kernel
def measure_strings(first_rows: Any, blocks: Any, rows: Any, limit_bytes: Any, offsets: Any) -> Any:
    """Where each string will end; the sum of their lengths as far as it passes the limit, or why not. See `row_table`.

    limit_bytes : int64     that the type of the offsets can name
    offsets : (m + 1,) int32 or int64, as those of the blocks     overwritten; of nulls, no bytes are counted
    """
    like, total = offsets.dtype.type(0), np.int64(0)
    offsets[0] = 0
    for i in range(len(rows)):
        block = find_block(first_rows, rows[i])
        if block < 0:
            return NO_ROW
        line, place = blocks[block], rows[i] - first_rows[block]
        if line[FORM] == ABSENT:
            return NOT_OPEN
        if line[FORM] != PLAIN:
            return OTHER_FORM
        if place >= line[BODY]:
            return NO_ROW
        if not is_null(line, place):
            ends = array_at(line[BODY + _OFFSETS], line[BODY] + 1, like)
            total += np.int64(ends[place + 1]) - np.int64(ends[place])
        if total > limit_bytes:
            return total
        offsets[i + 1] = total
    return total


@kernel
def copy_strings(first_rows: Any, blocks: Any, rows: Any, offsets: Any, out: Any) -> None:
    """Copy the bytes of strings that `measure_strings` has measured to `out`, as many as it has."""
    like = offsets.dtype.type(0)
    for i in range(len(rows)):
        block = find_block(first_rows, rows[i])
        line, place = blocks[block], rows[i] - first_rows[block]
        target = out[offsets[i] : offsets[i + 1]]
        begin = array_at(line[BODY + _OFFSETS], line[BODY] + 1, like)[place]
        source = array_at(line[BODY + _BYTES] + np.int64(begin), np.int64(target.size), np.uint8(0))
        for j in range(target.size):
            target[j] = source[j]


def gather_string_points(
    table: RowTable, rows: NDArray[np.int64], offsets: NDArray[Any], limit_bytes: int
) -> NDArray[np.uint8] | None:
    """Lay strings of a segment one after the other.

    Parameters
    ----------
    table : RowTable
        Of strings in memory, with offsets of the dtype of `offsets`.
    rows : (m,) int64
        Any order, repeats allowed.
    offsets : (m + 1,) int32 or int64
        Receives where each string begins, and the last one ends. A null is an empty string.
    limit_bytes : int
        Most bytes of all of them; below 2**31.

    Returns
    -------
    (offsets[-1],) uint8 or None
        A new array of their bytes; None if a block that holds one is absent, or if they are longer than the limit.

    Raises
    ------
    ValueError    there is no such row, or wrong dtype, shape or layout of an array
    """
    if getattr(offsets, "dtype", None) not in {np.dtype(np.int32), np.dtype(np.int64)}:
        raise ValueError(f"offsets must be int32 or int64; got={getattr(offsets, 'dtype', type(offsets))}")
    rows = readonly("rows", rows, np.int64, None)
    check_writable("offsets", offsets, offsets.dtype, len(rows) + 1)
    total = int(measure_strings(table.first_rows, table.blocks, rows, limit_bytes, offsets))
    if total < 0:
        check_status(total, table, rows)
        return None
    if total > limit_bytes:
        return None
    out = np.empty(total, np.uint8)
    copy_strings(table.first_rows, table.blocks, rows, offsets, out)
    return out
