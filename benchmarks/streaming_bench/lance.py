"""LanceDB, optimised after every step."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import IvfPq
from numpy.typing import NDArray

from search_bench.contender import K, Setting
from search_bench.data_set import KEY, VECTOR
from streaming_bench.contender import Figures, moved_rows
from streaming_bench.ours import as_table
from streaming_bench.stream import Stream

_NAME: Final = "bench"
_REFINE: Final = 10
_PROBES: Final = (1, 2, 4, 6, 8, 12, 16, 20, 24, 32, 48, 64, 96, 128)
_ROWS_PER_PARTITION: Final = 800
_LEAST_ROWS: Final = 256
"""With fewer, its product quantiser cannot be trained."""

_KEYS_PER_DELETE: Final = 2_000


class Lance:
    """IVF_PQ, ten candidates per row refined by the rows themselves."""

    def __init__(self, stream: Stream, folder: Path, variant: Setting) -> None:
        del variant
        self._stream, self._folder = stream, folder
        self._setting: Setting = {}
        self._inserted = 0

    def warm(self) -> None:
        """Nothing to do: the package is loaded."""

    def load(self, numbers: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Write the table, then its index."""
        self._table: Any = lancedb.connect(self._folder).create_table(_NAME, as_table(numbers, vectors))
        self._n_partitions = max(1, len(vectors) // _ROWS_PER_PARTITION)
        if len(vectors) >= _LEAST_ROWS:
            config = IvfPq(distance_type="l2", num_partitions=self._n_partitions)
            self._table.create_index(VECTOR, config=config)
        self._inserted += len(numbers)

    def settings(self) -> list[Setting]:
        """Numbers of partitions."""
        probes = [n_probe for n_probe in _PROBES if n_probe < self._n_partitions]
        return [{"nprobes": n_probe} for n_probe in (*probes, self._n_partitions)]

    def use(self, setting: Setting) -> None:
        """Partitions."""
        self._setting = setting

    def insert(self, numbers: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Add, optimise."""
        self._table.add(as_table(numbers, vectors))
        self._inserted += len(numbers)
        self._optimise()

    def delete(self, numbers: NDArray[np.int64]) -> None:
        """Delete by conditions, optimise."""
        for condition in conditions(np.sort(numbers)):
            self._table.delete(condition)
        self._optimise()

    def _optimise(self) -> None:
        """Compact, bring new rows into the index, delete older versions."""
        self._table.optimize(cleanup_older_than=timedelta(0))

    def settle(self, seconds: float) -> None:
        """Nothing goes on in the background."""

    def one(self, query: NDArray[np.float32]) -> object:
        """The whole call."""
        search = self._table.search(query, vector_column_name=VECTOR).distance_type("l2")
        search = search.nprobes(self._setting["nprobes"]).refine_factor(_REFINE)
        return search.select([KEY, "_distance"]).limit(K).to_arrow()

    def ids(self, answer: object) -> NDArray[np.int64]:
        """Keys."""
        keys: NDArray[np.int64] = cast("pa.Table", answer)[KEY].to_numpy()
        return keys

    def figures(self, queries: NDArray[np.float32], written: int) -> Figures:
        """Moved rows by the bytes written; fragments."""
        del queries
        row_bytes = self._stream.dim * 4 + 8
        moved = moved_rows(written, logged=0, row_bytes=row_bytes, inserted=self._inserted)
        files = sum(path.is_file() for path in self._folder.rglob("*"))
        return {"moved": moved, "files": files, "parts": self._table.stats()["fragment_stats"]["num_fragments"]}

    def close(self) -> None:
        """Nothing to do: the process ends."""


def conditions(numbers: NDArray[np.int64]) -> list[str]:
    """Ascending numbers as conditions in SQL: ranges where they follow each other, lists where they do not."""
    starts = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 2) != 1)
    stops = np.append(starts[1:], len(numbers))
    if len(starts) * 10 < len(numbers):
        pairs = zip(numbers[starts].tolist(), numbers[stops - 1].tolist(), strict=True)
        ranges = [f"({KEY} BETWEEN {low} AND {high})" for low, high in pairs]
        return [" OR ".join(ranges[at : at + 200]) for at in range(0, len(ranges), 200)]
    lists = [numbers[at : at + _KEYS_PER_DELETE].tolist() for at in range(0, len(numbers), _KEYS_PER_DELETE)]
    return [f"{KEY} IN ({', '.join(map(str, part))})" for part in lists]
