"""Centroids, codes and counters of all buckets as one array of addresses, for kernels that rank and scan them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import check_writable, readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.bucket_arrays import BucketArrays
from drift_arrow.kernels.distance import L2
from drift_arrow.kernels.memory import address_of, array_at

(
    _N_BUCKETS,
    _DIM,
    _N_NORMS,
    _CENTROIDS,
    _CODE_ADDRESS,
    _ROWS,
    _FIRST_ROW,
    _LO,
    _STEP,
    _NORMS,
    _N_TOUCHES,
    _TOUCHES,
) = range(12)

_NO_TOUCHES = np.empty(0, np.uint32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BucketTable:
    """What a search by centroids needs of the buckets of a snapshot.

    Parameters
    ----------
    centroids : (B, dim) float32
        For cosine, unit vectors.
    buckets : BucketArrays
        B of them; for cosine, of unit vectors.
    touches : (B,) uint32, optional
        Counters of scans, see `touches.count_probed`; written to by searches.

    Attributes
    ----------
    counts : (B,) int64
        Rows of each bucket; read-only.
    end : int
        One past the last row of any bucket.
    numbers : (12,) int64
        Sizes and addresses, for `arrays_of`.

    Raises
    ------
    ValueError    wrong dtype, shape or layout
    """

    centroids: NDArray[np.float32]
    buckets: BucketArrays
    touches: NDArray[np.uint32] | None = None
    counts: NDArray[np.int64] = field(init=False, repr=False)
    end: int = field(init=False, repr=False)
    numbers: NDArray[np.int64] = field(init=False, repr=False)
    _owners: tuple[NDArray[Any], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        n_buckets, dim = self.buckets.lo.shape
        centroids = readonly("centroids", self.centroids, np.float32, n_buckets, dim)
        touches = _NO_TOUCHES if self.touches is None else self.touches
        check_writable("touches", touches, np.uint32, 0 if self.touches is None else n_buckets)
        arrays = self.buckets.arrays(L2)
        numbers = np.array(
            [
                n_buckets,
                dim,
                len(self.buckets.norms),
                address_of(centroids),
                *map(address_of, arrays),
                len(touches),
                address_of(touches),
            ],
            np.int64,
        )
        counts = self.buckets.rows.astype(np.int64)
        object.__setattr__(self, "counts", readonly("counts", counts, np.int64, n_buckets))
        object.__setattr__(self, "end", int((self.buckets.first_row + self.buckets.rows).max(initial=0)))
        object.__setattr__(self, "numbers", readonly("numbers", numbers, np.int64, None))
        # what the addresses point to, even if someone replaces an attribute
        object.__setattr__(self, "_owners", (centroids, *arrays, touches))


@kernel(inner=True)
def arrays_of(numbers: Any, metric: Any) -> Any:
    """Centroids, `BucketArrays.arrays`, and counters, of which there may be none."""
    n_buckets, dim = numbers[_N_BUCKETS], numbers[_DIM]
    buckets = (
        array_at(numbers[_CODE_ADDRESS], n_buckets, np.uint64(0)),
        array_at(numbers[_ROWS], n_buckets, np.uint32(0)),
        array_at(numbers[_FIRST_ROW], n_buckets, np.int64(0)),
        array_at(numbers[_LO], (n_buckets, dim), np.float32(0)),
        array_at(numbers[_STEP], (n_buckets, dim), np.float32(0)),
        array_at(numbers[_NORMS], numbers[_N_NORMS] if metric == L2 else np.int64(0), np.float32(0)),
    )
    centroids = array_at(numbers[_CENTROIDS], (n_buckets, dim), np.float32(0))
    return centroids, buckets, array_at(numbers[_TOUCHES], numbers[_N_TOUCHES], np.uint32(0))
