"""Scanning the ranked buckets of all segments until a search has what it wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drift_arrow.kernels.probe import Probed, probe_buckets
from drift_arrow.kernels.probing import count_allowed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from drift_arrow.engine.segment_set import SegmentSet
    from drift_arrow.engine.stop import Stop
    from drift_arrow.kernels.bitmap import Bits


def scan_ranked(
    queries: NDArray[np.float32],
    segments: SegmentSet,
    *,
    allowed: Bits | None,
    metric: str,
    stop: Stop,
    n_candidates: int,
) -> Probed:
    """Find the allowed rows of each query's nearest buckets that may be among its nearest rows, until `stop`.

    Parameters
    ----------
    queries, metric, n_candidates
        As `probe_buckets` takes them.
    segments : SegmentSet
        Of at least one bucket.
    allowed : packed bits or None
        By global row id.
    stop : Stop
        As many rows as its rule wants are found if that many are allowed, however they are spread over the buckets.
    """
    table = segments.table
    assert table is not None
    counts = None if allowed is None else count_allowed(table.buckets.first_row, table.buckets.rows, allowed)
    return probe_buckets(queries, table, counts, allowed, metric, stop.rule, n_candidates)
