"""True neighbours by an exact search, and the share of them that was found."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_BLOCK_ROWS: Final = 50_000
_SPARE: Final = 32
TOLERANCE: Final = 1e-6
"""Relative: the distances of equal rows differ by the rounding of float32."""


def nearest_distances(vectors: NDArray[Any], queries: NDArray[Any], k: int) -> NDArray[np.float64]:
    """Squared Euclidean distances from each query to its k nearest rows.

    Parameters
    ----------
    vectors : (n, dim)
        May be mapped from a file; read in blocks.
    queries : (m, dim)
    k : int

    Returns
    -------
    (m, min(k, n)) float64
        Ascending.

    Notes
    -----
    A matrix product in float32 proposes more rows than are wanted; their distances are then computed in float64.
    """
    queries = np.ascontiguousarray(queries, dtype=np.float32)
    wanted = min(k + _SPARE, len(vectors))
    ids = np.empty((len(queries), 0), dtype=np.int64)
    rough = np.empty((len(queries), 0), dtype=np.float32)
    for start in range(0, len(vectors), _BLOCK_ROWS):
        block = np.asarray(vectors[start : start + _BLOCK_ROWS], dtype=np.float32)
        distances = np.square(block).sum(axis=1) - 2 * (queries @ block.T)
        best = _smallest(distances, wanted)
        ids = np.concatenate([ids, best + start], axis=1)
        rough = np.concatenate([rough, np.take_along_axis(distances, best, axis=1)], axis=1)
        kept = _smallest(rough, wanted)
        ids, rough = np.take_along_axis(ids, kept, axis=1), np.take_along_axis(rough, kept, axis=1)
    return np.sort(distances_to(vectors, queries, ids), axis=1)[:, :k]


def distances_to(vectors: NDArray[Any], queries: NDArray[Any], ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """(m, c) squared Euclidean distances from each query to the rows `ids` (m, c); infinite where an id is negative."""
    found = np.empty(ids.shape, dtype=np.float64)
    for number, (query, rows) in enumerate(zip(queries, ids, strict=True)):
        found[number] = np.square(vectors[np.maximum(rows, 0)].astype(np.float64) - query).sum(axis=1)
    found[ids < 0] = np.inf
    return found


def recalls(found: NDArray[np.float64], true: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Share of the k nearest that each query found, whichever of equally distant rows they are.

    Parameters
    ----------
    found : (m, c) float64
        Distances of different rows, in any order.
    true : (m, >= k) float64
        True distances, ascending.

    Returns
    -------
    (m,) float64
        Between 0 and 1.
    """
    limit = true[:, k - 1 : k] * (1 + TOLERANCE) + np.finfo(np.float32).tiny
    shares: NDArray[np.float64] = np.minimum((found <= limit).sum(axis=1), k) / k
    return shares


def _smallest(distances: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    k = min(k, distances.shape[1])
    return np.argpartition(distances, k - 1, axis=1)[:, :k]
