"""Milvus Lite: Milvus within the process, on a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pymilvus import DataType, MilvusClient

from search_bench.contender import K, Setting
from search_bench.data_set import KEY, VECTOR, DataSet
from search_bench.graphs import BREADTHS

_NAME: Final = "bench"
_BATCH_ROWS: Final = 5_000
_METRICS: Final = {"l2": "L2", "cosine": "COSINE"}
_LONGEST_TEXT: Final = 65_535


class Milvus:
    """``MilvusClient("file.db")`` with a graph."""

    def __init__(self, data: DataSet, folder: Path, variant: Setting, n_threads: int) -> None:
        del n_threads
        self._data, self._file, self._graph = data, folder / "bench.db", variant
        self._payload = data.payload_names
        self._client: Any = None
        self._breadth = BREADTHS[0]

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
        """Nothing to do: the package is loaded."""

    def prepare(self) -> None:
        """A table."""
        self._rows = self._data.table()

    def build(self) -> None:
        """Insert in batches, flush, index."""
        client = MilvusClient(str(self._file))
        client.create_collection(_NAME, schema=self._schema(), consistency_level="Strong")
        for start in range(0, len(self._rows), _BATCH_ROWS):
            client.insert(_NAME, self._rows.slice(start, _BATCH_ROWS).to_pylist())
        client.flush(_NAME)
        index = client.prepare_index_params()
        parameters = {"M": self._graph["M"], "efConstruction": self._graph["ef_construction"]}
        index.add_index(
            VECTOR, index_type="HNSW", index_name="near", metric_type=_METRICS[self._data.metric], params=parameters
        )
        client.create_index(_NAME, index)
        client.load_collection(_NAME)
        client.close()

    def _schema(self) -> Any:
        schema = MilvusClient.create_schema(auto_id=False)
        schema.add_field(KEY, DataType.INT64, is_primary=True)
        for field in self._data.payload.schema:
            text = {"max_length": _LONGEST_TEXT} if pa.types.is_string(field.type) else {}
            schema.add_field(field.name, _type(field.type), nullable=True, **text)
        schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=self._data.vectors.shape[1])
        return schema

    def open(self) -> None:
        """Open the file and load the collection."""
        self._client = MilvusClient(str(self._file))
        self._client.load_collection(_NAME)

    def sweep(self, *, is_batch: bool) -> list[list[Setting]]:
        """Breadths of the search."""
        del is_batch
        return [[{"ef": breadth} for breadth in BREADTHS[::3]]]

    def use(self, setting: Setting) -> None:
        """Breadth."""
        self._breadth = setting["ef"]

    def _search(self, queries: NDArray[np.float32], columns: list[str]) -> Any:
        return self._client.search(
            _NAME,
            data=queries.tolist(),
            anns_field=VECTOR,
            limit=K,
            output_fields=columns,
            search_params={"metric_type": _METRICS[self._data.metric], "params": {"ef": self._breadth}},
        )

    def one(self, query: NDArray[np.float32]) -> object:
        """Records."""
        return self._search(query[np.newaxis], self._payload)

    def many(self, queries: NDArray[np.float32]) -> object:
        """Records."""
        return self._search(queries, self._payload)

    def find(self, queries: NDArray[np.float32], *, is_batch: bool) -> NDArray[np.int64]:
        """Keys."""
        parts = [queries] if is_batch else [query[np.newaxis] for query in queries]
        return np.asarray([[hit[KEY] for hit in hits] for part in parts for hits in self._search(part, [])])

    def close(self) -> None:
        """Close the file."""
        if self._client is not None:
            self._client.close()


def _type(kind: pa.DataType) -> DataType:
    names = {"int16": DataType.INT16, "int64": DataType.INT64, "float": DataType.FLOAT, "string": DataType.VARCHAR}
    return names[str(kind)]
