"""Rows -> the bytes of one segment, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import xxhash
from numpy.typing import NDArray

from drift_arrow.errors import LimitExceededError
from drift_arrow.format.block import BlockHeader, encode_block
from drift_arrow.format.block_index import INDEX_DTYPE, index_entry
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.codecs.part import Encoded
from drift_arrow.format.column import encode_column, gather_chunks
from drift_arrow.format.column_encoder import ColumnEncoder
from drift_arrow.format.file_header import FileHeader
from drift_arrow.format.layout import (
    COLD_BLOCK_BYTES,
    HEADER_BYTES,
    MAX_BLOCK_BYTES,
    NO_COLUMN,
    PAGE_BYTES,
    PAYLOAD_BLOCK_ROWS,
    SEGMENT_MAGIC,
    BlockType,
    Buffer,
)
from drift_arrow.format.segment_content import SegmentContent
from drift_arrow.format.segment_footer import SegmentTail, encode_footer

__all__ = ["SegmentContent", "SegmentSummary", "write_segment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSummary:
    """What a manifest needs to know about the bytes that were written; `digest` is their xxh3-128."""

    size_bytes: int
    digest: str


def write_segment(write: Callable[[Buffer], object], content: SegmentContent) -> SegmentSummary:
    """Write one segment: header page, blocks, footer, tail.

    Parameters
    ----------
    write : callable
        Takes the next bytes of the file; must have consumed them when it returns. Whatever it raises passes through.
    content : SegmentContent

    Returns
    -------
    SegmentSummary

    Raises
    ------
    InvalidArgumentError
        The content does not fit together, or one bucket has more than 16 MiB of codes. Nothing was written.
    LimitExceededError
        One value alone does not fit into a block, or there are too many blocks for a footer.

    Notes
    -----
    Holds one block in memory besides the content. The same content gives the same bytes.
    """
    content.check()
    sink = _Sink(write, content.uuid)
    sink.write_header_page()
    for block_type, first_row, rows in _array_blocks(content):
        sink.write_block(block_type, rows, n_values=len(rows), first_row=first_row)
    for column, name in enumerate(content.schema.names):
        if name != content.vector:
            _write_column(sink, column, content.table.column(name), name)
    return sink.finish(content)


class _Sink:
    """Appends blocks, and remembers what the footer and the manifest must say about them."""

    def __init__(self, write: Callable[[Buffer], object], uuid: str) -> None:
        self._write = write
        self._uuid = uuid
        self._hash = xxhash.xxh3_128()
        self._offset = 0
        self._entries: list[tuple[int, ...]] = []

    def write_header_page(self) -> None:
        header = FileHeader(magic=SEGMENT_MAGIC, uuid=self._uuid).encode()
        self._append(header + bytes(PAGE_BYTES - HEADER_BYTES))

    def write_block(
        self,
        block_type: BlockType,
        raw: Buffer,
        *,
        n_values: int,
        first_row: int = 0,
        column: int = NO_COLUMN,
        encoded: Encoded | None = None,
    ) -> BlockHeader:
        header, buffers = encode_block(
            self._uuid, block_type, raw, n_values=n_values, first_row=first_row, column=column, encoded=encoded
        )
        self._entries.append(index_entry(header, self._offset))
        for buffer in buffers:
            self._append(buffer)
        return header

    def finish(self, content: SegmentContent) -> SegmentSummary:
        footer_offset = self._offset
        entries = np.array(self._entries, dtype=INDEX_DTYPE)
        footer = encode_footer(content.meta, entries)
        header = self.write_block(BlockType.FOOTER, footer, n_values=len(entries))
        tail = SegmentTail(
            uuid=self._uuid,
            footer_offset=footer_offset,
            footer_stored_len=header.stored_len,
            footer_checksum=header.checksum,
            size_bytes=self._offset + HEADER_BYTES,
        )
        self._append(tail.encode())
        return SegmentSummary(size_bytes=self._offset, digest=self._hash.hexdigest())

    def _append(self, buffer: Buffer) -> None:
        view = byte_view(buffer)
        if view:
            self._write(view)
            self._hash.update(view)
            self._offset += len(view)


def _array_blocks(content: SegmentContent) -> Iterator[tuple[BlockType, int, NDArray[Any]]]:
    """Type, first row and rows of every block of fixed-width values, in file order."""
    arrays: Final[list[tuple[BlockType, NDArray[Any]]]] = [
        (BlockType.BUCKET_OFFSETS, content.offsets),
        (BlockType.CENTROIDS, content.centroids),
        (BlockType.CODE_LO, content.lo),
        (BlockType.CODE_STEP, content.step),
        (BlockType.CODES, content.codes),
        (BlockType.NORMS, content.norms),
        (BlockType.FINGERPRINTS, content.fingerprints),
        (BlockType.KEY_ORDER, content.key_order),
        (BlockType.VECTORS, content.vectors),
    ]
    for block_type, array in arrays:
        row_bytes = array.itemsize * int(np.prod(array.shape[1:]))
        target = COLD_BLOCK_BYTES if block_type is BlockType.VECTORS else MAX_BLOCK_BYTES
        rows = max(target // row_bytes, 1)
        cuts = list(range(0, len(array), rows))
        if block_type is BlockType.CODES:
            cuts = _bucket_cuts(content.offsets, rows)
        for start, stop in zip(cuts, [*cuts[1:], len(array)], strict=True):
            yield block_type, start, np.ascontiguousarray(array[start:stop])


def _bucket_cuts(offsets: NDArray[np.int64], rows: int) -> list[int]:
    """First rows of code blocks of at most `rows` rows that no bucket crosses."""
    cuts = [0]
    while offsets[-1] - cuts[-1] > rows:
        # the last bucket boundary that still fits
        boundary = np.searchsorted(offsets, cuts[-1] + rows, side="right") - 1
        cuts.append(int(offsets[boundary]))
    return cuts


def _write_column(sink: _Sink, column: int, values: pa.ChunkedArray, name: str) -> None:
    first_row, wanted, encoder = 0, PAYLOAD_BLOCK_ROWS, ColumnEncoder(values.type, "hot")
    while first_row < len(values):
        rows, raw = _encode_rows(values, first_row, wanted, name)
        n_values, encoded = len(rows), encoder.encode(rows)
        sink.write_block(BlockType.COLUMN, raw, n_values=n_values, first_row=first_row, column=column, encoded=encoded)
        first_row += n_values
        # values of one column have about one size: do not search for the number of rows from the top every time
        wanted = min(2 * n_values, PAYLOAD_BLOCK_ROWS)


def _encode_rows(values: pa.ChunkedArray, first_row: int, wanted: int, name: str) -> tuple[pa.Array, pa.Buffer]:
    """As many of the `wanted` rows from `first_row` on as fit into a block, halving until they do, and their stream."""
    n_values = min(wanted, len(values) - first_row)
    while n_values:
        rows = gather_chunks(values.slice(first_row, n_values))
        # Arrow's own size first: rows that are far too many are not worth encoding
        if rows.nbytes <= MAX_BLOCK_BYTES:
            raw = encode_column(rows)
            if raw.size <= MAX_BLOCK_BYTES:
                return rows, raw
        n_values //= 2
    message = f"one value is too large for a block; column={name!r} row={first_row} limit_bytes={MAX_BLOCK_BYTES}"
    raise LimitExceededError(message)
