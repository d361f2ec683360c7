"""The best candidates of a query with at most so many of one group among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import check_writable, readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.topk import heap_precedes, heap_replace_root


@kernel(inner=True)
def _sink(distances: Any, ids: Any, members: Any, slot: Any, distance: Any, row_id: Any, group: Any) -> None:
    """Put a candidate in the slot of a heap where a worse one was, or below it."""
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
        members[slot] = members[child]
        slot = child
    distances[slot] = distance
    ids[slot] = row_id
    members[slot] = group


@kernel(inner=True)
def _worst_of(distances: Any, ids: Any, members: Any, group: Any) -> Any:
    """Slot of the worst candidate of a group that has one."""
    worst = -1
    for slot in range(members.size):
        if members[slot] == group and (
            worst < 0 or heap_precedes(distances[worst], ids[worst], distances[slot], ids[slot])
        ):
            worst = slot
    return worst


@kernel(inner=True)
def _offer_to_group(distances: Any, ids: Any, grouping: Any, q: Any, distance: Any, row_id: Any) -> None:
    of_row, limit, all_members, all_counts, all_bounds = grouping
    members, counts, bounds = all_members[q], all_counts[q], all_bounds[q]
    group = of_row[row_id]
    slot = 0
    if counts[group] == limit:
        if distance > bounds[group]:
            return
        slot = _worst_of(distances, ids, members, group)
        if not heap_precedes(distance, row_id, distances[slot], ids[slot]):
            return
    else:
        left = members[0]
        if left >= 0:
            counts[left] -= 1
        counts[group] += 1
    _sink(distances, ids, members, slot, distance, row_id, group)
    if counts[group] == limit:
        bounds[group] = distances[_worst_of(distances, ids, members, group)]


@kernel(inner=True)
def heap_offer(distances: Any, ids: Any, grouping: Any, q: Any, distance: Any, row_id: Any) -> None:
    """Put a candidate that ranks before the root of a heap into it, unless its group has enough better ones.

    grouping : tuple
        As `grouping_of` makes it.
    q : int
        Number of the query.
    """
    if grouping[0].size:
        _offer_to_group(distances, ids, grouping, q, distance, row_id)
    else:
        heap_replace_root(distances, ids, distance, row_id)


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """What limits the candidates of one group in the heaps of nq queries with room for k.

    Parameters
    ----------
    of_row : (n,) int32
        Group of every row by its id, in [0, G). Whoever scans makes sure that ids are below n.
    limit : int
        Most candidates of one group, at least 1.
    members : (nq, k) int32
        Group in each slot of the heaps, -1 in unfilled ones.
    counts : (nq, G) int32
        Candidates of each group.
    bounds : (nq, G) float32
        Distance of the worst one where the group has `limit` of them.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, a group out of range, or a limit below 1

    Notes
    -----
    Sets of at most k rows with at most `limit` of a group are the independent sets of a truncated partition matroid.
    So exchanging a row that comes for the worst of its group where that is full, and for the worst of all otherwise,
    keeps the best such set, whatever the order of arrival (Edmonds 1971, "Matroids and the greedy algorithm").
    O(1) for a row that does not enter, O(k) for one that does.
    """

    of_row: NDArray[np.int32]
    limit: int
    members: NDArray[np.int32]
    counts: NDArray[np.int32]
    bounds: NDArray[np.float32]

    def __post_init__(self) -> None:
        n_queries, n_groups = self.counts.shape
        readonly("of_row", self.of_row, np.int32, None)
        check_writable("members", self.members, np.int32, n_queries, None)
        check_writable("counts", self.counts, np.int32, n_queries, n_groups)
        check_writable("bounds", self.bounds, np.float32, n_queries, n_groups)
        if self.limit < 1:
            raise ValueError(f"a group needs room for a candidate; got={self.limit}")
        if len(self.of_row) and not 0 <= self.of_row.min() <= self.of_row.max() < n_groups:
            raise ValueError(f"groups must be in [0, {n_groups}); got={self.of_row.min()}..{self.of_row.max()}")

    @classmethod
    def empty(cls, n_queries: int, k: int, of_row: NDArray[np.int32], n_groups: int, limit: int) -> Groups:
        """Groups of empty heaps."""
        return cls(
            of_row,
            limit,
            np.full((n_queries, k), -1, np.int32),
            np.zeros((n_queries, n_groups), np.int32),
            np.empty((n_queries, n_groups), np.float32),
        )


_NO_GROUPS = Groups.empty(0, 0, np.empty(0, np.int32), 0, 1)


def grouping_of(groups: Groups | None) -> tuple[Any, ...]:
    """What `heap_offer` takes; None for no groups."""
    groups = _NO_GROUPS if groups is None else groups
    of_row = readonly("of_row", groups.of_row, np.int32, None)
    return of_row, np.int64(groups.limit), groups.members, groups.counts, groups.bounds
