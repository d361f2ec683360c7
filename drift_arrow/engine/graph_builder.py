"""When the graph of a memtable is built: in the background, chunk by chunk, while the memtable is calm."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from drift_arrow.engine.graph import Graph, wants_graph

if TYPE_CHECKING:
    from drift_arrow.engine.memtable import Memtable
    from drift_arrow.engine.snapshot import MemtableView

_WINDOW_S: Final = 0.2
_CALM_ROWS_PER_S: Final = 1000


class GraphBuilder:
    """Brings the graph of the active memtable up to its rows, for one thread.

    Notes
    -----
    hnswlib inserts some thousand rows per second and core. A memtable that fills faster is flushed before its graph
    would answer a query, and building it would only take the processor from those who search and write meanwhile.
    """

    def __init__(self) -> None:
        self._memtable: Memtable | None = None
        self._rows = 0
        self._since = 0.0
        self._is_calm = False

    def step(self, view: MemtableView, graph_rows: int) -> float | None:
        """Insert at most one chunk, so that the caller never waits long.

        Returns
        -------
        float or None
            Seconds until the next call is due, or None: when there are more rows.
        """
        graph = view.memtable.graph
        is_complete = graph is not None and graph.n_rows >= view.n_rows
        if is_complete or not wants_graph(view.memtable.spec, view.n_rows, graph_rows):
            self._memtable = None
            return None
        self._watch(view)
        if not self._is_calm:
            return _WINDOW_S
        if graph is None:
            graph = view.memtable.graph = Graph(view.memtable)
        graph.extend(view.n_rows)
        return 0.0

    def _watch(self, view: MemtableView) -> None:
        now = time.monotonic()
        if self._memtable is not view.memtable:
            self._memtable, self._rows, self._since, self._is_calm = view.memtable, view.n_rows, now, False
        elapsed = now - self._since
        if elapsed >= _WINDOW_S:
            self._is_calm = view.n_rows - self._rows <= _CALM_ROWS_PER_S * elapsed
            self._rows, self._since = view.n_rows, now
