"""Which bucket needs attention first, and why: one ranking over all troubles that a bucket can have."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.signs.bucket_statistics import BucketStatistics

ZOMBIE_WEIGHT: Final = 6.0
"""Beta: what a dead row weighs beside a missing one. At 2 the emptiness of an idle bucket makes up for the heat of a
dead one; at 6 it takes three times as many missing rows."""

QUIET_TOUCHES: Final = 1.0
"""Heat that is added to the mean before a bucket is compared with it: a single query makes no bucket hot."""

SPARSE_FULLNESS: Final = 0.5
"""Live rows in targets below which a bucket is empty in part: half of the buckets of any table are below 1."""

OVERSIZE_FULLNESS: Final = 3.0
"""Live rows in targets from which a bucket is too large: k-means makes up to 2.7 on SIFT vectors."""

TOLERATED_DRIFT: Final = 0.25
"""Of the radius, beyond what chance moves the mean of so few rows. Fresh buckets are at .1, one in a hundred at .2."""

TOLERATED_ERROR: Final = 0.05
"""Of the spread. Ranges that fit give less than .01."""


class Reason(IntEnum):
    """What is wrong with a bucket."""

    NONE = 0
    ZOMBIE = 1
    SPARSE = 2
    OVERSIZE = 3
    DRIFT = 4
    QUANTISATION = 5


@dataclass(frozen=True, slots=True, eq=False)
class Urgency:
    """Values (B,) float64 from 0 to 1, and reasons (B,) uint8, numbers of `Reason`."""

    values: NDArray[np.float64]
    reasons: NDArray[np.uint8]

    def ranking(self) -> NDArray[np.intp]:
        """(B,) buckets, the most urgent first, ties by number."""
        return np.argsort(-self.values, kind="stable")


def urgency(statistics: BucketStatistics, heat: NDArray[np.float64]) -> Urgency:
    """How much each bucket needs attention.

    Parameters
    ----------
    statistics : BucketStatistics
    heat : (B,) float64
        Queries that scanned each bucket, decayed by time, not negative; zeros where nothing is known.

    Returns
    -------
    Urgency
        The largest of what each reason gives, and that reason.

    Notes
    -----
    With s = h / (h + mean h + 1) from 0 (nobody reads the bucket) to 1, emptiness e = 1 - live / (target / 2), from 0,
    and the ratio z of dead rows, on live counts:

    - dead or too few rows: ``(e (1 - s) + beta z (1 + s) / 2) / (1 + beta)``, for `ZOMBIE` if z gives more of it, else
      for `SPARSE`,
    - too many: ``(1 - limit / fullness) (1 + s) / 2``,
    - drift and coarse codes: ``(1 - limit / measured) (1 + s) / 2``; the mean of n rows is off by 1 / sqrt(n) radii by
      chance alone, which is added to the limit.

    The first is the "hot zombie" urgency of the drift-aware design (Drift-Aware Vector Indexing, 2025, equation 5),
    ``e / (heat + eps) + beta z``. There e / eps grows without limit where nobody reads, so an idle half-full bucket
    outranks everything for ever; and a dead bucket is urgent *less* for being read. Here e is divided by
    1 + h / (mean h + 1), so it counts most where a bucket is idle and never for more than 1 in 1 + beta; dead rows
    count twice where all queries pass over them. What helps nobody but disk and memory is worth half.
    """
    warmth = heat / (heat + heat.mean() + QUIET_TOUCHES) if len(heat) else heat
    read = (1 + warmth) / 2
    empty = np.maximum(1 - statistics.fullness / SPARSE_FULLNESS, 0) * (1 - warmth)
    zombie = ZOMBIE_WEIGHT * statistics.zombie_ratio * read
    wasted = (empty + zombie) / (1 + ZOMBIE_WEIGHT)
    by_reason = np.stack(
        [
            np.zeros_like(wasted),
            np.where(zombie >= empty, wasted, 0),
            np.where(zombie < empty, wasted, 0),
            _excess(statistics.fullness, OVERSIZE_FULLNESS) * read,
            _excess(statistics.drift, TOLERATED_DRIFT + 1 / np.sqrt(np.maximum(statistics.live, 1))) * read,
            _excess(statistics.quantisation_error, TOLERATED_ERROR) * read,
        ]
    )
    return Urgency(by_reason.max(axis=0), by_reason.argmax(axis=0).astype(np.uint8))


def _excess(measured: NDArray[np.float64], limit: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """0 up to the limit, 1 far above it."""
    share: NDArray[np.float64] = 1 - limit / np.maximum(measured, limit)
    return share
