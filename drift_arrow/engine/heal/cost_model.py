"""What parts of a search cost on this machine."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drift_arrow.kernels.bucket_arrays import BucketArrays
from drift_arrow.kernels.bucket_table import BucketTable
from drift_arrow.kernels.probe import StopRule, probe_buckets

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BUCKETS: Final = 64
_ROWS: Final = (64, 512)
_RANKED: Final = 1024
_REPEATS: Final = 7
_JUMPED: Final = 2.0
"""Rows among dead ones are read one by one, each at this many times the cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostModel:
    """Microseconds of one thread.

    Parameters
    ----------
    per_ranked, per_scanned, per_row : float
        For each bucket of the table; for each bucket that is scanned; for each row of it.
    per_segment : float
        For each segment: candidates are ranked and rows are taken in each; as measured for single searches.
    """

    per_ranked: float
    per_scanned: float
    per_row: float
    per_segment: float = 50.0

    def scan(self, rows: NDArray[Any], live: NDArray[Any]) -> NDArray[np.float64]:
        """Microseconds to scan buckets of so many rows, of which some are alive; nothing without live rows."""
        read = np.where(live == rows, rows, np.minimum(rows, _JUMPED * live))
        cost: NDArray[np.float64] = np.where(live > 0, self.per_scanned + self.per_row * read, 0.0)
        return cost


@lru_cache(maxsize=16)
def fitted(dim: int) -> CostModel:
    """The model for vectors of `dim` dimensions: timed when first asked for, some 50 ms, then known to the process.

    Notes
    -----
    Least of several runs, in CPU time of the thread: work beside it does not count. Buckets lie in cache, as those that
    queries want often do; what matters is how the parts compare.
    """
    small, large = (_seconds(dim, _BUCKETS, rows, _BUCKETS) for rows in _ROWS)
    per_row = max((large - small) / (_BUCKETS * (_ROWS[1] - _ROWS[0])), 1e-12)
    none, ranked = (_seconds(dim, n_buckets, 1, 1) for n_buckets in (_BUCKETS, _RANKED))
    per_ranked = max((ranked - none) / (_RANKED - _BUCKETS), 1e-12)
    per_scanned = max((small - none) / _BUCKETS - per_row * _ROWS[0], per_row)
    return CostModel(per_ranked=per_ranked * 1e6, per_scanned=per_scanned * 1e6, per_row=per_row * 1e6)


def _seconds(dim: int, n_buckets: int, rows: int, n_probe: int) -> float:
    """CPU time of one search that scans so many buckets of so many rows."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 256, (n_buckets * rows, dim), dtype=np.uint8)
    first_row = np.arange(n_buckets, dtype=np.int64) * rows
    buckets = BucketArrays(
        code_address=(codes.ctypes.data + first_row * dim).astype(np.uint64),
        rows=np.full(n_buckets, rows, np.uint32),
        first_row=first_row,
        lo=np.zeros((n_buckets, dim), np.float32),
        step=np.full((n_buckets, dim), np.float32(1 / 255)),
        norms=np.ones(n_buckets * rows, np.float32),
    )
    centroids = rng.random((n_buckets, dim), dtype=np.float32)
    query = rng.random((1, dim), dtype=np.float32)
    table = BucketTable(centroids=centroids, buckets=buckets)
    stop = StopRule(k=1, first=n_probe, n_probe=n_probe)
    seconds = []
    for _ in range(_REPEATS):
        start = time.thread_time()
        probe_buckets(query, table, None, None, "l2", stop, 1)
        seconds.append(time.thread_time() - start)
    return min(seconds)
