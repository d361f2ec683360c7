"""DuckDB with the extension VSS, from the wheel that brings it; needs an environment of its own.

``pip install duckdb==1.5.5 duckdb-extension-vss==1.5.5 numpy pyarrow``: the extension fits that version alone.
"""

from __future__ import annotations

from importlib import util
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from search_bench.contender import K, Setting
from search_bench.data_set import KEY, VECTOR, DataSet
from search_bench.graphs import BREADTHS

_METRICS: Final = {"l2": ("l2sq", "array_distance"), "cosine": ("cosine", "array_cosine_distance")}
_ROWS_PER_INSERT: Final = 100_000


class DuckdbVss:
    """``SELECT ... ORDER BY array_distance(...) LIMIT 10``: with the query as text, else the index is not used."""

    def __init__(self, data: DataSet, folder: Path, variant: Setting, n_threads: int) -> None:
        self._data, self._file, self._graph, self._n_threads = data, folder / "vectors.duckdb", variant, n_threads
        self._dim = data.vectors.shape[1]
        self._columns = ", ".join(data.payload_names)

    @staticmethod
    def variants(data: DataSet) -> list[Setting]:
        """One."""
        del data
        return [{"M": 16, "ef_construction": 128}]

    @staticmethod
    def fingerprint() -> str:
        """Of this class."""
        return "1"

    def warm(self) -> None:
        """Load the extension."""
        self._connection: Any = duckdb.connect()
        self._load()
        self._connection.close()

    def _load(self) -> None:
        found = util.find_spec("duckdb_extension_vss")
        assert found is not None
        assert found.origin is not None
        (path,) = Path(found.origin).parent.rglob("vss.duckdb_extension")
        self._connection.execute(f"LOAD '{path}'")
        self._connection.execute("SET hnsw_enable_experimental_persistence = true")
        self._connection.execute(f"SET threads = {self._n_threads}")

    def _connect(self) -> None:
        # the extension comes first: a database that holds its index opens only with it
        self._connection = duckdb.connect()
        self._load()
        self._connection.execute(f"ATTACH '{self._file}' AS stored")
        self._connection.execute("USE stored")

    def prepare(self) -> None:
        """A table."""
        self._rows = self._data.table()

    def build(self) -> None:
        """Insert, index, write."""
        self._connect()
        rows = self._rows.slice(0, 0)
        self._connection.execute("CREATE TABLE t AS SELECT * FROM rows")
        for start in range(0, len(self._rows), _ROWS_PER_INSERT):
            rows = self._rows.slice(start, _ROWS_PER_INSERT)
            self._connection.execute("INSERT INTO t SELECT * FROM rows")
        del rows
        options = f"metric = '{_METRICS[self._data.metric][0]}', M = {self._graph['M']}"
        options += f", ef_construction = {self._graph['ef_construction']}"
        self._connection.execute(f"CREATE INDEX near ON t USING HNSW ({VECTOR}) WITH ({options})")
        self._connection.execute("CHECKPOINT stored")

    def open(self) -> None:
        """Open the database."""
        self._connect()

    def sweep(self, *, is_batch: bool) -> list[list[Setting]]:
        """Breadths of the search."""
        del is_batch
        return [[{"ef": breadth} for breadth in BREADTHS[::3]]]

    def use(self, setting: Setting) -> None:
        """Breadth."""
        self._connection.execute(f"SET hnsw_ef_search = {setting['ef']}")

    def _search(self, query: NDArray[np.float32], columns: str) -> Any:
        text = "[" + ",".join(map(str, query.tolist())) + "]"
        distance = f"{_METRICS[self._data.metric][1]}({VECTOR}, '{text}'::FLOAT[{self._dim}])"
        statement = f"SELECT {columns}, {distance} AS distance FROM t ORDER BY {distance} LIMIT {K}"
        return self._connection.execute(statement).to_arrow_table()

    def one(self, query: NDArray[np.float32]) -> object:
        """The whole statement."""
        return self._search(query, self._columns)

    def many(self, queries: NDArray[np.float32]) -> object:
        """One after the other: joins do not use the index."""
        return [self._search(query, self._columns) for query in queries]

    def find(self, queries: NDArray[np.float32], *, is_batch: bool) -> NDArray[np.int64]:
        """Keys."""
        del is_batch
        return np.stack([self._search(query, KEY)[KEY].to_numpy() for query in queries])

    def close(self) -> None:
        """Close the database."""
        self._connection.close()
