"""Which buckets to scan for a query."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels.distance import metric_code
from drift_arrow.kernels.scan import exact_scan
from drift_arrow.kernels.topk import Heaps


def rank_buckets(
    queries: NDArray[np.float32], centroids: NDArray[np.float32], metric: str, n_probe: int
) -> NDArray[np.int64]:
    """Numbers of the buckets whose centroids are closest to each query.

    Parameters
    ----------
    queries : (nq, dim) float32
    centroids : (B, dim) float32
        For cosine, unit vectors.
    metric : str
        A key of `distance.METRIC_CODES`.
    n_probe : int
        Buckets per query, at least 1.

    Returns
    -------
    (nq, min(n_probe, B)) int64
        Nearest first, ties to the lower number.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, n_probe below 1, or unknown metric
    """
    if n_probe < 1:
        raise ValueError(f"n_probe must be at least 1; got={n_probe}")
    n_ranked = min(n_probe, len(centroids))
    if not n_ranked:
        return np.empty((len(queries), 0), np.int64)
    # among unit vectors the inner product ranks as the cosine does, at less cost
    code = metric_code(metric)
    heaps = Heaps.empty(len(queries), n_ranked)
    exact_scan(centroids, 0, None, queries, "l2" if code == metric_code("l2") else "dot", heaps)
    return heaps.sorted()[0]
