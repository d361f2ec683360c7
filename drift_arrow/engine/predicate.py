"""One meaning of `where` for SQL text, Polars and pyarrow expressions: a mask over rows, before the ranking."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

import polars as pl
import pyarrow.compute as pc

from drift_arrow.engine.expression_tree import is_pure, parse
from drift_arrow.engine.predicate_arrow import ArrowPredicate
from drift_arrow.engine.predicate_polars import PolarsPredicate
from drift_arrow.engine.predicate_sql import sql_expression
from drift_arrow.errors import InvalidArgumentError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from drift_arrow.engine.runs import Runs, Verdicts
    from drift_arrow.engine.spec import CollectionSpec


_KEPT: Final = 64
"""Conditions that were checked: the check asks Polars' optimiser, which takes as long as a search."""


class Predicate(Protocol):
    """A condition on single rows.

    Attributes
    ----------
    columns : list of str
        What it looks at; at least one.
    """

    columns: list[str]

    @property
    def keys(self) -> pa.Array | None:
        """Of the type of the key column: no row with another key can satisfy it. None if that is not known."""

    @property
    def identity(self) -> bytes | None:
        """Predicates with equal ones give equal masks for equal rows, always. None if that is not known."""

    def mask(self, table: pa.Table) -> NDArray[np.bool_]:
        """Which rows of `table` (with at least `columns`) satisfy it; null counts as no."""

    def judge(self, runs: Runs) -> Verdicts:
        """What the bounds of runs of rows tell, without the rows; whatever is not understood tells nothing."""


def make_predicate(where: object, spec: CollectionSpec) -> Predicate:
    """Check a condition before anything is read.

    Parameters
    ----------
    where : str, polars.Expr or pyarrow.compute.Expression
        SQL text is one boolean expression over column names; see `sql_expression`.

    Raises
    ------
    InvalidArgumentError
        Not parseable, text beside a date or time that is none, an unknown column, a value that is not boolean, or a
        condition that looks at more than its own row (an aggregate, a window, a sort), which could not be evaluated
        part by part.
    LimitExceededError
        SQL text beyond `MAX_FILTER_CHARS`.
    """
    if isinstance(where, str):
        return _of_sql(where, spec)
    if isinstance(where, pl.Expr):
        # what is not pure may hold the state of a Python function, so it is never taken for one that was written alike
        return _of_written(where.meta.serialize(), spec) if is_pure(parse(where)) else PolarsPredicate(where, spec)
    if isinstance(where, pc.Expression):
        return ArrowPredicate(where, spec)
    message = f"where is SQL text, a polars.Expr or a pyarrow Expression; got={type(where).__name__}"
    raise InvalidArgumentError(message)


@lru_cache(maxsize=_KEPT)
def _of_sql(text: str, spec: CollectionSpec) -> PolarsPredicate:
    return PolarsPredicate(sql_expression(text, spec), spec)


@lru_cache(maxsize=_KEPT)
def _of_written(written: bytes, spec: CollectionSpec) -> PolarsPredicate:
    return PolarsPredicate(pl.Expr.deserialize(io.BytesIO(written)), spec)
