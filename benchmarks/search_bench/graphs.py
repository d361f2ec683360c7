"""How graphs are built and searched, for every contender that is one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from search_bench.contender import Setting
from search_bench.data_set import DataSet

_MANY_ROWS: Final = 500_000
_BOTH: Final[tuple[dict[str, Any], ...]] = ({"M": 16, "ef_construction": 128}, {"M": 32, "ef_construction": 200})
_BETWEEN: Final[dict[str, Any]] = {"M": 24, "ef_construction": 160}

BREADTHS: Final = (10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 384, 512)
"""Candidates that a search keeps."""


class Graph:
    """What all graphs over rows in memory have in common."""

    file_name: str

    def __init__(self, data: DataSet, folder: Path, variant: Setting, n_threads: int) -> None:
        self._data, self._file, self._graph, self._n_threads = data, folder / self.file_name, variant, n_threads

    @staticmethod
    def variants(data: DataSet) -> list[Setting]:
        """Few links per row, and many; of many rows, which take long, one graph between them."""
        return [_BETWEEN] if len(data.vectors) > _MANY_ROWS else list(_BOTH)

    @staticmethod
    def fingerprint() -> str:
        """Of the class."""
        return "1"

    def warm(self) -> None:
        """Nothing to do: the package is loaded."""

    def prepare(self) -> None:
        """All rows in memory."""
        self._rows: NDArray[np.float32] = np.array(self._data.vectors)

    def sweep(self, *, is_batch: bool) -> list[list[Setting]]:
        """Breadths of the search."""
        del is_batch
        return [[{"ef": breadth} for breadth in BREADTHS]]

    def close(self) -> None:
        """Nothing to do: the process ends."""
