"""A tombstone file: which rows of one segment are alive."""

from __future__ import annotations

from typing import Final

import numpy as np

from drift_arrow.errors import CorruptionError, InvalidArgumentError
from drift_arrow.format.block import check_padding, check_plain, check_stored, decode_block_header, encode_block, plain
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.file_header import FileHeader, decode_file_header
from drift_arrow.format.layout import (
    BITMAP_MAGIC,
    HEADER_BYTES,
    MAX_SEGMENT_ROWS,
    NO_COLUMN,
    PAGE_BYTES,
    BlockType,
    Buffer,
    Bytes,
    CodecId,
)

_BLOCK_START: Final = PAGE_BYTES


def encode_bitmap(bits: Bytes, n_rows: int, uuid: str) -> bytes:
    """The bytes of a tombstone file: a header page and one plain block.

    Parameters
    ----------
    bits : ((n_rows + 7) // 8,) uint8
        Bit r, counted from the lowest bit of byte 0, is set if row r is alive. Bits past `n_rows` are zero.
    n_rows : int
        Rows of the segment, at most 2**27.
    uuid : str
        Of the segment that the rows belong to.

    Raises
    ------
    InvalidArgumentError
        `bits` has another type, shape or excess bits.
    """
    if bits.dtype != np.uint8 or not 1 <= n_rows <= MAX_SEGMENT_ROWS or not _fits(byte_view(bits), n_rows):
        message = f"a bitmap has one bit per row and zeros after them; n_rows={n_rows} shape={bits.shape}"
        raise InvalidArgumentError(message)
    header = FileHeader(magic=BITMAP_MAGIC, uuid=uuid).encode()
    _, buffers = encode_block(uuid, BlockType.BITMAP, plain(bits), n_values=n_rows)
    return b"".join(map(byte_view, [header, bytes(PAGE_BYTES - HEADER_BYTES), *buffers]))


def decode_bitmap(data: Buffer, path: str, n_rows: int, uuid: str | None = None) -> Bytes:
    """Read the bytes of a tombstone file; every byte of it is checked.

    Parameters
    ----------
    data : buffer
        The whole file.
    path : str
        Named in errors.
    n_rows : int
        Rows of the segment.
    uuid : str, optional
        Of the segment; a bitmap of another one is refused.

    Returns
    -------
    ((n_rows + 7) // 8,) uint8
        Read-only view into `data`.

    Raises
    ------
    CorruptionError
        Any byte is damaged, or the file belongs to another segment.
    UnsupportedFormatError
        A newer version wrote the file.
    """
    view = byte_view(data)
    file_header = decode_file_header(view, BITMAP_MAGIC, path=path)
    check_padding(view[HEADER_BYTES:], PAGE_BYTES - HEADER_BYTES, path=path, offset=HEADER_BYTES)
    block = view[_BLOCK_START:]
    header = decode_block_header(block, file_header.uuid, path=path, offset=_BLOCK_START)
    bits = check_stored(block, header, path=path, offset=_BLOCK_START)
    used = HEADER_BYTES + header.stored_len
    check_padding(block[used:], header.size_bytes - used, path=path, offset=_BLOCK_START + used)
    identity = (header.type, header.codec, header.column, header.first_row, header.n_values)
    if identity != (BlockType.BITMAP, CodecId.PLAIN, NO_COLUMN, 0, n_rows) or uuid not in {None, file_header.uuid}:
        raise CorruptionError("not the bitmap of this segment", path=path, offset=_BLOCK_START)
    if len(block) != header.size_bytes:
        end = _BLOCK_START + header.size_bytes
        raise CorruptionError(f"bytes follow the end of the file; expected_bytes={end}", path=path, offset=end)
    check_plain(header, path=path, offset=_BLOCK_START)
    if not _fits(bits, n_rows):
        raise CorruptionError("bits are set past the last row", path=path, offset=_BLOCK_START + HEADER_BYTES)
    return np.frombuffer(bits, dtype=np.uint8).view()


def _fits(bits: memoryview, n_rows: int) -> bool:
    """One bit per row, rounded up to bytes, the rest zero."""
    unused = -n_rows % 8
    return len(bits) == (n_rows + 7) // 8 and (unused == 0 or bits[-1] >> (8 - unused) == 0)
