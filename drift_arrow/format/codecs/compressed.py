"""Encoded numbers behind a general compressor, for the profile that trades speed for size."""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
import pyarrow as pa
import zstandard
from numpy.typing import NDArray

from drift_arrow.format.codecs.part import ColumnBlock, Encoded, Part, Source
from drift_arrow.format.codecs.zstd import ZstdCodec
from drift_arrow.format.encoding import Encoding
from drift_arrow.format.layout import CodecId

COLD_LEVEL: Final = 9
"""zstd level of what is to be small; the next ones take twice the time and save a hundredth."""

_HEADER: Final = struct.Struct("<B3sI")
_INSIDE: Final = frozenset({CodecId.INTEGERS, CodecId.FLOATS})
_SPARE_BYTES: Final = 1 << 14
"""What encoded numbers may take beyond twice their size in memory: the last vector is packed as a whole one."""


def encode_compressed(encoded: Encoded) -> Encoded:
    """Compress encoded numbers."""
    compressed = zstandard.ZstdCompressor(level=COLD_LEVEL, write_content_size=True).compress(encoded.stored)
    stored = _HEADER.pack(encoded.codec, b"", len(encoded.stored)) + compressed
    return Encoded(CodecId.COMPRESSED, stored, encoded.raw_len)


def open_compressed(part: Part, kind: pa.DataType, source: Source) -> CompressedBlock:
    """Decompress and parse what `encode_compressed` wrote; raises CorruptionError."""
    if len(part.stored) < _HEADER.size:
        raise source.damage("is cut off")
    codec, zeros, size = _HEADER.unpack_from(part.stored)
    if codec not in _INSIDE or any(zeros) or size > 2 * part.raw_len + _SPARE_BYTES:
        raise source.damage(f"has an impossible header of what is compressed; codec={codec} size={size}")
    stored = ZstdCodec().decode(part.stored[_HEADER.size :], size, path=source.path, offset=source.offset)
    inside = source.open(Part(codec, part.n_values, part.raw_len, stored), kind, part.n_values)
    return CompressedBlock(inside, len(part.stored))


class CompressedBlock:
    """Numbers that are decompressed already."""

    def __init__(self, inside: ColumnBlock, stored_bytes: int) -> None:
        self.n_values = inside.n_values
        self._inside, self._stored_bytes = inside, stored_bytes

    def read(self) -> pa.Array:
        """All rows."""
        return self._inside.read()

    def take(self, places: NDArray[np.int64]) -> pa.Array:
        """Rows in any order."""
        return self._inside.take(places)

    def describe(self) -> Encoding:
        """What is inside has the size that it has there."""
        inside = self._inside.describe()
        return Encoding(
            name="COMPRESSED",
            children=(inside,),
            n_values=self.n_values,
            stored_bytes=self._stored_bytes,
            detail=f"bytes={inside.stored_bytes}",
        )
