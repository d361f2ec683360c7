"""The k nearest rows of a vector column, by a scan of all of them."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from drift_arrow.polars_ns.matrices import matrices
from drift_arrow.polars_ns.request import Request


def nearest_rows(
    vectors: pl.Series, request: Request, allowed: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.uint32]]:
    """Rank the rows of a vector column.

    Parameters
    ----------
    vectors : polars.Series
        (n rows).
    request : Request
    allowed : (n,) bool or None
        Rows to consider; None for all.

    Returns
    -------
    rows : (m,) int64
        At most k per query; by query, then distance, ties by row.
    distances : (m,) float32
    queries : (m,) uint32
        Number of the query of each.

    Raises
    ------
    InvalidArgumentError
        See `matrices.matrices`.

    Notes
    -----
    One pass over the memory of the column for all queries, O(n * nq * dim). NaN distances never rank.
    """
    from drift_arrow.kernels import bitmap
    from drift_arrow.kernels.scan import exact_scan
    from drift_arrow.kernels.topk import Heaps

    heaps = Heaps.empty(len(request.queries), max(1, min(request.k, len(vectors))))
    first = 0
    for matrix in matrices(vectors, request.queries.shape[1]):
        stop = first + len(matrix)
        bits = None if allowed is None else bitmap.from_mask(allowed[first:stop])
        exact_scan(matrix, first, bits, request.queries, request.metric, heaps)
        first = stop
    rows, distances = heaps.sorted()
    is_filled = rows >= 0
    queries = np.broadcast_to(np.arange(len(rows), dtype=np.uint32)[:, np.newaxis], rows.shape)
    return rows[is_filled], distances[is_filled], queries[is_filled]
