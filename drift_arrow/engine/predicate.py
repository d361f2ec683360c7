"""One meaning of `where` for SQL text, Polars and pyarrow expressions: a mask over rows, before the ranking."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from polars.io.plugins import register_io_source

from drift_arrow.errors import InvalidArgumentError, LimitExceededError
from drift_arrow.format.take import empty_table
from drift_arrow.options import MAX_FILTER_CHARS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from drift_arrow.engine.spec import CollectionSpec


class Predicate(Protocol):
    """A condition on single rows."""

    columns: list[str]

    def mask(self, table: pa.Table) -> NDArray[np.bool_]:
        """Which rows of `table` (with at least `columns`) satisfy it; null counts as no."""


def make_predicate(where: object, spec: CollectionSpec) -> Predicate:
    """Check a condition before anything is read.

    Parameters
    ----------
    where : str, polars.Expr or pyarrow.compute.Expression
        SQL text is one boolean expression over column names, as Polars reads it.

    Raises
    ------
    InvalidArgumentError
        Not parseable, an unknown column, a value that is not boolean, or a condition that looks at more than its own
        row (an aggregate, a window, a sort), which could not be evaluated part by part.
    LimitExceededError
        SQL text beyond `MAX_FILTER_CHARS`.
    """
    if isinstance(where, str):
        return PolarsPredicate(_parse_sql(where), spec)
    if isinstance(where, pl.Expr):
        return PolarsPredicate(where, spec)
    if isinstance(where, pc.Expression):
        return ArrowPredicate(where, spec)
    message = f"where is SQL text, a polars.Expr or a pyarrow Expression; got={type(where).__name__}"
    raise InvalidArgumentError(message)


class PolarsPredicate:
    """A Polars expression over the columns that it names."""

    def __init__(self, expression: pl.Expr, spec: CollectionSpec) -> None:
        self._expression = expression
        self.columns = sorted(set(expression.meta.root_names()))
        spec.check_columns(self.columns)
        if expression.meta.has_multiple_outputs():
            message = f"where must name its columns one by one; got={expression}"
            raise InvalidArgumentError(message)
        if not self._is_by_row(empty_table(spec.schema)):
            message = f"where must decide each row by that row alone; got={expression}"
            raise InvalidArgumentError(message)

    def _is_by_row(self, empty: pa.Table) -> bool:
        """Ask Polars' optimiser, the one authority: it pushes a filter into a scan only if it may run part by part."""
        pushed: list[bool] = []

        def source(
            columns: list[str] | None, predicate: pl.Expr | None, _rows: int | None, _batch: int | None
        ) -> Iterator[pl.DataFrame]:
            pushed.append(predicate is not None)
            # evaluated here too, because some type errors show only then
            found = frame if predicate is None else frame.filter(predicate)
            yield found if columns is None else found.select(columns)

        with _translated():
            frame = pl.DataFrame(pl.from_arrow(empty.select(self.columns)))
            register_io_source(source, schema=frame.schema).filter(self._expression).collect(engine="in-memory")
        return pushed == [True]

    def mask(self, table: pa.Table) -> NDArray[np.bool_]:
        """See `Predicate.mask`."""
        with _translated():
            frame = pl.DataFrame(pl.from_arrow(table.select(self.columns)))
            values = frame.select(self._expression).to_series()
        if len(values) == 1 and table.num_rows != 1:
            return np.full(table.num_rows, fill_value=values[0] is True)
        return values.fill_null(value=False).to_numpy()


class ArrowPredicate:
    """A pyarrow expression; it does not tell its columns, so it sees all that Arrow can filter by."""

    def __init__(self, expression: pc.Expression, spec: CollectionSpec) -> None:
        self._expression = expression
        self.columns = spec.payload_schema.names
        self.mask(empty_table(spec.payload_schema))

    def mask(self, table: pa.Table) -> NDArray[np.bool_]:
        """See `Predicate.mask`."""
        numbered = table.select(self.columns).append_column("", pa.array(np.arange(table.num_rows)))
        with _translated():
            kept = numbered.filter(self._expression).column("").to_numpy()
        mask = np.zeros(table.num_rows, dtype=np.bool_)
        mask[kept] = True
        return mask


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException, TypeError) as error:
        reason = str(error).split("\n", 1)[0]
        message = f"where cannot be evaluated: {reason}"
        raise InvalidArgumentError(message) from error


def _parse_sql(text: str) -> pl.Expr:
    if len(text) > MAX_FILTER_CHARS:
        message = f"where is longer than {MAX_FILTER_CHARS} characters; got={len(text)}"
        raise LimitExceededError(message)
    try:
        return pl.sql_expr(text)
    except pl.exceptions.PolarsError as error:
        message = f"where is no SQL expression: {error}; got={text!r}"
        raise InvalidArgumentError(message) from error
