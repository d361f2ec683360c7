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
from drift_arrow.kernels.assign_tile import GROUPS, LANES, PANEL, TILE_ROWS, nearest_row, nearest_rows
from drift_arrow.kernels.distance import normalize_rows, squared_norms
from drift_arrow.kernels.parts import RunParts, run_parts

_PART_ROWS: Final = 1 << 13
"""Rows that are given to a thread at once."""

_BLOCK_ROWS: Final = 16 * TILE_ROWS
"""Rows that meet one panel of centroids before the next one: they and a panel stay in cache."""

_SPLIT_SHIFT: Final = np.float32(2**-7)
"""How far the halves of a split cluster start from its centroid, relative to each coordinate."""

_SETTLED: Final = 1e-3
"""Relative gain of a round from which on another one is not worth its time."""


@kernel(inner=True)
def _nearest_lane(costs: Any, groups: Any) -> Any:
    """Number of the centroid of least cost, and that cost."""
    cost, number = costs[0], np.int64(LANES) * groups[0]
    for lane in range(1, LANES):
        other = np.int64(LANES) * groups[lane] + lane
        if costs[lane] < cost or (costs[lane] == cost and other < number):
            cost, number = costs[lane], other
    return number, cost


@kernel
def _assign(
    matrix: Any, panels: Any, offsets: Any, start: Any, stop: Any, scratch: Any, labels: Any, least: Any
) -> None:
    """Label the rows [start, stop), and keep the cost of the label.

    panels : (P, dim, PANEL) float32, offsets : (P, PANEL) float32, scratch : (2, BLOCK_ROWS, LANES) int32
    """
    costs, groups = scratch[0].view(np.float32), scratch[1]
    dim, row_bytes, lane_bytes = np.int64(matrix.shape[1]), np.uint64(matrix.strides[0]), np.uint64(LANES * 4)
    cost_address, group_address = np.uint64(costs.ctypes.data), np.uint64(groups.ctypes.data)
    for block in range(start, stop, costs.shape[0]):
        count = min(costs.shape[0], stop - block)
        rows = np.uint64(matrix.ctypes.data) + np.uint64(block) * row_bytes
        costs[:count] = np.float32(np.inf)
        groups[:count] = 0
        for p in range(panels.shape[0]):
            panel, own = np.uint64(panels[p].ctypes.data), np.uint64(offsets[p].ctypes.data)
            whole = count // TILE_ROWS * TILE_ROWS
            for i in range(0, whole, TILE_ROWS):
                at, lane = np.uint64(i) * row_bytes, np.uint64(i) * lane_bytes
                first = np.int32(p * GROUPS)
                nearest_rows(rows + at, dim, panel, own, first, cost_address + lane, group_address + lane)
            for i in range(whole, count):
                at, lane = np.uint64(i) * row_bytes, np.uint64(i) * lane_bytes
                first = np.int32(p * GROUPS)
                nearest_row(rows + at, dim, panel, own, first, cost_address + lane, group_address + lane)
        for i in range(count):
            labels[block + i], least[block + i] = _nearest_lane(costs[i], groups[i])


@kernel
def _add_rows(matrix: Any, labels: Any, sums: Any, counts: Any) -> None:
    for i in range(matrix.shape[0]):
        row = matrix[i]
        total = sums[labels[i]]
        for j in range(row.size):
            total[j] += np.float64(row[j])
        counts[labels[i]] += 1


def assign_buckets(
    matrix: NDArray[np.float32], centroids: NDArray[np.float32], *, spherical: bool, run: RunParts = run_parts
) -> NDArray[np.uint32]:
    """Number of the closest centroid of every row.

    Parameters
    ----------
    matrix : (n, dim) float32
    centroids : (B, dim) float32
        At least one if there are rows.
    spherical : bool
        Closest by largest inner product instead of least Euclidean distance.
    run : RunParts
        How parts of the rows are done; the result does not depend on it.

    Returns
    -------
    (n,) uint32
        Ties go to the lower number.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, or rows but no centroid

    Notes
    -----
    O(n * B * dim) at about the speed of a matrix product. Distances are compared as |c|**2 / 2 - <x, c>, so two
    centroids that differ by less than float32 rounding of that are interchangeable.
    """
    return _closest(matrix, centroids, spherical, run)[0]


def _closest(
    matrix: NDArray[np.float32],
    centroids: NDArray[np.float32],
    spherical: bool,  # noqa: FBT001
    run: RunParts,
) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Number of the closest centroid c of every row x, and |c|**2 / 2 - <x, c> of it, or -<x, c>."""
    matrix = readonly("matrix", matrix, np.float32, None, None)
    centroids = readonly("centroids", centroids, np.float32, None, matrix.shape[1])
    labels, least = np.zeros(len(matrix), np.uint32), np.empty(len(matrix), np.float32)
    if not len(matrix):
        return labels, least
    if not len(centroids):
        raise ValueError(f"rows need at least one centroid; rows={len(matrix)}")
    offsets = np.zeros(len(centroids), np.float32) if spherical else squared_norms(centroids) / 2
    panels, panel_offsets = _panels(centroids, offsets.astype(np.float32))

    def work(start: int, stop: int) -> None:
        scratch = np.empty((2, _BLOCK_ROWS, LANES), np.int32)
        _assign(matrix, panels, panel_offsets, start, stop, scratch, labels, least)

    run(work, len(matrix), _PART_ROWS)
    return labels, least


def _panels(
    centroids: NDArray[np.float32], offsets: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Centroids (P, dim, PANEL) as `assign_tile` wants them, and their offsets; no row is close to what fills up."""
    n_panels = -(-len(centroids) // PANEL)
    padded = np.zeros((n_panels * PANEL, centroids.shape[1]), np.float32)
    padded[: len(centroids)] = centroids
    far = np.full(n_panels * PANEL, np.inf, np.float32)
    far[: len(centroids)] = offsets
    turned = np.ascontiguousarray(padded.reshape(n_panels, PANEL, -1).transpose(0, 2, 1))
    shape = turned.shape
    return readonly("panels", turned, np.float32, *shape), readonly(
        "far", far.reshape(-1, PANEL), np.float32, *shape[::2]
    )


def train_centroids(
    sample: NDArray[np.float32],
    n_buckets: int,
    *,
    seed: int,
    iterations: int = 10,
    spherical: bool,
    initial: NDArray[np.float32] | None = None,
    run: RunParts = run_parts,
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
        Most rounds of assignment and averaging, not negative. It ends before if a round gains less than a thousandth.
    spherical : bool
        For cosine: rows are unit vectors, and so are the centroids.
    initial : (n_buckets, dim) float32, optional
        Where to start instead; `seed` has no effect then.
    run : RunParts
        How parts of the rows are assigned; the result does not depend on it.

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
    length = float(np.einsum("ij,ij->", sample, sample, dtype=np.float64))
    error = np.inf
    for _ in range(iterations):
        labels, least = _closest(sample, centroids, spherical, run)
        # for unit vectors |x - c|**2 is 2 - 2 <x, c>
        previous, error = error, length * (2 if spherical else 1) + 2 * float(least.sum(dtype=np.float64))
        if not error < previous * (1 - _SETTLED):
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
