"""The nearest rows of few queries, from their centroids to their exact distances, in one compiled call."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.bitmap import ALL_ROWS, Bits
from drift_arrow.kernels.bucket_table import BucketTable
from drift_arrow.kernels.code_block import block_size
from drift_arrow.kernels.code_product import weights_size
from drift_arrow.kernels.distance import metric_code, normalize_rows
from drift_arrow.kernels.exact_rank import ExactRanks, rank_layout, rank_rows
from drift_arrow.kernels.memory import array_at
from drift_arrow.kernels.probe import StopRule, check_stop
from drift_arrow.kernels.probe_memory import probe_layout
from drift_arrow.kernels.probe_rounds import probe_all
from drift_arrow.kernels.probing import LEAST_SPREAD
from drift_arrow.kernels.row_table import DONE, RowTable
from drift_arrow.kernels.scratch import layout, scratch


@kernel
def _find_nearest(
    queries: Any,
    directions: Any,
    metric: Any,
    table: Any,
    counts: Any,
    allowed: Any,
    k: Any,
    first: Any,
    n_probe: Any,
    share: Any,
    careful_share: Any,
    far_rows: Any,
    spread: Any,
    effective_dim: Any,
    memory: Any,
    places: Any,
    probe_places: Any,
    n_weights: Any,
    n_bytes: Any,
    first_rows: Any,
    blocks: Any,
    rank_places: Any,
    n_ordered: Any,
    ids: Any,
    distances: Any,
    n_found: Any,
    is_tied: Any,
) -> Any:
    """All of `find_nearest`; `DONE`, or why a row was not found.

    directions : (nq, dim) float32     the queries, or for cosine their unit vectors
    memory, places : where the two steps and what stands between them have their arrays
    """
    n_queries, n_buckets = np.int64(queries.shape[0]), np.int64(counts.size)
    order = array_at(memory + places[0], (n_queries, n_buckets), np.int32(0))
    n_probed = array_at(memory + places[1], n_queries, np.int64(0))
    probe_all(
        directions,
        metric,
        table,
        counts,
        allowed,
        k,
        first,
        n_probe,
        share,
        careful_share,
        far_rows,
        spread,
        effective_dim,
        memory + places[2],
        probe_places,
        n_weights,
        n_bytes,
        order,
        n_probed,
        ids,
    )
    return rank_rows(
        queries,
        metric,
        first_rows,
        blocks,
        False,  # noqa: FBT003 - kernels take no keywords
        n_ordered,
        memory + places[3],
        rank_places,
        ids,
        distances,
        n_found,
        is_tied,
    )


@lru_cache(maxsize=64)
def _layout(n_queries: int, n_buckets: int, dim: int, k: int, n_candidates: int) -> tuple[Any, Any, Any, int]:
    """Places of the steps in memory, those of their arrays, and the bytes of all."""
    probe_places, probe_bytes = probe_layout(n_queries, n_buckets, dim, k, n_candidates)
    rank_places, rank_bytes = rank_layout(dim)
    places, n_bytes = layout(
        [
            (n_queries * n_buckets, np.int32),
            (n_queries, np.int64),
            (probe_bytes, np.uint8),
            (rank_bytes, np.uint8),
        ]
    )
    return places, probe_places, rank_places, n_bytes


def find_nearest(
    queries: NDArray[np.float32],
    table: BucketTable,
    counts: NDArray[np.int64] | None,
    allowed: Bits | None,
    metric: str,
    stop: StopRule,
    n_candidates: int,
    rows: RowTable,
    n_ordered: int,
) -> tuple[NDArray[np.int64], ExactRanks | None]:
    """What `probe_buckets` finds, in the order of `rank_exactly`.

    Parameters
    ----------
    queries : (nq, dim) float32
        Finite; for cosine of any length but zero.
    table, counts, allowed, metric, stop, n_candidates
        As `probe_buckets` takes them.
    rows : RowTable
        Of float32 rows of `dim` values, by the numbers that `table` has for them.
    n_ordered : int
        Places up to which ties are reported.

    Returns
    -------
    ids : (nq, n_candidates) int64
        The candidates, -1 for none.
    ranks : ExactRanks or None
        Their order; None if one of them could not be read: its block is absent, or damaged.

    Raises
    ------
    ValueError    as `probe_buckets`

    Notes
    -----
    The same rows and distances as by the two calls, bit by bit: this is for searches that take little longer than a
    call does.
    """
    code = metric_code(metric)
    n_buckets, dim = table.centroids.shape
    queries = readonly("queries", queries, np.float32, None, dim)
    directions = queries
    if metric == "cosine":
        directions = readonly("queries", normalize_rows(queries), np.float32, None, dim)
    check_stop(stop, n_candidates)
    if allowed is None:
        allowed = ALL_ROWS
    elif 8 * len(allowed) < table.end:
        raise ValueError(f"allowed must reach to the last row; bits={8 * len(allowed)} rows={table.end}")
    n_queries = len(queries)
    ids, distances = np.empty((n_queries, n_candidates), np.int64), np.empty((n_queries, n_candidates), np.float32)
    n_found, is_tied = np.empty(n_queries, np.int64), np.empty(n_queries, np.bool_)
    places, probe_places, rank_places, n_bytes = _layout(n_queries, n_buckets, dim, stop.k, n_candidates)
    address, memory = scratch(n_bytes)
    status = _find_nearest(
        queries,
        directions,
        code,
        table.numbers,
        table.counts if counts is None else readonly("counts", counts, np.int64, n_buckets),
        readonly("allowed", allowed, np.uint8, None),
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
        probe_places,
        weights_size(dim),
        block_size(dim),
        rows.first_rows,
        rows.blocks,
        rank_places,
        n_ordered,
        ids,
        distances,
        n_found,
        is_tied,
    )
    # kept until here by its name
    del memory
    return ids, ExactRanks(ids, distances, n_found, is_tied) if status == DONE else None
