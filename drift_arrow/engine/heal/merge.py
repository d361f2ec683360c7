"""A bucket too small to be worth its own scan is dissolved into the nearest ones (scatter merge)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.heal.change import Change
from drift_arrow.engine.heal.proposal import MERGE, Proposal
from drift_arrow.kernels.kmeans import assign_buckets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.heal.survey import Survey

_RECEIVERS: Final = 3
_MOST: Final = 256
"""Buckets that one plan dissolves."""

_SMALL: Final = 0.125
"""Rows in target sizes, up to which a bucket is dissolved or receives rows."""


def propose_merges(survey: Survey) -> list[Proposal]:
    """Small buckets with small neighbours; each bucket is in one of them at most."""
    live, model = survey.live, survey.model
    small = (live > 0) & (live < _SMALL * survey.statistics.target_rows)
    free, proposals = small.copy(), []
    for bucket in np.flatnonzero(small)[np.argsort(live[small], kind="stable")][:_MOST].tolist():
        if not free[bucket]:
            continue
        near = survey.nearest(survey.centroids[bucket], _RECEIVERS + 1)
        receivers = near[(near != bucket) & free[near]]
        if not len(receivers):
            continue
        buckets = np.append(receivers, bucket)
        free[buckets] = False
        # the rows are scanned all the same, in fewer buckets
        overhead = survey.hit_rate[bucket] * model.per_scanned + model.per_ranked
        dead = survey.scan_cost[buckets] - model.scan(live[buckets], live[buckets])
        proposals.append(
            Proposal(
                action=MERGE,
                reason=f"{live[bucket]} rows are {live[bucket] / survey.statistics.target_rows:.0%} of a fresh bucket",
                buckets=buckets,
                rows=int(live[buckets].sum()),
                gain=float(overhead + survey.hit_rate[buckets] @ dead),
            )
        )
    return proposals


def merge(survey: Survey, buckets: NDArray[np.int64]) -> Change:
    """Rows of the last bucket go to the nearest of the others, whose own rows stay together."""
    receivers, dissolved = buckets[:-1], buckets[-1:]
    centroids = survey.centres(receivers)
    bucket, row = survey.rows_of(dissolved)
    scattered = assign_buckets(survey.vectors_of(bucket, row), centroids, spherical=survey.is_cosine)
    kept, kept_row = survey.rows_of(receivers)
    place = np.argsort(receivers)
    owner = place[np.searchsorted(receivers, kept, sorter=place)]
    return Change(
        bucket=np.concatenate([kept, bucket]),
        row=np.concatenate([kept_row, row]),
        centroids=centroids,
        owner=np.concatenate([owner, scattered]).astype(np.int64),
    )
