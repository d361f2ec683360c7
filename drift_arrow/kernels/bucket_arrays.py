"""The buckets of all segments as arrays, for scans of their codes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels.bitmap import Bits
from drift_arrow.kernels.distance import L2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BucketArrays:
    """Every bucket of every segment of a snapshot, structure of arrays, under one numbering of rows.

    Parameters
    ----------
    code_address : (B,) uint64
        Where the (rows, dim) uint8 codes of each bucket start, row after row. Whoever scans keeps that memory alive:
        a stale address is a crash or a wrong answer, not an error.
    rows : (B,) uint32
        Rows of each bucket.
    first_row : (B,) int64
        Global number of the first row of each bucket; the others follow.
    lo, step : (B, dim) float32
        A code c stands for `lo + step * c`, per dimension.
    norms : (N,) float32
        Exact squared length of every row, by global number.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, or rows past the end of `norms`
    """

    code_address: NDArray[np.uint64]
    rows: NDArray[np.uint32]
    first_row: NDArray[np.int64]
    lo: NDArray[np.float32]
    step: NDArray[np.float32]
    norms: NDArray[np.float32]
    _views: tuple[NDArray[Any], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        n_buckets = len(readonly("code_address", self.code_address, np.uint64, None))
        readonly("rows", self.rows, np.uint32, n_buckets)
        readonly("first_row", self.first_row, np.int64, n_buckets)
        readonly("lo", self.lo, np.float32, n_buckets, None)
        readonly("step", self.step, np.float32, *self.lo.shape)
        readonly("norms", self.norms, np.float32, None)
        if n_buckets and not (self.first_row.min() >= 0 and (self.first_row + self.rows).max() <= len(self.norms)):
            raise ValueError(f"buckets must lie within the rows that have a norm; rows={len(self.norms)}")
        arrays = (self.code_address, self.rows, self.first_row, self.lo, self.step, self.norms)
        # made once, for all scans to come
        views = tuple(readonly("buckets", array, array.dtype, *array.shape) for array in arrays)
        object.__setattr__(self, "_views", views)

    def arrays(self, metric: int) -> tuple[NDArray[Any], ...]:
        """The fields in order, read-only; without norms where the metric has no use for them."""
        return self._views if metric == L2 else (*self._views[:-1], self._views[-1][:0])


def checked_bits(allowed: Bits, buckets: BucketArrays) -> Bits:
    """A bitmap of all rows of `buckets`, read-only; ValueError if it ends before the last of them."""
    bits = readonly("allowed", allowed, np.uint8, None)
    end = int((buckets.first_row + buckets.rows).max(initial=0))
    if 8 * len(bits) < end:
        raise ValueError(f"allowed must reach to the last row; bits={8 * len(bits)} rows={end}")
    return bits
