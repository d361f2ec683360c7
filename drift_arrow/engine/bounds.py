"""What a test of one column may give for the rows of a run, told by the bounds of the run: over-estimated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

N_ROWS: Final = "rows"
"""Column of a frame of bounds: rows of a run."""

NEVER: Final = pl.lit(value=False)
MAYBE: Final = pl.lit(value=True)

_NEGATED: Final = {"Lt": "GtEq", "LtEq": "Gt", "Gt": "LtEq", "GtEq": "Lt", "Eq": "NotEq", "NotEq": "Eq"}
_CATEGORICAL: Final = (pl.Categorical, pl.Enum)
_MOST_VALUES: Final = 64
_EXACT: Final = 2**53


@dataclass(frozen=True, slots=True)
class Outcomes:
    """For each run, whether a condition may be true, false or null for a row of it: expressions over bounds.

    Notes
    -----
    Every comparison is left to Polars itself, which compares a bound with a literal just as it would compare a row,
    since both are of the column's type. So casts and orders, NaN included, are those of the evaluation.
    """

    true: pl.Expr
    false: pl.Expr
    null: pl.Expr

    def inverted(self) -> Outcomes:
        """Of NOT."""
        return Outcomes(self.false, self.true, self.null)


UNKNOWN: Final = Outcomes(MAYBE, MAYBE, MAYBE)


@dataclass(frozen=True, slots=True)
class Bounds:
    """A column, and the names of what bounds it in a frame with a row per run; null where a bound is not known.

    Parameters
    ----------
    column : str
    dtype : polars.DataType
        Of the column. The bounds are of the same type, or strings if it is a categorical.
    """

    column: str
    dtype: pl.DataType

    @property
    def low(self) -> pl.Expr:
        """No row is below, nulls aside."""
        return pl.col(f"min {self.column}")

    @property
    def high(self) -> pl.Expr:
        """No row is above, nulls aside; NaN counts as the largest number."""
        return pl.col(f"max {self.column}")

    @property
    def has_null(self) -> pl.Expr:
        """Whether a row is null."""
        return pl.col(f"nulls {self.column}") > 0

    @property
    def has_value(self) -> pl.Expr:
        """Whether a row is not null."""
        return pl.col(f"nulls {self.column}") < pl.col(N_ROWS)

    def is_null(self) -> Outcomes:
        """Of IS NULL."""
        return Outcomes(self.has_null, self.has_value, NEVER)

    def is_nan(self) -> Outcomes:
        """Of IS NAN."""
        return Outcomes(pl.col(f"nan {self.column}"), self.has_value, self.has_null)

    def itself(self) -> Outcomes:
        """Of a column that is a condition."""
        if self.dtype != pl.Boolean:
            return UNKNOWN
        return Outcomes(self.has_value & _maybe(self.high), self.has_value & _maybe(~self.low), self.has_null)

    def compared(self, operator: str, value: pl.Expr) -> Outcomes:
        """Of a comparison with a value, by the name of the operator in the tree of an expression."""
        is_ordered = not isinstance(self.dtype, _CATEGORICAL)
        if operator not in _NEGATED or not (is_ordered or operator in {"Eq", "NotEq"}):
            return UNKNOWN
        true, false = (self.has_value & _maybe(self._may(some, value)) for some in (operator, _NEGATED[operator]))
        return Outcomes(true, false, self.has_null | value.is_null())

    def one_of(self, members: pl.Series, *, nulls_equal: bool) -> Outcomes:
        """Of IN."""
        has_null = members.null_count() > 0
        members = members.drop_nulls().unique()
        if not len(members) or (has_null and nulls_equal) or not self._equals_exactly(members):
            return UNKNOWN
        if len(members) > _MOST_VALUES:
            low, high = (pl.lit(end, dtype=members.dtype) for end in (members.min(), members.max()))
            found = (self.low <= high) & (self.high >= low)
        else:
            each = [pl.lit(member, dtype=members.dtype) for member in members.to_list()]
            found = pl.any_horizontal([_maybe(self._may("Eq", member)) for member in each])
        return Outcomes(self.has_value & _maybe(found), MAYBE, MAYBE if has_null else self.has_null)

    def starting_with(self, prefix: str) -> Outcomes:
        """Of a test of the first characters."""
        if self.dtype != pl.String:
            return UNKNOWN
        found = (self.high >= prefix) & (self.low.str.slice(0, len(prefix)) <= prefix)
        return Outcomes(self.has_value & _maybe(found), MAYBE, self.has_null)

    def _may(self, operator: str, value: pl.Expr) -> pl.Expr:
        """Whether the comparison can hold for something between the bounds."""
        match operator:
            case "Lt":
                return self.low < value
            case "LtEq":
                return self.low <= value
            case "Gt":
                return self.high > value
            case "GtEq":
                return self.high >= value
            case "Eq":
                return (self.low <= value) & (self.high >= value)
            case _:
                return (self.low != value) | (self.high != value)

    def _equals_exactly(self, members: pl.Series) -> bool:
        """Whether IN compares with them as `==` does, and not after a cast that could make different values equal."""
        if isinstance(self.dtype, _CATEGORICAL):
            return members.dtype == pl.String
        if members.dtype == self.dtype:
            return not self.dtype.is_nested()
        if not (self.dtype.is_integer() and members.dtype.is_integer()):
            return False
        return all(isinstance(end, int) and abs(end) < _EXACT for end in (members.min(), members.max()))


def _maybe(outcome: pl.Expr) -> pl.Expr:
    """What is not known may be."""
    return outcome.fill_null(value=True)
