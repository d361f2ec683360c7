"""The schema of a new collection out of a file of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from drift_arrow.cli.sources import open_source
from drift_arrow.errors import InvalidArgumentError, NotFoundError

if TYPE_CHECKING:
    from drift_arrow.cli.sources import Source


def infer_schema(url: str, *, vector: str, key: str, dim: int | None) -> pa.Schema:
    """The columns of a file, with a vector and a key column that a collection accepts.

    Integers become float32 in the vector and 64 bits wide in the key; lists of any length get the length of the
    first row, unless `dim` says it.

    Raises
    ------
    NotFoundError
        No such file or column.
    InvalidArgumentError
        The vector column does not hold lists of numbers, no row tells the dimension, or the file has another one.
    """
    with open_source(url, vector=vector) as source:
        schema = source.schema
        _check_column(schema, vector, url)
        _check_column(schema, key, url)
        value_type = _vector_value_type(schema.field(vector))
        n_values = _dimension(source, vector, dim)
    schema = _with_type(schema, vector, pa.list_(value_type, n_values))
    # What a writer left in the metadata (pandas' row index, Parquet field numbers) describes its file, not ours.
    return _with_type(schema, key, _key_type(schema.field(key).type)).remove_metadata()


def _check_column(schema: pa.Schema, name: str, url: str) -> None:
    if schema.get_field_index(name) < 0:
        raise NotFoundError(f"the file has no such column; column={name!r} columns={schema.names} path={url!r}")


def _vector_value_type(field: pa.Field) -> pa.DataType:
    kind = field.type
    is_list = pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if is_list and pa.types.is_integer(kind.value_type):
        return pa.float32()
    if is_list and pa.types.is_floating(kind.value_type):
        return kind.value_type
    raise InvalidArgumentError(f"the vector column must hold lists of numbers; column={field.name!r} type={kind}")


def _dimension(source: Source, vector: str, dim: int | None) -> int:
    kind = source.schema.field(vector).type
    if pa.types.is_fixed_size_list(kind):
        if dim not in {None, kind.list_size}:
            raise InvalidArgumentError(
                f"--dim differs from the file; column={vector!r} dim={dim} file={kind.list_size}"
            )
        return int(kind.list_size)
    if dim is not None:
        return dim
    for batch in source.batches(1024):
        for value in batch.column(vector):
            if value.is_valid:
                return len(value)
    raise InvalidArgumentError(f"no row of the file tells the dimension: pass --dim; column={vector!r}")


def _key_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_signed_integer(kind):
        return pa.int64()
    if pa.types.is_unsigned_integer(kind):
        return pa.uint64()
    return pa.string() if pa.types.is_string_view(kind) else kind


def _with_type(schema: pa.Schema, name: str, kind: pa.DataType) -> pa.Schema:
    index = schema.get_field_index(name)
    return schema.set(index, schema.field(index).with_type(kind))
