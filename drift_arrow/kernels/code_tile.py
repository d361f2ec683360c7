"""Distances of a few rows at a time from their codes: the middle loops of every scan."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.bitmap import is_dense, next_allowed
from drift_arrow.kernels.bucket_arrays import BucketArrays
from drift_arrow.kernels.code_block import BLOCK_ROWS
from drift_arrow.kernels.code_product import code_product, weights_size
from drift_arrow.kernels.distance import L2, METRIC_CODES, normalize_rows

_COSINE: Final = METRIC_CODES["cosine"]
LEAST_LENGTH: Final = 1e-30
"""Stands for the length of a zero query, by which nothing could be divided."""

TILE_ROWS: Final = BLOCK_ROWS
"""Rows between two looks at the candidates, for which a filter is judged dense or sparse at once."""


@kernel(inline=True)
def multiply_tile(
    address: Any, start: Any, stop: Any, dim: Any, weights: Any, norms: Any, allowed: Any, tile: Any
) -> Any:
    """Code products and norms of the rows of [start, stop) that are worth reading, and how many these are."""
    tile_rows, products, tile_norms, _ = tile
    if allowed.size == 0 or is_dense(allowed, start, stop):
        for i in range(stop - start):
            tile_rows[i] = start + i
            products[i] = code_product(address + np.uint64(i) * np.uint64(dim), dim, weights)
        if norms.size:
            for i in range(stop - start):
                tile_norms[i] = norms[start + i]
        return stop - start
    n_found = 0
    row = next_allowed(allowed, start, stop)
    while row < stop:
        tile_rows[n_found] = row
        products[n_found] = code_product(address + np.uint64(row - start) * np.uint64(dim), dim, weights)
        if norms.size:
            tile_norms[n_found] = norms[row]
        n_found += 1
        row = next_allowed(allowed, row + 1, stop)
    return n_found


@kernel(inner=True)
def measure_tile(constant: Any, gain: Any, tile: Any, n_found: Any, bound: Any) -> Any:
    """Distances of the rows of a tile, and how many of them are at most `bound`."""
    _, products, tile_norms, tile_distances = tile
    n_near = 0
    for i in range(n_found):
        distance = np.float32(constant + gain * np.float64(products[i]) + np.float64(tile_norms[i]))
        tile_distances[i] = distance
        n_near += distance <= bound
    return n_near


def scan_terms(
    queries: NDArray[np.float32], buckets: BucketArrays, code: int
) -> tuple[NDArray[np.float32], tuple[NDArray[np.float64], float, NDArray[np.float64]]]:
    """What the distances of a query are made of.

    Parameters
    ----------
    queries : (nq, dim) float32
    buckets : BucketArrays
        Of `dim` dimensions.
    code : int
        Of the metric.

    Returns
    -------
    queries : (nq, dim) float32
        Read-only; unit vectors for cosine.
    terms : tuple
        `origin` (nq,) and `factor`: a distance is ``origin[q] - factor * <query, row>``, plus the norm of the row for
        l2; and the Euclidean lengths (nq,) of the queries, at least `LEAST_LENGTH`.

    Raises
    ------
    ValueError    wrong dtype, shape or layout
    """
    queries = readonly("queries", queries, np.float32, None, buckets.lo.shape[1])
    if code == _COSINE:
        queries = readonly("queries", normalize_rows(queries), np.float32, *queries.shape)
    squares = np.einsum("ij,ij->i", queries, queries, dtype=np.float64)
    lengths = np.maximum(np.sqrt(squares), LEAST_LENGTH)
    if code == L2:
        return queries, (squares, 2.0, lengths)
    return queries, (np.full(len(queries), 1.0 if code == _COSINE else 0.0), 1.0, lengths)


def new_scratch(dim: int) -> tuple[NDArray[np.int16], tuple[NDArray[Any], ...]]:
    """Weights of a query, and row numbers, code products, norms and distances of the rows of one tile."""
    tile = (
        np.empty(TILE_ROWS, np.int64),
        np.empty(TILE_ROWS, np.int32),
        np.zeros(TILE_ROWS, np.float32),
        np.empty(TILE_ROWS, np.float32),
    )
    return np.zeros(weights_size(dim), np.int16), tile
