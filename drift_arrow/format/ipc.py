"""One Arrow IPC stream as a checked table."""

from __future__ import annotations

import pyarrow as pa

from drift_arrow.errors import CorruptionError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.layout import Buffer


def read_stream(data: Buffer, *, path: str, offset: int) -> pa.Table:
    """Read a stream whose bytes passed their checksum; the table points into `data`.

    Raises
    ------
    CorruptionError
        The bytes are no stream or break an invariant of Arrow; `path` and `offset` say where they are.

    Notes
    -----
    A checksum is no proof of a writer's good will, and Arrow follows offsets unchecked until it is told to validate.
    """
    try:
        with pa.ipc.open_stream(pa.py_buffer(byte_view(data))) as stream:
            table = stream.read_all()
        table.validate(full=True)
    # UnicodeDecodeError: a name that is not UTF-8
    except (pa.ArrowException, OSError, UnicodeDecodeError) as err:
        raise CorruptionError(f"not an Arrow stream; cause={err}", path=path, offset=offset) from err
    return table
