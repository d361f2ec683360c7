"""The footer of a segment: metadata as canonical JSON, then the block index; and the tail that points to it."""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drift_arrow.errors import CorruptionError, LimitExceededError
from drift_arrow.format.block import BlockHeader
from drift_arrow.format.block_index import INDEX_DTYPE, BlockIndex
from drift_arrow.format.canonical_json import Fields, check_version, dump_json, load_json
from drift_arrow.format.file_header import FileHeader, decode_file_header
from drift_arrow.format.layout import (
    FOOTER_PREFIX_BYTES,
    FORMAT_VERSION,
    INDEX_ENTRY_BYTES,
    MAX_FOOTER_BYTES,
    MAX_SEGMENT_ROWS,
    SEGMENT_KIND,
    SEGMENT_TAIL_MAGIC,
    padding_bytes,
)
from drift_arrow.format.schema import decode_schema, encode_schema, is_vector_type

_PREFIX: Final = struct.Struct("<II")
_TAIL: Final = struct.Struct("<QQQQ")
_ENTRY_ALIGNMENT: Final = 8
_KEYS: Final = ("kind", "format_version", "schema", "vector", "key", "metric", "n_rows", "n_buckets", "seqno_range")


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentMeta:
    """What the JSON of a footer says; the fields are those of `SegmentContent`."""

    schema: pa.Schema
    vector: str
    key: str
    metric: str
    n_rows: int
    n_buckets: int
    seqno_range: tuple[int, int]

    @property
    def vector_type(self) -> pa.FixedSizeListType:
        """Type of the vector column."""
        return self.schema.field(self.vector).type


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentTail:
    """The last 64 bytes of a segment: where its footer is, and how large the file was when it was written."""

    uuid: str
    footer_offset: int
    footer_stored_len: int
    footer_checksum: int
    size_bytes: int

    def encode(self) -> bytes:
        """The 64 bytes."""
        detail = _TAIL.pack(self.footer_offset, self.footer_stored_len, self.footer_checksum, self.size_bytes)
        return FileHeader(magic=SEGMENT_TAIL_MAGIC, uuid=self.uuid, detail=detail).encode()


def decode_tail(data: memoryview, uuid: str, size_bytes: int, *, path: str) -> SegmentTail:
    """Read the tail of the segment `uuid`.

    Parameters
    ----------
    data : memoryview
        The last bytes of the file, at most 64.
    uuid : str
        Of the header of the file.
    size_bytes : int
        Of the whole file.
    path : str
        Named in errors.

    Raises
    ------
    CorruptionError
        The file is cut off, or the tail is damaged or of another file.
    UnsupportedFormatError
        A newer version wrote it.
    """
    offset = size_bytes - len(data)
    header = decode_file_header(data, SEGMENT_TAIL_MAGIC, path=path, offset=offset)
    footer_offset, footer_stored_len, footer_checksum, declared_bytes = _TAIL.unpack(header.detail)
    if header.uuid != uuid or declared_bytes != size_bytes:
        raise CorruptionError("tail belongs to another file", path=path, offset=offset)
    return SegmentTail(
        uuid=uuid,
        footer_offset=footer_offset,
        footer_stored_len=footer_stored_len,
        footer_checksum=footer_checksum,
        size_bytes=size_bytes,
    )


def encode_footer(meta: SegmentMeta, entries: NDArray[np.void]) -> bytes:
    """Raw bytes of the footer block.

    Raises
    ------
    LimitExceededError
        They are more than 16 MiB: the segment has too many blocks.
    """
    text = dump_json(
        {
            "kind": SEGMENT_KIND,
            "format_version": FORMAT_VERSION,
            "schema": base64.b64encode(encode_schema(meta.schema)).decode("ascii"),
            "vector": meta.vector,
            "key": meta.key,
            "metric": meta.metric,
            "n_rows": meta.n_rows,
            "n_buckets": meta.n_buckets,
            "seqno_range": list(meta.seqno_range),
        }
    )
    padding = bytes(padding_bytes(len(text), _ENTRY_ALIGNMENT))
    raw = b"".join([_PREFIX.pack(len(text), len(entries)), text, padding, entries.tobytes()])
    if len(raw) > MAX_FOOTER_BYTES:
        message = f"segment has too many blocks: write fewer rows; footer_bytes={len(raw)} limit={MAX_FOOTER_BYTES}"
        raise LimitExceededError(message)
    return raw


def decode_footer(raw: memoryview, header: BlockHeader, *, path: str, offset: int) -> tuple[SegmentMeta, BlockIndex]:
    """Read the raw bytes of a footer block whose checksum was verified.

    Raises
    ------
    CorruptionError
        Counts, JSON or index are not what a writer writes.
    UnsupportedFormatError
        A newer version wrote it.
    """
    if len(raw) < FOOTER_PREFIX_BYTES:
        raise CorruptionError("footer is cut off", path=path, offset=offset)
    text_bytes, n_blocks = _PREFIX.unpack_from(raw)
    text_stop = FOOTER_PREFIX_BYTES + text_bytes
    index_start = text_stop + padding_bytes(text_bytes, _ENTRY_ALIGNMENT)
    if index_start + n_blocks * INDEX_ENTRY_BYTES != len(raw) or header.n_values != n_blocks:
        raise CorruptionError("footer has another length than its counts say", path=path, offset=offset)
    fields = load_json(raw[FOOTER_PREFIX_BYTES:text_stop], MAX_FOOTER_BYTES, path=path, offset=offset)
    entries = np.frombuffer(raw[index_start:], dtype=INDEX_DTYPE)
    return _meta_from(fields), BlockIndex(entries)


def _meta_from(fields: Fields) -> SegmentMeta:
    check_version(fields, SEGMENT_KIND)
    fields.only(*_KEYS)
    schema = decode_schema(fields.base64("schema"), path=fields.path, offset=fields.offset)
    vector, key = fields.text("vector"), fields.text("key")
    if schema.get_field_index(key) < 0 or schema.get_field_index(vector) < 0:
        raise fields.error("names a column that is not in the schema")
    if not is_vector_type(schema.field(vector).type):
        raise fields.error("names a vector column of another type")
    n_rows = fields.integer("n_rows", 1, MAX_SEGMENT_ROWS)
    return SegmentMeta(
        schema=schema,
        vector=vector,
        key=key,
        metric=fields.text("metric", "l2|cosine|dot"),
        n_rows=n_rows,
        n_buckets=fields.integer("n_buckets", 1, MAX_SEGMENT_ROWS),
        seqno_range=fields.pair("seqno_range"),
    )
