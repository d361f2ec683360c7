"""Rows of encoded floats from anywhere in a segment, of which little more is decoded than the rows themselves.

For rows that lie close together `float_rows` is faster, which decodes the vectors that they share once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import check_writable, readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.encoded_floats import FLOATS
from drift_arrow.kernels.file_read import read_at
from drift_arrow.kernels.float_part import PARTS, decode_part
from drift_arrow.kernels.float_table import HEADERS, N_VALUES
from drift_arrow.kernels.lanes import VALUES
from drift_arrow.kernels.memory import array_at
from drift_arrow.kernels.row_table import (
    ABSENT,
    BODY,
    DESCRIPTOR,
    DONE,
    FORM,
    NO_ROW,
    NOT_OPEN,
    OFFSET,
    OTHER_FORM,
    PLAIN,
    RowTable,
    check_status,
    find_block,
)
from drift_arrow.kernels.row_table import FLOATS as FLOATS_FORM


@kernel(inner=True)
def _write_row(line: Any, place: Any, parts: Any, room: Any, row: Any) -> Any:
    """Write the values of a block from `place` on, which are there, to `row`; `DONE`, or why not."""
    dim, like = np.int64(row.size), row.dtype.type(0)
    table = line[BODY:]
    if line[FORM] == PLAIN and line[DESCRIPTOR] > 0:
        size, start = dim * row.itemsize, line[OFFSET] + place * row.itemsize
        is_read = read_at(np.int32(line[DESCRIPTOR] - 1), np.int64(row.ctypes.data), size, start) == size
        return np.int64(DONE) if is_read else place // VALUES
    if line[FORM] == PLAIN:
        values = array_at(table[HEADERS], table[N_VALUES], like)[place : place + dim]
        for j in range(row.size):
            row[j] = values[j]
        return np.int64(DONE)
    if line[FORM] != FLOATS_FORM:
        return np.int64(OTHER_FORM)
    done = np.int64(0)
    while done < dim:
        vector, first = (place + done) // VALUES, (place + done) % VALUES
        end = min(dim, done + VALUES - first)
        if not decode_part(line, vector, first, first + end - done, parts, room):
            return vector
        # slices, because an index that numba must compute could be negative: no vector loop would test it
        run, target = room[first : first + end - done], row[done:end]
        for j in range(target.size):
            target[j] = run[j]
        done = end
    return np.int64(DONE)


@kernel
def gather_floats(first_rows: Any, blocks: Any, rows: Any, dim: Any, parts: Any, room: Any, out: Any) -> Any:
    """Write rows to `out`; `DONE`, or why not, when `out` is partly written. See `row_table`.

    first_rows, blocks : of a `RowTable` of floats of the size of those in `out`
    rows : (m,) int64     any numbers, in any order, repeated or not
    dim : int64     values of a row, at least 1
    parts, room : (PARTS,) uint16, (1024,) of the type of `out`, scratch; see `float_part`
    out : (m, dim) unsigned integers     bits of the floats

    No byte outside the arrays of the table is touched, whatever they say. About 50 ns for 128 values in the cache.
    """
    for i in range(len(rows)):
        block = find_block(first_rows, rows[i])
        if block < 0:
            return np.int64(NO_ROW)
        line, place = blocks[block], (rows[i] - first_rows[block]) * dim
        if line[FORM] == ABSENT:
            return np.int64(NOT_OPEN)
        if place + dim > line[BODY + N_VALUES]:
            return np.int64(NO_ROW)
        status = _write_row(line, place, parts, room, out[i])
        if status != DONE:
            return status
    return np.int64(DONE)


def gather_float_points(table: RowTable, rows: NDArray[np.int64], out: NDArray[Any]) -> bool:
    """Write rows of the floats of a segment to a matrix.

    Parameters
    ----------
    table : RowTable
        Of values of the dtype of `out`, `out.shape[1]` of them in a row.
    rows : (m,) int64
        Any order, repeats allowed.
    out : (m, dim) float16, float32 or float64
        Receives the rows.

    Returns
    -------
    bool
        False if a block that holds one of them is absent; `out` is then partly written.

    Raises
    ------
    ValueError    there is no such row, wrong dtype, shape or layout of an array, or a damaged vector that a row touches
    """
    if getattr(out, "dtype", None) not in FLOATS:
        raise ValueError(f"out must be float16, float32 or float64; got={getattr(out, 'dtype', type(out))}")
    rows = readonly("rows", rows, np.int64, None)
    check_writable("out", out, out.dtype, len(rows), None)
    bits = out.view(FLOATS[out.dtype], np.ndarray)
    parts, room = np.empty(PARTS, np.uint16), np.empty(VALUES, bits.dtype)
    status = gather_floats(table.first_rows, table.blocks, rows, out.shape[1], parts, room, bits)
    return check_status(int(status), table, rows)
