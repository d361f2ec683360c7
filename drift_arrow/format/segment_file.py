"""The frame of a segment: header page, blocks, footer and tail, each checked before it is used."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drift_arrow.errors import CorruptionError
from drift_arrow.format.block import BlockHeader, check_block, check_padding, decode_block, decode_block_header
from drift_arrow.format.block_index import BlockIndex
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.checksum import xxh3_128
from drift_arrow.format.column_block import check_codec
from drift_arrow.format.file_header import decode_file_header
from drift_arrow.format.layout import (
    HEADER_BYTES,
    NO_COLUMN,
    PAGE_BYTES,
    SEGMENT_MAGIC,
    VERIFY_ON_OPEN_BYTES,
    BlockType,
    Buffer,
    CodecId,
)
from drift_arrow.format.segment_footer import SegmentMeta, SegmentTail, decode_footer, decode_tail

# type, column, width of a value in bytes (None: varies), number of values
_Part = tuple[BlockType, int, int | None, int]


class SegmentFile:
    """The blocks of one segment by number; a block is verified before its bytes are first handed out.

    Parameters
    ----------
    data : buffer
        The whole file, for instance a read-only memory map, which stays alive as long as this object.
    path : str
        Named in errors.
    expected_size, expected_digest : int, str, optional
        What the manifest says. With a digest, files of at most 64 MiB are compared as a whole; of larger ones, and
        without a digest, hot blocks are verified now and the others at their first use.

    Raises
    ------
    CorruptionError
        The file is damaged, cut off or another one; the offset is that of the damaged region.
    UnsupportedFormatError
        A newer version wrote it.

    Notes
    -----
    Safe to use by many threads: two that verify the same block at once do the same work twice.
    """

    def __init__(
        self, data: Buffer, path: str, expected_size: int | None = None, expected_digest: str | None = None
    ) -> None:
        self.data = byte_view(data)
        self.path = path
        size = len(self.data)
        if expected_size not in {None, size}:
            message = f"segment has another size than the manifest says; expected={expected_size} actual={size}"
            raise CorruptionError(message, path=path, offset=min(size, expected_size or 0))
        self.uuid = decode_file_header(self.data, SEGMENT_MAGIC, path=path).uuid
        check_padding(self.data, HEADER_BYTES, PAGE_BYTES, path=path)
        self.tail = decode_tail(self.data, self.uuid, path=path)
        self.meta, self.index = self._read_footer(self.tail)
        self._verified = np.zeros(len(self.index), dtype=np.bool_)
        self._check_parts()
        if expected_digest is not None and size <= VERIFY_ON_OPEN_BYTES:
            self._check_digest(expected_digest)
        else:
            self.ensure_verified(np.flatnonzero(self.index.entries["type"] < BlockType.VECTORS))

    def ensure_verified(self, numbers: NDArray[np.intp]) -> None:
        """Verify those of the blocks `numbers` that were not yet; raises CorruptionError."""
        pending = numbers[~self._verified[numbers]]
        for number in np.unique(pending).tolist():
            self._verify(number)
            self._verified[number] = True

    def block(self, number: int) -> memoryview:
        """Raw bytes of a block, in the map if it is plain; raises CorruptionError."""
        self.ensure_verified(np.array([number]))
        return decode_block(self.data, int(self.index.offsets[number]), self._header(number), path=self.path)

    def stored(self, number: int) -> memoryview:
        """Stored bytes of a block; raises CorruptionError."""
        self.ensure_verified(np.array([number]))
        start = self.start(number)
        return self.data[start : start + int(self.index.entries["stored_len"][number])]

    def start(self, number: int) -> int:
        """Offset of the stored bytes of a block."""
        return int(self.index.offsets[number]) + HEADER_BYTES

    def verify(self) -> None:
        """Check every byte of the file again: headers, blocks, padding, footer and tail; raises CorruptionError."""
        decode_file_header(self.data, SEGMENT_MAGIC, path=self.path)
        check_padding(self.data, HEADER_BYTES, PAGE_BYTES, path=self.path)
        # before the blocks: the index is a view into the footer, and would blame them for its own damage
        self._read_footer(decode_tail(self.data, self.uuid, path=self.path))
        for number in range(len(self.index)):
            self._verify(number)
            end = int(self.index.offsets[number]) + self._header(number).size_bytes
            stop = self.start(number) + int(self.index.entries["stored_len"][number])
            check_padding(self.data, stop, end, path=self.path)

    def _check_digest(self, expected: str) -> None:
        actual = xxh3_128(self.data)
        if actual != expected:
            self.verify()
            message = f"segment is not the one that the manifest names; expected={expected} actual={actual}"
            raise CorruptionError(message, path=self.path, offset=0)
        self._verified[:] = True

    def _read_footer(self, tail: SegmentTail) -> tuple[SegmentMeta, BlockIndex]:
        offset, path = tail.footer_offset, self.path
        header = decode_block_header(self.data, offset, self.uuid, path=path)
        is_footer = header.type == BlockType.FOOTER and header.codec == CodecId.PLAIN and header.column == NO_COLUMN
        named = (tail.footer_stored_len, tail.footer_checksum) == (header.stored_len, header.checksum)
        end = offset + header.size_bytes
        if not is_footer or not named or header.first_row or end + HEADER_BYTES != len(self.data):
            raise CorruptionError("footer is not the one that the tail names", path=path, offset=offset)
        check_block(self.data, offset, header, path=path)
        check_padding(self.data, offset + HEADER_BYTES + header.stored_len, end, path=path)
        raw = decode_block(self.data, offset, header, path=path)
        meta, index = decode_footer(raw, header, path=path, offset=offset + HEADER_BYTES)
        index.check_layout(offset, path=path, offset=offset + HEADER_BYTES)
        return meta, index

    def _check_parts(self) -> None:
        """The index holds exactly the blocks that the metadata asks for, each part complete and in a known codec."""
        parts = self._parts()
        complete = all(
            self.index.covers(kind, count, width, column=column)
            and (width is None or (self.index.entries["codec"][self.index.blocks(kind, column)] == CodecId.PLAIN).all())
            for kind, column, width, count in parts
        )
        n_blocks = sum(len(range(*self.index.blocks(kind, column).indices(1 << 30))) for kind, column, _, _ in parts)
        if not complete or n_blocks != len(self.index):
            offset = self.tail.footer_offset + HEADER_BYTES
            raise CorruptionError("block index contradicts the metadata", path=self.path, offset=offset)
        for codec in np.unique(self.index.entries["codec"]).tolist():
            check_codec(codec, path=self.path)

    def _parts(self) -> list[_Part]:
        meta = self.meta
        dim = meta.vector_type.list_size
        vector_bytes = dim * meta.vector_type.value_type.bit_width // 8
        vector = meta.schema.get_field_index(meta.vector)
        return [
            (BlockType.BUCKET_OFFSETS, NO_COLUMN, 8, meta.n_buckets + 1),
            (BlockType.CENTROIDS, NO_COLUMN, 4 * dim, meta.n_buckets),
            (BlockType.CODE_LO, NO_COLUMN, 4 * dim, meta.n_buckets),
            (BlockType.CODE_STEP, NO_COLUMN, 4 * dim, meta.n_buckets),
            (BlockType.CODES, NO_COLUMN, dim, meta.n_rows),
            (BlockType.NORMS, NO_COLUMN, 4, meta.n_rows),
            (BlockType.FINGERPRINTS, NO_COLUMN, 16, meta.n_rows),
            (BlockType.KEY_ORDER, NO_COLUMN, 4, meta.n_rows),
            (BlockType.VECTORS, NO_COLUMN, vector_bytes, meta.n_rows),
            *((BlockType.COLUMN, i, None, meta.n_rows) for i in range(len(meta.schema)) if i != vector),
        ]

    def _header(self, number: int) -> BlockHeader:
        """The header in the file, which must say what the index says; raises CorruptionError."""
        offset = int(self.index.offsets[number])
        header = decode_block_header(self.data, offset, self.uuid, path=self.path)
        if not self.index.describes(number, header):
            raise CorruptionError("block is not the one that the index names", path=self.path, offset=offset)
        return header

    def _verify(self, number: int) -> None:
        check_block(self.data, int(self.index.offsets[number]), self._header(number), path=self.path)
