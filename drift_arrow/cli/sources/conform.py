"""Give a batch the types of a collection, where a file format could not express them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from drift_arrow.errors import InvalidArgumentError


def conform(batch: pa.RecordBatch, target: pa.Schema) -> pa.RecordBatch:
    """Cast the columns that both know to the types of `target`; whether columns lack or are too many, `add` decides.

    Raises
    ------
    InvalidArgumentError
        A value does not fit its type.
    """
    columns = [_cast(column, name, target) for name, column in zip(batch.schema.names, batch.columns, strict=True)]
    fields = [
        pa.field(field.name, column.type, field.nullable, field.metadata)
        for field, column in zip(batch.schema, columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields))


def _cast(column: pa.Array, name: str, target: pa.Schema) -> pa.Array:
    if target.get_field_index(name) < 0:
        return column
    wanted = _attainable(column.type, target.field(name).type)
    if column.type == wanted:
        return column
    try:
        return pc.cast(column, wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InvalidArgumentError(
            f"values do not fit the collection: {error}; column={name!r} type={column.type} wanted={wanted}"
        ) from error


def _attainable(given: pa.DataType, wanted: pa.DataType) -> pa.DataType:
    """Of a list only the values are cast: `add` checks lengths itself, and its message names the dimension."""
    if not pa.types.is_fixed_size_list(wanted):
        return wanted
    if pa.types.is_fixed_size_list(given):
        return pa.list_(wanted.value_type, given.list_size)
    if pa.types.is_large_list(given):
        return pa.large_list(wanted.value_type)
    return pa.list_(wanted.value_type) if pa.types.is_list(given) else wanted
