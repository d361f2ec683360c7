"""All rows, compared one and all: what recall 1 looks like."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from search_bench.contender import K, Setting
from streaming_bench.contender import Figures
from streaming_bench.stream import Stream


class Exact:
    """A matrix and a list of numbers."""

    def __init__(self, stream: Stream, folder: Path, variant: Setting) -> None:
        del folder, variant
        self._numbers = np.empty(0, dtype=np.int64)
        self._rows = np.empty((0, stream.dim), dtype=np.float64)

    def warm(self) -> None:
        """Nothing to do."""

    def load(self, numbers: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Keep them."""
        self.insert(numbers, vectors)

    def settings(self) -> list[Setting]:
        """One."""
        return [{}]

    def use(self, setting: Setting) -> None:
        """There is nothing to set."""

    def insert(self, numbers: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Append."""
        self._numbers = np.concatenate([self._numbers, numbers])
        self._rows = np.concatenate([self._rows, vectors])

    def delete(self, numbers: NDArray[np.int64]) -> None:
        """Keep the others."""
        kept = ~np.isin(self._numbers, numbers)
        self._numbers, self._rows = self._numbers[kept], self._rows[kept]

    def settle(self, seconds: float) -> None:
        """Nothing goes on in the background."""

    def one(self, query: NDArray[np.float32]) -> object:
        """Numbers."""
        distances = np.square(self._rows - query).sum(axis=1)
        return self._numbers[np.argsort(distances, kind="stable")[:K]]

    def ids(self, answer: object) -> NDArray[np.int64]:
        """As they are."""
        return cast("NDArray[np.int64]", answer)

    def figures(self, queries: NDArray[np.float32], written: int) -> Figures:
        """It scans everything and moves nothing."""
        del queries, written
        return {"scanned": len(self._numbers), "moved": 0, "dead": 0}

    def close(self) -> None:
        """Nothing to do."""
