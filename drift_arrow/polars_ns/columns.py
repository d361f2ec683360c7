"""Which column of a frame holds the vectors."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import polars as pl

from drift_arrow.errors import InvalidArgumentError

DISTANCE: Final = "_distance"
QUERY_INDEX: Final = "query_index"

_FLOATS: Final = (pl.Float16, pl.Float32, pl.Float64)


def vector_column(schema: pl.Schema, on: str | None) -> str:
    """Name of the vector column.

    Parameters
    ----------
    schema : polars.Schema
    on : str or None
        The user's choice; None takes the only Array or List of floats.

    Returns
    -------
    str

    Raises
    ------
    InvalidArgumentError
        No such column, one without vectors, or no single candidate.
    """
    candidates = [name for name, dtype in schema.items() if is_vector(dtype)]
    if on is None:
        if len(candidates) != 1:
            raise InvalidArgumentError(f"name the vector column with on=...; candidates={candidates}")
        return candidates[0]
    if on not in schema:
        raise InvalidArgumentError(f"no such column; on={on!r} candidates={candidates}")
    if on not in candidates:
        message = "the column holds no vectors: cast it to pl.Array(pl.Float32, dim)"
        raise InvalidArgumentError(f"{message}; on={on!r} dtype={schema[on]} candidates={candidates}")
    return on


def is_vector(dtype: pl.DataType) -> bool:
    """Whether a type is a one-dimensional Array, or a List, of floats."""
    return isinstance(dtype, pl.Array | pl.List) and isinstance(dtype.inner, _FLOATS)


def vector_dim(dtype: pl.DataType) -> int | None:
    """Dimensions of the vectors of a column; None for a List, whose rows say."""
    return dtype.size if isinstance(dtype, pl.Array) else None


def check_free(names: Collection[str], *, is_batch: bool) -> None:
    """Refuse a frame that has a result column already, such as the result of an earlier search.

    Raises
    ------
    InvalidArgumentError
        The name is taken.
    """
    for name in (DISTANCE, QUERY_INDEX) if is_batch else (DISTANCE,):
        if name in names:
            raise InvalidArgumentError(f"the frame has a column of the result's name: rename it; column={name!r}")


def free_name(names: Collection[str]) -> str:
    """A column name that a frame does not have."""
    name = "_row"
    while name in names:
        name += "_"
    return name
