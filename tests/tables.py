"""Small tables that tests of the engine and its surfaces share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import drift_arrow as drift

DIM = 8


def make_table(n_rows: int, *, start: int = 0, dim: int = DIM, seed: int = 0) -> pa.Table:
    """Rows with clustered vectors, an int64 key and payload of several types, some of it null."""
    rng = np.random.default_rng(seed + start)
    centres = np.random.default_rng(7).normal(size=(16, dim)) * 4
    vectors = (centres[rng.integers(16, size=n_rows)] + rng.normal(size=(n_rows, dim))).astype(np.float32)
    keys = np.arange(start, start + n_rows)
    return pa.table(
        {
            "id": pa.array(keys, pa.int64()),
            "embedding": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), dim),
            "lang": pa.array(
                [None if key % 11 == 0 else ("en", "de", "fr")[key % 3] for key in keys.tolist()], pa.string()
            ),
            "price": pa.array(rng.normal(size=n_rows)),
        }
    )


def _lang(key: int) -> str | None:
    return None if key % 11 == 0 else ("en", "de", "fr")[key % 3]


def matrix_of(table: pa.Table, column: str = "embedding") -> NDArray[Any]:
    values = table.column(column).combine_chunks()
    flat: NDArray[Any] = values.flatten().to_numpy()
    return flat.reshape(len(values), -1)


def create(db: drift.Database, name: str = "docs", *, metric: str = "l2", table: pa.Table | None = None, **kwargs):
    schema = (make_table(1) if table is None else table).schema
    return db.create_collection(name, schema=schema, vector="embedding", key="id", metric=metric, **kwargs)
