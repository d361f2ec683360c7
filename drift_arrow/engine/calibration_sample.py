"""Exact searches for sampled rows of a collection, each against all other rows, to calibrate with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.bucketing import search_form
from drift_arrow.engine.snapshot import live_mask
from drift_arrow.kernels.adc import adc_scan
from drift_arrow.kernels.everything import scan_everything
from drift_arrow.kernels.probing import count_allowed
from drift_arrow.kernels.rank import rank_buckets
from drift_arrow.kernels.topk import Heaps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from drift_arrow.engine.segment_set import SegmentSet
    from drift_arrow.engine.snapshot import SegmentView
    from drift_arrow.engine.workers import Workers
    from drift_arrow.kernels.bitmap import Bits
    from drift_arrow.kernels.bucket_arrays import BucketArrays

_LEAST_QUERIES: Final = 256
_SCAN_CODES: Final = 32e9
"""Codes that the searches may read, above the least number of queries: about a second."""

_QUERIES_PER_SCAN: Final = 64
_FIRST_ROWS: Final = 2
"""Rows of the nearest buckets, for each row that is wanted, of which most queries find as many as are wanted."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Sampled rows as queries against all others.

    Parameters
    ----------
    distances : (nq, B) float32
        Of the buckets, nearest first; `counts` (nq, B) int64 has their live rows in that order.
    lengths : (nq,) float64
        Of the queries.
    neighbours : (nq, m) float64
        Ascending distances of the nearest other rows, in the units of `distances`.
    places : (nq, m) int64
        Place of the bucket of each neighbour in the ranking.
    spread : float
        Mean squared distance of the queries from the centroid of their own bucket.
    """

    distances: NDArray[np.float32]
    counts: NDArray[np.int64]
    lengths: NDArray[np.float64]
    neighbours: NDArray[np.float64]
    places: NDArray[np.int64]
    spread: float


def draw_samples(
    views: Sequence[SegmentView],
    segments: SegmentSet,
    metric: str,
    *,
    seed: int,
    near: tuple[int, int],
    deep: tuple[int, int] | None,
    workers: Workers,
) -> list[Sample]:
    """Search for random live rows, and for some of them deeper.

    Parameters
    ----------
    views, segments : sequence of SegmentView, SegmentSet
        Their live rows, and their bucket table.
    metric, seed : str, int
        Of the collection.
    near : (int, int)
        Most queries, and neighbours of each; both at least 1, and fewer neighbours than live rows. Fewer queries if all
        codes are too many for that.
    deep : (int, int) or None
        The same of a second sample, if it is wanted: fewer queries, which are among the first, and more neighbours.
    workers : Workers
        On whose number the samples do not depend.

    Returns
    -------
    list of Sample
        One, or two.
    """
    buckets = segments.buckets
    assert buckets is not None
    allowed = _live_bits(views, segments)
    ids, vectors = _sampled_rows(views, segments, seed, near[0])
    order, distances = rank_buckets(vectors, segments.centroids, metric)
    counts = count_allowed(buckets.first_row, buckets.rows, allowed)
    drawn = _Drawn(segments, metric, ids, vectors, order, distances, counts[order])
    scan = partial(_Scan(buckets, allowed, metric, float(counts.mean())).nearest, workers=workers)
    n_deep = 0 if deep is None else min(deep[0], len(ids))
    deeper = np.linspace(0, len(ids) - 1, n_deep).astype(np.int64)
    others = np.setdiff1d(np.arange(len(ids)), deeper)
    shape = (len(ids), near[1])
    neighbours, found = np.empty(shape, np.float32), np.empty(shape, np.int64)
    neighbours[others], found[others] = scan(vectors[others], ids[others], order[others], near[1])
    if deep is None:
        return [drawn.sample(np.arange(len(ids)), neighbours, found)]
    far, deep_found = scan(vectors[deeper], ids[deeper], order[deeper], deep[1])
    neighbours[deeper], found[deeper] = far[:, : near[1]], deep_found[:, : near[1]]
    return [drawn.sample(np.arange(len(ids)), neighbours, found), drawn.sample(deeper, far, deep_found)]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Sampled rows and their rankings of the buckets."""

    segments: SegmentSet
    metric: str
    ids: NDArray[np.int64]
    vectors: NDArray[np.float32]
    order: NDArray[np.int64]
    distances: NDArray[np.float32]
    counts: NDArray[np.int64]

    def sample(self, rows: NDArray[np.int64], neighbours: NDArray[np.float32], found: NDArray[np.int64]) -> Sample:
        """Some of them with their neighbours."""
        buckets, vectors, order = self.segments.buckets, self.vectors[rows], self.order[rows]
        assert buckets is not None
        place = np.empty_like(order)
        np.put_along_axis(place, order, np.broadcast_to(np.arange(order.shape[1]), order.shape), axis=1)
        basis = search_form(vectors, spherical=self.metric == "cosine")
        centroids = self.segments.centroids[_owners(buckets, self.ids[rows])]
        return Sample(
            distances=self.distances[rows],
            counts=self.counts[rows],
            lengths=np.sqrt(np.square(vectors, dtype=np.float64).sum(axis=1)),
            neighbours=neighbours.astype(np.float64) * (2 if self.metric == "cosine" else 1),
            places=np.take_along_axis(place, _owners(buckets, found), axis=1),
            spread=float(np.square(basis - centroids, dtype=np.float64).sum(axis=1).mean()),
        )


def _live_bits(views: Sequence[SegmentView], segments: SegmentSet) -> Bits | None:
    if all(view.live is None for view in views):
        return None
    mask = np.zeros(segments.n_ids, dtype=np.bool_)
    for view, base in zip(views, segments.bases, strict=True):
        mask[base : base + view.n_rows] = live_mask(view)
    return np.packbits(mask, bitorder="little")


def _sampled_rows(
    views: Sequence[SegmentView], segments: SegmentSet, seed: int, n_queries: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Global ids and vectors of random live rows, as many as one scan of all codes for each is worth."""
    live = [np.flatnonzero(live_mask(view)) for view in views]
    n_live = sum(map(len, live))
    n_codes = n_live * segments.centroids.shape[1]
    n_queries = min(n_live, n_queries, max(_LEAST_QUERIES, int(_SCAN_CODES / n_codes)))
    drawn = np.sort(np.random.default_rng(seed).choice(n_live, n_queries, replace=False))
    ids, vectors, first = [], [], 0
    for view, base, rows in zip(views, segments.bases, live, strict=True):
        mine = rows[drawn[(drawn >= first) & (drawn < first + len(rows))] - first].astype(np.int64)
        first += len(rows)
        ids.append(mine + base)
        vectors.append(view.vectors(mine))
    return np.concatenate(ids), np.concatenate(vectors)


@dataclass(frozen=True, slots=True)
class _Scan:
    """A search of all codes for the nearest other rows of rows."""

    buckets: BucketArrays
    allowed: Bits | None
    metric: str
    rows_per_bucket: float

    def nearest(
        self,
        queries: NDArray[np.float32],
        ids: NDArray[np.int64],
        order: NDArray[np.int64],
        n_kept: int,
        *,
        workers: Workers,
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Ascending distances and ids of the `n_kept` nearest rows but the query itself."""
        distances = np.empty((len(ids), n_kept), np.float32)
        found = np.empty((len(ids), n_kept), np.int64)

        def work(start: int, stop: int) -> None:
            part = slice(start, stop)
            near, far = self._scan(queries[part], order[part], n_kept + 1)
            # the query itself, or the last one if so many rows equal it that it is not among them
            own = near == ids[part, np.newaxis]
            own[~own.any(axis=1), -1] = True
            found[part], distances[part] = near[~own].reshape(-1, n_kept), far[~own].reshape(-1, n_kept)

        workers.run(work, len(ids), _QUERIES_PER_SCAN)
        return distances, found

    def _scan(
        self, queries: NDArray[np.float32], order: NDArray[np.int64], n_rows: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        # the nearest buckets bound the distances, so that few of the other rows come into the heaps
        n_first = math.ceil(_FIRST_ROWS * n_rows / max(1.0, self.rows_per_bucket))
        near = Heaps.empty(len(queries), n_rows)
        adc_scan(queries, np.ascontiguousarray(order[:, :n_first]), self.buckets, self.allowed, self.metric, near)
        heaps = Heaps.empty(len(queries), n_rows, near.distances.max(axis=1, keepdims=True))
        scan_everything(queries, self.buckets, self.allowed, self.metric, heaps)
        return heaps.sorted()


def _owners(buckets: BucketArrays, ids: NDArray[np.int64]) -> NDArray[np.intp]:
    """Bucket of each row; an empty bucket never owns one."""
    by_row = np.argsort(buckets.first_row, kind="stable")
    return by_row[np.searchsorted(buckets.first_row[by_row], ids, side="right") - 1]
