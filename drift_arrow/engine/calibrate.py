"""Fitting how far to probe, on exact searches for sampled rows of the collection itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.snapshot import live_mask
from drift_arrow.format.calibration import Calibration, Curve
from drift_arrow.kernels.adc import adc_scan
from drift_arrow.kernels.distance import normalize_rows
from drift_arrow.kernels.probing import count_allowed, cumulative_shares
from drift_arrow.kernels.rank import rank_buckets
from drift_arrow.kernels.topk import Heaps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from drift_arrow.engine.segment_set import SegmentSet
    from drift_arrow.engine.snapshot import SegmentView
    from drift_arrow.kernels.adc import BucketArrays
    from drift_arrow.kernels.bitmap import Bits

_MIN_BUCKETS: Final = 8
_MIN_QUERIES: Final = 256
_MAX_QUERIES: Final = 1024
_SCAN_CODES: Final = 32e9
"""Codes that one calibration may read, above the least number of queries: about a second."""

_QUERIES_PER_SCAN: Final = 64
_NEIGHBOURS: Final = (1, 10, 100)
_RECALLS: Final = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999)
_JUDGED_RECALLS: Final = (0.8, 0.9, 0.95, 0.99)
_EFFECTIVE_DIMS: Final = (0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0)
_STALE_SHARE: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sample:
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


def refreshed(
    known: Calibration | None, views: Sequence[SegmentView], segments: SegmentSet, metric: str, seed: int
) -> Calibration | None:
    """The calibration of a state of the segments: a known one while it fits, else a new one.

    Parameters
    ----------
    known : Calibration or None
        Of an earlier state.
    views, segments : sequence of SegmentView, SegmentSet
        The state, and its bucket table.
    metric, seed : str, int
        Of the collection.

    Returns
    -------
    Calibration or None
        None if there are too few buckets to leave one out.

    Notes
    -----
    Fitted again when the rows or buckets changed by a fifth, so that ingest pays for it in proportion to what it adds.
    A row is in a bucket that it helped to shape, but its neighbours decide where a search stops, and they are spread as
    those of a new query; measured on held-out queries, recall is within .02 of its target (benchmarks/probing.py).
    """
    n_rows, n_buckets = sum(view.n_live for view in views), len(segments.centroids)
    if n_buckets < _MIN_BUCKETS or n_rows < 2:
        return None
    if known is not None and _is_near(known.n_rows, n_rows) and _is_near(known.n_buckets, n_buckets):
        return known
    sample = _draw(views, segments, metric, seed)
    sizes = [k for k in _NEIGHBOURS if k <= sample.neighbours.shape[1]]
    judged = max(k for k in sizes if k <= 10)
    scanned = np.array([_fit(sample, dim, judged, metric, _JUDGED_RECALLS)[1] for dim in _EFFECTIVE_DIMS])
    # one model suits low recalls and another one high ones: take that which beats a fixed number of buckets throughout
    chosen = _EFFECTIVE_DIMS[int((scanned / _scanned_by_number(sample, judged)).max(axis=1).argmin())]
    curves = []
    for k in sizes:
        shares, scanned = _fit(sample, chosen, k, metric, _RECALLS)
        curves.append(Curve(k=k, shares=tuple(shares.tolist()), scanned=tuple(scanned.tolist())))
    return Calibration(
        n_rows=n_rows,
        n_buckets=n_buckets,
        spread=sample.spread,
        effective_dim=chosen,
        recalls=_RECALLS,
        curves=tuple(curves),
    )


def _is_near(known: int, now: int) -> bool:
    return abs(now - known) <= _STALE_SHARE * known


def _draw(views: Sequence[SegmentView], segments: SegmentSet, metric: str, seed: int) -> _Sample:
    buckets = segments.buckets
    assert buckets is not None
    allowed = _live_bits(views, segments)
    ids, vectors = _sampled_rows(views, segments, seed)
    order, distances = rank_buckets(vectors, segments.centroids, metric)
    counts = count_allowed(buckets.first_row, buckets.rows, allowed)
    n_kept = max(k for k in (1, *_NEIGHBOURS) if k <= max(1, counts.sum() // 2))
    neighbours, found = _nearest(vectors, ids, buckets, n_kept=n_kept, allowed=allowed, metric=metric)
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.broadcast_to(np.arange(order.shape[1]), order.shape), axis=1)
    owner = _owners(buckets, ids)
    basis = normalize_rows(vectors) if metric == "cosine" else vectors
    return _Sample(
        distances=distances,
        counts=counts[order],
        lengths=np.sqrt(np.square(vectors, dtype=np.float64).sum(axis=1)),
        neighbours=neighbours.astype(np.float64) * (2 if metric == "cosine" else 1),
        places=np.take_along_axis(place, _owners(buckets, found), axis=1),
        spread=float(np.square(basis - segments.centroids[owner], dtype=np.float64).sum(axis=1).mean()),
    )


def _live_bits(views: Sequence[SegmentView], segments: SegmentSet) -> Bits | None:
    if all(view.live is None for view in views):
        return None
    mask = np.zeros(segments.n_ids, dtype=np.bool_)
    for view, base in zip(views, segments.bases, strict=True):
        mask[base : base + view.n_rows] = live_mask(view)
    return np.packbits(mask, bitorder="little")


def _sampled_rows(
    views: Sequence[SegmentView], segments: SegmentSet, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Global ids and vectors of random live rows, as many as one scan of all codes for each is worth."""
    live = [np.flatnonzero(live_mask(view)) for view in views]
    n_live = sum(map(len, live))
    n_codes = n_live * segments.centroids.shape[1]
    n_queries = min(n_live, _MAX_QUERIES, max(_MIN_QUERIES, int(_SCAN_CODES / n_codes)))
    drawn = np.sort(np.random.default_rng(seed).choice(n_live, n_queries, replace=False))
    ids, vectors, first = [], [], 0
    for view, base, rows in zip(views, segments.bases, live, strict=True):
        mine = rows[drawn[(drawn >= first) & (drawn < first + len(rows))] - first].astype(np.int64)
        first += len(rows)
        ids.append(mine + base)
        vectors.append(view.vectors(mine))
    return np.concatenate(ids), np.concatenate(vectors)


def _nearest(
    queries: NDArray[np.float32],
    ids: NDArray[np.int64],
    buckets: BucketArrays,
    *,
    n_kept: int,
    allowed: Bits | None,
    metric: str,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Ascending distances and ids of the `n_kept` nearest rows but the query itself, by a scan of all codes."""
    everywhere = np.tile(np.arange(len(buckets.rows), dtype=np.int64), (min(len(ids), _QUERIES_PER_SCAN), 1))
    distances = np.empty((len(ids), n_kept), np.float32)
    found = np.empty((len(ids), n_kept), np.int64)
    for start in range(0, len(ids), _QUERIES_PER_SCAN):
        part = slice(start, min(start + _QUERIES_PER_SCAN, len(ids)))
        heaps = Heaps.empty(part.stop - start, n_kept + 1)
        adc_scan(queries[part], everywhere[: part.stop - start], buckets, allowed, metric, heaps)
        near, far = heaps.sorted()
        # the query itself, or the last one if so many rows equal it that it is not among them
        own = near == ids[part, np.newaxis]
        own[~own.any(axis=1), -1] = True
        found[part], distances[part] = near[~own].reshape(-1, n_kept), far[~own].reshape(-1, n_kept)
    return distances, found


def _owners(buckets: BucketArrays, ids: NDArray[np.int64]) -> NDArray[np.intp]:
    """Bucket of each row; an empty bucket never owns one."""
    by_row = np.argsort(buckets.first_row, kind="stable")
    return by_row[np.searchsorted(buckets.first_row[by_row], ids, side="right") - 1]


def _fit(
    sample: _Sample, effective_dim: float, k: int, metric: str, recalls: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each recall the least expected share that reaches it, and the mean share of rows scanned by then.

    Notes
    -----
    A search scans a bucket unless those before it hold the share, so a neighbour is found if the share before its
    bucket is below the stop: recall as a function of the stop is the distribution of those shares.
    """
    shares = cumulative_shares(
        sample.distances,
        sample.counts,
        np.ascontiguousarray(sample.neighbours[:, k - 1]),
        sample.lengths,
        metric,
        spread=sample.spread,
        effective_dim=effective_dim,
    )
    before = np.concatenate([np.zeros((len(shares), 1)), shares[:, :-1]], axis=1)
    needed = np.sort(np.take_along_axis(before, sample.places[:, :k], axis=1).ravel())
    last = np.ceil(np.asarray(recalls) * len(needed)).astype(np.int64) - 1
    following = np.append(needed, 1.0)[last + 1]
    stops = (needed[last] + following) / 2
    scanned = np.array([sample.counts[before < stop].sum() for stop in np.maximum(stops, np.nextafter(0, 1))])
    return stops, scanned / sample.counts.sum()


def _scanned_by_number(sample: _Sample, k: int) -> NDArray[np.float64]:
    """Mean share of rows that the same number of buckets for every query scans to reach `_JUDGED_RECALLS`."""
    n_found = np.bincount(sample.places[:, :k].ravel(), minlength=sample.counts.shape[1]).cumsum()
    n_scanned = sample.counts.sum(axis=0).cumsum()
    shares: NDArray[np.float64] = np.interp(_JUDGED_RECALLS, n_found / n_found[-1], n_scanned / n_scanned[-1])
    return shares
