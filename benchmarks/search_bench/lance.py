"""LanceDB on a folder: its indexes with scalar and product quantisation, refined by the rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import HnswSq, IvfPq, IvfSq
from numpy.typing import NDArray

from search_bench.contender import K, Range, Setting, padded
from search_bench.data_set import KEY, VECTOR, DataSet

_NAME: Final = "bench"
_PROBES: Final = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128)
_INDEXES: Final = {"IVF_SQ": IvfSq, "IVF_HNSW_SQ": HnswSq, "IVF_PQ": IvfPq}
_REFINE: Final = {"IVF_SQ": (0, 2), "IVF_HNSW_SQ": (0, 2), "IVF_PQ": (10,)}
_BREADTHS: Final = {"IVF_SQ": (None,), "IVF_HNSW_SQ": (32, 64, 128), "IVF_PQ": (None,)}
_ROWS_PER_PARTITION: Final = {"IVF_SQ": 800, "IVF_HNSW_SQ": 20_000, "IVF_PQ": 800}


class Lance:
    """``table.search(query).limit(10).select([three columns]).to_arrow()``."""

    def __init__(self, data: DataSet, folder: Path, variant: Setting, n_threads: int) -> None:
        # its threads are bound by the affinity of the process and by LANCE_CPU_THREADS, which the process is given
        del n_threads
        self._data, self._folder, self._index = data, folder, variant["index"]
        self._payload = data.payload_names
        self._setting: Setting = {}
        self._within: Range | None = None

    @staticmethod
    def variants(data: DataSet) -> list[Setting]:
        """Kinds of index."""
        del data
        return [{"index": name} for name in _INDEXES]

    @staticmethod
    def fingerprint() -> str:
        """Of this class."""
        return "1"

    def warm(self) -> None:
        """Nothing to do: the package is loaded."""

    def prepare(self) -> None:
        """A table."""
        self._rows = self._data.table()

    def build(self) -> None:
        """Write the table, then its index."""
        table = lancedb.connect(self._folder).create_table(_NAME, self._rows)
        n_partitions = max(1, len(self._rows) // _ROWS_PER_PARTITION[self._index])
        config = _INDEXES[self._index](distance_type=self._data.metric, num_partitions=n_partitions)
        table.create_index(VECTOR, config=config)

    def open(self) -> None:
        """Open the table."""
        self._table: Any = lancedb.connect(self._folder).open_table(_NAME)

    def sweep(self, *, is_batch: bool) -> list[list[Setting]]:
        """Numbers of partitions."""
        del is_batch
        n_partitions = max(1, len(self._data.vectors) // _ROWS_PER_PARTITION[self._index])
        probes = [n_probe for n_probe in _PROBES if n_probe <= n_partitions]
        return [
            [{"nprobes": n_probe, "refine": refine, "ef": breadth} for n_probe in probes]
            for breadth in _BREADTHS[self._index]
            for refine in _REFINE[self._index]
        ]

    def use(self, setting: Setting) -> None:
        """Partitions, and how many candidates per row are refined."""
        self._setting = setting

    def restrict(self, within: Range | None) -> None:
        """By a condition in SQL, before the search."""
        self._within = within

    def _search(self, query: Any, columns: list[str]) -> pa.Table:
        search = self._table.search(query, vector_column_name=VECTOR).distance_type(self._data.metric)
        # all rows are in the index: nothing else need be searched
        search = search.nprobes(self._setting["nprobes"]).fast_search()
        if self._setting["refine"]:
            search = search.refine_factor(self._setting["refine"])
        if self._within is not None:
            search = search.where(self._within.sql, prefilter=True)
        if self._setting["ef"]:
            search = search.ef(self._setting["ef"])
        return search.select([*columns, "_distance"]).limit(K).to_arrow()

    def one(self, query: NDArray[np.float32]) -> object:
        """The whole call."""
        return self._search(query, self._payload)

    def many(self, queries: NDArray[np.float32]) -> object:
        """The whole call."""
        return self._search(list(queries), self._payload)

    def find(self, queries: NDArray[np.float32], *, is_batch: bool) -> NDArray[np.int64]:
        """Keys."""
        if not is_batch:
            return np.stack([padded(self._search(query, [KEY])[KEY].to_numpy()) for query in queries])
        found = self._search(list(queries), [KEY])
        owner, keys = found["query_index"].to_numpy(), found[KEY].to_numpy()
        return np.stack([padded(keys[owner == number]) for number in range(len(queries))])

    def close(self) -> None:
        """Nothing to do: the process ends."""
