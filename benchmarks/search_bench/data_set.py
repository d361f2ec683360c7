"""A set of rows and queries as files that every process of a benchmark opens for itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import ipc

KEY, VECTOR = "id", "vector"


@dataclass(frozen=True, slots=True)
class DataSet:
    """Vectors, queries, truth and payload in a folder.

    Parameters
    ----------
    folder : Path
        With `vectors.npy` (n, dim) float32, `queries.npy` (m, dim) float32, `kth.npy` (m, K) float64 true distances
        ascending, `payload.arrow` with three columns of n rows, and `set.json`.
    name : str
    metric : str
        ``l2``, or ``cosine`` of unit vectors, for which l2 gives the same order.
    """

    folder: Path
    name: str
    metric: str

    @classmethod
    def open(cls, folder: Path) -> DataSet:
        """A set that `store` wrote."""
        about = json.loads((folder / "set.json").read_text())
        return cls(folder, about["name"], about["metric"])

    @property
    def vectors(self) -> NDArray[np.float32]:
        """(n, dim), mapped from the file."""
        return _mapped(self.folder / "vectors.npy")

    @property
    def queries(self) -> NDArray[np.float32]:
        """(m, dim) in memory."""
        return np.ascontiguousarray(_mapped(self.folder / "queries.npy"))

    @property
    def true_distances(self) -> NDArray[np.float64]:
        """(m, K) float64, ascending: squared Euclidean distances to the nearest rows."""
        return _mapped(self.folder / "kth.npy")

    @property
    def payload(self) -> pa.Table:
        """Three columns."""
        with pa.memory_map(str(self.folder / "payload.arrow")) as source:
            return ipc.open_file(source).read_all()

    @property
    def payload_names(self) -> list[str]:
        """Names of the three columns."""
        return list(self.payload.schema.names)

    def table(self, start: int = 0, stop: int | None = None) -> pa.Table:
        """Rows [start, stop): key, payload, vector."""
        matrix = np.array(self.vectors[start:stop])
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), matrix.shape[1])
        payload = self.payload.slice(start, len(matrix))
        keys = pa.array(np.arange(start, start + len(matrix), dtype=np.int64))
        columns = [keys, *(column.combine_chunks() for column in payload.columns), vectors]
        return pa.table(columns, [KEY, *payload.schema.names, VECTOR])


def store(
    folder: Path,
    *,
    name: str,
    metric: str,
    vectors: NDArray[Any],
    queries: NDArray[Any],
    true_distances: NDArray[np.float64],
    payload: pa.Table,
) -> DataSet:
    """Write a set; `set.json` comes last, so that a folder that has it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "vectors.npy", np.ascontiguousarray(vectors, dtype=np.float32))
    np.save(folder / "queries.npy", np.ascontiguousarray(queries, dtype=np.float32))
    np.save(folder / "kth.npy", true_distances)
    with ipc.new_file(str(folder / "payload.arrow"), payload.schema) as sink:
        sink.write_table(payload.combine_chunks())
    (folder / "set.json").write_text(json.dumps({"name": name, "metric": metric}))
    return DataSet(folder, name, metric)


def _mapped(path: Path) -> NDArray[Any]:
    mapped: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return mapped
