"""SQL text of a condition -> a Polars expression in which dates and times have the types of their columns."""

from __future__ import annotations

import io
import json
from datetime import time
from typing import TYPE_CHECKING, Final

import polars as pl
import pyarrow as pa

from drift_arrow.engine.expression_tree import Node, function_of, kind_of, parse, values
from drift_arrow.errors import InvalidArgumentError, LimitExceededError
from drift_arrow.format.take import empty_table
from drift_arrow.options import MAX_FILTER_CHARS

if TYPE_CHECKING:
    from drift_arrow.engine.spec import CollectionSpec

_COMPARISONS: Final = frozenset({"Eq", "NotEq", "Lt", "LtEq", "Gt", "GtEq", "EqValidity", "NotEqValidity"})


def sql_expression(text: str, spec: CollectionSpec) -> pl.Expr:
    """Parse one boolean expression over column names, as Polars reads it.

    Parameters
    ----------
    text : str
    spec : CollectionSpec
        Tells which columns are dates and times.

    Returns
    -------
    polars.Expr

    Raises
    ------
    InvalidArgumentError
        No SQL expression, or a date or time is compared with text that is none.
    LimitExceededError
        Longer than `MAX_FILTER_CHARS`.

    Notes
    -----
    Text that is compared with a column of dates or times is read as one, as in other SQL engines. Where no time zone is
    named, it is the time of the zone of the column.
    """
    if len(text) > MAX_FILTER_CHARS:
        message = f"where is longer than {MAX_FILTER_CHARS} characters; got={len(text)}"
        raise LimitExceededError(message)
    try:
        expression = pl.sql_expr(text)
    except pl.exceptions.PolarsError as error:
        message = f"where is no SQL expression: {error}; got={text!r}"
        raise InvalidArgumentError(message) from error
    kinds = _time_columns(expression, spec)
    tree = parse(expression) if kinds else None
    typed = _typed(tree, kinds)
    return expression if typed == tree else pl.Expr.deserialize(io.BytesIO(json.dumps(typed).encode()), format="json")


def _time_columns(expression: pl.Expr, spec: CollectionSpec) -> dict[str, pl.DataType]:
    """The columns of dates and times that an expression names, and their types."""
    named = set(expression.meta.root_names())
    fields = [field for field in spec.schema if field.name in named and pa.types.is_temporal(field.type)]
    if not fields:
        return {}
    schema = pl.DataFrame(pl.from_arrow(empty_table(pa.schema(fields)))).schema
    return {name: kind for name, kind in schema.items() if isinstance(kind, pl.Date | pl.Datetime | pl.Time)}


def _typed(node: Node, kinds: dict[str, pl.DataType]) -> Node:
    """The tree with times in the place of literals that are compared with columns of times."""
    if isinstance(node, list):
        return [_typed(child, kinds) for child in node]
    kind, content = kind_of(node)
    if kind == "Literal" or not isinstance(node, dict):
        return node
    if kind == "BinaryExpr" and content["op"] in _COMPARISONS:
        for column, other in (("left", "right"), ("right", "left")):
            if (wanted := _kind_of_times(content[column], kinds)) is not None:
                return {kind: content | {other: _typed_literal(content[other], wanted)}}
    name, arguments, _ = function_of(node)
    if name == "IsIn" and (wanted := _kind_of_times(arguments[0], kinds)) is not None:
        return {kind: content | {"input": [arguments[0], _typed_literal(arguments[1], wanted)]}}
    return {name: _typed(child, kinds) for name, child in node.items()}


def _kind_of_times(node: Node, kinds: dict[str, pl.DataType]) -> pl.DataType | None:
    kind, name = kind_of(node)
    return kinds.get(name) if kind == "Column" else None


def _typed_literal(node: Node, wanted: pl.DataType) -> Node:
    """A literal as a time of the wanted type; anything else as it is."""
    form, content = kind_of(kind_of(node)[1])
    if form == "Series":
        members = values(node)
        if members is None or members.dtype != pl.String:
            return node
        return _written(pl.lit(_read(members, wanted)))
    type_name, value = kind_of(content)
    if type_name == "String":
        return _scalar(_read(pl.Series([value]), wanted))
    if type_name == "Datetime" and isinstance(wanted, pl.Datetime) and wanted.time_zone is not None:
        instant = pl.select(pl.Expr.deserialize(io.BytesIO(json.dumps(node).encode()), format="json")).to_series()
        return _scalar(_in_zone(instant, wanted.time_zone))
    return node


def _scalar(times: pl.Series) -> Node:
    """The first of the times; not by way of Python's, which has no nanoseconds."""
    return _written(pl.lit(times.to_physical()[0]).cast(times.dtype))


def _written(expression: pl.Expr) -> Node:
    return json.loads(expression.meta.serialize(format="json"))


def _read(texts: pl.Series, wanted: pl.DataType) -> pl.Series:
    """Text as times of the wanted type; dates that name a time of day stay times."""
    try:
        if isinstance(wanted, pl.Time):
            return pl.Series([time.fromisoformat(text) for text in texts])
        if isinstance(wanted, pl.Datetime):
            read = texts.str.to_datetime(time_unit=wanted.time_unit)
            return read if wanted.time_zone is None else _in_zone(read, wanted.time_zone)
        read = texts.str.to_datetime(time_unit="us")
        return read.cast(pl.Date) if (read.dt.time() == time()).all() else read
    except (pl.exceptions.PolarsError, ValueError) as error:
        message = f"where compares a column of {wanted} with text that is none; got={texts.to_list()}"
        raise InvalidArgumentError(message) from error


def _in_zone(times: pl.Series, zone: str) -> pl.Series:
    """Instants in a zone; without a zone of their own, what clocks show in that zone."""
    if isinstance(times.dtype, pl.Datetime) and times.dtype.time_zone is None:
        return times.dt.replace_time_zone(zone)
    return times.dt.convert_time_zone(zone)
