"""Bytes of a segment in the order of the file, and what footer and manifest must say about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray

from drift_arrow.format.block import BlockHeader, encode_block, plain
from drift_arrow.format.block_index import INDEX_DTYPE, index_entry
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.codecs.part import Encoded
from drift_arrow.format.file_header import FileHeader
from drift_arrow.format.layout import (
    HEADER_BYTES,
    MAX_BLOCK_BYTES,
    NO_COLUMN,
    PAGE_BYTES,
    SEGMENT_MAGIC,
    BlockType,
    Buffer,
)
from drift_arrow.format.segment_footer import SegmentMeta, SegmentTail, encode_footer


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSummary:
    """What a manifest needs to know about the bytes that were written; `digest` is their xxh3-128."""

    size_bytes: int
    digest: str


class SegmentSink:
    """Appends blocks behind the header page.

    Parameters
    ----------
    write : callable
        Takes the next bytes of the file.
    uuid : str
        Of the file.
    """

    def __init__(self, write: Callable[[Buffer], object], uuid: str) -> None:
        self._write = write
        self._uuid = uuid
        self._hash = xxhash.xxh3_128()
        self._offset = 0
        self._entries: list[tuple[int, ...]] = []
        header = FileHeader(magic=SEGMENT_MAGIC, uuid=uuid).encode()
        self._append(header + bytes(PAGE_BYTES - HEADER_BYTES))

    def write_block(
        self,
        block_type: BlockType,
        encoded: Encoded,
        *,
        n_values: int,
        first_row: int = 0,
        column: int = NO_COLUMN,
    ) -> BlockHeader:
        """Append one block."""
        header, buffers = encode_block(
            self._uuid, block_type, encoded, n_values=n_values, first_row=first_row, column=column
        )
        self._entries.append(index_entry(header, self._offset))
        for buffer in buffers:
            self._append(buffer)
        return header

    def write_array(self, block_type: BlockType, rows: NDArray[np.generic], *, first_row: int = 0) -> None:
        """Append plain blocks of rows of fixed width, as many as they need."""
        row_bytes = rows.itemsize * int(np.prod(rows.shape[1:]))
        n_rows = max(MAX_BLOCK_BYTES // row_bytes, 1)
        for start in range(0, len(rows), n_rows):
            part = np.ascontiguousarray(rows[start : start + n_rows])
            self.write_block(block_type, plain(part), n_values=len(part), first_row=first_row + start)

    def finish(self, meta: SegmentMeta) -> SegmentSummary:
        """Append footer and tail.

        Raises
        ------
        LimitExceededError
            There are too many blocks for a footer.
        """
        footer_offset = self._offset
        entries = np.array(self._entries, dtype=INDEX_DTYPE)
        entries = entries[np.lexsort((entries["first_row"], entries["column"], entries["type"]))]
        footer = encode_footer(meta, entries)
        header = self.write_block(BlockType.FOOTER, plain(footer), n_values=len(entries))
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
