"""Scanning ranked buckets until a search has what it wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drift_arrow.engine.stop import GROWTH
from drift_arrow.kernels.adc import adc_scan
from drift_arrow.kernels.probing import count_allowed
from drift_arrow.kernels.rank import rank_buckets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.segment_set import SegmentSet
    from drift_arrow.engine.stop import Stop
    from drift_arrow.kernels.bitmap import Bits
    from drift_arrow.kernels.topk import Heaps

_FAR: Final = 4


@dataclass(frozen=True, slots=True)
class Probed:
    """What was scanned for each query: the first `counts` (nq,) of the buckets `order` (nq, B)."""

    order: NDArray[np.int64]
    counts: NDArray[np.int64]


def scan_ranked(
    queries: NDArray[np.float32],
    segments: SegmentSet,
    heaps: Heaps,
    *,
    allowed: Bits | None,
    k: int,
    metric: str,
    stop: Stop,
) -> Probed:
    """Offer the allowed rows of each query's nearest buckets to its heap, until `stop`.

    Parameters
    ----------
    queries, metric
        As `adc_scan` takes them.
    segments : SegmentSet
        Of at least one bucket.
    heaps : Heaps
        Empty, with room for at least k candidates.
    allowed : packed bits or None
        By global row id.
    k : int
        Wanted rows: as many come back if that many are allowed, however they are spread over the buckets.
    stop : Stop
        Judged by the k-th best distance so far.

    Notes
    -----
    Goes on in rounds that quadruple the buckets, all queries together: a bucket is read once per round for all queries
    that want it, and the k-th distance after a quarter of the buckets is so near the final one that asking after every
    bucket would save nothing. A query scans the same buckets alone and in a batch.
    """
    buckets = segments.buckets
    assert buckets is not None
    order, distances = rank_buckets(queries, segments.centroids, metric)
    n_buckets = order.shape[1]
    counts = count_allowed(buckets.first_row, buckets.rows, allowed)[order]
    lengths = np.sqrt(np.square(queries, dtype=np.float64).sum(axis=1))
    # buckets before k allowed rows were met would leave the k-th distance open
    least = (np.cumsum(counts, axis=1) < k).sum(axis=1)
    is_careful = _are_far(buckets.rows[order], least, k / stop.selectivity + float(buckets.rows.mean()))
    limit = np.maximum(least + 1, stop.first(n_buckets))
    n_probed, upto = np.zeros_like(limit), np.minimum(limit, n_buckets)
    while (upto > n_probed).any():
        adc_scan(queries, _window(order, n_probed, upto), buckets, allowed, metric, heaps)
        # those that have all they want are not asked again
        active: Any = slice(None) if len(queries) == 1 else np.flatnonzero(upto > n_probed)
        n_probed[active] = upto[active]
        radii = _radii(heaps.distances[active], k, metric)
        places = stop.places(
            distances[active], counts[active], radii, lengths[active], metric=metric, is_careful=is_careful[active]
        )
        limit *= GROWTH
        wanted = np.where(np.isfinite(radii), np.minimum(places, n_buckets), n_buckets)
        upto[active] = np.maximum(np.minimum(wanted, limit[active]), n_probed[active])
    return Probed(order, n_probed)


def _are_far(rows: NDArray[np.uint32], least: NDArray[np.int64], expected: float) -> NDArray[np.bool_]:
    """Whether a query meets far more rows than `expected` in its buckets before the place `least`.

    Its filter then keeps rows that are far from it. Calibration saw no such query, and its stops, which are lower than
    the recall because they make up for rows that the model expects in too many buckets, would come too early.
    """
    ahead = np.arange(rows.shape[1]) < least[:, np.newaxis]
    far: NDArray[np.bool_] = np.where(ahead, rows, 0).sum(axis=1) > _FAR * expected
    return far


def _window(order: NDArray[np.int64], start: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.int64]:
    """(nq, p) buckets at the places [start, stop) of each query, -1 beyond."""
    if len(order) == 1:
        return order[:, start[0] : stop[0]]
    place = start[:, np.newaxis] + np.arange((stop - start).max())
    found = np.take_along_axis(order, np.minimum(place, order.shape[1] - 1), axis=1)
    return np.where(place < stop[:, np.newaxis], found, -1)


def _radii(candidates: NDArray[np.float32], k: int, metric: str) -> NDArray[np.float64]:
    """Distance of the k-th best of (nq, c) candidates in the units of `rank_buckets`; infinite if there are fewer."""
    kth = np.partition(candidates, k - 1, axis=1)[:, k - 1].astype(np.float64)
    # the squared distance of unit vectors is twice their cosine distance
    return kth * 2 if metric == "cosine" else kth
