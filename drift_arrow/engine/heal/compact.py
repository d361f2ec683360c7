"""Whole segments go into a new one with their buckets as they are, so that dead rows and small files are few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.heal.change import Change
from drift_arrow.engine.heal.proposal import COMPACT, Proposal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from drift_arrow.engine.heal.survey import Survey

DEAD_SHARE: Final = 0.2
"""Of all rows in segments: above it, segments with the most dead rows are rewritten whatever that saves."""

_DEAD_IN_ONE: Final = 1 / 3
"""Of the rows of a segment: above it, that segment is rewritten. Twice as many live rows move as dead ones go."""

_RUN: Final = 4
"""Segments of similar size that become one."""

_GROWTH: Final = 2
"""Times the rows of all smaller ones that a segment of a run may have."""


def propose_compactions(survey: Survey) -> list[Proposal]:
    """Segments to rewrite: those with many dead rows, and a run of small ones."""
    segments = survey.snapshot.segments
    dead = np.array([view.n_rows - view.n_live for view in segments])
    rows = np.array([view.n_rows for view in segments])
    n_rows, n_dead = int(rows.sum()), int(dead.sum())
    proposals, chosen = [], set()
    for number in np.argsort(-dead / rows, kind="stable").tolist():
        if n_dead <= DEAD_SHARE * n_rows and dead[number] <= _DEAD_IN_ONE * rows[number]:
            break
        n_rows, n_dead = n_rows - int(dead[number]), n_dead - int(dead[number])
        chosen.add(number)
        proposals.append(_rewriting(survey, [number], f"{dead[number] / rows[number]:.0%} of a segment is dead"))
    run = [number for number in _smallest_run((rows - dead).tolist()) if number not in chosen]
    if len(run) >= _RUN:
        proposals.append(_rewriting(survey, run, f"{len(run)} small segments"))
    return proposals


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


def _rewriting(survey: Survey, numbers: Sequence[int], reason: str) -> Proposal:
    mine = np.isin(survey.statistics.segment, numbers)
    buckets = np.flatnonzero(mine & (survey.live > 0)).astype(np.int64)
    live = survey.live[buckets]
    saved = survey.hit_rate[buckets] @ (survey.scan_cost[buckets] - survey.model.scan(live, live))
    drained = np.count_nonzero(mine) - len(buckets)
    return Proposal(
        action=COMPACT,
        reason=reason,
        buckets=buckets,
        rows=int(live.sum()),
        gain=float(saved) + drained * survey.model.per_ranked + (len(numbers) - 1) * survey.model.per_segment,
        is_due=True,
    )


def _smallest_run(sizes: list[int]) -> list[int]:
    """The smallest segments, as long as none has more than `_GROWTH` times the rows of all before it."""
    order = sorted(range(len(sizes)), key=lambda number: sizes[number])
    total = 0
    run: list[int] = []
    for number in order:
        if run and sizes[number] > _GROWTH * total:
            break
        run.append(number)
        total += sizes[number]
    return run
