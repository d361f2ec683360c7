"""Numbers cut into planes, the first bytes of all, then the second ones and so on, each compressed by itself."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drift_arrow.format.buffer import byte_view
from drift_arrow.format.codecs.compressed import COLD_LEVEL
from drift_arrow.format.codecs.frames import Frames, FrameSettings, compress_frames
from drift_arrow.format.codecs.head import Head, read_head
from drift_arrow.format.codecs.part import Encoded, Part, Source
from drift_arrow.format.codecs.validity import Validity
from drift_arrow.format.encoding import Encoding
from drift_arrow.format.layout import CodecId
from drift_arrow.format.numbers import filled_numbers, number_dtype


def encode_planes(array: pa.Array) -> Encoded:
    """Encode an array for whose type there is a `number_dtype`."""
    values, validity = filled_numbers(array), Validity.of(array)
    planes = np.ascontiguousarray(values.view(np.uint8).reshape(len(values), values.itemsize).T)
    cuts = [plane * len(values) for plane in range(values.itemsize + 1)]
    frames = compress_frames(byte_view(planes), cuts, FrameSettings(len(values), COLD_LEVEL))
    return Encoded(CodecId.PLANES, validity.encode() + frames, values.nbytes + validity.raw_len)


def open_planes(part: Part, kind: pa.DataType, source: Source) -> PlanesBlock:
    """Parse what `encode_planes` wrote; raises CorruptionError."""
    dtype = number_dtype(kind)
    if dtype is None:
        raise source.damage(f"holds numbers, but its column does not; type={kind}")
    head, cursor = read_head(part, kind, source)
    frames = Frames(cursor, dtype.itemsize, None, source)
    cursor.finish()
    head.check_size(part.n_values * dtype.itemsize)
    if (frames.raw_sizes != part.n_values).any():
        raise source.damage("holds planes of another size than its values")
    return PlanesBlock(head, frames)


class PlanesBlock:
    """Numbers that decode all at once."""

    def __init__(self, head: Head, frames: Frames) -> None:
        self.n_values = head.part.n_values
        self._head, self._frames = head, frames

    def read(self) -> pa.Array:
        """All rows."""
        return self._array(self._rows(), self._head.validity.read())

    def take(self, places: NDArray[np.int64]) -> pa.Array:
        """Rows in any order."""
        return self._array(self._rows()[places], self._head.validity.take(places))

    def describe(self) -> Encoding:
        """Planes that are compressed."""
        n_planes = self._frames.raw_sizes.size
        return Encoding(
            name="PLANES",
            n_values=self.n_values,
            stored_bytes=len(self._head.part.stored),
            detail=f"planes={n_planes} plain={self._frames.n_plain}",
        )

    def _rows(self) -> NDArray[np.uint8]:
        """The bytes of each number, (n, width)."""
        n_planes = self._frames.raw_sizes.size
        planes = self._frames.read(np.arange(n_planes))
        return planes.reshape(n_planes, self.n_values).T

    def _array(self, rows: NDArray[np.uint8], validity: pa.Buffer | None) -> pa.Array:
        values = pa.py_buffer(np.ascontiguousarray(rows))
        return pa.Array.from_buffers(self._head.kind, len(rows), [validity, values])
