"""Rows of a matrix of encoded floats, of which no more is decoded than the vectors that the rows touch."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import check_writable, readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.encoded_floats import FLOATS, EncodedFloats
from drift_arrow.kernels.floats import decode_numbered
from drift_arrow.kernels.gather import copy_runs
from drift_arrow.kernels.lanes import VALUES

_ROOM: Final = 128
"""Vectors that are decoded before their rows are copied: they still are in the cache of the core then."""


@kernel
def _plan(rows: Any, first: Any, dim: Any, numbers: Any, starts: Any) -> Any:
    """Lay out the vectors of the rows from `first` on, as many rows as have room.

    numbers : (r,) int64, overwritten     vectors to decode; rows that follow each other share them
    starts : (m,) int64, overwritten      where each row then begins, which it fills without a gap

    Returns the end of the rows and the number of vectors.
    """
    size = run = np.int64(0)
    row, head = np.int64(first), np.int64(-1)
    while row < len(rows):
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


def gather_float_rows(encoded: EncodedFloats, rows: NDArray[np.int64], dim: int, out: NDArray[Any]) -> None:
    """Decode some rows of a matrix that was encoded row after row.

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
    ValueError    the values are no whole rows, there is no such row, wrong dtype, shape or layout of `rows` or `out`,
                  or a damaged vector, of those that the rows touch; `out` is then partly written

    Notes
    -----
    Decodes a vector of 1024 values once for neighbours in `rows` that touch it, so rising order is best. No byte
    outside the arrays is touched, whatever they say. Without the GIL.
    """
    if encoded.misfit:
        raise ValueError(f"encoded floats are damaged: {encoded.misfit}")
    if dim < 1 or encoded.n % dim:
        raise ValueError(f"values must be whole rows; got={encoded.n} dim={dim}")
    rows = readonly("rows", rows, np.int64, None)
    check_writable("out", out, encoded.dtype, len(rows), dim)
    if len(rows) and not (rows.min() >= 0 and rows.max() < encoded.n // dim):
        raise ValueError(f"there is no such row; got={rows.min()} to {rows.max()} rows={encoded.n // dim}")
    bits = FLOATS[encoded.dtype]
    target, starts = out.view(bits, np.ndarray), np.empty(len(rows), np.int64)
    most = len(rows) * ((dim + VALUES - 2) // VALUES + 1)
    numbers = np.empty(min(most, max(_ROOM, dim // VALUES + 2)), np.int64)
    decoded = np.empty(len(numbers) * VALUES, encoded.dtype)
    source = readonly("decoded", decoded.view(bits), bits, None)
    done = 0
    while done < len(rows):
        end, size = _plan(rows, done, dim, numbers, starts)
        decode_numbered(encoded, numbers[:size], decoded[: size * VALUES])
        copy_runs(source, readonly("starts", starts[done:end], np.int64, None), target[done:end])
        done = end
