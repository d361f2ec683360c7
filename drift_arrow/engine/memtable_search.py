"""Candidate rows of each query from one memtable; distances come later, from the rescore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.memtable_codes import BLOCK_ROWS
from drift_arrow.kernels import bitmap
from drift_arrow.kernels.adc import adc_scan
from drift_arrow.kernels.scan import exact_scan
from drift_arrow.kernels.topk import Heaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.candidates import Goal
    from drift_arrow.engine.row_space import RowSpace
    from drift_arrow.engine.snapshot import MemtableView
    from drift_arrow.kernels.bitmap import Bits

_DEAD_SHARE_MAX: Final = 0.1
_EF_USUAL: Final = 96
_EF_THOROUGH: Final = 256
_THOROUGH_RECALL: Final = 0.95
_GRAPH_RECALL_MAX: Final = 0.99
# rows whose codes are scanned in the time that a graph takes per unit of its ef
_ROWS_PER_EF: Final = 128
# a row has 4 bytes per dimension in full precision, and 1 as codes
_SAVED_BYTES: Final = 3
# what a scan of codes costs before it begins, in bytes that are read meanwhile, and per block, in rows
_CODES_OVERHEAD_BYTES: Final = 768 << 10
_ROWS_PER_BLOCK: Final = 16


def memtable_candidates(
    space: RowSpace, number: int, queries: NDArray[np.float32], goal: Goal, metric: str
) -> NDArray[np.int64]:
    """(nq, c) int64 row ids of the memtable that is view `number`, -1 where there are fewer.

    Notes
    -----
    The cheapest of three ways that reaches the goal: every row in full precision; the codes of whole blocks, a quarter
    of the bytes, and the rows behind them in full precision; or the graph in place of the rows that it holds.
    """
    view = space.snapshot.memtables[number - space.n_segments]
    base, allowed, n_allowed = int(space.bases[number]), space.allowed[number], space.n_allowed[number]
    heaps = Heaps.empty(len(queries), goal.n_candidates)
    if goal.is_exact:
        exact_scan(view.memtable.matrix[: view.n_rows], 0, allowed, queries, metric, heaps)
        return _numbered(heaps.ids, base)
    n_indexed, indexed = 0, None
    if allowed is view.live and n_allowed >= (1 - _DEAD_SHARE_MAX) * view.n_rows:
        n_indexed, indexed = _search_graph(view, queries, goal)
    _scan(view, queries, heaps, metric, first_row=n_indexed, allowed=allowed, n_allowed=n_allowed)
    return _numbered(heaps.ids if indexed is None else np.concatenate([indexed, heaps.ids], axis=1), base)


def _numbered(rows: NDArray[np.int64], base: int) -> NDArray[np.int64]:
    return np.where(rows >= 0, rows + base, -1)


def _scan(
    view: MemtableView,
    queries: NDArray[np.float32],
    heaps: Heaps,
    metric: str,
    *,
    first_row: int,
    allowed: Bits | None,
    n_allowed: int,
) -> None:
    """Offer the rows from `first_row`, the first of a block, on: by codes where that reads fewer bytes."""
    matrix, codes = view.memtable.matrix, view.memtable.codes
    buckets = codes.buckets(view.n_rows)
    first, stop = first_row // BLOCK_ROWS, len(buckets.rows)
    n_coded = min((stop - first) * BLOCK_ROWS, n_allowed)
    if (n_coded - _ROWS_PER_BLOCK * (stop - first)) * _SAVED_BYTES * matrix.shape[1] > _CODES_OVERHEAD_BYTES:
        probes = np.broadcast_to(np.arange(first, stop, dtype=np.int64), (len(queries), stop - first))
        adc_scan(queries, np.ascontiguousarray(probes), buckets, allowed, metric, heaps)
        first_row = stop * BLOCK_ROWS
    rest = None if allowed is None else allowed[first_row // 8 :]
    exact_scan(matrix[first_row : view.n_rows], first_row, rest, queries, metric, heaps)


def _search_graph(view: MemtableView, queries: NDArray[np.float32], goal: Goal) -> tuple[int, NDArray[np.int64] | None]:
    """How many rows a graph searches faster than a scan, and the (nq, n_candidates) it found; (0, None): scan all."""
    graph = view.memtable.graph
    if graph is None or goal.target_recall > _GRAPH_RECALL_MAX:
        return 0, None
    usual = _EF_THOROUGH if goal.target_recall > _THOROUGH_RECALL else _EF_USUAL
    ef = max(usual, goal.n_candidates, 2 * goal.k)
    # read before the search, because the graph grows meanwhile; in whole blocks, because codes go on from there
    n_indexed = min(graph.n_rows, view.n_rows) // BLOCK_ROWS * BLOCK_ROWS
    labels = graph.search(queries, ef) if ef * _ROWS_PER_EF <= n_indexed else None
    if labels is None:
        return 0, None
    # the graph may be ahead of this snapshot, and knows no deletions
    visible = labels < n_indexed
    if view.live is not None:
        visible &= bitmap.test(view.live, np.minimum(labels, view.n_rows - 1).ravel()).reshape(labels.shape)
    nearest = np.argsort(~visible, axis=1, kind="stable")[:, : goal.n_candidates]
    visible = np.take_along_axis(visible, nearest, axis=1)
    if (visible.sum(axis=1) < goal.k).any():
        return 0, None
    return n_indexed, np.where(visible, np.take_along_axis(labels, nearest, axis=1), -1)
