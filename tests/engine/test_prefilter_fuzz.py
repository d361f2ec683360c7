from __future__ import annotations

import datetime as dt
import operator as operators
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from drift_arrow.engine.predicate import make_predicate
from drift_arrow.engine.runs import Runs
from drift_arrow.engine.spec import make_spec
from drift_arrow.errors import InvalidArgumentError
from drift_arrow.format.zone_table import ZoneTable, measure_zone, zone_entries

WORDS = ["", "a", "ab", "long text with a common start", "long text with a common start, b", "z\U0010ffff", "é" * 12]
START = dt.datetime(2020, 1, 1)  # noqa: DTZ001 - the column has no time zone
VALUES: dict[str, list[Any]] = {
    "i": [-(2**63), -1, 0, 3, 4, 2**53 + 1, 2**63 - 1],
    "u": [0, 1, 2**53 + 1, 2**60, 2**60 + 1, 2**64 - 1],
    "f": [float("nan"), -0.0, 0.0, 1.5, -1e300, float("inf"), float("-inf")],
    "s": WORDS,
    "y": [b"", b"\xff" * 20, b"\xff" * 3, b"abc"],
    "c": WORDS,
    "b": [True, False],
    "t": [START, START - dt.timedelta(days=20_000, microseconds=1), START + dt.timedelta(days=80_000)],
    "d": [dt.date(2020, 1, 1), dt.date(1960, 1, 1)],
    "p": [Decimal("1.25"), Decimal("-3.00"), Decimal("99.99")],
}
TYPES = {
    "i": pa.int64(),
    "u": pa.uint64(),
    "f": pa.float64(),
    "s": pa.string(),
    "y": pa.binary(),
    "c": pa.dictionary(pa.int8(), pa.string()),
    "b": pa.bool_(),
    "t": pa.timestamp("us"),
    "d": pa.date32(),
    "p": pa.decimal128(9, 2),
}
SCHEMA = pa.schema(
    [("id", pa.int64()), ("v", pa.list_(pa.float32(), 2)), *((name, kind) for name, kind in TYPES.items())]
)
SPEC = make_spec(SCHEMA, vector="v", key="id", metric="l2", dim=None, key_seed=0)
COLUMNS = st.sampled_from(sorted(TYPES))


@st.composite
def blocks(draw):
    """A table of one run: few values of every column, nulls among them, none at all too."""
    n_rows = draw(st.integers(1, 4))
    columns = {
        name: pa.array(
            draw(st.lists(st.none() | st.sampled_from(values), min_size=n_rows, max_size=n_rows)), TYPES[name]
        )
        for name, values in VALUES.items()
    }
    return pa.table({"id": pa.array(range(n_rows), pa.int64()), **columns})


def zones_of(table, name):
    rows = table.column(name).combine_chunks()
    entries = zone_entries([measure_zone(rows)])
    return [ZoneTable(entries, np.array([len(rows)]), path="p", offset=0).zone(0, rows.type)]


LEAVES: dict[str, Any] = {
    "compare": lambda column, operator, value, _: operator(column, value),
    "flipped": lambda column, operator, value, _: operator(pl.lit(value), column),
    "no value": lambda column, operator, *_: operator(column, pl.lit(None)),
    "missing": lambda column, _, value, __: column.eq_missing(value),
    "null": lambda column, *_: column.is_null(),
    "not null": lambda column, *_: column.is_not_null(),
    "one of": lambda column, _, *values: column.is_in(list(values)),
    "one of with null": lambda column, operator, *values: column.is_in(
        [*values, None], nulls_equal=operator is operators.lt
    ),
    "between": lambda column, _, *ends: column.is_between(*ends),
    "within": lambda column, _, *ends: column.is_between(*ends, closed="none"),
    "itself": lambda column, *_: column,
    "nan": lambda column, *_: column.is_nan(),
    "not nan": lambda column, *_: column.is_not_nan(),
    "start": lambda column, _, value, __: column.str.starts_with(value),
    "cast": lambda column, operator, *_: operator(column.cast(pl.Float64), 3),
}
OPERATORS = st.sampled_from([operators.lt, operators.le, operators.gt, operators.ge, operators.eq, operators.ne])


@st.composite
def polars_leaves(draw):
    name = draw(COLUMNS)
    values = draw(st.tuples(st.sampled_from(VALUES[name]), st.sampled_from(VALUES[name])))
    return draw(st.sampled_from(list(LEAVES.values())))(pl.col(name), draw(OPERATORS), *values)


def joined(leaves):
    def compound(inner):
        pairs = st.tuples(inner, inner)
        return (
            inner.map(operators.invert)
            | pairs.map(lambda two: two[0] & two[1])
            | pairs.map(lambda two: two[0] | two[1])
        )

    return st.recursive(leaves, compound, max_leaves=4)


@st.composite
def arrow_leaves(draw):
    name = draw(st.sampled_from(sorted(set(TYPES) - {"y"})))
    kind = pa.string() if name == "c" else TYPES[name]
    value, other = (pa.scalar(draw(st.sampled_from(VALUES[name])), kind) for _ in range(2))
    column = pc.field(name)
    leaves = [
        draw(OPERATORS)(column, value),
        column.is_null(),
        column.is_valid(),
        column.isin(pa.array([value, other])),
    ]
    return draw(st.sampled_from(leaves))


def check(where, table):
    try:
        predicate = make_predicate(where, SPEC)
        mask = predicate.mask(table)
    except InvalidArgumentError:
        return
    runs = Runs(
        np.array([0, table.num_rows]), {name: zones_of(table, name) for name in predicate.columns if name != "v"}
    )
    verdicts = predicate.judge(runs)
    assert verdicts.possible[0] or not mask.any()
    assert not verdicts.certain[0] or mask.all()


@settings(max_examples=300, deadline=None)
@given(where=joined(polars_leaves()), table=blocks())
def test_what_bounds_tell_of_a_polars_condition_is_never_wrong(where, table):
    check(where, table)


@settings(max_examples=300, deadline=None)
@given(where=joined(arrow_leaves()), table=blocks())
def test_what_bounds_tell_of_a_pyarrow_condition_is_never_wrong(where, table):
    check(where, table)
