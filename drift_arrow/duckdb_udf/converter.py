"""Arrow to DuckDB and back, through DuckDB's own Arrow import and export."""

from __future__ import annotations

import ctypes
import json
import threading
from dataclasses import dataclass
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from drift_arrow.duckdb_udf import capi
from drift_arrow.duckdb_udf.arrow_types import has_struct, importable_type
from drift_arrow.duckdb_udf.instance import instance
from drift_arrow.errors import InvalidArgumentError

_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class ColumnType:
    """How one Arrow type enters DuckDB.

    Parameters
    ----------
    arrow : pa.DataType
        What the column is cast to first.
    schema : int
        DuckDB's converted one-column schema, never freed.
    logical : int
        DuckDB's logical type, never freed.
    """

    arrow: pa.DataType
    schema: int
    logical: int


def column_type(arrow_type: pa.DataType) -> ColumnType:
    """How DuckDB holds an Arrow type.

    Parameters
    ----------
    arrow_type : pa.DataType

    Returns
    -------
    ColumnType

    Raises
    ------
    InvalidArgumentError
        DuckDB has no such type; the message is its own.
    """
    with _lock:
        return _column_type(arrow_type)


def fill_vector(target: int, array: pa.Array, column: ColumnType) -> None:
    """Make a DuckDB vector show the rows of an Arrow array.

    Parameters
    ----------
    target : int
        The vector, of type `column.logical`.
    array : pa.Array
        At most `vector_size()` rows, of the type that `column` was made from.
    column : ColumnType

    Raises
    ------
    InvalidArgumentError
        A value does not fit DuckDB's type, such as a time past its range or a map with equal keys.

    Notes
    -----
    Zero-copy wherever DuckDB's layout is Arrow's. One column per call: importing several at once would tie the memory
    of all of them to the first vector, which a projection may drop before the others.
    """
    chunk = _import(array, column)
    try:
        capi.vector_reference_vector(target, capi.data_chunk_get_vector(chunk, 0))
    finally:
        capi.destroy("data_chunk", chunk)


def value_to_arrow(value: int) -> pa.Array:
    """One DuckDB value as an Arrow array of length one.

    Parameters
    ----------
    value : int
        A duckdb_value, which stays owned by the caller.

    Returns
    -------
    pa.Array

    Raises
    ------
    InvalidArgumentError
        The type has no Arrow form.
    """
    types = (ctypes.c_void_p * 1)(capi.get_value_type(value))  # owned by the value
    chunk = capi.create_data_chunk(types, 1)
    try:
        capi.vector_reference_value(capi.data_chunk_get_vector(chunk, 0), value)
        capi.data_chunk_set_size(chunk, 1)
        return _export(types, chunk)
    finally:
        capi.destroy("data_chunk", chunk)


@cache
def _column_type(arrow_type: pa.DataType) -> ColumnType:
    """Uncached form of `column_type`; its handles live as long as the process."""
    arrow = importable_type(arrow_type)
    column = ColumnType(arrow, _converted_schema(arrow), 0)
    chunk = _import(pa.nulls(1, arrow_type), column)
    try:
        logical = capi.vector_get_column_type(capi.data_chunk_get_vector(chunk, 0))
    finally:
        capi.destroy("data_chunk", chunk)
    return ColumnType(arrow, column.schema, logical)


def _converted_schema(arrow: pa.DataType) -> int:
    """DuckDB's import plan of one column of this type."""
    schema, converted = capi.ArrowSchema(), ctypes.c_void_p()
    pa.schema([pa.field("column", arrow)])._export_to_c(ctypes.addressof(schema))  # noqa: SLF001
    error = capi.schema_from_arrow(instance().connection, schema, ctypes.byref(converted))
    capi.release(schema)  # DuckDB only reads it
    _check(error)
    return converted.value or 0


def _import(array: pa.Array, column: ColumnType) -> int:
    """A DuckDB chunk with one vector that shares the memory of `array`; the caller destroys it."""
    private, record, chunk = instance(), capi.ArrowArray(), ctypes.c_void_p()
    batch = pa.RecordBatch.from_arrays([_cast(array, column.arrow)], ["column"])
    if has_struct(column.arrow):
        # Of a struct within a list or another struct DuckDB forgets the offset: wrong rows. A message carries none.
        batch = pa.ipc.read_record_batch(batch.serialize(), batch.schema)
    batch._export_to_c(ctypes.addressof(record))  # noqa: SLF001
    if record.release == private.release:
        record.release = private.release_gate
    error = capi.data_chunk_from_arrow(private.connection, record, column.schema, ctypes.byref(chunk))
    capi.release(record)  # unless DuckDB took it over
    _check(error)
    return chunk.value or 0


def _cast(array: pa.Array, arrow: pa.DataType) -> pa.Array:
    """The array as the type that DuckDB imports."""
    if array.type == arrow:
        return array
    try:
        if pa.types.is_run_end_encoded(array.type):
            array = pc.run_end_decode(array)
        return array.cast(arrow)
    except pa.ArrowException as error:
        raise InvalidArgumentError(f"DuckDB cannot hold the column; type={str(array.type)!r} cause={error}") from error


def _export(types: ctypes.Array[ctypes.c_void_p], chunk: int) -> pa.Array:
    """The one column of a DuckDB chunk."""
    options, record, schema = instance().options, capi.ArrowArray(), capi.ArrowSchema()
    names = (ctypes.c_char_p * 1)(b"value")
    _check(capi.to_arrow_schema(options, types, names, 1, schema))
    _check(capi.data_chunk_to_arrow(options, chunk, record))
    addresses = ctypes.addressof(record), ctypes.addressof(schema)
    return pa.RecordBatch._import_from_c(*addresses).column(0)  # noqa: SLF001


def _check(error: int | None) -> None:
    """Raise the message of a duckdb_error_data, if there is one."""
    if not error:
        return
    try:
        message = _readable(capi.error_data_message(error).decode(errors="replace"))
    finally:
        capi.destroy("error_data", error)
    raise InvalidArgumentError(message)


def _readable(message: str) -> str:
    """The text inside the JSON form that DuckDB gives some of its errors."""
    try:
        return str(json.loads(message)["exception_message"])
    except (ValueError, KeyError, TypeError):
        return message
