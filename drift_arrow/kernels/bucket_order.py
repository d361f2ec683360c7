"""The buckets of a query by distance: sorted into bins at once, and within a bin when it is its turn.

Few buckets are ever scanned, and which of the far ones is farther does not matter.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from drift_arrow.kernels._jit import kernel

N_BINS: Final = 256
_INSERTED: Final = 24
"""Up to so many buckets are sorted by insertion, which is faster for a few and quadratic for many."""


@kernel(inner=True)
def _is_nearer(distances: Any, bucket: Any, other: Any) -> Any:
    """By distance, then by number."""
    if distances[bucket] == distances[other]:
        return bucket < other
    return distances[bucket] < distances[other]


@kernel(inner=True)
def sort_into_bins(distances: Any, order: Any, ends: Any, bins: Any) -> None:
    """Sort bucket numbers into bins of equal width; O(B).

    distances : (B,) float32
        By number; not NaN.
    order : (B,) int32
        Becomes the buckets, bin after bin.
    ends : (N_BINS,) int32
        Becomes the place in `order` behind the last bucket of each bin.
    bins : (B,) uint8
        Scratch.
    """
    low, high = np.float32(np.inf), np.float32(-np.inf)
    for distance in distances:
        low = min(low, distance)
        if distance < np.float32(np.inf):
            high = max(high, distance)
    width = (np.float64(high) - np.float64(low)) / (N_BINS - 1)
    per_width = 1.0 / width if width > 0.0 else 0.0
    ends[:] = 0
    for b in range(distances.size):
        place = (np.float64(distances[b]) - np.float64(low)) * per_width
        # infinite distances go last; minus infinity, from which nothing can be told, comes first
        bins[b] = np.uint8(place) if place < N_BINS else np.uint8(N_BINS - 1)
        ends[bins[b]] += 1
    start = 0
    for number in range(N_BINS):
        size = ends[number]
        ends[number] = start
        start += size
    for b in range(distances.size):
        order[ends[bins[b]]] = b
        ends[bins[b]] += 1


@kernel(inner=True)
def sort_next_bins(order: Any, ends: Any, n_sorted: Any, upto: Any, distances: Any) -> Any:
    """Sort bins until the first `upto` buckets are in order; from `n_sorted` sorted bins to how many are then."""
    start = ends[n_sorted - 1] if n_sorted else 0
    while start < upto:
        stop = ends[n_sorted]
        part = order[start:stop]
        if part.size <= _INSERTED:
            _insert(part, distances)
        else:
            _heap_sort(part, distances)
        start = stop
        n_sorted += 1
    return n_sorted


@kernel(inner=True)
def _insert(part: Any, distances: Any) -> None:
    for i in range(1, part.size):
        bucket, place = part[i], i
        while place > 0 and _is_nearer(distances, bucket, part[place - 1]):
            part[place] = part[place - 1]
            place -= 1
        part[place] = bucket


@kernel(inner=True)
def _heap_sort(part: Any, distances: Any) -> None:
    for slot in range(part.size // 2 - 1, -1, -1):
        _sink(part, part.size, distances, slot)
    for last in range(part.size - 1, 0, -1):
        part[0], part[last] = part[last], part[0]
        _sink(part, last, distances, 0)


@kernel(inner=True)
def _sink(part: Any, size: Any, distances: Any, slot: Any) -> None:
    """Move the bucket in a slot of a heap, the farthest first, down to its place."""
    bucket = part[slot]
    while True:
        child = 2 * slot + 1
        if child >= size:
            break
        if child + 1 < size and _is_nearer(distances, part[child], part[child + 1]):
            child += 1
        if not _is_nearer(distances, bucket, part[child]):
            break
        part[slot] = part[child]
        slot = child
    part[slot] = bucket
