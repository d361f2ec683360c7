"""FAISS: a graph over scalar-quantised rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray

from search_bench.contender import K, Setting
from search_bench.data_set import DataSet
from search_bench.graphs import BREADTHS, graphs

_TRAIN_ROWS: Final = 50_000


class FaissHnsw:
    """`IndexHNSWSQ` with 8 bits."""

    def __init__(self, data: DataSet, folder: Path, variant: Setting, n_threads: int) -> None:
        self._data, self._file, self._graph = data, folder / "index.faiss", variant
        faiss.omp_set_num_threads(n_threads)

    @staticmethod
    def variants(data: DataSet) -> list[Setting]:
        """Few links and many."""
        return graphs(len(data.vectors))

    @staticmethod
    def fingerprint() -> str:
        """Of this class."""
        return "1"

    def warm(self) -> None:
        """Nothing to do: the package is loaded."""

    def prepare(self) -> None:
        """All rows in memory."""
        self._rows = np.array(self._data.vectors)

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

    def sweep(self, *, is_batch: bool) -> list[list[Setting]]:
        """Breadths of the search."""
        del is_batch
        return [[{"ef": breadth} for breadth in BREADTHS]]

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

    def close(self) -> None:
        """Nothing to do: the process ends."""
