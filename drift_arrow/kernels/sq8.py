"""Scalar quantisation to 8 bits, with a range per dimension and bucket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel

_LARGEST_CODE: Final = 255.0


@dataclass(frozen=True, slots=True, eq=False)
class Sq8:
    """Rows as bytes: a code c stands for `lo + step * c`.

    Parameters
    ----------
    codes : (n, dim) uint8
    lo, step : (B, dim) float32
        Of the bucket of the row. A dimension that is constant within a bucket has step 0.
    """

    codes: NDArray[np.uint8]
    lo: NDArray[np.float32]
    step: NDArray[np.float32]


@kernel(inner=True)
def _bucket_range(rows: Any, lo: Any, hi: Any) -> None:
    for j in range(lo.size):
        lo[j] = rows[0, j]
        hi[j] = rows[0, j]
    for i in range(1, rows.shape[0]):
        row = rows[i]
        for j in range(lo.size):
            lo[j] = min(lo[j], row[j])
            hi[j] = max(hi[j], row[j])


@kernel(inner=True)
def _encode_row(row: Any, lo: Any, inverse: Any, codes: Any) -> None:
    for j in range(codes.size):
        scaled = (np.float64(row[j]) - np.float64(lo[j])) * inverse[j] + 0.5
        # in this order NaN gives 255 too: the conversion of what does not fit is undefined
        codes[j] = np.uint8(np.int32(min(_LARGEST_CODE, scaled)))


@kernel
def _encode(matrix: Any, offsets: Any, codes: Any, lo: Any, step: Any, hi: Any, inverse: Any) -> None:
    for b in range(lo.shape[0]):
        rows = matrix[offsets[b] : offsets[b + 1]]
        if rows.shape[0] == 0:
            continue
        _bucket_range(rows, lo[b], hi)
        for j in range(hi.size):
            # in float64, where neither the widest nor the narrowest range of float32 values is lost
            step[b, j] = np.float32((np.float64(hi[j]) - np.float64(lo[b, j])) / _LARGEST_CODE)
            inverse[j] = 1.0 / np.float64(step[b, j]) if step[b, j] > 0 else 0.0
        for i in range(rows.shape[0]):
            _encode_row(rows[i], lo[b], inverse, codes[offsets[b] + i])


def sq8_encode(matrix: NDArray[np.float32], offsets: NDArray[np.int64]) -> Sq8:
    """Quantise rows that are sorted by bucket, from the smallest to the largest value of each dimension and bucket.

    Parameters
    ----------
    matrix : (n, dim) float32
        Finite.
    offsets : (B + 1,) int64
        Bucket b holds the rows [offsets[b], offsets[b + 1]); from 0 to n. An empty bucket has zeros for its range.

    Returns
    -------
    Sq8
        Every value is off by at most half a step, and by rounding.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, or offsets that do not partition the rows

    Notes
    -----
    Ranges per bucket do not go stale when data drifts, as ranges trained once do, and clip nothing.
    """
    matrix = readonly("matrix", matrix, np.float32, None, None)
    offsets = _checked_offsets(offsets, len(matrix))
    shape = (len(offsets) - 1, matrix.shape[1])
    codes = np.empty(matrix.shape, np.uint8)
    lo, step = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    hi, inverse = np.empty(shape[1], np.float32), np.empty(shape[1], np.float64)
    _encode(matrix, offsets, codes, lo, step, hi, inverse)
    return Sq8(codes, lo, step)


def sq8_decode(sq8: Sq8, offsets: NDArray[np.int64]) -> NDArray[np.float32]:
    """The (n, dim) float32 rows that codes stand for, for statistics and tests.

    Raises
    ------
    ValueError    offsets that do not partition the rows
    """
    bucket = np.repeat(np.arange(len(sq8.lo)), np.diff(_checked_offsets(offsets, len(sq8.codes))))
    decoded: NDArray[np.float32] = sq8.lo[bucket] + sq8.step[bucket] * sq8.codes
    return decoded


def _checked_offsets(offsets: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    offsets = readonly("offsets", offsets, np.int64, None)
    if not len(offsets) or offsets[0] != 0 or offsets[-1] != n or np.any(offsets[1:] < offsets[:-1]):
        raise ValueError(f"offsets must rise from 0 to the number of rows; rows={n}")
    return offsets
