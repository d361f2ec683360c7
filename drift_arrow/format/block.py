"""A block: 64 bytes of header, the stored bytes, zeros up to the next page.

The checksum of the header starts from the UUID of the file, so that a block of another file never passes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np

from drift_arrow.errors import CorruptionError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.checksum import check_xxh3_64, xxh3_64
from drift_arrow.format.codecs.part import Encoded
from drift_arrow.format.file_header import uuid_bytes
from drift_arrow.format.layout import (
    BLOCK_MAGIC,
    HEADER_BYTES,
    MAX_BLOCK_BYTES,
    NO_COLUMN,
    PAGE_BYTES,
    BlockType,
    Buffer,
    CodecId,
    padding_bytes,
)

_HEADER: Final = struct.Struct("<4sBBHQIIIIQ16sQ")
_CHECKED_BYTES: Final = HEADER_BYTES - 8


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockHeader:
    """What the 64 bytes before a block's stored bytes say.

    Parameters
    ----------
    type : int
        A `BlockType`.
    codec : int
        A `CodecId`.
    column : int
        Position in the schema, or NO_COLUMN.
    first_row, n_values : int
        The block holds rows (or buckets) ``first_row`` up to ``first_row + n_values``.
    raw_len, stored_len : int
        Bytes before and after the codec, at most 16 MiB.
    checksum : int
        xxh3-64 of the stored bytes.
    """

    type: int
    codec: int
    column: int
    first_row: int
    n_values: int
    raw_len: int
    stored_len: int
    checksum: int

    @property
    def size_bytes(self) -> int:
        """Bytes of the whole block in the file: header, stored bytes and padding."""
        used = HEADER_BYTES + self.stored_len
        return used + padding_bytes(used, PAGE_BYTES)

    def encode(self, uuid: str) -> bytes:
        """The 64 bytes of the header in the file `uuid`."""
        fields = (self.type, self.codec, self.column, self.first_row, self.n_values, self.raw_len, self.stored_len, 0)
        unsealed = _HEADER.pack(BLOCK_MAGIC, *fields, self.checksum, b"", 0)[:_CHECKED_BYTES]
        return unsealed + xxh3_64(uuid_bytes(uuid), unsealed).to_bytes(8, "little")


def plain(raw: Buffer) -> Encoded:
    """Bytes as they are."""
    view = byte_view(raw)
    return Encoded(CodecId.PLAIN, view, len(view))


def encode_block(
    uuid: str, block_type: BlockType, encoded: Encoded, *, n_values: int, first_row: int = 0, column: int = NO_COLUMN
) -> tuple[BlockHeader, list[Buffer]]:
    """Frame what a codec made of some values, or `plain` bytes, as a block of the file `uuid`.

    Returns
    -------
    (BlockHeader, list of buffers)
        The buffers are written one after the other, at the start of a page; the stored bytes are not copied.
    """
    stored_view = byte_view(encoded.stored)
    header = BlockHeader(
        type=block_type,
        codec=encoded.codec,
        column=column,
        first_row=first_row,
        n_values=n_values,
        raw_len=encoded.raw_len,
        stored_len=len(stored_view),
        checksum=xxh3_64(stored_view),
    )
    padding = bytes(header.size_bytes - HEADER_BYTES - header.stored_len)
    return header, [header.encode(uuid), stored_view, padding]


def decode_block_header(data: memoryview, uuid: str, *, path: str, offset: int) -> BlockHeader:
    """Read and check a block header.

    Parameters
    ----------
    data : memoryview
        From the header on, as far as the block may reach.
    uuid : str
        Of the file.
    path, offset : str, int
        Location of the header, for errors.

    Raises
    ------
    CorruptionError
        It is cut off, damaged, of another file, or declares lengths past the limits or past the end of `data`.
    """
    raw = data[:HEADER_BYTES]
    if len(raw) < HEADER_BYTES:
        raise CorruptionError("block header is cut off", path=path, offset=offset)
    magic, kind, codec, column, first_row, n_values, raw_len, stored_len, zero, checksum, zeros, own = _HEADER.unpack(
        raw
    )
    actual = xxh3_64(uuid_bytes(uuid), raw[:_CHECKED_BYTES])
    check_xxh3_64(actual, own, what="block header", path=path, offset=offset)
    room = len(data) - HEADER_BYTES
    is_bounded = raw_len <= MAX_BLOCK_BYTES and stored_len <= min(MAX_BLOCK_BYTES, room)
    if magic != BLOCK_MAGIC or zero or any(zeros) or not is_bounded:
        message = f"block header is impossible; magic={magic!r} raw_len={raw_len} stored_len={stored_len}"
        raise CorruptionError(message, path=path, offset=offset)
    return BlockHeader(
        type=kind,
        codec=codec,
        column=column,
        first_row=first_row,
        n_values=n_values,
        raw_len=raw_len,
        stored_len=stored_len,
        checksum=checksum,
    )


def check_stored(data: memoryview, header: BlockHeader, *, path: str, offset: int) -> memoryview:
    """The stored bytes of a block whose header was checked; `data` and `offset` are those of its header.

    Raises
    ------
    CorruptionError
        They do not match their checksum; their location is that of the error.
    """
    stored = data[HEADER_BYTES : HEADER_BYTES + header.stored_len]
    check_xxh3_64(xxh3_64(stored), header.checksum, what="block", path=path, offset=offset + HEADER_BYTES)
    return stored


def check_plain(header: BlockHeader, *, path: str, offset: int) -> None:
    """Raise CorruptionError unless the block is one whose stored bytes are its raw bytes."""
    if header.codec != CodecId.PLAIN or header.stored_len != header.raw_len:
        message = f"block is not plain; codec={header.codec} stored_len={header.stored_len} raw_len={header.raw_len}"
        raise CorruptionError(message, path=path, offset=offset)


def check_padding(data: memoryview, size_bytes: int, *, path: str, offset: int) -> None:
    """Raise CorruptionError unless the first `size_bytes` of `data` are there and zero; the first other one is named.

    `offset` is that of `data` in the file.
    """
    region = np.frombuffer(data[:size_bytes], dtype=np.uint8)
    if len(region) < size_bytes:
        raise CorruptionError("padding is cut off", path=path, offset=offset + len(region))
    if region.any():
        raise CorruptionError("padding is not zero", path=path, offset=offset + int(region.argmax()))
