"""HNSW graph over the first rows of a large memtable, built in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import hnswlib
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.memtable import Memtable
    from drift_arrow.engine.spec import CollectionSpec

# not dot, by which a row may be closer to others than to itself: such a graph finds .86 of the nearest in MNIST
_SPACES: Final = {"l2": "l2", "cosine": "cosine"}
_LINKS: Final = 16
_EF_CONSTRUCTION: Final = 64
_CHUNK_ROWS: Final = 256
_USUAL_DIM: Final = 256


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

    @property
    def nbytes(self) -> int:
        """Bytes of the rows and links that it holds."""
        return int(self._index.index_file_size())

    def extend(self, n_rows: int) -> None:
        """Insert one more chunk of the rows below `n_rows`; a later call goes on. Called by one thread only."""
        stop = min(n_rows, self.n_rows + _CHUNK_ROWS)
        rows = np.arange(self.n_rows, stop)
        self._index.add_items(self._memtable.matrix[self.n_rows : stop], rows, num_threads=1)
        # readers trust the graph up to here, so it moves only once the rows are in
        self.n_rows = stop

    def search(self, queries: NDArray[np.float32], ef: int) -> NDArray[np.int64] | None:
        """About the `ef` nearest rows of each query, (n, ef) int64, nearest first, or None: scan instead."""
        try:
            # a search keeps the larger of `k` and the index's own ef, which all threads share and which is left at 10
            labels, _ = self._index.knn_query(queries, k=ef, num_threads=1)
        except RuntimeError:
            return None
        return np.asarray(labels, dtype=np.int64)


def wants_graph(spec: CollectionSpec, n_rows: int, graph_rows: int) -> bool:
    """Whether a memtable of so many rows is to have a graph; see `Options.graph_rows`."""
    return spec.metric in _SPACES and n_rows * max(spec.dim, _USUAL_DIM) >= graph_rows * _USUAL_DIM
