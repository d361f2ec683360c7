"""Values that are no numbers of at most 64 bits, but made of some: booleans and wide decimals."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from drift_arrow.format.codecs.part import Source
from drift_arrow.format.codecs.shape import Shape
from drift_arrow.format.numbers import filling, fixed_values, numbers_of

_WORD: Final = np.dtype(np.int64)


class Bools(Shape):
    """A byte per row, 0 or 1."""

    name = "bool"

    @classmethod
    def of(cls, kind: pa.DataType) -> Shape | None:
        """Booleans."""
        return cls(kind, [pa.uint8()]) if pt.is_boolean(kind) else None

    def split(self, array: pa.Array) -> list[pa.Array]:
        """The bytes, of nulls that of a neighbour."""
        bits = pc.fill_null(array, fill_value=False).to_numpy(zero_copy_only=False).view(np.uint8)
        return [pa.array(bits[filling(array)] if 0 < array.null_count < len(array) else bits)]

    def join(self, children: list[pa.Array], n_values: int, validity: pa.Buffer | None, source: Source) -> pa.Array:  # noqa: ARG002
        """A bitmap of the bytes."""
        bits = np.packbits(numbers_of(children[0]), bitorder="little")
        return pa.Array.from_buffers(self.kind, n_values, [validity, pa.py_buffer(bits)])


class Words(Shape):
    """Columns of the words of 64 bits of each value, the lowest first."""

    name = "words"

    @classmethod
    def of(cls, kind: pa.DataType) -> Shape | None:
        """Decimals of more than 64 bits."""
        is_wide = pt.is_decimal(kind) and kind.bit_width > _WORD.itemsize * 8
        return cls(kind, [pa.int64()] * (kind.bit_width // 64)) if is_wide else None

    def split(self, array: pa.Array) -> list[pa.Array]:
        """The words, of nulls those of a neighbour."""
        words = fixed_values(array, _WORD, len(self.kinds)).reshape(len(array), len(self.kinds))
        if array.null_count:
            words = words[filling(array)] if array.null_count < len(array) else np.zeros_like(words)
        return [pa.array(column) for column in words.T.copy()]

    def join(self, children: list[pa.Array], n_values: int, validity: pa.Buffer | None, source: Source) -> pa.Array:  # noqa: ARG002
        """The words of each value side by side."""
        words = np.empty((n_values, len(children)), _WORD)
        for column, child in zip(words.T, children, strict=True):
            column[:] = numbers_of(child)
        return pa.Array.from_buffers(self.kind, n_values, [validity, pa.py_buffer(words)])
