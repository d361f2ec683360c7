"""Whole segments go into a new one with their buckets as they are, so that dead rows and small files are few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.heal.change import Change
from drift_arrow.engine.heal.proposal import COMPACT, REWRITE, Proposal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from drift_arrow.engine.heal.survey import Survey

DEAD_SHARE: Final = 0.2
"""Of all rows in segments: above it, segments with the most dead rows are rewritten whatever that saves."""

_DEAD_IN_ONE: Final = 1 / 3
"""Of the rows of a segment: above it, that segment is rewritten. Twice as many live rows move as dead ones go."""


def propose_rewrites(survey: Survey) -> list[Proposal]:
    """Segments with many dead rows, due whatever that saves: a part of one at a time, if it is large."""
    segments = survey.snapshot.segments
    rows = np.array([view.n_rows for view in segments])
    dead = rows - np.array([view.n_live for view in segments])
    is_left = dead < rows
    n_rows, n_dead = int(rows[is_left].sum()), int(dead[is_left].sum())
    proposals = []
    for number in np.argsort(-dead / rows, kind="stable").tolist():
        if dead[number] == rows[number]:
            continue
        if n_dead <= DEAD_SHARE * n_rows and dead[number] <= _DEAD_IN_ONE * rows[number]:
            break
        n_rows, n_dead = n_rows - int(dead[number]), n_dead - int(dead[number])
        buckets = _buckets_of(survey, [number])
        proposals.append(
            Proposal(
                action=REWRITE,
                reason=f"{dead[number] / rows[number]:.0%} of a segment is dead",
                buckets=buckets,
                rows=int(survey.live[buckets].sum()),
                gain=_passed_over(survey, buckets),
            )
        )
    return proposals


def propose_compaction(survey: Survey) -> list[Proposal]:
    """The smallest segments, as many as save most per row that moves; none if there is one segment only."""
    sizes = np.array([view.n_live for view in survey.snapshot.segments])
    order = np.argsort(sizes, kind="stable")
    order = order[sizes[order] > 0]
    best: list[Proposal] = []
    for stop in range(2, len(order) + 1):
        buckets = _buckets_of(survey, order[:stop].tolist())
        rows = int(survey.live[buckets].sum())
        gain = (stop - 1) * survey.model.per_segment + _passed_over(survey, buckets)
        if not best or gain * best[0].rows >= best[0].gain * rows:
            reason = f"{stop} segments become one"
            best = [Proposal(action=COMPACT, reason=reason, buckets=buckets, rows=rows, gain=gain)]
    return best


def keep_buckets(survey: Survey, buckets: NDArray[np.int64]) -> Change:
    """Every bucket as it is, without its dead rows; those of one centroid become one again. Reads no vector."""
    bucket, row = survey.rows_of(buckets)
    _, place = np.unique(survey.centroids[buckets], axis=0, return_inverse=True)
    sums = np.zeros((int(place.max()) + 1, survey.centroids.shape[1]))
    np.add.at(sums, place, survey.centres(buckets) * survey.live[buckets, np.newaxis].astype(np.float64))
    weights = np.bincount(place, weights=survey.live[buckets])
    centroids = (sums / np.maximum(weights, 1)[:, np.newaxis]).astype(np.float32)
    sorter = np.argsort(buckets)
    owner = place[sorter[np.searchsorted(buckets, bucket, sorter=sorter)]]
    return Change(bucket=bucket, row=row, centroids=survey.on_sphere(centroids), owner=owner.astype(np.int64))


def _buckets_of(survey: Survey, numbers: Sequence[int]) -> NDArray[np.int64]:
    """Buckets with live rows of some segments."""
    return np.flatnonzero(np.isin(survey.statistics.segment, numbers) & (survey.live > 0)).astype(np.int64)


def _passed_over(survey: Survey, buckets: NDArray[np.int64]) -> float:
    """Microseconds per query for dead rows."""
    live = survey.live[buckets]
    return float(survey.hit_rate[buckets] @ (survey.scan_cost[buckets] - survey.model.scan(live, live)))
