"""hnswlib, whose new rows take the places of deleted ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, cast

import hnswlib
import numpy as np
from numpy.typing import NDArray

from search_bench.contender import K, Setting
from search_bench.graphs import BREADTHS
from streaming_bench.contender import Figures
from streaming_bench.stream import Stream

_LINKS: Final = 16
_BREADTH: Final = 128


class Hnswlib:
    """`mark_deleted`, then `add_items(replace_deleted=True)`."""

    def __init__(self, stream: Stream, folder: Path, variant: Setting) -> None:
        del folder, variant
        self._index: Any = hnswlib.Index(space="l2", dim=stream.dim)
        self._index.init_index(
            stream.most_live, M=_LINKS, ef_construction=_BREADTH, random_seed=0, allow_replace_deleted=True
        )
        self._index.set_num_threads(1)
        self._n_dead = 0

    def warm(self) -> None:
        """Nothing to do: the package is loaded."""

    def load(self, numbers: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Add."""
        self._index.add_items(vectors, numbers)

    def settings(self) -> list[Setting]:
        """Breadths of the search."""
        return [{"ef": breadth} for breadth in BREADTHS]

    def use(self, setting: Setting) -> None:
        """Breadth."""
        self._index.set_ef(setting["ef"])

    def insert(self, numbers: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """In place of deleted rows while there are any."""
        n_replaced = min(self._n_dead, len(numbers))
        if n_replaced:
            self._index.add_items(vectors[:n_replaced], numbers[:n_replaced], replace_deleted=True)
        if n_replaced < len(numbers):
            self._index.add_items(vectors[n_replaced:], numbers[n_replaced:])
        self._n_dead -= n_replaced

    def delete(self, numbers: NDArray[np.int64]) -> None:
        """Mark: the graph keeps them."""
        for number in numbers.tolist():
            self._index.mark_deleted(number)
        self._n_dead += len(numbers)

    def settle(self, seconds: float) -> None:
        """Nothing goes on in the background."""

    def one(self, query: NDArray[np.float32]) -> object:
        """Numbers and distances."""
        return self._index.knn_query(query, K, num_threads=1)

    def ids(self, answer: object) -> NDArray[np.int64]:
        """Numbers."""
        numbers: NDArray[np.int64] = cast("tuple[Any, Any]", answer)[0][0].astype(np.int64)
        return numbers

    def figures(self, queries: NDArray[np.float32], written: int) -> Figures:
        """It does not say what it compares."""
        del queries, written
        return {"dead": self._n_dead}

    def close(self) -> None:
        """Nothing to do: the process ends."""
