"""Arrow batches <-> payload bytes of a WAL operation (an Arrow IPC stream)."""

from __future__ import annotations

import pyarrow as pa

from drift_arrow.errors import CorruptionError
from drift_arrow.format.ipc import read_stream
from drift_arrow.format.layout import Buffer


def encode_batch(data: pa.RecordBatch | pa.Table) -> pa.Buffer:
    """Write `data` as one Arrow IPC stream.

    Returns
    -------
    pa.Buffer
        Uncompressed: a WAL payload is written once and read at most once.
    """
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, data.schema) as stream:
        stream.write(data)
    return sink.getvalue()


def decode_batch(payload: Buffer, schema: pa.Schema, *, path: str, offset: int) -> pa.Table:
    """Read what `encode_batch` wrote; the table points into `payload`.

    Parameters
    ----------
    payload : buffer
        Bytes whose checksum was verified.
    schema : pa.Schema
        Names and types that the stream must have. The table gets this schema, with its metadata.
    path, offset : str, int
        Location of the payload, for errors.

    Raises
    ------
    CorruptionError
        The bytes are no stream, have another schema or break an invariant of Arrow.
    """
    table = read_stream(payload, path=path, offset=offset)
    if not table.schema.equals(schema, check_metadata=False):
        raise CorruptionError("the stream has another schema than its collection", path=path, offset=offset)
    return pa.Table.from_arrays(table.columns, schema=schema)
