"""What a user asks of a frame, checked before anything is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from drift_arrow.errors import InvalidArgumentError
from drift_arrow.options import MAX_K
from drift_arrow.polars_ns.columns import check_free, vector_column, vector_dim


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A checked search of a frame.

    Parameters
    ----------
    column : str
        The vector column.
    queries : (nq, dim) float32
        Finite; without zero rows under cosine.
    is_batch : bool
        Whether the query was 2-D, so that the result has a `query_index`.
    k : int
        1 to `MAX_K` rows per query.
    metric : str
    """

    column: str
    queries: NDArray[np.float32]
    is_batch: bool
    k: int
    metric: str

    @classmethod
    def of(cls, schema: pl.Schema, query: object, k: int, *, on: str | None, metric: str) -> Self:
        """Check the arguments of `search` against the schema of a frame.

        Raises
        ------
        InvalidArgumentError
            See `columns.vector_column`, `columns.check_free` and `check_queries`; or k out of range.
        """
        _check_k(k)
        column = vector_column(schema, on)
        queries, is_batch = check_queries(query, metric, dim=vector_dim(schema[column]))
        check_free(schema.names(), is_batch=is_batch)
        return cls(column=column, queries=queries, is_batch=is_batch, k=k, metric=metric)


def check_queries(query: object, metric: object, *, dim: int | None = None) -> tuple[NDArray[np.float32], bool]:
    """Query vectors as a matrix.

    Parameters
    ----------
    query : array_like
        One vector or a 2-D array of them.
    metric : str
        A key of `kernels.distance.METRIC_CODES`.
    dim : int, optional
        Wanted dimension; None takes the query's own.

    Returns
    -------
    (nq, dim) float32
    bool
        Whether the query was 2-D.

    Raises
    ------
    InvalidArgumentError
        Not numbers, wrong dimension, NaN or infinity, a zero vector under cosine, or an unknown metric.
    """
    from drift_arrow.engine.vectors import as_queries
    from drift_arrow.kernels.distance import METRIC_CODES, first_zero_row

    if not isinstance(metric, str) or metric not in METRIC_CODES:
        raise InvalidArgumentError(f"unknown metric; got={metric!r} known={sorted(METRIC_CODES)}")
    queries, is_batch = as_queries(query, _own_dim(query) if dim is None else dim)
    if metric == "cosine" and (zero := first_zero_row(queries)) >= 0:
        raise InvalidArgumentError(f"a zero query has no direction for cosine; query_index={zero}")
    return queries, is_batch


def _check_k(k: object) -> None:
    """Refuse a k that is no int from 1 to `MAX_K`."""
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MAX_K:
        raise InvalidArgumentError(f"k is an int from 1 to {MAX_K}; got={k!r}")


def _own_dim(query: object) -> int:
    """Length of the last axis of a query; 0 for what is no vector, which the check of queries then names."""
    try:
        shape = np.asarray(query, dtype=np.float32).shape
    except (TypeError, ValueError):
        return 0
    return shape[-1] if shape else 0
