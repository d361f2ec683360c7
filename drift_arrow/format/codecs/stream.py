"""Columns of any type as an Arrow IPC stream, plain or compressed: the last resort, which carries every type."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drift_arrow.format.codec import choose, codec_of
from drift_arrow.format.codecs.part import Encoded, Part, Source
from drift_arrow.format.column import decode_column, encode_column
from drift_arrow.format.encoding import Encoding
from drift_arrow.format.layout import CodecId


def encode_stream(array: pa.Array) -> Encoded:
    """Write an array in plain form, compressed if that saves at least an eighth."""
    return choose(encode_column(array))


def open_stream(part: Part, kind: pa.DataType, source: Source) -> StreamBlock:
    """Read what `encode_stream` wrote, all of it; raises CorruptionError."""
    path, offset = source.path, source.offset
    raw = codec_of(part.codec, path=path).decode(part.stored, part.raw_len, path=path, offset=offset)
    array = decode_column(raw, kind, part.n_values, path=path, offset=offset)
    return StreamBlock(array, CodecId(part.codec).name, len(part.stored))


class StreamBlock:
    """Rows that are decoded already."""

    def __init__(self, array: pa.Array, name: str, stored_bytes: int) -> None:
        self.n_values, self._stored_bytes = len(array), stored_bytes
        self._array, self._name = array, name

    def read(self) -> pa.Array:
        """All rows."""
        return self._array

    def take(self, places: NDArray[np.int64]) -> pa.Array:
        """Rows in any order."""
        return pc.take(self._array, pa.array(places), boundscheck=False)

    def describe(self) -> Encoding:
        """Name and size."""
        return Encoding(name=self._name, n_values=self.n_values, stored_bytes=self._stored_bytes, detail="Arrow stream")
