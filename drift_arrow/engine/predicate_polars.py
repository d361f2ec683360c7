"""Conditions that are Polars expressions, those of SQL text among them."""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa
from polars.io.plugins import register_io_source

from drift_arrow.engine import expression_tree
from drift_arrow.engine.bounds import N_ROWS, UNKNOWN, Bounds
from drift_arrow.engine.outcomes import outcomes
from drift_arrow.engine.predicate_error import LIBRARY_ERRORS, evaluating
from drift_arrow.engine.predicate_keys import possible_keys
from drift_arrow.engine.runs import Verdicts
from drift_arrow.errors import InvalidArgumentError
from drift_arrow.format.take import empty_table
from drift_arrow.format.zone import bound_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from drift_arrow.engine.bounds import Outcomes
    from drift_arrow.engine.runs import Runs
    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.format.zone import Zone


class PolarsPredicate:
    """A Polars expression over the columns that it names.

    Parameters
    ----------
    expression : polars.Expr
    spec : CollectionSpec

    Raises
    ------
    InvalidArgumentError
        See `make_predicate`.
    """

    def __init__(self, expression: pl.Expr, spec: CollectionSpec) -> None:
        self._expression, self._spec = expression, spec
        names = sorted(set(expression.meta.root_names()))
        spec.check_columns(names)
        if expression.meta.has_multiple_outputs():
            message = f"where must name its columns one by one; got={expression}"
            raise InvalidArgumentError(message)
        # a table without columns would not tell how many rows it has
        self.columns = names or [spec.key]
        if not self._is_by_row(empty_table(spec.schema)):
            message = f"where must decide each row by that row alone; got={expression}"
            raise InvalidArgumentError(message)
        self._tree = expression_tree.parse(expression)

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

        with evaluating():
            frame = pl.DataFrame(pl.from_arrow(empty.select(self.columns)))
            register_io_source(source, schema=frame.schema).filter(self._expression).collect(engine="in-memory")
        return pushed == [True]

    def mask(self, table: pa.Table) -> NDArray[np.bool_]:
        """See `Predicate.mask`."""
        with evaluating():
            frame = pl.DataFrame(pl.from_arrow(table.select(self.columns)))
            values = frame.select(self._expression).to_series()
        if len(values) == 1 and table.num_rows != 1:
            return np.full(table.num_rows, fill_value=values[0] is True)
        return values.fill_null(value=False).to_numpy()

    @cached_property
    def identity(self) -> bytes | None:
        """See `Predicate`."""
        if not expression_tree.is_pure(self._tree):
            return None
        # not the text of the tree, where NaN and infinity look alike
        return blake2b(self._expression.meta.serialize(), digest_size=32).digest()

    @cached_property
    def keys(self) -> pa.Array | None:
        """See `Predicate`."""
        return possible_keys(self._tree, self._spec)

    def judge(self, runs: Runs) -> Verdicts:
        """See `Predicate.judge`."""
        if self._outcomes is UNKNOWN:
            return Verdicts.unknown(len(runs))
        frame = self._frame(runs)
        certain = ~self._outcomes.false & ~self._outcomes.null
        try:
            found = frame.select(possible=self._outcomes.true, certain=certain)
        except LIBRARY_ERRORS:
            # a literal that compares with rows but not with their bounds
            return Verdicts.unknown(len(runs))
        return Verdicts(*(np.broadcast_to(found[name].to_numpy(), len(runs)) for name in ("possible", "certain")))

    @cached_property
    def _bounds(self) -> dict[str, Bounds]:
        """Of the columns that can be bounded."""
        schema = self._spec.schema
        found = {}
        for name in self.columns:
            if name != self._spec.vector:
                empty = pl.DataFrame(pl.from_arrow(empty_table(pa.schema([schema.field(name)]))))
                found[name] = Bounds(name, empty.schema[name])
        return found

    @cached_property
    def _outcomes(self) -> Outcomes:
        return outcomes(self._tree, self._bounds)

    def _frame(self, runs: Runs) -> pl.DataFrame:
        """A row per run: what `Bounds` names."""
        parts = {N_ROWS: pl.Series(np.diff(runs.bounds))}
        for name, bounds in self._bounds.items():
            kind, zones = bound_type(self._spec.schema.field(name).type), runs.zones[name]
            parts[f"nulls {name}"] = pl.Series([zone.null_count for zone in zones], dtype=pl.Int64)
            parts[f"nan {name}"] = pl.Series([zone.has_nan for zone in zones], dtype=pl.Boolean)
            parts[f"min {name}"] = _series([zone.minimum for zone in zones], kind, bounds.dtype)
            highest = _series([zone.maximum for zone in zones], kind, bounds.dtype)
            parts[f"max {name}"] = _with_nan(highest, zones) if highest.dtype.is_float() else highest
        return pl.DataFrame(parts)


def _series(scalars: list[pa.Scalar | None], kind: pa.DataType | None, dtype: pl.DataType) -> pl.Series:
    """Bounds as Polars sees the rows; nulls if it sees them as another type."""
    wanted = pl.String() if isinstance(dtype, pl.Categorical | pl.Enum) else dtype
    unknown = pl.Series([None] * len(scalars), dtype=wanted)
    if kind is None:
        return unknown
    found = pl.Series(pl.from_arrow(pa.array(scalars, type=kind)))
    return found if found.dtype == wanted else unknown


def _with_nan(highest: pl.Series, zones: list[Zone]) -> pl.Series:
    """The largest of runs with NaN is NaN, as Polars orders numbers."""
    has_nan = pl.Series([zone.has_nan for zone in zones], dtype=pl.Boolean)
    return highest.zip_with(~has_nan, pl.Series([float("nan")] * len(zones), dtype=highest.dtype))
