"""Candidate rows of each query, from segments and from memtables; distances come later, from the rescore."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.kernels import bitmap
from drift_arrow.kernels.adc import adc_scan
from drift_arrow.kernels.rank import rank_buckets
from drift_arrow.kernels.scan import exact_scan
from drift_arrow.kernels.topk import Heaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.row_space import RowSpace
    from drift_arrow.engine.snapshot import MemtableView

_MIN_PROBES: Final = 8
_PROBES_PER_ROOT: Final = 2.0
_GATHER_ROWS: Final = 8192
# a gathered float32 row costs about this many times a scanned SQ8 row: four times the bytes, at random places
_GATHER_COST: Final = 8
_DEAD_SHARE_MAX: Final = 0.1


def probe_count(n_buckets: int, selectivity: float) -> int:
    """Buckets to probe out of `n_buckets` when a share `selectivity` in (0, 1] of the rows may be returned.

    Notes
    -----
    2 * sqrt(B), as published IVF settings around recall .95 do; a filter thins the buckets, so more of them are needed
    for the same number of candidates.
    """
    wanted = max(_MIN_PROBES, math.ceil(_PROBES_PER_ROOT * math.sqrt(n_buckets)))
    return min(n_buckets, math.ceil(wanted / selectivity))


def segment_candidates(
    space: RowSpace, queries: NDArray[np.float32], n_candidates: int, metric: str, *, is_exact: bool
) -> NDArray[np.int64]:
    """(nq, n_candidates) int64 row ids, -1 where there are fewer."""
    heaps = Heaps.empty(len(queries), n_candidates)
    n_allowed = sum(space.n_allowed[: space.n_segments])
    buckets = space.snapshot.segment_set.buckets
    if not n_allowed or buckets is None:
        return heaps.ids
    n_rows = sum(view.n_rows for view in space.snapshot.segments)
    n_probe = probe_count(len(buckets.rows), n_allowed / n_rows)
    if is_exact or n_allowed * _GATHER_COST < n_rows * n_probe / len(buckets.rows):
        for number in range(space.n_segments):
            _scan_exactly(space, number, queries, metric, heaps)
        return heaps.ids
    bits = space.segment_bits()
    probes = rank_buckets(queries, space.snapshot.segment_set.centroids, metric, n_probe)
    adc_scan(queries, probes, buckets, bits, metric, heaps)
    # a promise of `where`: as many rows as match come back, however the matching ones are spread over the buckets
    short = np.flatnonzero((heaps.ids >= 0).sum(axis=1) < min(n_candidates, n_allowed))
    if len(short) and n_probe < len(buckets.rows):
        everywhere = np.tile(np.arange(len(buckets.rows), dtype=np.int64), (len(short), 1))
        again = Heaps.empty(len(short), n_candidates)
        adc_scan(queries[short], everywhere, buckets, bits, metric, again)
        heaps.ids[short] = again.ids
    return heaps.ids


def memtable_candidates(
    space: RowSpace, number: int, queries: NDArray[np.float32], k: int, metric: str, *, is_exact: bool
) -> NDArray[np.int64]:
    """(nq, c) int64 row ids of the memtable that is view `number`, -1 where there are fewer."""
    view = space.snapshot.memtables[number - space.n_segments]
    base, allowed = int(space.bases[number]), space.allowed[number]
    if not is_exact and allowed is view.live and view.n_live >= (1 - _DEAD_SHARE_MAX) * view.n_rows:
        found = _search_graph(view, base, queries, k, metric)
        if found is not None:
            return found
    heaps = Heaps.empty(len(queries), k)
    exact_scan(view.memtable.matrix[: view.n_rows], base, allowed, queries, metric, heaps)
    return heaps.ids


def _search_graph(
    view: MemtableView, base: int, queries: NDArray[np.float32], k: int, metric: str
) -> NDArray[np.int64] | None:
    """Rows by the graph, and by a scan of those that it does not hold yet; None if it cannot answer in full."""
    graph = view.memtable.graph
    if graph is None or not 0 < 2 * k <= graph.n_rows:
        return None
    n_indexed = min(graph.n_rows, view.n_rows)
    labels = graph.search(queries, 2 * k)
    if labels is None:
        return None
    # the graph may be ahead of this snapshot, and knows no deletions
    visible = labels < n_indexed
    if view.live is not None:
        visible &= bitmap.test(view.live, np.minimum(labels, view.n_rows - 1).ravel()).reshape(labels.shape)
    if (visible.sum(axis=1) < k).any():
        return None
    heaps = Heaps.empty(len(queries), k)
    rest = None
    if view.live is not None:
        rest = bitmap.from_mask(bitmap.to_mask(view.live, view.n_rows)[n_indexed:])
    exact_scan(view.memtable.matrix[n_indexed : view.n_rows], base + n_indexed, rest, queries, metric, heaps)
    return np.concatenate([np.where(visible, labels + base, -1), heaps.ids], axis=1)


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
