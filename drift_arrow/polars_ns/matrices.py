"""Vector columns as float32 matrices, without a copy wherever Polars' memory allows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from drift_arrow.errors import InvalidArgumentError
from drift_arrow.polars_ns.columns import is_vector


def matrices(series: pl.Series, dim: int) -> Iterator[NDArray[np.float32]]:
    """The rows of a vector column, chunk by chunk.

    Parameters
    ----------
    series : polars.Series
        Array or List of float16, float32 or float64.
    dim : int
        Wanted dimension.

    Yields
    ------
    (n, dim) float32
        C-contiguous, read-only. A view of the chunk when it is an Array of float32 without nulls; a null vector or
        element is NaN.

    Raises
    ------
    InvalidArgumentError
        Not a vector column, or one of another dimension.
    """
    if not is_vector(series.dtype):
        message = "a vector column is an Array or List of floats"
        raise InvalidArgumentError(f"{message}; column={series.name!r} dtype={series.dtype}")
    for chunk in _as_array(series, dim).get_chunks():
        yield np.ascontiguousarray(chunk.to_numpy())


def _as_array(series: pl.Series, dim: int) -> pl.Series:
    """The column as Array(Float32, dim)."""
    dtype = series.dtype
    if isinstance(dtype, pl.Array):
        if dtype.size != dim:
            message = "the query has the wrong dimension"
            raise InvalidArgumentError(f"{message}; column={series.name!r} dim={dtype.size} query={dim}")
    else:
        _check_lengths(series, dim)
    return series.cast(pl.Array(pl.Float32, dim))


def _check_lengths(series: pl.Series, dim: int) -> None:
    """Refuse a List in which a vector has another length."""
    lengths = series.list.len()
    wrong = lengths.filter(lengths != dim)  # a null vector compares to null, which is not true
    if len(wrong):
        message = "a vector and the query have different dimensions: keep the rows whose list.len() is the query's"
        raise InvalidArgumentError(f"{message}; column={series.name!r} dim={wrong[0]} query={dim} rows={len(wrong)}")
