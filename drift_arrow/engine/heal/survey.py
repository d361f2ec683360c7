"""The buckets of a snapshot, who scans them, and what that costs: what a plan stands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drift_arrow.engine.heal.cost_model import fitted
from drift_arrow.engine.heal.workload import draw_workload, reach
from drift_arrow.engine.signs.bucket_statistics import measure_buckets
from drift_arrow.engine.snapshot import live_mask
from drift_arrow.kernels.distance import normalize_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.heal.change import Change
    from drift_arrow.engine.heal.cost_model import CostModel
    from drift_arrow.engine.heal.workload import Workload
    from drift_arrow.engine.signs.bucket_statistics import BucketStatistics
    from drift_arrow.engine.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Survey:
    """One snapshot, measured.

    Parameters
    ----------
    snapshot : Snapshot
    statistics : BucketStatistics
        Of its buckets.
    rows : (B,) int64
        Of each bucket, dead ones included.
    first_rows : (B,) int64
        Global number of the first row of the segment of each bucket.
    centroids : (B, dim) float32
    workload : Workload
    model : CostModel
    distances, scanned : (nq, B) float32, (nq, B) bool
        Of the queries from the centroids, and which buckets they scan.
    reach : (nq,) float32
        Distance up to which they do.
    masks : tuple of (n_rows,) bool
        Live rows of each segment.
    """

    snapshot: Snapshot
    statistics: BucketStatistics
    rows: NDArray[np.int64]
    first_rows: NDArray[np.int64]
    centroids: NDArray[np.float32]
    workload: Workload
    model: CostModel
    distances: NDArray[np.float32]
    reach: NDArray[np.float32]
    scanned: NDArray[np.bool_]
    masks: tuple[NDArray[np.bool_], ...]

    @property
    def live(self) -> NDArray[np.int64]:
        """(B,) int64 live rows of each bucket."""
        return self.statistics.live

    @property
    def is_cosine(self) -> bool:
        """Whether buckets hold unit vectors."""
        return self.workload.metric == "cosine"

    @property
    def hit_rate(self) -> NDArray[np.float64]:
        """(B,) float64: share of the queries that scan each bucket."""
        rate: NDArray[np.float64] = self.scanned.mean(axis=0)
        return rate

    @property
    def scan_cost(self) -> NDArray[np.float64]:
        """(B,) float64: microseconds to scan each bucket."""
        return self.model.scan(self.rows, self.live)

    @property
    def query_cost(self) -> float:
        """Expected microseconds per query."""
        scans = float(self.hit_rate @ self.scan_cost)
        return scans + self.model.per_ranked * len(self.rows) + self.model.per_segment * len(self.masks)

    def rows_of(self, buckets: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Bucket, and number in its segment, of all live rows of some buckets."""
        owner, found = [], []
        for bucket in buckets.tolist():
            segment, number = self.statistics.segment[bucket], self.statistics.bucket[bucket]
            start, stop = self.snapshot.segments[segment].reader.offsets[number : number + 2].tolist()
            rows = start + np.flatnonzero(self.masks[segment][start:stop])
            found.append(rows)
            owner.append(np.full(len(rows), bucket))
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        return np.concatenate(owner).astype(np.int64), np.concatenate(found).astype(np.int64)

    def vectors_of(self, bucket: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, dim) float32 in full precision, unit vectors for cosine, of rows as `rows_of` names them."""
        segment = self.statistics.segment[bucket]
        vectors = np.empty((len(row), self.centroids.shape[1]), np.float32)
        for number in np.unique(segment).tolist():
            mine = np.flatnonzero(segment == number)
            vectors[mine] = self.snapshot.segments[number].vectors(row[mine])
        return normalize_rows(vectors) if self.is_cosine else vectors

    def centres(self, buckets: NDArray[np.int64]) -> NDArray[np.float32]:
        """(m, dim) float32 means of the live rows of some buckets; centroids where there is no mean to speak of."""
        means = self.statistics.means[buckets]
        is_zero = np.count_nonzero(means, axis=1) == 0
        return np.where(is_zero[:, np.newaxis], self.centroids[buckets], means)

    def on_sphere(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points as centroids are stored: unit vectors for cosine."""
        return normalize_rows(points) if self.is_cosine else points

    def nearest(self, point: NDArray[np.float32], n: int) -> NDArray[np.int64]:
        """The buckets with live rows whose centroids are closest to a point, nearest first."""
        cost = -(self.centroids @ point)
        if not self.is_cosine:
            cost = np.einsum("ij,ij->i", self.centroids, self.centroids) + 2 * cost
        cost[self.live == 0] = np.inf
        n = min(n, int(np.count_nonzero(self.live)))
        return np.argsort(cost, kind="stable")[:n].astype(np.int64)

    def gain(self, change: Change) -> float:
        """Microseconds per query that a change saves, by the queries it concerns and the real sizes of its buckets.

        Notes
        -----
        Only queries that scan a bucket that loses rows, or that are nearer to a new centroid than to the last bucket
        that they scan, are asked again. O(those queries * B). A bucket that is drained counts as gone, though it stays
        in the table for as long as its segment.
        """
        left, new = change.left_live(self.live), change.new_live()
        to_new = self.workload.distances(change.centroids)
        loses = np.unique(change.bucket)
        is_near = to_new.min(axis=1) <= self.reach
        concerned = np.flatnonzero(np.count_nonzero(self.scanned[:, loses], axis=1) + is_near)
        ranked = self.model.per_ranked * (np.count_nonzero(new) - np.count_nonzero((left == 0) & (self.live > 0)))
        if not len(concerned):
            return -ranked
        before = self.scanned[concerned] @ self.scan_cost
        distances = np.concatenate([self.distances[concerned], to_new[concerned]], axis=1)
        needed = reach(distances, self._buckets_after(change, concerned))
        live, rows = np.concatenate([left, new]), np.concatenate([self.rows, new])
        after = (distances <= needed[:, np.newaxis]) @ self.model.scan(rows, live)
        return float((before - after).sum()) / len(self.workload) - ranked

    def drained_segments(self, change: Change) -> int:
        """How many segments a change leaves no live row in."""
        left = np.bincount(self.statistics.segment, weights=change.left_live(self.live))
        return int(np.count_nonzero(left == 0))

    def _buckets_after(self, change: Change, chosen: NDArray[np.intp]) -> NDArray[np.int64]:
        """Where the nearest rows of some queries are after a change, by old bucket or behind these by new one."""
        bucket, row = self.workload.bucket[chosen], self.workload.row[chosen]
        moved = self.first_rows[change.bucket] + change.row
        order = np.argsort(moved)
        wanted = np.where(bucket >= 0, self.first_rows[bucket] + row, -1)
        place = np.minimum(np.searchsorted(moved, wanted, sorter=order), len(moved) - 1)
        found = order[place]
        return np.where(moved[found] == wanted, len(self.live) + change.owner[found], bucket)


def make_survey(snapshot: Snapshot, seed: int) -> Survey | None:
    """Measure a snapshot; None if no row of a segment is alive.

    Notes
    -----
    Reads the codes of the segments of which rows died since the last survey, and scans 64 buckets for each of 512
    queries: some 100 ms per 100,000 rows of 128 dimensions.
    """
    statistics = measure_buckets(snapshot)
    if not statistics.live.any():
        return None
    segments = snapshot.segment_set
    masks = tuple(live_mask(view) for view in snapshot.segments)
    workload = draw_workload(snapshot, statistics.live, masks, seed)
    distances = workload.distances(segments.centroids)
    needed = reach(distances, workload.bucket)
    return Survey(
        snapshot=snapshot,
        statistics=statistics,
        rows=statistics.live + statistics.dead,
        first_rows=np.asarray(segments.bases, np.int64)[statistics.segment],
        centroids=segments.centroids,
        workload=workload,
        model=fitted(segments.centroids.shape[1]),
        distances=distances,
        reach=needed,
        scanned=(distances <= needed[:, np.newaxis]) & (statistics.live > 0),
        masks=masks,
    )
