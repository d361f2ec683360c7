"""k-means: centroids of a sample, and the closest centroid of every row.

Source: Lloyd 1982, "Least squares quantization in PCM"; for unit vectors Dhillon and Modha 2001, "Concept
decompositions for large sparse text data using clustering".
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.distance import normalize_rows, squared_norms

_BLOCK_VALUES: Final = 1 << 20
"""Products of rows and centroids held at once: 4 MiB, so that they stay in cache between matrix product and argmin."""

_SPLIT_SHIFT: Final = np.float32(2**-7)
"""How far the halves of a split cluster start from its centroid, relative to each coordinate."""


@kernel
def _add_rows(matrix: Any, labels: Any, sums: Any, counts: Any) -> None:
    for i in range(matrix.shape[0]):
        row = matrix[i]
        total = sums[labels[i]]
        for j in range(row.size):
            total[j] += np.float64(row[j])
        counts[labels[i]] += 1


def assign_buckets(
    matrix: NDArray[np.float32], centroids: NDArray[np.float32], *, spherical: bool
) -> NDArray[np.uint32]:
    """Number of the closest centroid of every row.

    Parameters
    ----------
    matrix : (n, dim) float32
    centroids : (B, dim) float32
        At least one if there are rows.
    spherical : bool
        Closest by largest inner product instead of least Euclidean distance.

    Returns
    -------
    (n,) uint32
        Ties go to the lower number.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, or rows but no centroid

    Notes
    -----
    O(n * B * dim) in matrix products of NumPy's BLAS, which may use threads of its own. Distances are compared as
    |c|**2 / 2 - <x, c>, so two centroids that differ by less than float32 rounding of that are interchangeable.
    """
    matrix = readonly("matrix", matrix, np.float32, None, None)
    centroids = readonly("centroids", centroids, np.float32, None, matrix.shape[1])
    labels = np.zeros(len(matrix), np.uint32)
    if not len(matrix):
        return labels
    if not len(centroids):
        raise ValueError(f"rows need at least one centroid; rows={len(matrix)}")
    offsets = np.zeros(len(centroids), np.float32) if spherical else squared_norms(centroids) / 2
    block_rows = max(1, _BLOCK_VALUES // len(centroids))
    products = np.empty((min(block_rows, len(matrix)), len(centroids)), np.float32)
    for start in range(0, len(matrix), block_rows):
        rows = matrix[start : start + block_rows]
        costs = np.matmul(rows, centroids.T, out=products[: len(rows)])
        np.subtract(offsets, costs, out=costs)
        labels[start : start + len(rows)] = costs.argmin(axis=1)
    return labels


def train_centroids(
    sample: NDArray[np.float32],
    n_buckets: int,
    *,
    seed: int,
    iterations: int = 10,
    spherical: bool,
    initial: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Centroids of a sample by Lloyd's iterations from randomly chosen rows, or from given centroids.

    Parameters
    ----------
    sample : (n, dim) float32
        Finite. With fewer distinct rows than buckets some centroids repeat.
    n_buckets : int
        At least 1.
    seed : int
        Not negative. The same seed and sample give the same centroids on the same machine.
    iterations : int
        Rounds of assignment and averaging, not negative.
    spherical : bool
        For cosine: rows are unit vectors, and so are the centroids.
    initial : (n_buckets, dim) float32, optional
        Where to start instead; `seed` has no effect then.

    Returns
    -------
    (n_buckets, dim) float32
        `initial`, else zeros, if there is no row.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, or a number out of range

    Notes
    -----
    A cluster that runs empty is re-seeded next to the largest one, so that both share its rows.
    """
    sample = readonly("sample", sample, np.float32, None, None)
    if n_buckets < 1 or seed < 0 or iterations < 0:
        raise ValueError(f"number out of range; got n_buckets={n_buckets} seed={seed} iterations={iterations}")
    centroids = _start(sample, n_buckets, seed, initial)
    if not len(sample):
        return centroids
    labels = np.empty(0, np.uint32)
    for _ in range(iterations):
        previous, labels = labels, assign_buckets(sample, centroids, spherical=spherical)
        if np.array_equal(previous, labels):
            break
        centroids = _averages(sample, labels, centroids)
        if spherical:
            centroids = normalize_rows(centroids)
    return centroids


def _start(
    sample: NDArray[np.float32], n_buckets: int, seed: int, initial: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """The given centroids, else random rows, each before any comes twice."""
    if initial is not None:
        return readonly("initial", initial, np.float32, n_buckets, sample.shape[1]).copy()
    if not len(sample):
        return np.zeros((n_buckets, sample.shape[1]), np.float32)
    order = np.random.default_rng(seed).permutation(len(sample))
    return sample[np.resize(order, n_buckets)]


def _averages(
    sample: NDArray[np.float32], labels: NDArray[np.uint32], centroids: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Mean of each cluster; an empty one takes half of the largest."""
    sums = np.zeros(centroids.shape, np.float64)
    counts = np.zeros(len(centroids), np.int64)
    _add_rows(sample, readonly("labels", labels, np.uint32, len(sample)), sums, counts)
    averages = (sums / np.maximum(counts, 1)[:, np.newaxis]).astype(np.float32)
    for empty in np.flatnonzero(counts == 0):
        largest = int(counts.argmax())
        if counts[largest] < 2:
            averages[empty] = centroids[empty]
            continue
        counts[empty] = counts[largest] // 2
        counts[largest] -= counts[empty]
        # opposite shifts of neighbouring coordinates: a shift along the centroid itself would not split unit vectors
        shift = averages[largest] * np.where(np.arange(centroids.shape[1]) % 2, _SPLIT_SHIFT, -_SPLIT_SHIFT)
        averages[empty] = averages[largest] + shift
        averages[largest] -= shift
    return averages
