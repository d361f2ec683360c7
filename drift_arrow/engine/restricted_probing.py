"""Scanning ranked buckets for rows in a range of distances, or for few rows of a group."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drift_arrow.kernels.adc import adc_scan
from drift_arrow.kernels.distance import normalize_rows
from drift_arrow.kernels.pool import MARGIN
from drift_arrow.kernels.probe import Probed
from drift_arrow.kernels.probing import count_allowed
from drift_arrow.kernels.rank import rank_buckets
from drift_arrow.kernels.shell import shell_shares
from drift_arrow.kernels.touches import count_probed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.segment_set import SegmentSet
    from drift_arrow.engine.sieve import SieveMaker
    from drift_arrow.engine.stop import Stop
    from drift_arrow.kernels.bitmap import Bits
    from drift_arrow.kernels.bucket_arrays import BucketArrays

_GROWTH: Final = 4
_VARIANCE: Final = 1 / 12
"""Of a rounding, in steps."""


def scan_restricted(
    queries: NDArray[np.float32],
    segments: SegmentSet,
    maker: SieveMaker,
    *,
    allowed: Bits | None,
    metric: str,
    stop: Stop,
    n_candidates: int,
) -> Probed:
    """Find the rows that a sieve lets pass in each query's nearest buckets, until `stop`; see `scan_ranked`.

    Notes
    -----
    Goes on in rounds that quadruple the buckets, all queries together, as `probe_buckets` does. The k-th distance by
    which the end is judged is that of rows in the range and within the limits of their groups; as long as there are
    fewer than k of them, it is the end of the range, or without one all buckets are scanned. Buckets are scanned from
    the start of the range outwards, which are the nearest where it has none.
    """
    buckets, rule = segments.buckets, stop.rule
    assert buckets is not None
    margins = _margins(queries, buckets, metric) if maker.restriction.is_range else None
    sieve = maker.make(len(queries), n_candidates, margins)
    inner = maker.restriction.low * (2 if metric == "cosine" else 1)
    order, distances = _ranked(queries, segments.centroids, metric, inner, rule.spread)
    n_buckets = order.shape[1]
    n_allowed = count_allowed(buckets.first_row, buckets.rows, allowed)
    counts = n_allowed[order]
    lengths = np.sqrt(np.square(queries, dtype=np.float64).sum(axis=1))
    # buckets before k allowed rows were met would leave the k-th distance open
    least = (np.cumsum(counts, axis=1) < rule.k).sum(axis=1)
    limit = np.maximum(least + 1, rule.first)
    n_probed, upto = np.zeros_like(limit), np.minimum(limit, n_buckets)
    while (upto > n_probed).any():
        window = _window(np.where(counts > 0, order, -1), n_probed, upto)
        adc_scan(queries, window, buckets, allowed, metric, sieve.heaps, floors=sieve.floors, groups=sieve.groups)
        # those that have all they want are not asked again
        active: Any = np.flatnonzero(upto > n_probed)
        n_probed[active] = upto[active]
        radii = _radii(sieve.heaps.distances[active], rule.k, metric)
        wanted = np.full(len(active), rule.n_probe)
        if not rule.n_probe:
            shares = shell_shares(
                distances[active],
                counts[active],
                inner,
                radii,
                lengths[active],
                metric=metric,
                spread=rule.spread,
                effective_dim=rule.effective_dim,
            )
            # the calibrated share speaks of balls without groups only
            wanted = (shares < rule.careful_share).sum(axis=1) + 1
        limit *= _GROWTH
        wanted = np.where(np.isfinite(radii), np.minimum(wanted, n_buckets), n_buckets)
        upto[active] = np.maximum(np.minimum(wanted, limit[active]), n_probed[active])
    probed = Probed(sieve.heaps.ids, order.astype(np.int32), n_probed)
    count_probed(probed.order, probed.counts, n_allowed, segments.touches)
    return probed


def _ranked(
    queries: NDArray[np.float32], centroids: NDArray[np.float32], metric: str, inner: float, spread: float
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """As `rank_buckets`, or where a range begins at `inner`, by how far the mean row of a bucket is from there."""
    order, distances = rank_buckets(queries, centroids, metric)
    if inner == -math.inf:
        return order, distances
    means = distances if metric == "dot" else distances + np.float32(spread)
    nearest = np.argsort(np.abs(means - np.float32(inner)), axis=1, kind="stable")
    return np.take_along_axis(order, nearest, axis=1), np.take_along_axis(distances, nearest, axis=1)


def _margins(queries: NDArray[np.float32], buckets: BucketArrays, metric: str) -> NDArray[np.float32]:
    """By how much distances from codes may be off, (nq,) float32, for the widest steps of any bucket."""
    basis = normalize_rows(queries) if metric == "cosine" else queries
    steps = buckets.step.max(axis=0).astype(np.float64)
    deviations = np.sqrt(np.square(basis * steps).sum(axis=1) * _VARIANCE)
    margins: NDArray[np.float32] = (MARGIN * (2 if metric == "l2" else 1) * deviations).astype(np.float32)
    return margins


def _window(order: NDArray[np.int64], start: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.int64]:
    """(nq, p) buckets at the places [start, stop) of each query, -1 beyond."""
    place = start[:, np.newaxis] + np.arange((stop - start).max())
    found = np.take_along_axis(order, np.minimum(place, order.shape[1] - 1), axis=1)
    return np.where(place < stop[:, np.newaxis], found, -1)


def _radii(candidates: NDArray[np.float32], k: int, metric: str) -> NDArray[np.float64]:
    """Distance of the k-th best of (nq, c) candidates in the units of `rank_buckets`; infinite if there are fewer."""
    kth = np.partition(candidates, k - 1, axis=1)[:, k - 1].astype(np.float64)
    # the squared distance of unit vectors is twice their cosine distance
    return kth * 2 if metric == "cosine" else kth
