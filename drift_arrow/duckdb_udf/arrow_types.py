"""Which Arrow type each column is turned into before DuckDB imports it.

DuckDB has no half floats and no decimals beyond 38 digits, and its importer overflows the heap on nested dictionaries
with nulls; such types are rewritten to an equal one that it holds, at any depth. What it then still refuses is reported
by its own importer (converter.py).
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.types as pat

_DECIMAL128_DIGITS = 38
_KNOWN_EXTENSIONS = (pa.UuidType, pa.JsonType, pa.Bool8Type)


def importable_type(arrow_type: pa.DataType) -> pa.DataType:
    """The type to cast a column to before DuckDB imports it.

    Parameters
    ----------
    arrow_type : pa.DataType

    Returns
    -------
    pa.DataType
        float16 becomes float32, decimal256 decimal128 where its digits fit, dictionaries and run-ends their values,
        unknown extensions their storage; all others, and the shape of nested types, are kept.
    """
    if pat.is_float16(arrow_type):
        return pa.float32()
    if pat.is_decimal256(arrow_type) and arrow_type.precision <= _DECIMAL128_DIGITS:
        return pa.decimal128(arrow_type.precision, arrow_type.scale)
    if pat.is_dictionary(arrow_type) or pat.is_run_end_encoded(arrow_type):
        return importable_type(arrow_type.value_type)
    if isinstance(arrow_type, pa.BaseExtensionType) and not isinstance(arrow_type, _KNOWN_EXTENSIONS):
        return importable_type(arrow_type.storage_type)
    if pat.is_nested(arrow_type):
        return _nested(arrow_type)
    return arrow_type


def has_struct(arrow_type: pa.DataType) -> bool:
    """Whether a struct occurs in the type at any depth; maps and unions are made of them."""
    if pat.is_struct(arrow_type) or pat.is_map(arrow_type) or pat.is_union(arrow_type):
        return True
    return any(has_struct(arrow_type.field(number).type) for number in range(arrow_type.num_fields))


def _nested(arrow_type: pa.DataType) -> pa.DataType:
    """The same nesting over importable children."""
    if pat.is_fixed_size_list(arrow_type):
        return pa.list_(_field(arrow_type.value_field), arrow_type.list_size)
    if pat.is_map(arrow_type):
        return pa.map_(_field(arrow_type.key_field), _field(arrow_type.item_field), arrow_type.keys_sorted)
    if pat.is_struct(arrow_type):
        return pa.struct([_field(field) for field in arrow_type.fields])
    for is_kind, build in _LISTS:
        if is_kind(arrow_type):
            return build(_field(arrow_type.value_field))
    return arrow_type


def _field(field: pa.Field) -> pa.Field:
    """A child field with an importable type, and without metadata, which only a top-level field may interpret."""
    return pa.field(field.name, importable_type(field.type), field.nullable)


_LISTS = (
    (pat.is_list, pa.list_),
    (pat.is_large_list, pa.large_list),
    (pat.is_list_view, pa.list_view),
    (pat.is_large_list_view, pa.large_list_view),
)
