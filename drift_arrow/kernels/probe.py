"""Probing: the buckets of every query are ranked, and scanned nearest first until the query has what it wants.

One compiled call does it all for all queries and all segments: a query takes no longer than a few calls from Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._aligned import aligned
from drift_arrow.kernels._check import check_writable, readonly
from drift_arrow.kernels.bitmap import ALL_ROWS, Bits
from drift_arrow.kernels.bucket_arrays import BucketArrays, checked_bits
from drift_arrow.kernels.bucket_order import N_BINS
from drift_arrow.kernels.code_block import BLOCK_ROWS, block_size
from drift_arrow.kernels.code_tile import TILE_ROWS, new_scratch, scan_terms
from drift_arrow.kernels.distance import metric_code
from drift_arrow.kernels.probe_rounds import probe_all
from drift_arrow.kernels.probe_scan import GROUP
from drift_arrow.kernels.probing import LEAST_SPREAD
from drift_arrow.kernels.touches import NO_TOUCHES


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """When a query has scanned enough.

    Parameters
    ----------
    k : int
        Rows wanted, at least 1: scanning goes on until so many allowed rows were met, whatever else is said here.
    first : int
        Buckets to scan before the first look at the k-th distance, at least 1.
    n_probe : int
        Stop after so many buckets, or if 0
    share : float
        after those that are expected to hold this share of the neighbours; from 1 on, after all of them.
    careful_share : float
        Instead of `share` for queries that met more than `far_rows` rows before k allowed ones.
    far_rows : float
    spread, effective_dim : float
        Of the model, see `kernels.probing`; not negative, and above 0.
    """

    k: int
    first: int
    n_probe: int = 0
    share: float = 1.0
    careful_share: float = 1.0
    far_rows: float = np.inf
    spread: float = 0.0
    effective_dim: float = 1.0


@dataclass(frozen=True, slots=True)
class Probed:
    """What was found, and where it was sought.

    Parameters
    ----------
    ids : (nq, c) int64
        Global numbers of the rows that may be among the nearest, in any order; -1 behind them.
    order : (nq, B) int32
        Buckets of each query, nearest first, ties to the lower number, as far as
    counts : (nq,) int64
        they were probed; those behind stand in any order.
    """

    ids: NDArray[np.int64]
    order: NDArray[np.int32]
    counts: NDArray[np.int64]


def probe_buckets(
    queries: NDArray[np.float32],
    centroids: NDArray[np.float32],
    buckets: BucketArrays,
    counts: NDArray[np.int64],
    allowed: Bits | None,
    metric: str,
    stop: StopRule,
    n_candidates: int,
    *,
    touches: NDArray[np.uint32] | None = None,
) -> Probed:
    """Find the allowed rows of each query's nearest buckets that may be among its nearest rows, until `stop`.

    Parameters
    ----------
    queries : (nq, dim) float32
        Finite; for cosine of any length but zero.
    centroids : (B, dim) float32
        For cosine, unit vectors.
    buckets : BucketArrays
        B of them; for cosine, of unit vectors.
    counts : (B,) int64
        Allowed rows of each bucket, as by `kernels.probing.count_allowed`.
    allowed : uint8 or None
        Bitmap over global row numbers, at least up to the end of the last bucket; None for all rows.
    metric : str
        A key of `distance.METRIC_CODES`.
    stop : StopRule
        Judged by the k-th best distance so far.
    n_candidates : int
        Most rows per query, at least `stop.k`.
    touches : (B,) uint32, optional
        Counters of scans, one added per query and bucket, as `touches.count_probed` does.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, a number out of range, or unknown metric

    Notes
    -----
    Goes on in rounds that quadruple the buckets, all queries together: a bucket is read once per round for all queries
    that want it, and the k-th distance after a quarter of the buckets is so near the final one that asking after every
    bucket would save nothing. A query finds the same rows alone and in a batch: nothing is shared but the reading.
    O(nq * B * dim) to rank, O(probed rows * dim) to scan. Runs without the GIL.
    """
    code = metric_code(metric)
    queries, terms = scan_terms(queries, buckets, code)
    n_queries, n_buckets = len(queries), len(buckets.rows)
    _check_stop(stop, n_candidates)
    if touches is not None:
        check_writable("touches", touches, np.uint32, n_buckets)
    order = np.empty((n_queries, n_buckets), np.int32)
    n_probed = np.zeros(n_queries, np.int64)
    bins = (
        order,
        np.empty((n_queries, N_BINS), np.int32),
        np.zeros(n_queries, np.int64),
        np.empty(n_buckets, np.uint8),
    )
    room = 2 * n_candidates + TILE_ROWS
    ids = np.empty((n_queries, room), np.int64)
    pools = (
        np.full((n_queries, stop.k), np.inf, np.float32),
        np.empty((n_queries, room), np.float32),
        ids,
        np.zeros(n_queries, np.int64),
    )
    probe_all(
        queries,
        terms,
        code,
        readonly("centroids", centroids, np.float32, n_buckets, queries.shape[1]),
        readonly("counts", counts, np.int64, n_buckets),
        buckets.arrays(code),
        ALL_ROWS if allowed is None else checked_bits(allowed, buckets),
        (stop.k, stop.first, stop.n_probe),
        (
            float(stop.share),
            float(stop.careful_share),
            float(stop.far_rows),
            max(float(stop.spread), LEAST_SPREAD),
            float(stop.effective_dim),
        ),
        bins,
        np.empty((n_queries, n_buckets), np.float32),
        (np.empty_like(n_probed), n_probed, np.empty_like(n_probed), np.zeros(n_queries, np.bool_)),
        (np.empty(n_buckets, np.float64), (new_scratch(queries.shape[1]), _group_scratch(*queries.shape))),
        (np.empty(n_buckets + 1, np.int64), np.empty(n_queries * n_buckets if n_queries > 1 else 0, np.int32)),
        pools,
        (np.empty(n_candidates, np.float32), np.empty(n_candidates, np.int64)),
        NO_TOUCHES if touches is None else touches,
    )
    return Probed(ids[:, :n_candidates], order, n_probed)


def _check_stop(stop: StopRule, n_candidates: int) -> None:
    if not 1 <= stop.k <= n_candidates:
        raise ValueError(f"k must be from 1 to the number of candidates; got={stop.k} n_candidates={n_candidates}")
    if stop.first < 1 or stop.n_probe < 0:
        raise ValueError(f"first must be at least 1 and n_probe at least 0; got={stop.first} {stop.n_probe}")
    if not (0 <= stop.spread < np.inf and 0 < stop.effective_dim < np.inf):
        raise ValueError(f"number out of range; got spread={stop.spread} effective_dim={stop.effective_dim}")


def _group_scratch(n_queries: int, dim: int) -> tuple[NDArray[Any], ...]:
    """Weights of a group of queries, a turned block, and terms and margins of the distances; nothing for one query."""
    n_group = GROUP if n_queries > 1 else 0
    size = block_size(dim)
    return (
        np.zeros((n_group, 2, size), np.int8),
        aligned(size * BLOCK_ROWS if n_group else 0, np.dtype(np.uint8)),
        np.empty((n_group, 2), np.float64),
        np.empty(n_group, np.float32),
    )
