"""What a Polars condition may be for the rows of a run, by the tree of its expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from drift_arrow.engine.bounds import NEVER, UNKNOWN, Outcomes
from drift_arrow.engine.expression_tree import Node, constant, function_of, kind_of, values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drift_arrow.engine.bounds import Bounds

_MIRRORED: Final = {"Lt": "Gt", "LtEq": "GtEq", "Gt": "Lt", "GtEq": "LtEq"}
_BETWEEN: Final = {"Both": ("GtEq", "LtEq"), "Left": ("GtEq", "Lt"), "Right": ("Gt", "LtEq"), "None": ("Gt", "Lt")}


def outcomes(node: Node, columns: Mapping[str, Bounds]) -> Outcomes:
    """Outcomes of the condition that a node of an expression stands for, where columns are bounded."""
    kind, content = kind_of(node)
    if kind == "Column" and content in columns:
        return columns[content].itself()
    if kind == "Alias":
        return outcomes(content[0], columns)
    if kind == "Cast" and content["dtype"] == {"Literal": "Boolean"} and kind_of(content["expr"])[0] != "Column":
        return outcomes(content["expr"], columns)
    if kind == "BinaryExpr":
        return _binary(content["op"], content["left"], content["right"], columns)
    return _function(node, columns)


def _binary(operator: str, left: Node, right: Node, columns: Mapping[str, Bounds]) -> Outcomes:
    if operator in {"And", "LogicalAnd"}:
        return _all_of([outcomes(left, columns), outcomes(right, columns)])
    if operator in {"Or", "LogicalOr"}:
        return _any_of([outcomes(left, columns), outcomes(right, columns)])
    if kind_of(left)[0] != "Column":
        operator, left, right = _MIRRORED.get(operator, operator), right, left
    bounds, value = _bounds(left, columns), constant(right)
    return UNKNOWN if bounds is None or value is None else bounds.compared(operator, value)


def _function(node: Node, columns: Mapping[str, Bounds]) -> Outcomes:
    name, inputs, options = function_of(node)
    match name:
        case "Not":
            return outcomes(inputs[0], columns).inverted()
        case "AllHorizontal":
            return _all_of([outcomes(child, columns) for child in inputs])
        case "AnyHorizontal":
            return _any_of([outcomes(child, columns) for child in inputs])
        case "IsNull":
            return _nullness(inputs[0], columns)
        case "IsNotNull":
            return _nullness(inputs[0], columns).inverted()
    bounds = _bounds(inputs[0], columns) if inputs else None
    return UNKNOWN if bounds is None else _test(bounds, name, inputs[1:], options)


def _test(bounds: Bounds, name: str, arguments: list[Node], options: dict[str, object]) -> Outcomes:
    """Of a function that tests a column."""
    found = UNKNOWN
    if name in {"IsNan", "IsNotNan"}:
        found = bounds.is_nan() if name == "IsNan" else bounds.is_nan().inverted()
    elif name == "IsIn" and (members := values(arguments[0])) is not None:
        found = bounds.one_of(members, nulls_equal=options.get("nulls_equal") is not False)
    elif name == "IsBetween" and (operators := _BETWEEN.get(str(options.get("closed")))):
        ends = [constant(argument) for argument in arguments]
        pairs = zip(operators, ends, strict=True)
        found = _all_of([UNKNOWN if end is None else bounds.compared(operator, end) for operator, end in pairs])
    elif name == "StartsWith" and (prefix := constant(arguments[0])) is not None:
        text = pl.select(prefix).item()
        found = bounds.starting_with(text) if isinstance(text, str) else UNKNOWN
    return found


def _nullness(node: Node, columns: Mapping[str, Bounds]) -> Outcomes:
    bounds = _bounds(node, columns)
    if bounds is not None:
        return bounds.is_null()
    inner = outcomes(node, columns)
    return Outcomes(inner.null, inner.true | inner.false, NEVER)


def _all_of(parts: list[Outcomes]) -> Outcomes:
    """AND of three-valued logic."""
    true = pl.all_horizontal([part.true for part in parts])
    false, null = (pl.any_horizontal(some) for some in zip(*((part.false, part.null) for part in parts), strict=True))
    return Outcomes(true, false, null)


def _any_of(parts: list[Outcomes]) -> Outcomes:
    """OR of three-valued logic: NOT of the AND of the opposites."""
    return _all_of([part.inverted() for part in parts]).inverted()


def _bounds(node: Node, columns: Mapping[str, Bounds]) -> Bounds | None:
    kind, content = kind_of(node)
    return columns.get(content) if kind == "Column" else None
