"""Tables of any kind to one checked batch of the collection's schema; nothing is written before a batch has passed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from drift_arrow.engine.keys import check_not_null, fingerprint_keys
from drift_arrow.engine.vectors import as_matrix, as_vector_column
from drift_arrow.errors import InvalidArgumentError, LimitExceededError
from drift_arrow.format.column import check_value_sizes
from drift_arrow.kernels.distance import first_nonfinite_row, first_zero_row
from drift_arrow.kernels.keys import first_duplicate
from drift_arrow.options import MAX_BATCH_BYTES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from drift_arrow.engine.spec import CollectionSpec


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Rows that passed every check.

    Parameters
    ----------
    stored : pyarrow.RecordBatch
        The columns that a memtable keeps beside its matrix: all but the vector if that is float32, else all.
    matrix : (n, dim) float32
        The vectors as search sees them.
    fingerprints : (n, 2) uint64
        Of the keys.
    """

    stored: pa.RecordBatch
    matrix: NDArray[np.float32]
    fingerprints: NDArray[np.uint64]

    @property
    def n_rows(self) -> int:
        """Rows of the batch."""
        return len(self.matrix)


def check_table(data: Any, spec: CollectionSpec) -> pa.RecordBatch:
    """Bring `data` into the collection's schema, or raise InvalidArgumentError / LimitExceededError."""
    table = as_table(data)
    _check_column_names(table, spec)
    if table.nbytes > MAX_BATCH_BYTES:
        message = f"one batch is at most {MAX_BATCH_BYTES} bytes: add it in slices; got={table.nbytes}"
        raise LimitExceededError(message)
    columns = [_conform(table.column(field.name), field, spec) for field in spec.schema]
    return pa.RecordBatch.from_arrays(columns, schema=spec.schema)


def make_batch(record_batch: pa.RecordBatch, spec: CollectionSpec) -> Batch:
    """Check keys and vectors of rows in the collection's schema, and prepare them for the memtable.

    Raises
    ------
    InvalidArgumentError
        A null or repeated key, a vector that is not finite, or a zero vector under cosine; the row is named.
    """
    keys = record_batch.column(spec.key)
    check_not_null(keys, spec.key)
    matrix = as_matrix(record_batch.column(spec.vector))
    _check_vectors(matrix, spec)
    fingerprints = fingerprint_keys(keys, spec)
    repeated = first_duplicate(fingerprints)
    if repeated >= 0:
        message = f"a key appears twice in one batch; column={spec.key!r} key={keys[repeated].as_py()!r} row={repeated}"
        raise InvalidArgumentError(message)
    stored = record_batch.select(spec.stored_schema.names)
    return Batch(stored=stored, matrix=matrix, fingerprints=fingerprints)


def as_table(data: Any) -> pa.Table:
    """An Arrow table of Arrow, Polars or pandas data, or of anything with `__arrow_c_stream__`."""
    if isinstance(data, pa.Table):
        return data
    if isinstance(data, pa.RecordBatch):
        return pa.Table.from_batches([data])
    origin = type(data).__module__.split(".", 1)[0]
    try:
        if isinstance(data, list | tuple) and data and all(isinstance(item, pa.RecordBatch) for item in data):
            return pa.Table.from_batches(list(data))
        if isinstance(data, pl.LazyFrame):
            data = data.collect()
        # pandas exports object columns, where embeddings live, by its own stream only as opaque objects
        if origin == "pandas":
            return pa.Table.from_pandas(data, preserve_index=False)
        if hasattr(data, "__arrow_c_stream__"):
            return pa.table(data)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, pl.exceptions.PolarsError) as error:
        message = f"the data is no table that Arrow can hold: {error}"
        raise InvalidArgumentError(message) from error
    except OSError as error:
        message = f"the data cannot be read: {error}"
        raise InvalidArgumentError(message) from error
    message = f"data is an Arrow, Polars or pandas table, or has __arrow_c_stream__; got={type(data).__name__}"
    raise InvalidArgumentError(message)


def _check_column_names(table: pa.Table, spec: CollectionSpec) -> None:
    missing = [name for name in spec.schema.names if name not in table.column_names]
    extra = [name for name in table.column_names if name not in spec.schema.names]
    if missing or extra or len(table.column_names) != len(spec.schema.names):
        message = f"columns differ from the collection's; missing={missing} extra={extra} expected={spec.schema.names}"
        raise InvalidArgumentError(message)


def _conform(column: pa.ChunkedArray, field: pa.Field, spec: CollectionSpec) -> pa.Array:
    if field.name == spec.vector:
        return as_vector_column(column, field.type, field.name)
    if not pa.types.is_primitive(column.type):
        # one value of a fixed width has no limit to exceed
        check_value_sizes(column, field.name)
        column = _unified(column, field.name)
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        message = f"a column is too large for one batch: add it in slices; column={field.name!r}"
        raise LimitExceededError(message)
    if array.type != field.type:
        array = _cast_lossless(array, field)
    if array.null_count and not field.nullable:
        message = f"the schema allows no null here; column={field.name!r} nulls={array.null_count}"
        raise InvalidArgumentError(message)
    return array


def _unified(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    try:
        return column.unify_dictionaries()
    except pa.ArrowInvalid as error:
        message = f"the dictionaries of a column do not fit into one: add it in slices; column={name!r}: {error}"
        raise InvalidArgumentError(message) from error


def _cast_lossless(array: pa.Array, field: pa.Field) -> pa.Array:
    both_float = pa.types.is_floating(array.type) and pa.types.is_floating(field.type)
    if not (both_float and field.type.bit_width < array.type.bit_width):
        try:
            return array.cast(field.type, safe=True)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            message = f"a column has another type than the collection: {error}; column={field.name!r}"
            raise InvalidArgumentError(message) from error
    message = (
        "a column has another type than the collection, and casting would lose digits: cast it yourself; "
        f"column={field.name!r} got={array.type} expected={field.type}"
    )
    raise InvalidArgumentError(message)


def _check_vectors(matrix: NDArray[np.float32], spec: CollectionSpec) -> None:
    row = first_nonfinite_row(matrix)
    if row >= 0:
        message = f"a vector holds NaN or infinity (as float32); column={spec.vector!r} row={row}"
        raise InvalidArgumentError(message)
    if spec.metric == "cosine":
        row = first_zero_row(matrix)
        if row >= 0:
            message = f"a zero vector has no direction for cosine; column={spec.vector!r} row={row}"
            raise InvalidArgumentError(message)
