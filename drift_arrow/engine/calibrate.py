"""How far to probe for a wanted recall, fitted to exact searches for sampled rows of the collection itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.calibration_sample import draw_samples
from drift_arrow.engine.workers import Workers
from drift_arrow.format.calibration import Calibration, Curve
from drift_arrow.kernels.probing import cumulative_shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from drift_arrow.engine.calibration_sample import Sample
    from drift_arrow.engine.segment_set import SegmentSet
    from drift_arrow.engine.snapshot import SegmentView

_MIN_BUCKETS: Final = 8
_NEAR: Final = (1, 10, 100)
_DEEP: Final = 1000
"""Numbers of neighbours: the more, the more one query says, and the more it costs."""

_NEAR_QUERIES: Final = 1024
_DEEP_QUERIES: Final = 256
_JUDGED_NEIGHBOURS: Final = 10
_ROWS_PER_NEIGHBOUR: Final = 20
_RECALLS: Final = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999)
_JUDGED_RECALLS: Final = (0.8, 0.9, 0.95, 0.99)
_EFFECTIVE_DIMS: Final = (0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0)
_STALE_SHARE: Final = 0.2


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
    most = max(1, n_rows // _ROWS_PER_NEIGHBOUR)
    near = [k for k in _NEAR if k <= most]
    with Workers() as workers:
        samples = draw_samples(
            views,
            segments,
            metric,
            seed=seed,
            near=(_NEAR_QUERIES, near[-1]),
            deep=(_DEEP_QUERIES, _DEEP) if most >= _DEEP else None,
            workers=workers,
        )
        spread = samples[0].spread
        effective_dim = _choose_dim(samples[0], max(k for k in near if k <= _JUDGED_NEIGHBOURS), metric, workers)
        wanted = [(samples[0], k) for k in near] + [(sample, _DEEP) for sample in samples[1:]]
        curves = workers.map(
            lambda one: _fit_curve(replace(one[0], spread=spread), one[1], metric, effective_dim), wanted
        )
    return Calibration(
        n_rows=n_rows,
        n_buckets=n_buckets,
        spread=spread,
        effective_dim=effective_dim,
        recalls=_RECALLS,
        curves=tuple(curves),
    )


def _is_near(known: int, now: int) -> bool:
    return abs(now - known) <= _STALE_SHARE * known


def _choose_dim(sample: Sample, k: int, metric: str, workers: Workers) -> float:
    """The effective dimension that scans least, where it does worst, beside a fixed number of buckets.

    One suits low recalls and another one high ones, so the mean over recalls would favour some of them.
    """
    scanned = workers.map(lambda dim: _fit(sample, k, metric, dim, _JUDGED_RECALLS)[1], _EFFECTIVE_DIMS)
    return _EFFECTIVE_DIMS[int((np.array(scanned) / _scanned_by_number(sample, k)).max(axis=1).argmin())]


def _fit_curve(sample: Sample, k: int, metric: str, effective_dim: float) -> Curve:
    shares, scanned = _fit(sample, k, metric, effective_dim, _RECALLS)
    return Curve(k=k, shares=tuple(shares.tolist()), scanned=tuple(scanned.tolist()))


def _fit(
    sample: Sample, k: int, metric: str, effective_dim: float, recalls: Sequence[float]
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


def _scanned_by_number(sample: Sample, k: int) -> NDArray[np.float64]:
    """Mean share of rows that the same number of buckets for every query scans to reach `_JUDGED_RECALLS`."""
    n_found = np.bincount(sample.places[:, :k].ravel(), minlength=sample.counts.shape[1]).cumsum()
    n_scanned = sample.counts.sum(axis=0).cumsum()
    shares: NDArray[np.float64] = np.interp(_JUDGED_RECALLS, n_found / n_found[-1], n_scanned / n_scanned[-1])
    return shares
