"""Buckets of the original plan in memory: what it scans, and how it heals."""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

# as the plan has them
_EPSILON: Final = 0.001
_BETA: Final = 3.0
_URGENT: Final = 1.5
_MERGED_ROWS: Final = 50
_LEAST_SPLIT_ROWS: Final = 20
_MEANS_ROUNDS: Final = 10
_NEIGHBOURS: Final = 3
_AUDITED_ROWS: Final = 200
_STEAL_MARGIN: Final = 0.025
_WARMER: Final = 0.05
_COOLER: Final = 0.98

_FULL: Final = 2.0
"""Rows per row aimed at, from which a bucket is split."""


class Buckets:
    """Which row is in which bucket.

    Parameters
    ----------
    rows : (n, dim) float32
        All that will ever be inserted; those that have not been are not read.
    centroids : (b, dim) float32
    target : float
        Rows that a bucket should have.
    """

    def __init__(self, rows: NDArray[np.float32], centroids: NDArray[np.float32], target: float) -> None:
        self._rows = rows
        self.centroids = centroids
        self.target = target
        self.members: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64) for _ in centroids]
        self.temperature = np.full(len(centroids), 0.5)
        self.dead = np.zeros(len(rows), dtype=np.bool_)
        self._owner = np.full(len(rows), -1, dtype=np.int64)
        self._n_dead = np.zeros(len(centroids), dtype=np.int64)
        self.n_moved = 0

    @property
    def counts(self) -> NDArray[np.int64]:
        """(b,) rows of each, dead ones included."""
        return np.array([len(mine) for mine in self.members])

    def insert(self, numbers: NDArray[np.int64]) -> None:
        """Each row into the bucket with the nearest centroid."""
        self._append(numbers, nearest(self._rows[numbers], self.centroids))

    def _append(self, numbers: NDArray[np.int64], buckets: NDArray[np.int64]) -> None:
        self._owner[numbers] = buckets
        for bucket in np.unique(buckets).tolist():
            self.members[bucket] = np.concatenate([self.members[bucket], numbers[buckets == bucket]])

    def delete(self, numbers: NDArray[np.int64]) -> None:
        """Mark as dead."""
        self.dead[numbers] = True
        self._n_dead += np.bincount(self._owner[numbers], minlength=len(self.members))

    def touch(self, scanned: NDArray[np.int64]) -> None:
        """Warm up what was scanned."""
        self.temperature[scanned] += _WARMER * (1 - self.temperature[scanned])

    def urgency(self) -> NDArray[np.float64]:
        """(b,) emptiness over temperature, and the share of dead rows: not bounded, as written."""
        counts = self.counts
        emptiness = np.maximum(0, (self.target - (counts - self._n_dead)) / self.target)
        urgency: NDArray[np.float64] = emptiness / (self.temperature + _EPSILON)
        return urgency + _BETA * self._n_dead / np.maximum(counts, 1)

    def tick(self) -> None:
        """Cool down, then do the one most urgent thing."""
        self.temperature *= _COOLER
        counts = self.counts
        largest = int(np.argmax(counts - self._n_dead))
        if counts[largest] - self._n_dead[largest] > _FULL * self.target:
            self._split(largest)
            return
        urgency = self.urgency()
        # what the budget forbids would starve all others
        urgency[(counts - self._n_dead > _MERGED_ROWS) & (self._n_dead == 0)] = 0
        worst = int(np.argmax(urgency))
        if urgency[worst] <= _URGENT or len(self.members) < _NEIGHBOURS + 1:
            return
        if counts[worst] - self._n_dead[worst] <= _MERGED_ROWS:
            self._scatter(worst)
        else:
            self._purge(worst)

    def _survivors(self, bucket: int) -> NDArray[np.int64]:
        mine = self.members[bucket]
        return mine[~self.dead[mine]]

    def _purge(self, bucket: int) -> None:
        """Write a bucket again without its dead rows."""
        self.members[bucket] = self._survivors(bucket)
        self._n_dead[bucket] = 0
        self.n_moved += len(self.members[bucket])

    def _neighbours(self, bucket: int) -> NDArray[np.int64]:
        away = np.square(self.centroids - self.centroids[bucket]).sum(axis=1)
        away[bucket] = np.inf
        return np.argsort(away)[:_NEIGHBOURS]

    def _scatter(self, bucket: int) -> None:
        """Dissolve a bucket into its nearest neighbours."""
        numbers, near = self._survivors(bucket), self._neighbours(bucket)
        self._append(numbers, near[nearest(self._rows[numbers], self.centroids[near])])
        self.n_moved += len(numbers)
        self._remove(bucket)

    def _remove(self, bucket: int) -> None:
        """The last bucket takes the place of one."""
        last = len(self.members) - 1
        if bucket != last:
            self.members[bucket] = self.members[last]
            self._owner[self.members[bucket]] = bucket
            for array in (self.centroids, self.temperature, self._n_dead):
                array[bucket] = array[last]
        self.members.pop()
        self.centroids, self.temperature = self.centroids[:last], self.temperature[:last]
        self._n_dead = self._n_dead[:last]

    def _split(self, bucket: int) -> None:
        """Two means, which then steal rows from the neighbours of the bucket."""
        numbers = self._survivors(bucket)
        if len(numbers) < _LEAST_SPLIT_ROWS:
            return
        children = two_means(self._rows[numbers])
        near, child = self._neighbours(bucket), len(self.members)
        halves = nearest(self._rows[numbers], children)
        self.centroids[bucket] = children[0]
        self.centroids = np.concatenate([self.centroids, children[1:]])
        self.temperature = np.append(self.temperature, self.temperature[bucket])
        self._n_dead = np.append(self._n_dead, 0)
        self._n_dead[bucket] = 0
        self.members[bucket] = np.empty(0, dtype=np.int64)
        self.members.append(np.empty(0, dtype=np.int64))
        self._append(numbers, np.where(halves == 0, bucket, child))
        self.n_moved += len(numbers)
        self._steal(near, np.array([bucket, child]))

    def _steal(self, near: NDArray[np.int64], children: NDArray[np.int64]) -> None:
        left = _AUDITED_ROWS
        for neighbour in near.tolist():
            audited = self._survivors(neighbour)[:left]
            left -= len(audited)
            mine = squared(self._rows[audited], self.centroids[children])
            theirs = squared(self._rows[audited], self.centroids[[neighbour]])[:, 0]
            is_nearer = mine.min(axis=1) < theirs - _STEAL_MARGIN
            stolen = audited[is_nearer]
            self.members[neighbour] = np.setdiff1d(self.members[neighbour], stolen, assume_unique=True)
            self._append(stolen, children[mine[is_nearer].argmin(axis=1)])
            self.n_moved += len(stolen)


def squared(rows: NDArray[np.float32], centroids: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, b) squared distances."""
    lengths = np.square(centroids).sum(axis=1) + np.square(rows).sum(axis=1)[:, np.newaxis]
    distances: NDArray[np.float32] = np.maximum(lengths - 2 * (rows @ centroids.T), 0)
    return distances


def nearest(rows: NDArray[np.float32], centroids: NDArray[np.float32]) -> NDArray[np.int64]:
    """(n,) nearest centroid of each row."""
    if not len(rows):
        return np.empty(0, dtype=np.int64)
    blocks = [squared(rows[at : at + 10_000], centroids).argmin(axis=1) for at in range(0, len(rows), 10_000)]
    return np.concatenate(blocks)


def two_means(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """(2, dim) centres, from two rows far from each other."""
    first = rows[squared(rows, rows[:1])[:, 0].argmax()]
    centres = np.stack([first, rows[squared(rows, first[np.newaxis])[:, 0].argmax()]])
    for _ in range(_MEANS_ROUNDS):
        owner = nearest(rows, centres)
        if owner.min() == owner.max():
            break
        centres = np.stack([rows[owner == side].mean(axis=0) for side in (0, 1)])
    return centres


@numba.njit(cache=False, fastmath=True)
def scan(codes: Any, numbers: Any, dead: Any, query: Any, steps: Any) -> Any:
    """(m,) float32 squared distances of coded rows to a query in units of their steps; infinite for dead rows."""
    found = np.empty(len(numbers), dtype=np.float32)
    for place in range(len(numbers)):
        if dead[numbers[place]]:
            found[place] = np.inf
            continue
        row = codes[numbers[place]]
        total = np.float32(0)
        for at in range(len(query)):
            away = (query[at] - np.float32(row[at])) * steps[at]
            total += away * away
        found[place] = total
    return found
