"""Dead rows out of buckets, whose centroids go to the middle of the rows that are left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.heal.proposal import PURGE, Proposal

if TYPE_CHECKING:
    from drift_arrow.engine.heal.survey import Survey

_LEAST_DEAD: Final = 0.1
"""Of the rows of a bucket."""


def propose_purges(survey: Survey, worth: float) -> list[Proposal]:
    """For each segment, the buckets that are scanned past so many dead rows that moving the live ones is worth it.

    Parameters
    ----------
    survey : Survey
    worth : float
        Share of the cost of a query that moving all rows must save.
    """
    statistics, live = survey.statistics, survey.live
    saved = survey.hit_rate * (survey.scan_cost - survey.model.scan(live, live))
    wanted = (statistics.dead > _LEAST_DEAD * survey.rows) & (live > 0)
    wanted &= saved * live.sum() > worth * survey.query_cost * live
    proposals = []
    for number in np.unique(statistics.segment[wanted]).tolist():
        buckets = np.flatnonzero(wanted & (statistics.segment == number)).astype(np.int64)
        # the best come first, since a budget may end before the last
        buckets = buckets[np.argsort(-saved[buckets] / live[buckets], kind="stable")]
        proposals.append(
            Proposal(
                action=PURGE,
                reason=f"{statistics.dead[buckets].sum() / survey.rows[buckets].sum():.0%} of their rows are dead",
                buckets=buckets,
                rows=int(live[buckets].sum()),
                gain=float(saved[buckets].sum()),
            )
        )
    return proposals
