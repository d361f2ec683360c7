"""Rows of a matrix of encoded floats, of which no more is decoded than the vectors that the rows touch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import check_writable, readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.encoded_floats import FLOATS, EncodedFloats
from drift_arrow.kernels.float_decode import decode_vectors
from drift_arrow.kernels.float_table import N_VALUES, TABLE_SIZE
from drift_arrow.kernels.lanes import VALUES

_ROOM: Final = 16
"""Vectors that are decoded before their rows are copied: they still are in the cache of the core then."""

_NO_ROW: Final = -2
_NO_WHOLE_ROWS: Final = -3


@kernel
def _plan(rows: Any, first: Any, stop: Any, dim: Any, numbers: Any, starts: Any) -> Any:
    """Lay out the vectors of the rows `first` to `stop`, as many rows as have room.

    numbers : (r,) int64, overwritten     vectors to decode; rows that follow each other share them
    starts : (m,) int64, overwritten      where each row then begins, which it fills without a gap

    Returns the end of the rows and the number of vectors.
    """
    size = run = np.int64(0)
    row, head = np.int64(first), np.int64(-1)
    while row < stop:
        begin = rows[row] * dim
        vector, last = begin // VALUES, (begin + dim - 1) // VALUES
        # the list ends with the consecutive vectors head, head + 1, ...: the row may begin in them or continue them
        if not head <= vector <= head + size - run:
            run, head = size, vector
        place = run + vector - head
        end = place + last - vector + 1
        if end > len(numbers):
            break
        starts[row] = place * VALUES + begin % VALUES
        for i in range(size, end):
            numbers[i] = head + i - run
        size = max(size, end)
        row += 1
    return row, size


@kernel(inner=True)
def _fault(tables: Any, ends: Any, rows: Any, places: Any, dim: Any, n_places: Any) -> Any:
    """What no row may be read for, or 0."""
    first = np.int64(0)
    for block in range(len(ends)):
        n_rows = tables[block, N_VALUES] // dim
        if n_rows * dim != tables[block, N_VALUES]:
            return _NO_WHOLE_ROWS
        for i in range(first, ends[block]):
            if not (0 <= rows[i] < n_rows and 0 <= places[i] < n_places):
                return _NO_ROW
        first = ends[block]
    return 0


@kernel
def _gather(
    tables: Any, ends: Any, rows: Any, places: Any, dim: Any, numbers: Any, starts: Any, scratch: Any, decoded: Any,
    out: Any,
) -> Any:  # fmt: skip
    """Gather rows of blocks; -1, the number of a damaged vector below 2**48, or what is wrong.

    tables : (b, 17) int64     of the blocks; see `float_table`
    ends : (b,) int64     ascending: where the rows of each block end
    rows, places : (m,) int64     rows in their block, and in `out`
    numbers, starts, scratch, decoded : scratch; `scratch` of uint8 may be empty, as nothing is streamed
    """
    fault = _fault(tables, ends, rows, places, dim, len(out))
    if fault < 0:
        return fault
    done, is_streamed = np.int64(0), False
    for block in range(len(ends)):
        while done < ends[block]:
            end, size = _plan(rows, done, ends[block], dim, numbers, starts)
            damaged = decode_vectors(tables[block], numbers[:size], is_streamed, scratch, decoded[: size * VALUES])
            if damaged >= 0:
                return damaged
            for i in range(done, end):
                # slices, because an index that numba must compute could be negative: no vector loop would test it
                run, row = decoded[starts[i] : starts[i] + dim], out[places[i]]
                for j in range(row.size):
                    row[j] = run[j]
            done = end
    return np.int64(-1)


def gather_float_rows(encoded: EncodedFloats, rows: NDArray[np.int64], dim: int, out: NDArray[Any]) -> None:
    """Decode some rows of a matrix that was encoded row after row: `gather_float_blocks` of one block.

    Parameters
    ----------
    encoded : EncodedFloats
        The values of (n / dim) rows.
    rows : (m,) int64
        Numbers of rows, in any order, repeated or not.
    dim : int
        Values of a row, at least 1.
    out : (m, dim) of the dtype of the values
        Receives the rows.

    Raises
    ------
    ValueError    as there
    """
    n = len(rows)
    if dim > 0:
        check_writable("out", out, encoded.dtype, n, dim)
    gather_float_blocks((encoded,), np.array([n]), rows, np.arange(n), dim, out)


def gather_float_blocks(
    blocks: Sequence[EncodedFloats],
    ends: NDArray[np.int64],
    rows: NDArray[np.int64],
    places: NDArray[np.int64],
    dim: int,
    out: NDArray[Any],
) -> None:
    """Decode some rows of matrices that were encoded row after row.

    Parameters
    ----------
    blocks : sequence of EncodedFloats
        The values of whole rows each, all of one dtype.
    ends : (len(blocks),) int64
        Ascending to m: where the rows of each block end in `rows`.
    rows : (m,) int64
        Numbers of rows within their block, in any order, repeated or not.
    places : (m,) int64
        Row of `out` that each of them goes to.
    dim : int
        Values of a row, at least 1.
    out : (k, dim) of the dtype of the values
        Receives the rows.

    Raises
    ------
    ValueError    the values are no whole rows, there is no such row, wrong dtype, shape or layout of an array, or a
                  damaged vector, of those that the rows touch; `out` is then partly written

    Notes
    -----
    Decodes a vector of 1024 values once for neighbours in `rows` that touch it, so rising order is best. No byte
    outside the arrays is touched, whatever they say. Without the GIL. One call for many blocks, because a call takes
    longer than a vector.
    """
    for encoded in blocks:
        if encoded.misfit:
            raise ValueError(f"encoded floats are damaged: {encoded.misfit}")
    if dim < 1:
        raise ValueError(_message(_NO_WHOLE_ROWS, blocks, dim, rows))
    for dtype in {encoded.dtype for encoded in blocks}:
        check_writable("out", out, dtype, None, dim)
    rows, places = readonly("rows", rows, np.int64, None), readonly("places", places, np.int64, len(rows))
    ends = readonly("ends", ends, np.int64, len(blocks))
    if not len(rows):
        return
    if not blocks or ends[-1] != len(rows) or ends[0] < 0 or (ends[1:] < ends[:-1]).any():
        raise ValueError(f"ends must ascend to the number of rows; got={ends} rows={len(rows)}")
    tables = np.concatenate([encoded.table for encoded in blocks]).reshape(-1, TABLE_SIZE)
    # as the table of a single block is: one compilation for both
    tables.flags.writeable = False
    most = len(rows) * ((dim + VALUES - 2) // VALUES + 1)
    numbers = np.empty(min(most, max(_ROOM, dim // VALUES + 2)), np.int64)
    target = out.view(FLOATS[out.dtype], np.ndarray)
    decoded, starts = np.empty(len(numbers) * VALUES, target.dtype), np.empty(len(rows), np.int64)
    status = _gather(tables, ends, rows, places, dim, numbers, starts, np.empty(0, np.uint8), decoded, target)
    if status != -1:
        raise ValueError(_message(int(status), blocks, dim, rows))


def _message(status: int, blocks: Sequence[EncodedFloats], dim: int, rows: NDArray[np.int64]) -> str:
    if status == _NO_WHOLE_ROWS:
        return f"values must be whole rows; got={', '.join(str(encoded.n) for encoded in blocks)} dim={dim}"
    if status == _NO_ROW:
        want = ", ".join(str(encoded.n // dim) for encoded in blocks)
        return f"there is no such row; got={rows.min()} to {rows.max()} rows={want}"
    return f"encoded floats are damaged: read them again or restore them; vector={status}"
