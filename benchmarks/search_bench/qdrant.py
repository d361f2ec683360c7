"""Qdrant in its local mode, which scans all rows."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from qdrant_client import QdrantClient, models

from search_bench.contender import K, Setting
from search_bench.data_set import DataSet

_NAME: Final = "bench"
_BATCH_ROWS: Final = 5_000
_METRICS: Final = {"l2": models.Distance.EUCLID, "cosine": models.Distance.COSINE}


class Qdrant:
    """``QdrantClient(path=...)``."""

    def __init__(self, data: DataSet, folder: Path, variant: Setting, n_threads: int) -> None:
        del variant, n_threads
        # it advises against more rows than 20,000
        warnings.simplefilter("ignore")
        self._data, self._folder = data, folder
        self._payload = data.payload_names
        self._client: Any = None

    @staticmethod
    def variants(data: DataSet) -> list[Setting]:
        """One."""
        del data
        return [{}]

    @staticmethod
    def fingerprint() -> str:
        """Of this class."""
        return "2"

    def warm(self) -> None:
        """Nothing to do: the package is loaded."""

    def prepare(self) -> None:
        """Rows and payload in memory."""
        self._rows = np.array(self._data.vectors)
        self._records = self._data.payload.to_pylist()

    def build(self) -> None:
        """Upsert in batches."""
        client = QdrantClient(path=str(self._folder))
        size = models.VectorParams(size=self._rows.shape[1], distance=_METRICS[self._data.metric])
        client.create_collection(_NAME, vectors_config=size)
        # it commits every point on its own: a sync for each would take days, one at the end makes all of them durable
        inner: Any = client._client  # noqa: SLF001
        inner.collections[_NAME].storage.storage.execute("PRAGMA synchronous = OFF")
        for start in range(0, len(self._rows), _BATCH_ROWS):
            vectors = self._rows[start : start + _BATCH_ROWS].tolist()
            batch = models.Batch(
                ids=list(range(start, start + len(vectors))),
                vectors=vectors,
                payloads=self._records[start : start + _BATCH_ROWS],
            )
            client.upsert(_NAME, batch)
        client.close()
        for path in self._folder.rglob("*.sqlite"):
            with path.open("rb") as file:
                os.fsync(file.fileno())

    def open(self) -> None:
        """Open the folder, which reads everything."""
        self._client = QdrantClient(path=str(self._folder))

    def sweep(self, *, is_batch: bool) -> list[list[Setting]]:
        """One: it is exact."""
        del is_batch
        return [[{}]]

    def use(self, setting: Setting) -> None:
        """Nothing to turn."""

    def _search(self, query: NDArray[np.float32], payload: Any) -> Any:
        return self._client.query_points(_NAME, query=query, limit=K, with_payload=payload).points

    def one(self, query: NDArray[np.float32]) -> object:
        """Points with payload."""
        return self._search(query, self._payload)

    def many(self, queries: NDArray[np.float32]) -> object:
        """Points with payload."""
        requests = [models.QueryRequest(query=query.tolist(), limit=K, with_payload=True) for query in queries]
        return self._client.query_batch_points(_NAME, requests)

    def find(self, queries: NDArray[np.float32], *, is_batch: bool) -> NDArray[np.int64]:
        """Numbers."""
        del is_batch
        return np.asarray([[point.id for point in self._search(query, None)] for query in queries], dtype=np.int64)

    def close(self) -> None:
        """Close the folder."""
        if self._client is not None:
            self._client.close()
