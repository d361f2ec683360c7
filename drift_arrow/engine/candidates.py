"""Candidate rows of each query from the segments; distances come later, from the rescore."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.probing import Probed, scan_ranked
from drift_arrow.engine.stop import choose_stop
from drift_arrow.kernels import bitmap
from drift_arrow.kernels.scan import exact_scan
from drift_arrow.kernels.topk import Heaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.row_space import RowSpace

_GATHER_ROWS: Final = 8192
# a gathered float32 row costs about this many times a scanned SQ8 row: four times the bytes, at random places
_GATHER_COST: Final = 8


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
    """Row ids (nq, n_candidates) int64, -1 where there are fewer; which buckets were scanned, None if exactly."""

    ids: NDArray[np.int64]
    probed: Probed | None


def segment_candidates(space: RowSpace, queries: NDArray[np.float32], goal: Goal, metric: str) -> SegmentHits:
    """Candidates of each query from all segments together."""
    heaps = Heaps.empty(len(queries), goal.n_candidates)
    n_allowed = sum(space.n_allowed[: space.n_segments])
    segments = space.snapshot.segment_set
    if not n_allowed or segments.buckets is None:
        return SegmentHits(heaps.ids, None)
    n_rows = sum(view.n_rows for view in space.snapshot.segments)
    stop = choose_stop(
        space.snapshot.manifest.calibration,
        len(segments.centroids),
        target_recall=goal.target_recall,
        n_probe=goal.n_probe,
        k=goal.k,
        selectivity=n_allowed / n_rows,
    )
    if goal.is_exact or n_allowed * _GATHER_COST < n_rows * stop.scanned:
        for number in range(space.n_segments):
            _scan_exactly(space, number, queries, metric, heaps)
        return SegmentHits(heaps.ids, None)
    probed = scan_ranked(queries, segments, heaps, allowed=space.segment_bits(), k=goal.k, metric=metric, stop=stop)
    return SegmentHits(heaps.ids, probed)


def _scan_exactly(space: RowSpace, number: int, queries: NDArray[np.float32], metric: str, heaps: Heaps) -> None:
    """Full-precision scan of one segment: its blocks in place, or only the allowed rows when they are few."""
    view, base, allowed = space.snapshot.segments[number], int(space.bases[number]), space.allowed[number]
    mask = None if allowed is None else bitmap.to_mask(allowed, view.n_rows)
    if mask is None or space.n_allowed[number] * 2 > view.n_rows:
        for first_row, matrix in view.reader.vector_blocks():
            bits = None if mask is None else bitmap.from_mask(mask[first_row : first_row + len(matrix)])
            exact_scan(matrix, base + first_row, bits, queries, metric, heaps)
        return
    rows = np.flatnonzero(mask)
    for start in range(0, len(rows), _GATHER_ROWS):
        part = rows[start : start + _GATHER_ROWS]
        # ids within the part become row ids afterwards: the kernel numbers rows without gaps
        found = Heaps.empty(len(queries), heaps.ids.shape[1])
        exact_scan(view.vectors(part), 0, None, queries, metric, found)
        _merge(heaps, np.where(found.ids >= 0, base + part[found.ids], -1), found.distances)


def _merge(heaps: Heaps, ids: NDArray[np.int64], distances: NDArray[np.float32]) -> None:
    """Keep the best of both in `heaps`, whose arrays stay valid heaps because they end up in descending order."""
    all_ids = np.concatenate([heaps.ids, ids], axis=1)
    all_distances = np.concatenate([heaps.distances, distances], axis=1)
    best = np.argsort(all_distances, axis=1, kind="stable")[:, : heaps.ids.shape[1]][:, ::-1]
    heaps.ids[:] = np.take_along_axis(all_ids, best, axis=1)
    heaps.distances[:] = np.take_along_axis(all_distances, best, axis=1)
