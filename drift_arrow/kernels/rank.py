"""All buckets in the order in which a query wants them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.distance import DOT, L2, METRIC_CODES, metric_code, normalize_rows, row_distance

_COSINE: Final = METRIC_CODES["cosine"]
_TILE_ROWS: Final = 64
"""Centroids that all queries visit before the next ones are read."""


@kernel
def _all_distances(centroids: Any, queries: Any, metric: Any, out: Any) -> None:
    for start in range(0, centroids.shape[0], _TILE_ROWS):
        stop = min(start + _TILE_ROWS, centroids.shape[0])
        for q in range(queries.shape[0]):
            for b in range(start, stop):
                out[q, b] = row_distance(centroids[b], queries[q], np.float32(1), metric)


def rank_buckets(
    queries: NDArray[np.float32], centroids: NDArray[np.float32], metric: str
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Numbers of all buckets by the distance of their centroids, and these distances.

    Parameters
    ----------
    queries : (nq, dim) float32
        For cosine, of any length but zero.
    centroids : (B, dim) float32
        For cosine, unit vectors.
    metric : str
        A key of `distance.METRIC_CODES`.

    Returns
    -------
    order : (nq, B) int64
        Nearest first, ties to the lower number.
    distances : (nq, B) float32
        In that order. l2 and cosine: squared Euclidean distances, for cosine between unit vectors, that is
        2 * (1 - cos); dot: negative inner products.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, or unknown metric

    Notes
    -----
    A query has the same ranking alone and in a batch: no matrix product, whose rounding depends on its shape.
    """
    queries = readonly("queries", queries, np.float32, None, None)
    centroids = readonly("centroids", centroids, np.float32, None, queries.shape[1])
    code = metric_code(metric)
    if code == _COSINE:
        queries = readonly("queries", normalize_rows(queries), np.float32, *queries.shape)
    distances = np.empty((len(queries), len(centroids)), np.float32)
    _all_distances(centroids, queries, L2 if code == L2 else DOT, distances)
    if code == _COSINE:
        distances = np.maximum(2 + 2 * distances, 0)
    order = np.argsort(distances, axis=1, kind="stable")
    return order, np.take_along_axis(distances, order, axis=1)
