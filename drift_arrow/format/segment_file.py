"""The frame of a segment: header page, blocks, footer and tail, each checked before it is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from drift_arrow.errors import CorruptionError
from drift_arrow.format.block import check_padding, check_plain, check_stored, decode_block_header
from drift_arrow.format.block_index import BlockIndex
from drift_arrow.format.checksum import xxh3_128
from drift_arrow.format.file_header import decode_file_header
from drift_arrow.format.layout import (
    BLOCK_CACHE_BYTES,
    HEADER_BYTES,
    MAX_FOOTER_BYTES,
    NO_COLUMN,
    PAGE_BYTES,
    SEGMENT_MAGIC,
    TAIL_READ_BYTES,
    VERIFY_ON_OPEN_BYTES,
    BlockType,
    Buffer,
)
from drift_arrow.format.segment_blocks import SegmentBlocks
from drift_arrow.format.segment_footer import SegmentMeta, SegmentTail, decode_footer, decode_tail
from drift_arrow.format.segment_parts import check_parts
from drift_arrow.format.source import FetchedFile, RangedSource, open_file

_WARM_SHARE: Final = 4
"""Of a mapped file, a quarter of the bytes of its codes may be kept in decoded payload: short text fits."""

_LEAST_WARM_BYTES: Final = 2 << 20
"""What may be kept even if that is more."""


class SegmentFile:
    """The blocks of one segment by number.

    Parameters
    ----------
    source : buffer or RangedSource
        The whole file, for instance a read-only memory map, which stays alive as long as this object; or a store that
        is asked for ranges of it.
    path : str
        Named in errors.
    expected_size, expected_digest : int, str, optional
        What the manifest says. With a digest, mapped files of at most 64 MiB are compared as a whole; of others, and
        without a digest, hot blocks are verified when they are read and the others at their first use.

    Raises
    ------
    CorruptionError
        The file is damaged, cut off or another one; the offset is that of the damaged region.
    UnsupportedFormatError
        A newer version wrote it.

    Notes
    -----
    A store is asked for header page and end of the file, then for the rest of footer and tables if they are longer.
    """

    def __init__(
        self,
        source: Buffer | RangedSource,
        path: str,
        expected_size: int | None = None,
        expected_digest: str | None = None,
    ) -> None:
        self.path = path
        self.file = open_file(source, path)
        self.size_bytes = self.file.size_bytes
        if expected_size not in {None, self.size_bytes}:
            message = f"segment has another size than the manifest says; expected={expected_size}"
            message = f"{message} actual={self.size_bytes}"
            raise CorruptionError(message, path=path, offset=min(self.size_bytes, expected_size or 0))
        self._hold((0, PAGE_BYTES), (max(self.size_bytes - TAIL_READ_BYTES, 0), self.size_bytes))
        self.uuid = self._read_header_page()
        self.tail = self._read_tail()
        self.meta, self.index = self._read_footer(self.tail)
        check_parts(self.index, self.meta, path=path, offset=self.tail.footer_offset + HEADER_BYTES)
        self._hold((self.index.tables_start, self.tail.footer_offset))
        self.blocks = SegmentBlocks(self.file, self.index, self.uuid, path)
        if expected_digest is not None and self.file.is_mapped and self.size_bytes <= VERIFY_ON_OPEN_BYTES:
            self._check_digest(expected_digest)

    @property
    def warm_bytes(self) -> int:
        """Most memory for blocks that are kept open, payload and vectors each."""
        if not self.file.is_mapped:
            return BLOCK_CACHE_BYTES
        code_bytes = self.meta.n_rows * int(self.meta.vector_type.list_size)
        return max(code_bytes // _WARM_SHARE, _LEAST_WARM_BYTES)

    def verify(self) -> None:
        """Check every byte of the file again: headers, blocks, padding, footer and tail; raises CorruptionError."""
        self._read_header_page()
        # before the blocks: the index is a view into the footer, and would blame them for its own damage
        self._read_footer(self._read_tail())
        for number, block in self._whole_blocks():
            offset = int(self.index.offsets[number])
            header = self.blocks.header(number, block)
            check_stored(block, header, path=self.path, offset=offset)
            used = HEADER_BYTES + header.stored_len
            check_padding(block[used:], header.size_bytes - used, path=self.path, offset=offset + used)

    def _hold(self, *spans: tuple[int, int]) -> None:
        if isinstance(self.file, FetchedFile):
            self.file.hold(spans)

    def _whole_blocks(self) -> Iterator[tuple[int, memoryview]]:
        """Number and bytes of every block in the order of the file, its padding included."""
        order = np.argsort(self.index.offsets)
        stops = [*self.index.offsets[order][1:].tolist(), self.tail.footer_offset]
        for number, stop in zip(order.tolist(), stops, strict=True):
            yield number, self.file.read([(int(self.index.offsets[number]), stop)])[0]

    def _check_digest(self, expected: str) -> None:
        actual = xxh3_128(self.file.read([(0, self.size_bytes)])[0])
        if actual != expected:
            self.verify()
            message = f"segment is not the one that the manifest names; expected={expected} actual={actual}"
            raise CorruptionError(message, path=self.path, offset=0)
        self.blocks.trust()

    def _read_header_page(self) -> str:
        page = self.file.read([(0, PAGE_BYTES)])[0]
        uuid = decode_file_header(page, SEGMENT_MAGIC, path=self.path).uuid
        check_padding(page[HEADER_BYTES:], PAGE_BYTES - HEADER_BYTES, path=self.path, offset=HEADER_BYTES)
        return uuid

    def _read_tail(self) -> SegmentTail:
        data = self.file.read([(max(self.size_bytes - HEADER_BYTES, 0), self.size_bytes)])[0]
        return decode_tail(data, self.uuid, self.size_bytes, path=self.path)

    def _read_footer(self, tail: SegmentTail) -> tuple[SegmentMeta, BlockIndex]:
        offset, path = tail.footer_offset, self.path
        problem = CorruptionError("footer is not the one that the tail names", path=path, offset=offset)
        if self.size_bytes - offset > MAX_FOOTER_BYTES + 2 * PAGE_BYTES:
            # before a store is asked for it
            raise problem
        frame = self.file.read([(offset, self.size_bytes - HEADER_BYTES)])[0]
        header = decode_block_header(frame, self.uuid, path=path, offset=offset)
        named = (tail.footer_stored_len, tail.footer_checksum) == (header.stored_len, header.checksum)
        is_footer = (header.type, header.column, header.first_row) == (BlockType.FOOTER, NO_COLUMN, 0)
        if not is_footer or not named or header.size_bytes != len(frame):
            raise problem
        check_plain(header, path=path, offset=offset)
        raw = check_stored(frame, header, path=path, offset=offset)
        used = HEADER_BYTES + header.stored_len
        check_padding(frame[used:], header.size_bytes - used, path=path, offset=offset + used)
        meta, index = decode_footer(raw, header, path=path, offset=offset + HEADER_BYTES)
        index.check_layout(offset, path=path, offset=offset + HEADER_BYTES)
        return meta, index
