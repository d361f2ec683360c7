"""pa.Schema <-> bytes: one Arrow IPC schema message, with all metadata."""

from __future__ import annotations

import pyarrow as pa

from drift_arrow.errors import CorruptionError, LimitExceededError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.layout import MAX_SCHEMA_BYTES, Buffer

_VECTOR_VALUES = (pa.float16(), pa.float32(), pa.float64())


def is_vector_type(kind: pa.DataType) -> bool:
    """Whether a type is what vectors are stored as: lists of one length, at least 1, of floating point numbers."""
    return isinstance(kind, pa.FixedSizeListType) and kind.list_size > 0 and kind.value_type in _VECTOR_VALUES


def encode_schema(schema: pa.Schema) -> pa.Buffer:
    """Write `schema`, at most 2 MiB.

    Raises
    ------
    LimitExceededError
        The names, types and metadata take more.
    """
    encoded = schema.serialize()
    if encoded.size > MAX_SCHEMA_BYTES:
        message = f"schema is too large: drop columns or metadata; size_bytes={encoded.size} limit={MAX_SCHEMA_BYTES}"
        raise LimitExceededError(message)
    return encoded


def decode_schema(data: Buffer, *, path: str, offset: int) -> pa.Schema:
    """Read what `encode_schema` wrote, from bytes whose checksum was verified.

    Raises
    ------
    CorruptionError
        The bytes are too many or no schema, or a name in it is no UTF-8.
    """
    view = byte_view(data)
    if len(view) > MAX_SCHEMA_BYTES:
        raise CorruptionError(f"schema is too large; size_bytes={len(view)}", path=path, offset=offset)
    try:
        schema = pa.ipc.read_schema(pa.py_buffer(view))
        for field in schema:
            _check_text(field)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as err:
        raise CorruptionError(f"not an Arrow schema; cause={err}", path=path, offset=offset) from err
    return schema


def _check_text(field: pa.Field) -> None:
    """Raise UnicodeDecodeError now, for Arrow takes names as they are, and fails when somebody asks for them."""
    _ = field.name, str(field.type)
    for number in range(field.type.num_fields):
        _check_text(field.type.field(number))
