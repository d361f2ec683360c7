"""Distance of every vector of a column to one query."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from drift_arrow.errors import InvalidArgumentError
from drift_arrow.polars_ns.matrices import matrices
from drift_arrow.polars_ns.request import check_queries


def check_query(query: object, metric: str) -> NDArray[np.float32]:
    """One query vector.

    Returns
    -------
    (dim,) float32

    Raises
    ------
    InvalidArgumentError
        See `request.check_queries`; or a batch.
    """
    queries, is_batch = check_queries(query, metric)
    if is_batch:
        raise InvalidArgumentError(f"distance takes one query: call it once per query; shape={queries.shape}")
    return queries.reshape(-1)


def distances(series: pl.Series, query: NDArray[np.float32], metric: str) -> pl.Series:
    """Distance of each vector to a checked query.

    Parameters
    ----------
    series : polars.Series
        Vector column.
    query : (dim,) float32
    metric : str

    Returns
    -------
    polars.Series
        Float32 of the column's name and length: null for a null vector, NaN for one that holds a null or a NaN.

    Raises
    ------
    InvalidArgumentError
        See `matrices.matrices`.
    """
    from drift_arrow.kernels.distance import exact_distances

    parts = [exact_distances(matrix, query, metric) for matrix in matrices(series, len(query))]
    result = pl.Series(series.name, np.concatenate(parts))
    if not series.has_nulls():
        return result
    return result.zip_with(series.is_not_null(), pl.Series([None], dtype=pl.Float32))
