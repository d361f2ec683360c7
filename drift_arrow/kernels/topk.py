"""The k best candidates of each query, kept while scans run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import check_writable
from drift_arrow.kernels._jit import kernel


@kernel
def heap_precedes(distance: Any, row_id: Any, other_distance: Any, other_id: Any) -> Any:
    """Whether one candidate ranks before another: by distance, then by id. False where a distance is NaN.

    Ids compare as unsigned, so that an unfilled slot (+inf, -1) ranks after every row, even one at distance +inf.
    """
    if distance == other_distance:
        return np.uint64(row_id) < np.uint64(other_id)
    return distance < other_distance


@kernel
def heap_replace_root(distances: Any, ids: Any, distance: Any, row_id: Any) -> None:
    """Drop the worst candidate of a heap, which is its root, and put in another one.

    distances : (k,) float32, ids : (k,) int64
        A binary heap: every slot ranks after its children in slots 2s + 1 and 2s + 2.
    """
    slot = 0
    while True:
        child = 2 * slot + 1
        if child >= distances.size:
            break
        right = child + 1
        if right < distances.size and heap_precedes(distances[child], ids[child], distances[right], ids[right]):
            child = right
        if not heap_precedes(distance, row_id, distances[child], ids[child]):
            break
        distances[slot] = distances[child]
        ids[slot] = ids[child]
        slot = child
    distances[slot] = distance
    ids[slot] = row_id


@dataclass(frozen=True, slots=True, eq=False)
class Heaps:
    """A bounded heap of candidates per query, which scans fill in place.

    Parameters
    ----------
    distances : (nq, k) float32, C-contiguous and writable
    ids : (nq, k) int64, C-contiguous and writable

    Raises
    ------
    ValueError    wrong dtype, shape or layout, or k = 0

    Notes
    -----
    Which candidates survive does not depend on the order in which they came: ties of distance go to the lower id.
    A NaN distance never enters. One thread at a time may fill a heap.
    """

    distances: NDArray[np.float32]
    ids: NDArray[np.int64]

    def __post_init__(self) -> None:
        check_writable("distances", self.distances, np.float32, None, None)
        check_writable("ids", self.ids, np.int64, *self.distances.shape)
        if not self.distances.shape[1]:
            raise ValueError("heaps need room for a candidate; got k=0")

    @classmethod
    def empty(cls, n_queries: int, k: int, ceiling: float | NDArray[np.float32] = np.inf) -> Heaps:
        """Heaps of `n_queries` queries with room for `k` candidates each; unfilled slots hold (ceiling, -1).

        ceiling : float, or (nq, 1) float32
            No candidate at a larger distance enters.
        """
        distances = np.empty((n_queries, k), np.float32)
        distances[:] = ceiling
        return cls(distances, np.full((n_queries, k), -1, np.int64))

    def sorted(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """New (nq, k) arrays (ids, distances), each row from best to worst, unfilled slots last."""
        order = np.lexsort((self.ids.view(np.uint64), self.distances), axis=-1)
        return np.take_along_axis(self.ids, order, axis=-1), np.take_along_axis(self.distances, order, axis=-1)


def no_floors(n_queries: int) -> NDArray[np.float32]:
    """Least distances of candidates, (nq,) float32 and read-only, that keep none out."""
    floors = np.full(n_queries, -np.inf, np.float32)
    floors.flags.writeable = False
    return floors
