"""HNSW graph over the first rows of a large memtable, built in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import hnswlib
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.memtable import Memtable

_SPACES: Final = {"l2": "l2", "cosine": "cosine", "dot": "ip"}
_LINKS: Final = 16
_EF_CONSTRUCTION: Final = 128
_EF_SEARCH_MIN: Final = 128
_CHUNK_ROWS: Final = 2048


class Graph:
    """An HNSW index of the rows [0, n_rows) of a memtable; rows behind them are scanned.

    Notes
    -----
    Traps of hnswlib 0.8.0 (measured): resizing beside a query is a segmentation fault, so the graph takes the
    memtable's whole capacity at once; a query may fail with "Cannot return the results in a contiguous 2D array"
    beside an insert, or when it asks for more than there is, so `search` then returns None and the caller scans.
    """

    def __init__(self, memtable: Memtable) -> None:
        self.n_rows = 0
        self._memtable = memtable
        self._index = hnswlib.Index(space=_SPACES[memtable.spec.metric], dim=memtable.spec.dim)
        self._index.init_index(memtable.capacity_rows, ef_construction=_EF_CONSTRUCTION, M=_LINKS, random_seed=1)

    def extend(self, n_rows: int) -> None:
        """Insert one more chunk of the rows below `n_rows`; a later call goes on. Called by one thread only."""
        stop = min(n_rows, self.n_rows + _CHUNK_ROWS)
        rows = np.arange(self.n_rows, stop)
        self._index.add_items(self._memtable.matrix[self.n_rows : stop], rows, num_threads=1)
        # readers trust the graph up to here, so it moves only once the rows are in
        self.n_rows = stop

    def search(self, queries: NDArray[np.float32], k: int) -> NDArray[np.int64] | None:
        """About the `k` nearest rows of each query, (n, k) int64 in no promised order, or None: scan instead."""
        # ef of the shared index is only ever raised, so a concurrent search never gets less than it asked for
        if self._index.ef < max(_EF_SEARCH_MIN, 2 * k):
            self._index.set_ef(max(_EF_SEARCH_MIN, 2 * k))
        try:
            labels, _ = self._index.knn_query(queries, k=k, num_threads=1)
        except RuntimeError:
            return None
        return np.asarray(labels, dtype=np.int64)
