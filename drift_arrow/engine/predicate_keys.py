"""The only keys that a condition can hold for, where it says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from drift_arrow.engine.expression_tree import Node, constant, function_of, kind_of, values

if TYPE_CHECKING:
    from drift_arrow.engine.spec import CollectionSpec

_EXACT = 2**53


def possible_keys(node: Node, spec: CollectionSpec) -> pa.Array | None:
    """Values of the key column outside of which a condition cannot be true; None if it does not limit them.

    Notes
    -----
    Found in ``key = value`` and ``key IN (...)``, alone or joined to anything by AND.
    """
    kind, content = kind_of(node)
    if kind == "BinaryExpr" and content["op"] in {"And", "LogicalAnd"}:
        found = [possible_keys(child, spec) for child in (content["left"], content["right"])]
        return min((keys for keys in found if keys is not None), key=len, default=None)
    if kind == "BinaryExpr" and content["op"] == "Eq":
        for column, value in ((content["left"], content["right"]), (content["right"], content["left"])):
            if kind_of(column) == ("Column", spec.key) and (literal := constant(value)) is not None:
                return _as_keys(pl.select(literal).to_series(), spec)
        return None
    name, inputs, options = function_of(node)
    if name == "IsIn" and not options.get("nulls_equal") and kind_of(inputs[0]) == ("Column", spec.key):
        members = values(inputs[1])
        return None if members is None else _as_keys(members, spec)
    return None


def _as_keys(members: pl.Series, spec: CollectionSpec) -> pa.Array | None:
    """Literals as keys; None if a key could equal one by way of a cast."""
    kind = spec.schema.field(spec.key).type
    members = members.drop_nulls().unique()
    if not pa.types.is_integer(kind):
        return members.to_arrow().cast(kind) if members.dtype == pl.String else None
    if not members.dtype.is_integer():
        return None
    wanted = pl.Int64() if kind == pa.int64() else pl.UInt64()
    # beyond these, a comparison of two integer types might go by way of floats
    if members.dtype != wanted and any(abs(member) >= _EXACT for member in members.to_list()):
        return None
    # a literal that is no key equals none
    return members.cast(wanted, strict=False).drop_nulls().to_arrow()
