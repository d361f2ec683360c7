"""What is tried for columns of numbers and strings, and what of it pays, in each profile."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import MappingProxyType
from typing import Final

import pyarrow as pa

from drift_arrow.format.codecs.compressed import COLD_LEVEL, encode_compressed
from drift_arrow.format.codecs.frames import FrameSettings
from drift_arrow.format.codecs.numbers import encode_numbers
from drift_arrow.format.codecs.part import Encoded
from drift_arrow.format.codecs.planes import encode_planes
from drift_arrow.format.codecs.sizes import is_string, plain_bytes
from drift_arrow.format.codecs.string_dictionary import STRING_LEVEL
from drift_arrow.format.layout import EXTENT_ROWS
from drift_arrow.kernels.integer_costs import SMALL
from drift_arrow.kernels.lanes import VALUES

_FRAME_ROWS: Final = 2 * VALUES

_LEAST_FRAME_BYTES: Final = 1 << 14
"""Smaller frames compress badly, and are decompressed in microseconds."""

_MOST_FRAME_BYTES: Final = 1 << 17
"""Larger frames take longer to decompress than a row is worth."""

_LOWEST_LEVEL: Final = 1

_TEXT_LEVEL: Final = 7
"""zstd level that text gains from, and that takes no longer to decompress."""

_MOST_SHARED: Final = 7 / 8
"""What is left at most of the stored bytes of frames that refer to a dictionary: they take half as long again."""

_LEAST_SAVING: Final = 2 / 3
"""What is left at most of the stored bytes after a step that takes time to undo."""


class Profile(ABC):
    """What the blocks of a column are to be good at."""

    @abstractmethod
    def numbers(self, array: pa.Array) -> Encoded:
        """The best encoding of numbers one by one."""

    @abstractmethod
    def frames(self, array: pa.Array) -> tuple[FrameSettings, ...]:
        """How strings may be compressed: what is worth a try."""

    @abstractmethod
    def most_shared(self, alone: Encoded) -> float:
        """Stored bytes up to which frames with a dictionary, and this with them, are better than those without."""

    @abstractmethod
    def most_bytes(self, other: Encoded, kind: pa.DataType) -> float:
        """Stored bytes up to which codes and distinct values are better than `other`, which has the values of rows."""


class Hot(Profile):
    """Fast to decode, all of it or the vectors of some rows.

    Notes
    -----
    Numbers are unpacked at 10 GB/s and more. A lookup of codes on top takes about as long again, so it must save a
    third of the stored bytes. There is no general compressor around numbers: it decodes much slower, and all at once.
    """

    def numbers(self, array: pa.Array) -> Encoded:
        """Packed."""
        return encode_numbers(array)

    def frames(self, array: pa.Array) -> tuple[FrameSettings, ...]:
        """About 2,048 rows in a frame, more or fewer where they are very short or long; also as digits want it."""
        rows, row_bytes = _FRAME_ROWS, plain_bytes(array) / max(len(array), 1)
        while rows < EXTENT_ROWS and rows * row_bytes < _LEAST_FRAME_BYTES:
            rows *= 2
        while rows > 1 and rows * row_bytes > _MOST_FRAME_BYTES:
            rows //= 2
        return FrameSettings(rows, _TEXT_LEVEL), FrameSettings(rows, STRING_LEVEL)

    def most_shared(self, alone: Encoded) -> float:
        """An eighth less."""
        return len(alone.stored) * _MOST_SHARED

    def most_bytes(self, other: Encoded, kind: pa.DataType) -> float:
        """Any saving for strings, which are looked up faster than decompressed; a third for numbers."""
        return len(other.stored) * (1 if is_string(kind) else _LEAST_SAVING)


class Cold(Profile):
    """Small, whatever time it takes to decode."""

    def numbers(self, array: pa.Array) -> Encoded:
        """Packed, and with a compressor behind or instead of that."""
        packed = encode_numbers(array, weights=SMALL)
        candidates = [
            packed,
            encode_compressed(encode_numbers(array, whole_bytes=True, weights=SMALL)),
            encode_planes(array),
        ]
        return min(candidates, key=lambda encoded: len(encoded.stored))

    def frames(self, array: pa.Array) -> tuple[FrameSettings, ...]:  # noqa: ARG002
        """As many rows in a frame as there are; at a low level too, which is better for digits without meaning."""
        return FrameSettings(EXTENT_ROWS, COLD_LEVEL), FrameSettings(VALUES, _LOWEST_LEVEL)

    def most_shared(self, alone: Encoded) -> float:
        """Any saving."""
        return len(alone.stored)

    def most_bytes(self, other: Encoded, kind: pa.DataType) -> float:  # noqa: ARG002
        """Any saving."""
        return len(other.stored)


PROFILES: Final = MappingProxyType({"hot": Hot(), "cold": Cold()})
