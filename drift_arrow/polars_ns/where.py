"""The condition of a search over a frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import polars as pl
from numpy.typing import NDArray

from drift_arrow.errors import InvalidArgumentError, LimitExceededError
from drift_arrow.options import MAX_FILTER_CHARS
from drift_arrow.polars_ns.columns import free_name


def as_condition(where: str | pl.Expr, schema: pl.Schema) -> pl.Expr:
    """A condition as one boolean expression over the columns of a frame.

    Parameters
    ----------
    where : str or polars.Expr
        SQL text is one expression, such as ``"lang = 'en' AND price < 10"``.
    schema : polars.Schema

    Returns
    -------
    polars.Expr

    Raises
    ------
    InvalidArgumentError
        Not parseable, an unknown column, not boolean, or several columns.
    LimitExceededError
        SQL text beyond `MAX_FILTER_CHARS`.
    """
    with _translated():
        condition = _parsed(where)
        found = schema.to_frame().lazy().select(condition).collect_schema()
    if found.dtypes() != [pl.Boolean]:
        raise InvalidArgumentError(f"where is one boolean expression; got={where} gives={dict(found)}")
    return condition


def row_mask(frame: pl.DataFrame, where: str | pl.Expr) -> NDArray[np.bool_]:
    """Which rows of a frame satisfy a condition, (n,) bool; null counts as no.

    Raises
    ------
    InvalidArgumentError, LimitExceededError
        See `as_condition`; also where a value cannot be evaluated.
    """
    condition = as_condition(where, frame.schema)
    name = free_name(frame.columns)
    with _translated():
        # evaluated before there is another column: the condition may be on all columns of a type
        rows = frame.lazy().with_columns(condition.alias(name)).select(name).collect()
    return rows.to_series().fill_null(value=False).to_numpy()


def _parsed(where: str | pl.Expr) -> pl.Expr:
    """SQL text as an expression."""
    if isinstance(where, pl.Expr):
        return where
    if not isinstance(where, str):
        raise InvalidArgumentError(f"where is SQL text or a polars.Expr; got={type(where).__name__}")
    if len(where) > MAX_FILTER_CHARS:
        raise LimitExceededError(f"where is longer than {MAX_FILTER_CHARS} characters; got={len(where)}")
    return pl.sql_expr(where)


@contextmanager
def _translated() -> Iterator[None]:
    """Polars' refusal of a condition as ours."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = str(error).partition("\n")[0]
        raise InvalidArgumentError(f"where cannot be evaluated: {reason}") from error
