"""Scanning ranked buckets until a search has what it wants."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drift_arrow.kernels.adc import adc_scan
from drift_arrow.kernels.probing import count_allowed, cumulative_shares
from drift_arrow.kernels.rank import rank_buckets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from drift_arrow.engine.segment_set import SegmentSet
    from drift_arrow.format.calibration import Calibration
    from drift_arrow.kernels.bitmap import Bits
    from drift_arrow.kernels.topk import Heaps

_MIN_PROBES: Final = 8
_PROBES_PER_ROOT: Final = 2.0
_GROWTH: Final = 4
_LEAST_SHARE: Final = 1e-9
_LARGEST_SHARE: Final = 1 - 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Where a search of ranked buckets ends.

    Parameters
    ----------
    scanned : float
        Share of all rows that it is expected to scan, above 0 up to 1.
    n_probe : int or None
        After so many buckets, or else
    share : float
        where the calibrated model expects this share of the neighbours, 0 to 1.
    calibration : Calibration or None
        Not None unless `n_probe` is given.
    """

    scanned: float
    n_probe: int | None = None
    share: float = 1.0
    calibration: Calibration | None = None

    def places(
        self,
        distances: NDArray[np.float32],
        counts: NDArray[np.int64],
        radii: NDArray[np.float64],
        lengths: NDArray[np.float64],
        metric: str,
    ) -> NDArray[np.int64]:
        """How many of its ranked buckets each query needs; see `kernels.probing` for the arguments."""
        if self.calibration is None:
            return np.full(len(radii), self.n_probe, dtype=np.int64)
        model = self.calibration
        shares = cumulative_shares(
            distances, counts, radii, lengths, metric, spread=model.spread, effective_dim=model.effective_dim
        )
        places: NDArray[np.int64] = (shares < self.share).sum(axis=1) + 1
        return places

    def first(self, n_buckets: int) -> int:
        """How many of `n_buckets` buckets to scan before the first look at the k-th distance."""
        if self.n_probe is not None:
            return self.n_probe
        return max(1, int(self.scanned * n_buckets / _GROWTH))


@dataclass(frozen=True, slots=True)
class Probed:
    """What was scanned for each query: the first `counts` (nq,) of the buckets `order` (nq, B)."""

    order: NDArray[np.int64]
    counts: NDArray[np.int64]


def choose_stop(
    calibration: Calibration | None,
    n_buckets: int,
    *,
    target_recall: float,
    n_probe: int | None,
    k: int,
    selectivity: float,
) -> Stop:
    """The stop of a search for `k` rows when a share `selectivity` in (0, 1] of the rows may be returned.

    Notes
    -----
    Where a filter lets every tenth row pass, the k nearest reach as far as the 10 k nearest of all rows, and are spread
    over the buckets like these. Without a calibration 2 * sqrt(B) buckets are probed, as published settings around
    recall .95 do; a filter thins the buckets, so more of them are needed for the same number of candidates.
    """
    if n_probe is not None:
        return Stop(n_probe=min(n_probe, n_buckets), scanned=min(1.0, n_probe / n_buckets))
    if calibration is None:
        wanted = max(_MIN_PROBES, math.ceil(_PROBES_PER_ROOT * math.sqrt(n_buckets)))
        wanted = min(n_buckets, math.ceil(wanted / selectivity))
        return Stop(n_probe=wanted, scanned=wanted / n_buckets)
    share, scanned = (
        _share(curves, calibration.recalls, target_recall, k / selectivity)
        for curves in (
            [(curve.k, curve.shares) for curve in calibration.curves],
            [(curve.k, curve.scanned) for curve in calibration.curves],
        )
    )
    return Stop(share=share, scanned=scanned, calibration=calibration)


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
    limit = np.maximum((np.cumsum(counts, axis=1) < k).sum(axis=1) + 1, stop.first(n_buckets))
    n_probed, upto = np.zeros_like(limit), np.minimum(limit, n_buckets)
    while (upto > n_probed).any():
        adc_scan(queries, _window(order, n_probed, upto), buckets, allowed, metric, heaps)
        # those that have all they want are not asked again
        active: Any = slice(None) if len(queries) == 1 else np.flatnonzero(upto > n_probed)
        n_probed[active] = upto[active]
        radii = _radii(heaps.distances[active], k, metric)
        places = stop.places(distances[active], counts[active], radii, lengths[active], metric)
        limit *= _GROWTH
        wanted = np.where(np.isfinite(radii), np.minimum(places, n_buckets), n_buckets)
        upto[active] = np.maximum(np.minimum(wanted, limit[active]), n_probed[active])
    return Probed(order, n_probed)


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


def _share(curves: Sequence[tuple[int, Sequence[float]]], recalls: Sequence[float], recall: float, k: float) -> float:
    """The share of (k, share per recall) at any recall, held constant below the first, and any k, extrapolated.

    Notes
    -----
    Linear between logits of shares, in nines of recall and in the logarithm of k.
    """
    if recall > recalls[-1]:
        return 1.0
    place = max(1, bisect_left(recalls, recall))
    low, high, wanted = (-math.log1p(-value) for value in (recalls[place - 1], recalls[place], recall))
    at_recall = max(0.0, (wanted - low) / (high - low))
    upper = max(1, bisect_left([number for number, _ in curves], k, hi=len(curves) - 1))
    ends = curves[max(0, upper - 1) : upper + 1]
    logits = [_between(_logit(shares[place - 1]), _logit(shares[place]), at_recall) for _, shares in ends]
    if len(ends) == 1:
        return _share_of(logits[0])
    first, second = (math.log(number) for number, _ in ends)
    return _share_of(_between(logits[0], logits[1], (math.log(k) - first) / (second - first)))


def _between(first: float, second: float, place: float) -> float:
    return first + (second - first) * place


def _logit(share: float) -> float:
    clipped = min(max(share, _LEAST_SHARE), _LARGEST_SHARE)
    return math.log(clipped / (1 - clipped))


def _share_of(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))
