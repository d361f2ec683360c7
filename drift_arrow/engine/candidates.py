"""Candidate rows of each query from all segments; distances come later, from the rescore."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drift_arrow.engine.exact_search import scan_exactly
from drift_arrow.engine.probing import scan_ranked
from drift_arrow.engine.restricted_probing import scan_restricted
from drift_arrow.engine.scan_cost import Way, cheapest_way
from drift_arrow.engine.stop import Stop, choose_stop
from drift_arrow.kernels.probe import StopRule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.row_space import RowSpace
    from drift_arrow.engine.sieve import SieveMaker
    from drift_arrow.kernels.probe import Probed


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a search wants of the segments.

    Parameters
    ----------
    k : int
        Rows that are returned.
    n_candidates : int
        Rows that are rescored, at least k.
    is_exact : bool
        Scan everything in full precision, or else
    n_probe : int or None
        scan so many buckets, or else
    target_recall : float
        so many that this share of the k nearest is found on average, between 0 and 1.
    """

    k: int
    n_candidates: int
    is_exact: bool
    n_probe: int | None
    target_recall: float


@dataclass(frozen=True, slots=True)
class SegmentHits:
    """What the segments gave.

    Parameters
    ----------
    ids : (nq, n_candidates) int64
        Row ids, -1 where there are fewer.
    probed : Probed or None
        Which buckets were scanned; None if all allowed rows were, and then
    distances : (nq, n_candidates) float32 or None
        are their exact distances.
    """

    ids: NDArray[np.int64]
    probed: Probed | None
    distances: NDArray[np.float32] | None = None


def probing_stop(space: RowSpace, goal: Goal, maker: SieveMaker) -> Stop | None:
    """Where probing ends, None if all allowed rows are read in full precision; there is at least one in a segment.

    Notes
    -----
    Where a condition leaves few rows, probing goes on to the last bucket, or all of them are read: what is sooner.
    Restrictions need exact distances, so there they are read.
    """
    segments = space.snapshot.segment_set
    n_allowed = sum(space.n_allowed[: space.n_segments])
    n_rows = sum(view.n_rows for view in space.snapshot.segments)
    n_buckets, dim = segments.centroids.shape
    if goal.is_exact:
        return None
    k = min(goal.k * maker.slack, goal.n_candidates)
    stop = choose_stop(
        space.snapshot.manifest.calibration,
        n_buckets,
        n_rows,
        target_recall=goal.target_recall,
        n_probe=goal.n_probe,
        k=k,
        selectivity=n_allowed / n_rows,
    )
    if n_allowed >= stop.scanned * n_rows:
        return stop
    way = cheapest_way(n_allowed, dim, n_buckets, stop.scanned)
    if way is Way.PROBE:
        return stop
    return Stop(StopRule(k=k, first=n_buckets, n_probe=n_buckets), 1.0) if way is Way.SCAN and maker.is_plain else None


def segment_candidates(
    space: RowSpace, queries: NDArray[np.float32], goal: Goal, metric: str, maker: SieveMaker
) -> SegmentHits:
    """Candidates of each query from all segments together."""
    segments = space.snapshot.segment_set
    if segments.buckets is None or not any(space.n_allowed[: space.n_segments]):
        return SegmentHits(np.empty((len(queries), 0), np.int64), None)
    stop = probing_stop(space, goal, maker)
    if stop is None:
        sieve = maker.make(len(queries), goal.n_candidates)
        for number in range(space.n_segments):
            scan_exactly(space, number, queries, metric, sieve)
        return SegmentHits(sieve.heaps.ids, None, sieve.heaps.distances)
    bits = space.segment_bits
    if maker.is_plain:
        probed = scan_ranked(queries, segments, allowed=bits, metric=metric, stop=stop, n_candidates=goal.n_candidates)
    else:
        probed = scan_restricted(
            queries, segments, maker, allowed=bits, metric=metric, stop=stop, n_candidates=goal.n_candidates
        )
    return SegmentHits(probed.ids, probed)
