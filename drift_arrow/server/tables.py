"""Tables, schemas and vectors as Arrow IPC stream bytes."""

from __future__ import annotations

import pyarrow as pa

from drift_arrow.errors import InvalidArgumentError, LimitExceededError
from drift_arrow.format.take import empty_table
from drift_arrow.options import MAX_BATCH_BYTES


def encode_table(table: pa.Table) -> bytes:
    """The table as an uncompressed IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def decode_table(data: bytes) -> pa.Table:
    """A table from an IPC stream that a client sent, so every offset in it is checked.

    Raises
    ------
    InvalidArgumentError
        Not an IPC stream, or one whose buffers contradict each other.
    LimitExceededError
        Compressed buffers that unpack to more than MAX_BATCH_BYTES.
    """
    try:
        with pa.ipc.open_stream(data) as reader:
            table = pa.Table.from_batches(_bounded(reader), schema=reader.schema)
        # Arrow trusts IPC input: without the full check an offset past its buffer is read later, out of bounds.
        table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise InvalidArgumentError(f"the bytes are no Arrow IPC stream: {error}; size_bytes={len(data)}") from error
    return table


def encode_schema(schema: pa.Schema) -> bytes:
    """The schema as an IPC stream without batches."""
    return encode_table(empty_table(schema))


def decode_schema(data: bytes) -> pa.Schema:
    """The schema of an IPC stream.

    Raises
    ------
    InvalidArgumentError
        Not an IPC stream.
    """
    return decode_table(data).schema


def _bounded(reader: pa.RecordBatchReader) -> list[pa.RecordBatch]:
    batches = []
    n_bytes = 0
    for batch in reader:
        # Not `nbytes`: that follows offsets, which nobody has checked yet.
        n_bytes += batch.get_total_buffer_size()
        if n_bytes > MAX_BATCH_BYTES:
            raise LimitExceededError(f"the table is too large: send fewer rows per call; limit_bytes={MAX_BATCH_BYTES}")
        batches.append(batch)
    return batches
