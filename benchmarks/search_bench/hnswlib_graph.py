"""hnswlib."""

from __future__ import annotations

from typing import Any

import hnswlib
import numpy as np
from numpy.typing import NDArray

from search_bench.contender import K, Setting
from search_bench.graphs import Graph


class Hnswlib(Graph):
    """A graph over the rows themselves."""

    file_name = "index.hnsw"

    def build(self) -> None:
        """Add, write."""
        index = hnswlib.Index(space="l2", dim=self._rows.shape[1])
        index.init_index(len(self._rows), **self._graph)
        index.add_items(self._rows, num_threads=self._n_threads)
        index.save_index(str(self._file))

    def open(self) -> None:
        """Read the index."""
        self._index: Any = hnswlib.Index(space="l2", dim=self._data.vectors.shape[1])
        self._index.load_index(str(self._file))
        self._index.set_num_threads(self._n_threads)

    def use(self, setting: Setting) -> None:
        """Breadth."""
        self._index.set_ef(setting["ef"])

    def one(self, query: NDArray[np.float32]) -> object:
        """Numbers and distances."""
        return self._index.knn_query(query, K, num_threads=1)

    def many(self, queries: NDArray[np.float32]) -> object:
        """Numbers and distances."""
        return self._index.knn_query(queries, K, num_threads=self._n_threads)

    def find(self, queries: NDArray[np.float32], *, is_batch: bool) -> NDArray[np.int64]:
        """Numbers."""
        parts = [queries] if is_batch else [query[np.newaxis] for query in queries]
        return np.concatenate([self._index.knn_query(part, K)[0] for part in parts]).astype(np.int64)
