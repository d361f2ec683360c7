"""Lists and maps: the values of all rows one after the other, and how many each row has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from drift_arrow.format.codecs.part import ColumnBlock, Part, Source
from drift_arrow.format.codecs.shape import Shape
from drift_arrow.format.numbers import numbers_of

_LENGTH: Final = pa.uint32()


class FixedLists(Shape):
    """Lists of one length: the values, also of nulls."""

    name = "fixed_size_list"

    @classmethod
    def of(cls, kind: pa.DataType) -> Shape | None:
        """Fixed-size lists."""
        return cls(kind, [kind.value_type], kind.list_size) if pt.is_fixed_size_list(kind) else None

    def split(self, array: pa.Array) -> list[pa.Array]:
        """The values."""
        return [array.values.slice(array.offset * self.per_row, len(array) * self.per_row)]

    def join(self, children: list[pa.Array], n_values: int, validity: pa.Buffer | None, source: Source) -> pa.Array:  # noqa: ARG002
        """Their lists."""
        return pa.Array.from_buffers(self.kind, n_values, [validity], children=children)


class Lists(Shape):
    """Lengths, 0 of nulls, and values. Those of a map are structs of a key and an item."""

    name = "list"

    @classmethod
    def of(cls, kind: pa.DataType) -> Shape | None:
        """Lists and maps."""
        if pt.is_map(kind):
            return cls(kind, [_LENGTH, pa.struct([kind.key_field, kind.item_field])])
        return cls(kind, [_LENGTH, kind.value_type]) if pt.is_list(kind) or pt.is_large_list(kind) else None

    def split(self, array: pa.Array) -> list[pa.Array]:
        """Lengths, and the values that they count."""
        offsets = array.offsets.to_numpy().astype(np.int64)
        starts, lengths = offsets[:-1], np.diff(offsets)
        if array.null_count:
            lengths[array.is_null().to_numpy(zero_copy_only=False)] = 0
        values = self._values(array)
        if offsets[-1] - offsets[0] == lengths.sum():
            values = values.slice(offsets[0], lengths.sum())
        else:
            values = pc.take(values, pa.array(_ranges(starts, lengths)))
        return [pa.array(lengths, _LENGTH), values]

    def counts(self, n_values: int, parts: Sequence[Part]) -> list[int]:
        """A length per row; how many values there are, only the lengths know."""
        return [n_values, parts[1].n_values]

    def take(self, children: Sequence[ColumnBlock], places: NDArray[np.int64], source: Source) -> list[pa.Array]:
        """Lengths and values of some rows."""
        lengths, values = children
        counted = numbers_of(lengths.read()).astype(np.int64)
        starts = counted.cumsum() - counted
        if counted.sum() != values.n_values:
            raise source.damage("holds lists of other lengths than their values")
        taken = counted[places]
        return [pa.array(taken, _LENGTH), values.take(_ranges(starts[places], taken))]

    def join(self, children: list[pa.Array], n_values: int, validity: pa.Buffer | None, source: Source) -> pa.Array:
        """Their lists."""
        lengths, values = children
        offsets = np.zeros(n_values + 1, np.int64)
        np.cumsum(numbers_of(lengths), out=offsets[1:])
        if offsets[-1] != len(values):
            raise source.damage("holds lists of other lengths than their values")
        places = pa.py_buffer(offsets.astype(np.int64 if pt.is_large_list(self.kind) else np.int32, copy=False))
        return pa.Array.from_buffers(self.kind, n_values, [validity, places], children=[values])

    def _values(self, array: pa.Array) -> pa.Array:
        """The values under the offsets of an array."""
        if not pt.is_map(self.kind):
            return array.values
        return pa.Array.from_buffers(self.kinds[1], len(array.keys), [None], children=[array.keys, array.items])


def _ranges(starts: NDArray[Any], lengths: NDArray[Any]) -> NDArray[np.int64]:
    """The numbers from each start on, as many as its length, one range after the other."""
    stops = lengths.cumsum()
    total = int(stops[-1]) if stops.size else 0
    ranges: NDArray[np.int64] = np.arange(total) + np.repeat(starts - stops + lengths, lengths)
    return ranges
