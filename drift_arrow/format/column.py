"""Some rows of one Arrow column <-> the raw bytes of a payload block.

The bytes are an Arrow IPC stream of one column in its plain form (see `format.plain`). Name, metadata and the real type
stand once in the schema of the segment.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from drift_arrow.errors import CorruptionError, LimitExceededError
from drift_arrow.format.ipc import read_stream
from drift_arrow.format.layout import MAX_BLOCK_BYTES, Buffer
from drift_arrow.format.plain import compact_dictionary, plain_type, to_plain

_NAME: Final = "column"
# room for the schema and the buffer table of a stream
_STREAM_BYTES: Final = 1 << 16


def gather_chunks(values: pa.ChunkedArray) -> pa.Array:
    """The rows of `values` as one array in its plain form, of any type that `plain.check_storable` accepts.

    Of an unordered dictionary, the array holds only the values that its rows use.
    """
    return _compact(_join([to_plain(chunk) for chunk in values.chunks]))


def check_value_sizes(values: pa.ChunkedArray, name: str) -> None:
    """Raise LimitExceededError if one value of a column alone is too large for a block; O(bytes / 16 MiB) steps.

    The writer of a segment would refuse it too, but only when the rows are acknowledged already.
    """
    size_bytes = sum(to_plain(chunk).nbytes for chunk in values.chunks)
    if size_bytes <= MAX_BLOCK_BYTES - _STREAM_BYTES:
        return
    if len(values) <= 1:
        message = f"one value is too large; column={name!r} size_bytes={size_bytes} limit={MAX_BLOCK_BYTES}"
        raise LimitExceededError(message)
    half = len(values) // 2
    check_value_sizes(values.slice(0, half), name)
    check_value_sizes(values.slice(half), name)


def encode_column(plain: pa.Array) -> pa.Buffer:
    """Write an array in its plain form."""
    schema = pa.schema([pa.field(_NAME, plain.type)])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as stream:
        stream.write_batch(pa.RecordBatch.from_arrays([plain], schema=schema))
    return sink.getvalue()


def decode_column(raw: Buffer, kind: pa.DataType, n_values: int, *, path: str, offset: int) -> pa.Array:
    """Read what `encode_column` wrote.

    Parameters
    ----------
    raw : buffer
        Bytes whose checksum was verified.
    kind : pa.DataType
        Type of the column in the schema.
    n_values : int
        Rows that the block declares.
    path, offset : str, int
        Location of the block, for errors.

    Returns
    -------
    pa.Array
        In its plain form; points into `raw`.

    Raises
    ------
    CorruptionError
        The bytes are no stream, hold another type or number of rows, or break an invariant of Arrow.
    """
    table = read_stream(raw, path=path, offset=offset)
    if table.num_columns != 1 or table.num_rows != n_values or table.schema.field(0).type != plain_type(kind):
        message = f"payload block holds other rows than it declares; type={kind} n_values={n_values}"
        raise CorruptionError(message, path=path, offset=offset)
    return _join(table.column(0).chunks)


def _join(chunks: list[pa.Array]) -> pa.Array:
    # Arrow copies even if there is nothing to join
    return chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)


def _compact(array: pa.Array) -> pa.Array:
    """Drop values that no row uses: a block of a few rows must not carry all words of the collection."""
    if pt.is_union(array.type):
        return array.take(pa.array(np.arange(len(array))))
    return compact_dictionary(array) if pt.is_dictionary(array.type) else array
