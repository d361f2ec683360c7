"""The buckets of a region, of all segments, are clustered again from where they are now.

Source: Mohoney et al. 2024, "Incremental IVF Index Maintenance for Streaming Vector Search" (Ada-IVF), section 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.bucketing import group_rows
from drift_arrow.engine.heal.change import Change
from drift_arrow.engine.heal.proposal import RECENTRE, Proposal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.heal.survey import Survey

_REGION_ROWS: Final = 32_768
"""Regions of fewer rows gain less per row, since more of their rows lie at the rim; of more, they take too long."""

_SEEN: Final = 0.3
"""Of what coarse buckets cost in theory, what clustering them again has saved in measurements."""

_TOLERATED_DRIFT: Final = 0.25
"""Of the radius of a bucket: the mean of its live rows moves so far by chance."""


def propose_regions(survey: Survey) -> list[Proposal]:
    """Regions around the buckets that cost most, without overlap, where several segments lie over one another.

    Notes
    -----
    S partitions of the same region by different segments have S times the buckets, each sqrt(S) times too coarse for
    what it adds: scanning them costs sqrt(S) times as much as one partition of all rows. S is taken as the exponential
    of the entropy of the region's rows over the segments.
    """
    cost = survey.hit_rate * survey.scan_cost
    free, proposals = survey.live > 0, []
    for seed in np.argsort(-cost, kind="stable").tolist():
        if not free[seed] or not cost[seed]:
            continue
        buckets = survey.nearest(survey.centroids[seed], len(free))
        buckets = buckets[free[buckets]]
        buckets = buckets[np.cumsum(survey.live[buckets]) <= max(_REGION_ROWS, survey.live[seed])]
        free[buckets] = False
        overlap, drift = _overlap(survey, buckets), _drift(survey, buckets)
        saved = _SEEN * (1 - 1 / np.sqrt(overlap)) + max(0.0, drift - _TOLERATED_DRIFT)
        dead = survey.scan_cost[buckets] - survey.model.scan(survey.live[buckets], survey.live[buckets])
        fewer = len(buckets) - survey.live[buckets].sum() / survey.statistics.target_rows
        gain = saved * cost[buckets].sum() + survey.hit_rate[buckets] @ dead + fewer * survey.model.per_ranked
        if gain > 0:
            proposals.append(
                Proposal(
                    action=RECENTRE,
                    reason=f"{overlap:.1f} segments overlap, drift {drift:.2f}",
                    buckets=np.sort(buckets),
                    rows=int(survey.live[buckets].sum()),
                    gain=float(gain),
                )
            )
    return proposals


def recentre(survey: Survey, buckets: NDArray[np.int64], seed: int) -> Change:
    """The rows of some buckets in as many as a fresh collection would have for them."""
    bucket, row = survey.rows_of(buckets)
    vectors = survey.vectors_of(bucket, row)
    n_buckets = max(1, round(len(row) / survey.statistics.target_rows))
    largest = buckets[np.argsort(-survey.live[buckets], kind="stable")][:n_buckets]
    initial = survey.centres(largest) if len(largest) == n_buckets else None
    centroids, owner = group_rows(vectors, n_buckets, seed=seed, spherical=survey.is_cosine, initial=initial)
    used, places = np.unique(owner, return_inverse=True)
    return Change(bucket=bucket, row=row, centroids=centroids[used], owner=places.astype(np.int64))


def _overlap(survey: Survey, buckets: NDArray[np.int64]) -> float:
    rows = np.bincount(survey.statistics.segment[buckets], weights=survey.live[buckets])
    shares = rows[rows > 0] / rows.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _drift(survey: Survey, buckets: NDArray[np.int64]) -> float:
    return float(np.average(survey.statistics.drift[buckets], weights=survey.live[buckets]))
