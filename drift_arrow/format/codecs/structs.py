"""Structs: one column per field; and columns of nothing but nulls, which are made of none."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.types as pt

from drift_arrow.format.codecs.part import Source
from drift_arrow.format.codecs.shape import Shape


class Structs(Shape):
    """A child per field, which has nulls of its own."""

    name = "struct"

    @classmethod
    def of(cls, kind: pa.DataType) -> Shape | None:
        """Structs."""
        return cls(kind, [kind.field(i).type for i in range(kind.num_fields)]) if pt.is_struct(kind) else None

    def split(self, array: pa.Array) -> list[pa.Array]:
        """The fields."""
        return [array.field(i) for i in range(array.type.num_fields)]

    def join(self, children: list[pa.Array], n_values: int, validity: pa.Buffer | None, source: Source) -> pa.Array:  # noqa: ARG002
        """The structs of some fields."""
        return pa.Array.from_buffers(self.kind, n_values, [validity], children=children)


class Nulls(Shape):
    """No child."""

    name = "null"

    @classmethod
    def of(cls, kind: pa.DataType) -> Shape | None:
        """The type of columns without any value."""
        return cls(kind, []) if pt.is_null(kind) else None

    def split(self, array: pa.Array) -> list[pa.Array]:  # noqa: ARG002
        """None."""
        return []

    def join(self, children: list[pa.Array], n_values: int, validity: pa.Buffer | None, source: Source) -> pa.Array:  # noqa: ARG002
        """Nulls."""
        return pa.nulls(n_values)
