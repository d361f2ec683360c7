"""Candidate rows of each query from one memtable; distances come later, from the rescore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.kernels import bitmap
from drift_arrow.kernels.scan import exact_scan
from drift_arrow.kernels.topk import Heaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.row_space import RowSpace
    from drift_arrow.engine.snapshot import MemtableView

_DEAD_SHARE_MAX: Final = 0.1


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
