"""USearch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from usearch.index import Index

from search_bench.contender import K, Setting
from search_bench.graphs import Graph


class Usearch(Graph):
    """A graph over the rows in half precision, which it searches faster than single precision."""

    file_name = "index.usearch"

    def build(self) -> None:
        """Add, write."""
        index = Index(
            ndim=self._rows.shape[1],
            metric="l2sq",
            dtype="f16",
            connectivity=self._graph["M"],
            expansion_add=self._graph["ef_construction"],
        )
        index.add(np.arange(len(self._rows)), self._rows, threads=self._n_threads)
        index.save(str(self._file))

    def open(self) -> None:
        """Read the index."""
        self._index: Any = Index.restore(str(self._file))

    def use(self, setting: Setting) -> None:
        """Breadth."""
        self._index.expansion_search = setting["ef"]

    def one(self, query: NDArray[np.float32]) -> object:
        """Numbers and distances."""
        return self._index.search(query, K, threads=1)

    def many(self, queries: NDArray[np.float32]) -> object:
        """Numbers and distances."""
        return self._index.search(queries, K, threads=self._n_threads)

    def find(self, queries: NDArray[np.float32], *, is_batch: bool) -> NDArray[np.int64]:
        """Numbers."""
        parts = [queries] if is_batch else list(queries)
        found = [np.atleast_2d(self._index.search(part, K, threads=self._n_threads).keys) for part in parts]
        return np.concatenate(found).astype(np.int64)
