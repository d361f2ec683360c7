"""Columns of strings, binaries and fixed-size binaries: lengths as packed integers, bytes in frames of some rows."""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from drift_arrow.format.buffer import byte_view
from drift_arrow.format.codecs.frames import Frames, FrameSettings, compress_frames
from drift_arrow.format.codecs.head import Head, raw_size, read_head
from drift_arrow.format.codecs.part import ColumnBlock, Encode, Encoded, Part, Source, frame
from drift_arrow.format.codecs.sizes import is_string, is_text, offset_type, offsets_of
from drift_arrow.format.codecs.validity import Validity, with_validity
from drift_arrow.format.encoding import Encoding
from drift_arrow.format.layout import CodecId
from drift_arrow.format.numbers import filling, fixed_values, numbers_of
from drift_arrow.kernels.utf8 import are_utf8

_HEADER: Final = struct.Struct("<IB3s")
_LENGTH: Final = pa.uint32()


def encode_strings(array: pa.Array, settings: FrameSettings, encode: Encode) -> Encoded:
    """Encode an array of which `is_string` holds, its lengths by `encode`."""
    validity, n_values = Validity.of(array), len(array)
    data, offsets = string_bytes(array)
    cuts = [*offsets[: -1 : settings.rows].tolist(), int(offsets[-1])]
    head = _HEADER.pack(settings.rows, settings.dictionary is not None, b"")
    frames = compress_frames(data, cuts, settings)
    if pt.is_fixed_size_binary(array.type):
        stored = b"".join((validity.encode(), head, frames))
        return Encoded(CodecId.STRINGS, stored, raw_size(n_values, len(data), validity))
    lengths = encode(pa.array(np.diff(offsets), _LENGTH))
    stored = b"".join((validity.encode(), head, frame(lengths, n_values), frames))
    return Encoded(CodecId.STRINGS, stored, raw_size(n_values, lengths.raw_len + len(data), validity))


def string_bytes(array: pa.Array) -> tuple[memoryview, NDArray[np.int64]]:
    """The bytes of all rows, and the (n + 1,) offsets of the rows in them; nulls are empty, or repeat a neighbour."""
    if pt.is_fixed_size_binary(array.type):
        width = array.type.byte_width
        rows = fixed_values(array, np.dtype(np.uint8), width).reshape(len(array), width)
        if 0 < array.null_count < len(array):
            rows = rows[filling(array)]
        return byte_view(rows), np.arange(len(array) + 1) * width
    if array.null_count:
        array = array.fill_null("" if is_text(array.type) else b"")
    if not len(array):
        return memoryview(b""), np.zeros(1, np.int64)
    data = array.buffers()[2]
    offsets = offsets_of(array)
    used = memoryview(b"") if data is None else memoryview(data)[offsets[0] : offsets[-1]]
    return used, offsets - offsets[0]


def open_strings(part: Part, kind: pa.DataType, source: Source) -> StringsBlock:
    """Parse what `encode_strings` wrote; raises CorruptionError."""
    if not is_string(kind):
        raise source.damage(f"holds strings, but its column does not; type={kind}")
    head, cursor = read_head(part, kind, source)
    rows, with_dictionary, zeros = _HEADER.unpack(cursor.take(_HEADER.size))
    if not rows or with_dictionary > 1 or any(zeros) or with_dictionary > (source.dictionary is not None):
        raise source.damage(f"has an impossible header of strings; rows={rows} dictionary={with_dictionary}")
    lengths = None if pt.is_fixed_size_binary(kind) else cursor.part()
    frames = Frames(cursor, -(-part.n_values // rows), source.dictionary if with_dictionary else None, source)
    cursor.finish()
    head.check_size((0 if lengths is None else lengths.raw_len) + int(frames.raw_sizes.sum()))
    opened = None if lengths is None else source.open(lengths, _LENGTH, part.n_values)
    return StringsBlock(head, opened, frames, rows)


class StringsBlock:
    """Strings that decode frame by frame.

    Parameters
    ----------
    head : Head
    lengths : ColumnBlock or None
        Bytes of each row; None if all have the width of their type.
    frames : Frames
    rows : int
        Rows of a frame.
    """

    def __init__(self, head: Head, lengths: ColumnBlock | None, frames: Frames, rows: int) -> None:
        self.n_values = head.part.n_values
        self._head, self._lengths, self._frames = head, lengths, frames
        # a frame may be declared for any number of rows, but work is done for those that there are
        self._rows = min(rows, max(self.n_values, 1))

    def read(self) -> pa.Array:
        """All rows."""
        lengths = None if self._lengths is None else numbers_of(self._lengths.read())
        return self._array(np.arange(self._frames.raw_sizes.size), lengths, self._head.validity.read())

    def take(self, places: NDArray[np.int64]) -> pa.Array:
        """Rows in any order; decompresses each frame once."""
        needed, ranks = np.unique(places // self._rows, return_inverse=True)
        rows = (needed[:, None] * self._rows + np.arange(self._rows)).reshape(-1)
        lengths = None if self._lengths is None else numbers_of(self._lengths.take(rows[rows < self.n_values]))
        found = self._array(needed, lengths, None)
        taken = pc.take(found, pa.array(ranks * self._rows + places % self._rows), boundscheck=False)
        return with_validity(taken, self._head.validity.take(places))

    def describe(self) -> Encoding:
        """Frames, and how the lengths are encoded."""
        frames = self._frames
        detail = f"frames={frames.raw_sizes.size} plain={frames.n_plain} rows={self._rows}"
        return Encoding(
            name="STRINGS",
            children=() if self._lengths is None else (self._lengths.describe(),),
            n_values=self.n_values,
            stored_bytes=len(self._head.part.stored),
            detail=f"{detail} dictionary" if frames.with_dictionary else detail,
        )

    def _array(self, numbers: NDArray[np.int64], lengths: NDArray[Any] | None, validity: pa.Buffer | None) -> pa.Array:
        """Rows of some frames; only the last of them may be the last of all."""
        ends = np.minimum((numbers + 1) * self._rows, self.n_values) - numbers * self._rows
        ends = ends.cumsum()
        n_values = int(ends[-1]) if ends.size else 0
        offsets = np.zeros(n_values + 1, np.int64)
        np.cumsum(np.full(n_values, self._head.kind.byte_width) if lengths is None else lengths, out=offsets[1:])
        if (offsets[ends] != self._frames.raw_sizes[numbers].cumsum()).any():
            raise self._head.source.damage("holds strings of other lengths than their bytes")
        content = self._frames.read(numbers)
        buffers = [validity, pa.py_buffer(content)]
        if lengths is not None:
            buffers.insert(1, pa.py_buffer(offsets.astype(offset_type(self._head.kind), copy=False)))
        # of lengths that add up, only text can still be wrong
        if is_text(self._head.kind) and not are_utf8(content, offsets):
            raise self._head.source.damage("holds impossible strings, which are not UTF-8")
        return pa.Array.from_buffers(self._head.kind, n_values, buffers)
