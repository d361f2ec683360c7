"""Dead rows out of a bucket, whose centroid goes to the middle of the rows that are left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.heal.proposal import PURGE, Proposal

if TYPE_CHECKING:
    from drift_arrow.engine.heal.survey import Survey

_LEAST_DEAD: Final = 0.1
"""Of the rows of a bucket."""


def propose_purges(survey: Survey) -> list[Proposal]:
    """One for each bucket that is scanned past its dead rows."""
    dead = survey.statistics.dead
    saved = survey.hit_rate * (survey.scan_cost - survey.model.scan(survey.live, survey.live))
    wanted = np.flatnonzero((dead > _LEAST_DEAD * survey.rows) & (saved > 0) & (survey.live > 0))
    return [
        Proposal(
            action=PURGE,
            reason=f"{dead[bucket] / survey.rows[bucket]:.0%} of its rows are dead",
            buckets=np.array([bucket], dtype=np.int64),
            rows=int(survey.live[bucket]),
            gain=float(saved[bucket]),
        )
        for bucket in wanted.tolist()
    ]
