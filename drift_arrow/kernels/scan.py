"""Exact search over a matrix of rows: the memtable, and every row where a query asks for exact results."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.bitmap import ALL_ROWS, Bits, is_allowed, is_dense, n_bytes, next_allowed
from drift_arrow.kernels.distance import lengths, metric_code, row_distance
from drift_arrow.kernels.grouped_heap import Groups, grouping_of, heap_offer
from drift_arrow.kernels.topk import Heaps, heap_precedes, no_floors

_NO_IDS: Final = readonly("no ids", np.empty(0, np.int64), np.int64, 0)
_TILE_ROWS: Final = 64
"""Rows that all queries visit before the next ones are read: at dim 128 they take half of a first-level cache."""


@kernel(inner=True)
def _scan_tile(
    matrix: Any,
    start: Any,
    stop: Any,
    first_id: Any,
    row_ids: Any,
    allowed: Any,
    query: Any,
    query_length: Any,
    metric: Any,
    floor: Any,
    grouping: Any,
    q: Any,
    distances: Any,
    ids: Any,
) -> None:
    jumps = allowed[:0] if is_dense(allowed, start, stop) else allowed
    row = next_allowed(jumps, start, stop)
    while row < stop:
        distance = row_distance(matrix[row], query, query_length, metric)
        row_id = row_ids[row] if row_ids.size else first_id + row
        is_better = distance >= floor and heap_precedes(distance, row_id, distances[0], ids[0])
        if is_better and is_allowed(allowed, row):
            heap_offer(distances, ids, grouping, q, distance, row_id)
        row = next_allowed(jumps, row + 1, stop)


@kernel
def _exact_scan(
    matrix: Any,
    first_id: Any,
    row_ids: Any,
    allowed: Any,
    queries: Any,
    query_lengths: Any,
    metric: Any,
    floors: Any,
    grouping: Any,
    distances: Any,
    ids: Any,
) -> None:
    for start in range(0, matrix.shape[0], _TILE_ROWS):
        stop = min(start + _TILE_ROWS, matrix.shape[0])
        for q in range(queries.shape[0]):
            _scan_tile(
                matrix,
                start,
                stop,
                first_id,
                row_ids,
                allowed,
                queries[q],
                query_lengths[q],
                metric,
                floors[q],
                grouping,
                q,
                distances[q],
                ids[q],
            )


def exact_scan(
    matrix: NDArray[np.float32],
    first_id: int,
    allowed: Bits | None,
    queries: NDArray[np.float32],
    metric: str,
    heaps: Heaps,
    *,
    row_ids: NDArray[np.int64] | None = None,
    floors: NDArray[np.float32] | None = None,
    groups: Groups | None = None,
) -> None:
    """Offer every allowed row of a matrix to the heap of every query.

    Parameters
    ----------
    matrix : (n, dim) float32
    first_id : int
        Id of row 0; row r has `first_id + r`. Ids must stay in [0, 2**63).
    allowed : ((n + 7) // 8,) uint8 or None
        Bitmap of the rows to consider, None for all of them.
    queries : (nq, dim) float32
    metric : str
        A key of `distance.METRIC_CODES`.
    heaps : Heaps
        Of the nq queries; updated in place.
    row_ids : (n,) int64, optional
        Id of each row, instead of `first_id` and those that follow.
    floors : (nq,) float32, optional
        Rows at a smaller distance from a query are passed over.
    groups : Groups, optional
        Of the heaps; limits how many candidates of a group they hold.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, ids that are negative or have no group, or unknown metric

    Notes
    -----
    Distances are those of `exact_distances`. O(n * nq * dim), without the GIL; the matrix is read once from memory
    however many queries there are.
    """
    queries = readonly("queries", queries, np.float32, None, None)
    matrix = readonly("matrix", matrix, np.float32, None, queries.shape[1])
    ids = _NO_IDS if row_ids is None else readonly("row_ids", row_ids, np.int64, len(matrix))
    low, high = (first_id, first_id + len(matrix)) if not len(ids) else (int(ids.min()), int(ids.max()) + 1)
    if not 0 <= low <= high < 2**63 or (groups is not None and len(matrix) and high > len(groups.of_row)):
        raise ValueError(f"ids must be in [0, 2**63), and have groups if there are any; got={low}..{high - 1}")
    bits = ALL_ROWS if allowed is None else readonly("allowed", allowed, np.uint8, n_bytes(len(matrix)))
    if len(heaps.ids) != len(queries):
        raise ValueError(f"need as many heaps as queries; got={len(heaps.ids)} queries={len(queries)}")
    _exact_scan(
        matrix,
        int(first_id),
        ids,
        bits,
        queries,
        lengths(queries),
        metric_code(metric),
        no_floors(len(queries)) if floors is None else readonly("floors", floors, np.float32, len(queries)),
        grouping_of(groups),
        heaps.distances,
        heaps.ids,
    )
