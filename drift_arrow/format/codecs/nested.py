"""Columns whose rows are made of other columns, at any depth."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drift_arrow.format.codecs.head import Head, raw_size, read_head
from drift_arrow.format.codecs.lists import FixedLists, Lists
from drift_arrow.format.codecs.part import ColumnBlock, Encode, Encoded, Part, Source, frame
from drift_arrow.format.codecs.shape import Shape
from drift_arrow.format.codecs.structs import Nulls, Structs
from drift_arrow.format.codecs.validity import Validity
from drift_arrow.format.codecs.words import Bools, Words
from drift_arrow.format.encoding import Encoding
from drift_arrow.format.layout import CodecId

_SHAPES: Final[tuple[type[Shape], ...]] = (Nulls, Bools, Words, Structs, Lists, FixedLists)


def shape_of(kind: pa.DataType) -> Shape | None:
    """How rows of a type in plain form are made of columns; None if they are not."""
    found = (shape.of(kind) for shape in _SHAPES)
    return next((shape for shape in found if shape is not None), None)


def encode_nested(array: pa.Array, shape: Shape, encode: Encode) -> Encoded:
    """Encode an array of a type that has a shape, its children by `encode`."""
    validity, children = Validity.of(array), shape.split(array)
    parts = [encode(child) for child in children]
    frames = [frame(part, len(child)) for part, child in zip(parts, children, strict=True)]
    raw_len = raw_size(len(array), sum(part.raw_len for part in parts), validity)
    return Encoded(CodecId.NESTED, b"".join((validity.encode(), *frames)), raw_len)


def open_nested(part: Part, kind: pa.DataType, source: Source) -> NestedBlock:
    """Parse what `encode_nested` wrote; raises CorruptionError."""
    shape = shape_of(kind)
    if shape is None:
        raise source.damage(f"holds other columns, but rows of its column are not made of any; type={kind}")
    head, cursor = read_head(part, kind, source)
    parts = [cursor.part() for _ in shape.kinds]
    cursor.finish()
    head.check_size(sum(child.raw_len for child in parts))
    counts = shape.counts(part.n_values, parts)
    children = [source.open(*child) for child in zip(parts, shape.kinds, counts, strict=True)]
    return NestedBlock(head, shape, children)


class NestedBlock:
    """Rows made of other columns, which decode by themselves."""

    def __init__(self, head: Head, shape: Shape, children: list[ColumnBlock]) -> None:
        self.n_values = head.part.n_values
        self._head, self._shape, self._children = head, shape, children

    def read(self) -> pa.Array:
        """All rows."""
        children = [child.read() for child in self._children]
        return self._shape.join(children, self.n_values, self._head.validity.read(), self._head.source)

    def take(self, places: NDArray[np.int64]) -> pa.Array:
        """Rows in any order."""
        children = self._shape.take(self._children, places, self._head.source)
        return self._shape.join(children, len(places), self._head.validity.take(places), self._head.source)

    def describe(self) -> Encoding:
        """Name of the shape, and the children."""
        return Encoding(
            name="NESTED",
            children=tuple(child.describe() for child in self._children),
            n_values=self.n_values,
            stored_bytes=len(self._head.part.stored),
            detail=self._shape.name,
        )
