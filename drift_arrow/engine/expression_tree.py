"""The tree of a Polars expression, as its JSON form has it; nodes that are not understood give None."""

from __future__ import annotations

import io
import json
from typing import Any, Final

import numpy as np
import polars as pl

Node = Any
"""A JSON value."""

MAX_DEPTH: Final = 300
"""Brackets of JSON within one another that are walked through: far within the 1000 frames that Python allows."""

_PURE_FUNCTIONS: Final = frozenset({"Boolean", "StringExpr", "TemporalExpr", "Sql", "Negate", "Abs"})
_PURE_KINDS: Final = frozenset({"Column", "Literal", "BinaryExpr", "Cast", "Ternary", "Alias", "Function"})


def parse(expression: pl.Expr) -> Node | None:
    """The root node; None if the expression has no such form, or is nested too deep for whoever walks through it."""
    try:
        text = expression.meta.serialize(format="json")
    except (pl.exceptions.PolarsError, ValueError):
        # a Python function cannot be written as JSON
        return None
    return json.loads(text) if _depth(text) <= MAX_DEPTH else None


def _depth(text: str) -> int:
    """Most brackets within one another, those in strings counted: a few too many do no harm."""
    signs = np.zeros(128, dtype=np.int8)
    signs[[ord("["), ord("{")]], signs[[ord("]"), ord("}")]] = 1, -1
    written = np.frombuffer(text.encode("ascii", "replace"), dtype=np.uint8)
    return int(np.cumsum(signs[written], dtype=np.int64).max(initial=0))


def kind_of(node: Node) -> tuple[str, Any]:
    """Name and content of a node; two empty strings for one of another shape."""
    if isinstance(node, dict) and len(node) == 1:
        ((name, content),) = node.items()
        return name, content
    return "", ""


def function_of(node: Node) -> tuple[str, list[Node], dict[str, Any]]:
    """Name, arguments and options of a function over rows, such as ("IsIn", [column, list], {"nulls_equal": False})."""
    kind, content = kind_of(node)
    if kind != "Function":
        return "", [], {}
    family, function = kind_of(content["function"])
    if family not in _PURE_FUNCTIONS:
        return "", [], {}
    if isinstance(function, str):
        return function, content["input"], {}
    name, options = kind_of(function)
    return name, content["input"], options if isinstance(options, dict) else {}


def is_pure(node: Node) -> bool:
    """Whether every part of a tree is one whose value depends on its arguments only."""
    kind, content = kind_of(node)
    if kind not in _PURE_KINDS:
        return False
    if kind in {"Column", "Literal"}:
        return True
    if kind == "Function":
        function = content["function"]
        family = function if isinstance(function, str) else kind_of(function)[0]
        return family in _PURE_FUNCTIONS and all(is_pure(child) for child in content["input"])
    names = {"BinaryExpr": ("left", "right"), "Cast": ("expr",), "Ternary": ("predicate", "truthy", "falsy")}
    children = content[:1] if kind == "Alias" else [content[name] for name in names[kind]]
    return all(is_pure(child) for child in children)


def constant(node: Node) -> pl.Expr | None:
    """The expression of one value that is the same for all rows."""
    return _rebuild(node) if _is_constant(node) else None


def values(node: Node) -> pl.Series | None:
    """The members of a literal list or Series."""
    kind, content = kind_of(node)
    if kind != "Literal" or kind_of(content)[0] not in {"Scalar", "Series"}:
        return None
    literal = _rebuild(node)
    if literal is None:
        return None
    series = pl.select(literal).to_series()
    if series.dtype == pl.List:
        return series.explode() if len(series) == 1 and len(series[0]) else None
    return series if kind_of(content)[0] == "Series" else None


def _is_constant(node: Node) -> bool:
    kind, content = kind_of(node)
    if kind == "Literal":
        form, value = kind_of(content)
        return form == "Dyn" or (form == "Scalar" and kind_of(value)[0] != "List")
    if kind == "Alias":
        return _is_constant(content[0])
    if kind == "Cast":
        return _is_constant(content["expr"])
    return kind == "BinaryExpr" and _is_constant(content["left"]) and _is_constant(content["right"])


def _rebuild(node: Node) -> pl.Expr | None:
    try:
        return pl.Expr.deserialize(io.BytesIO(json.dumps(node).encode()), format="json")
    except pl.exceptions.PolarsError:
        # JSON has no NaN and no infinity
        return None
