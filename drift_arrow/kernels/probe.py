"""Probing: the buckets of every query are ranked, and scanned nearest first until the query has what it wants.

One compiled call does it all for all queries and all segments: a query takes no longer than a few calls from Python.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels.bitmap import ALL_ROWS, Bits
from drift_arrow.kernels.bucket_arrays import checked_bits
from drift_arrow.kernels.bucket_table import BucketTable
from drift_arrow.kernels.code_block import block_size
from drift_arrow.kernels.code_product import weights_size
from drift_arrow.kernels.distance import metric_code, normalize_rows
from drift_arrow.kernels.probe_memory import probe_layout
from drift_arrow.kernels.probe_rounds import probe_all
from drift_arrow.kernels.probing import LEAST_SPREAD
from drift_arrow.kernels.scratch import scratch


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
    table: BucketTable,
    counts: NDArray[np.int64] | None,
    allowed: Bits | None,
    metric: str,
    stop: StopRule,
    n_candidates: int,
) -> Probed:
    """Find the allowed rows of each query's nearest buckets that may be among its nearest rows, until `stop`.

    Parameters
    ----------
    queries : (nq, dim) float32
        Finite; for cosine of any length but zero.
    table : BucketTable
        Of B buckets; its counters are raised, by one per query and bucket.
    counts : (B,) int64, optional
        Allowed rows of each bucket, as by `kernels.probing.count_allowed`; by default all.
    allowed : uint8 or None
        Bitmap over global row numbers, at least up to the end of the last bucket; None for all rows.
    metric : str
        A key of `distance.METRIC_CODES`.
    stop : StopRule
        Judged by the k-th best distance so far.
    n_candidates : int
        Most rows per query, at least `stop.k`.

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
    n_buckets, dim = table.centroids.shape
    queries = readonly("queries", queries, np.float32, None, dim)
    if metric == "cosine":
        queries = readonly("queries", normalize_rows(queries), np.float32, None, dim)
    check_stop(stop, n_candidates)
    n_queries = len(queries)
    order = np.empty((n_queries, n_buckets), np.int32)
    n_probed = np.empty(n_queries, np.int64)
    ids = np.empty((n_queries, n_candidates), np.int64)
    places, n_bytes = probe_layout(n_queries, n_buckets, dim, stop.k, n_candidates)
    address, memory = scratch(n_bytes)
    probe_all(
        queries,
        code,
        table.numbers,
        table.counts if counts is None else readonly("counts", counts, np.int64, n_buckets),
        ALL_ROWS if allowed is None else checked_bits(allowed, table.buckets),
        stop.k,
        stop.first,
        stop.n_probe,
        float(stop.share),
        float(stop.careful_share),
        float(stop.far_rows),
        max(float(stop.spread), LEAST_SPREAD),
        float(stop.effective_dim),
        address,
        places,
        weights_size(dim),
        block_size(dim),
        order,
        n_probed,
        ids,
    )
    # kept until here by its name
    del memory
    return Probed(ids, order, n_probed)


def check_stop(stop: StopRule, n_candidates: int) -> None:
    """Raise ValueError at a number out of range."""
    if not 1 <= stop.k <= n_candidates:
        raise ValueError(f"k must be from 1 to the number of candidates; got={stop.k} n_candidates={n_candidates}")
    if stop.first < 1 or stop.n_probe < 0:
        raise ValueError(f"first must be at least 1 and n_probe at least 0; got={stop.first} {stop.n_probe}")
    if not (0 <= stop.spread < np.inf and 0 < stop.effective_dim < np.inf):
        raise ValueError(f"number out of range; got spread={stop.spread} effective_dim={stop.effective_dim}")
