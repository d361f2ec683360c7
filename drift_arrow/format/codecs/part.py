"""Parts: encoded columns, and how the stored bytes of one hold those of others."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drift_arrow.errors import CorruptionError
from drift_arrow.format.codecs.string_dictionary import StringDictionary
from drift_arrow.format.encoding import Encoding
from drift_arrow.format.layout import ARRAY_ALIGNMENT, MAX_BLOCK_BYTES, MAX_PART_DEPTH, CodecId, padding_bytes

_HEADER: Final = struct.Struct("<B3sIII")


class Encoded(NamedTuple):
    """Stored bytes of a column, and what a reader must know to decode them.

    codec : CodecId
    stored : buffer
    raw_len : int      about the bytes of the Arrow buffers; of `PLAIN` and `ZSTD`, those of the Arrow stream
    """

    codec: CodecId
    stored: memoryview | bytes
    raw_len: int


class Part(NamedTuple):
    """As `Encoded`, but read from a file: nothing of it is believed.

    codec, n_values, raw_len : int
    stored : memoryview
    """

    codec: int
    n_values: int
    raw_len: int
    stored: memoryview


class ColumnBlock(Protocol):
    """Encoded rows of a column that were parsed and checked. Immutable; safe to use by many threads."""

    n_values: int

    def read(self) -> pa.Array:
        """All rows, in plain form.

        Raises
        ------
        CorruptionError
            What can only be seen when it is decoded: frames that do not decompress, codes without a value, text that
            is not UTF-8.
        """
        ...

    def take(self, places: NDArray[np.int64]) -> pa.Array:
        """Rows in any order, repeats allowed, in plain form; decodes what they need only.

        Parameters
        ----------
        places : (m,) int64
            In [0, n_values), which the caller vouches for.

        Raises
        ------
        CorruptionError
            As `read`.
        """
        ...

    def describe(self) -> Encoding:
        """What `drift-cli inspect` prints."""
        ...


class Source(NamedTuple):
    """Where stored bytes come from, and all that parts of any depth need to be opened.

    Parameters
    ----------
    path, offset : str, int
        For errors.
    dictionary : StringDictionary or None
        That strings of the column may refer to.
    opener : callable
        Opens parts of any codec.
    depth : int
        Parts around this one.
    """

    path: str
    offset: int
    dictionary: StringDictionary | None
    opener: Callable[[Part, pa.DataType, Source], ColumnBlock]
    depth: int = 0

    def open(self, part: Part, kind: pa.DataType, n_values: int) -> ColumnBlock:
        """Open a part inside this one, which must declare `n_values`; raises CorruptionError."""
        if part.n_values != n_values:
            raise self.damage(f"holds a part of another number of values; got={part.n_values} want={n_values}")
        if self.depth >= MAX_PART_DEPTH:
            raise self.damage(f"nests too deep; limit={MAX_PART_DEPTH}")
        return self.opener(part, kind, self._replace(depth=self.depth + 1))

    def damage(self, problem: str) -> CorruptionError:
        """The error to raise."""
        return CorruptionError(f"block of a column {problem}", path=self.path, offset=self.offset)


Encode = Callable[[pa.Array], Encoded]
"""Encodes a child, with what pays."""


def frame(encoded: Encoded, n_values: int) -> bytes:
    """The bytes of an encoded column inside another one."""
    stored_len = len(encoded.stored)
    header = _HEADER.pack(encoded.codec, b"", n_values, encoded.raw_len, stored_len)
    return b"".join((header, encoded.stored, bytes(padding_bytes(stored_len, ARRAY_ALIGNMENT))))


class Cursor:
    """Takes stored bytes apart from front to back, in steps of 8 bytes.

    Parameters
    ----------
    stored : memoryview
    source : Source
    """

    def __init__(self, stored: memoryview, source: Source) -> None:
        self._stored, self._source, self._place = stored, source, 0

    def take(self, size: int) -> memoryview:
        """The next `size` bytes; raises CorruptionError if there are fewer, or if their padding is not zero."""
        start, stop = self._place, self._place + size
        self._place = stop + padding_bytes(stop, ARRAY_ALIGNMENT)
        if self._place > len(self._stored):
            raise self._source.damage("is cut off")
        if stop < self._place and any(self._stored[stop : self._place]):
            raise self._source.damage("has padding that is not zero")
        return self._stored[start:stop]

    def part(self) -> Part:
        """The next child; raises CorruptionError."""
        codec, zeros, n_values, raw_len, stored_len = _HEADER.unpack(self.take(_HEADER.size))
        if any(zeros) or raw_len > MAX_BLOCK_BYTES or n_values > MAX_BLOCK_BYTES:
            raise self._source.damage(f"holds an impossible part; codec={codec} n_values={n_values} raw_len={raw_len}")
        return Part(codec, n_values, raw_len, self.take(stored_len))

    def rest(self) -> memoryview:
        """All bytes that are left."""
        start, self._place = self._place, len(self._stored)
        return self._stored[start:]

    def finish(self) -> None:
        """Raise CorruptionError if bytes are left."""
        if self._place != len(self._stored):
            raise self._source.damage("holds more bytes than its parts")
