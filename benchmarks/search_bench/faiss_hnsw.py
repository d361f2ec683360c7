"""FAISS: a graph over scalar-quantised rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray

from search_bench.contender import K, Setting
from search_bench.data_set import DataSet
from search_bench.graphs import Graph

_TRAIN_ROWS: Final = 50_000


class FaissHnsw(Graph):
    """`IndexHNSWSQ` with 8 bits."""

    file_name = "index.faiss"

    def __init__(self, data: DataSet, folder: Path, variant: Setting, n_threads: int) -> None:
        super().__init__(data, folder, variant, n_threads)
        faiss.omp_set_num_threads(n_threads)

    def build(self) -> None:
        """Train, add, write."""
        kind: Any = faiss.ScalarQuantizer.QT_8bit
        index = faiss.IndexHNSWSQ(self._rows.shape[1], kind, self._graph["M"])
        index.hnsw.efConstruction = self._graph["ef_construction"]
        index.train(self._rows[:: -(-len(self._rows) // _TRAIN_ROWS)])
        index.add(self._rows)
        faiss.write_index(index, str(self._file))

    def open(self) -> None:
        """Read the index."""
        self._index: Any = faiss.read_index(str(self._file))

    def use(self, setting: Setting) -> None:
        """Breadth."""
        self._index.hnsw.efSearch = setting["ef"]

    def one(self, query: NDArray[np.float32]) -> object:
        """Numbers and distances."""
        return self._index.search(query[np.newaxis], K)

    def many(self, queries: NDArray[np.float32]) -> object:
        """Numbers and distances."""
        return self._index.search(queries, K)

    def find(self, queries: NDArray[np.float32], *, is_batch: bool) -> NDArray[np.int64]:
        """Numbers."""
        parts = [queries] if is_batch else [query[np.newaxis] for query in queries]
        return np.concatenate([self._index.search(part, K)[1] for part in parts])
