"""Recall, speed and size of a collection, measured against plain NumPy and the raw vectors."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    import pyarrow as pa

    from drift_arrow import Collection

K: Final = 10


def matrix_of(table: pa.Table, column: str) -> npt.NDArray[np.float32]:
    """A fixed-size list column without nulls as (n, dim) float32."""
    lists = table.column(column).combine_chunks()
    values: npt.NDArray[np.float32] = lists.flatten().to_numpy().astype(np.float32, copy=False)
    return values.reshape(len(lists), -1)


def true_distances(rows: np.ndarray, queries: np.ndarray) -> npt.NDArray[np.float64]:
    """Squared Euclidean distances, (n_queries, n_rows) float64; exact, as the sample holds small integers."""
    base, wanted = rows.astype(np.float64), queries.astype(np.float64)
    distances: npt.NDArray[np.float64] = (wanted**2).sum(1)[:, None] + (base**2).sum(1)[None, :] - 2 * wanted @ base.T
    return distances


def recall(found: pa.Table, keys: np.ndarray, truth: np.ndarray) -> float:
    """Share of the K nearest rows that a batch of queries returned.

    Parameters
    ----------
    found : pa.Table
        `query_index` and `id` of the answers.
    keys : np.ndarray
        (n_rows,) int64 `id` of every row, ascending.
    truth : np.ndarray
        (n_queries, n_rows) float64 true distances.

    Returns
    -------
    float
        From 0 to 1. A row is right if it is no farther than the K-th nearest, so a tie counts either way.
    """
    farthest = np.partition(truth, K - 1, axis=1)[:, K - 1]
    query_index = found.column("query_index").to_numpy()
    row = np.searchsorted(keys, found.column("id").to_numpy())
    right = truth[query_index, row] <= farthest[query_index]
    # A row that is returned twice counts once.
    return len(np.unique(np.column_stack([query_index, row])[right], axis=0)) / (len(truth) * K)


def single_rate(collection: Collection, queries: np.ndarray) -> float:
    """Queries per second, one after another, payload included."""
    return len(queries) / seconds(lambda: [collection.search(query).limit(K).to_arrow() for query in queries])


def batch_rate(collection: Collection, queries: np.ndarray) -> float:
    """Queries per second in one call, payload included."""
    return len(queries) / seconds(lambda: collection.search(queries).limit(K).to_arrow())


def seconds(work: Callable[[], object]) -> float:
    """Wall time of the second call; the first one compiles and warms caches."""
    work()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
