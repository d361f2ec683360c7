"""The contract of types whose rows are made of columns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drift_arrow.format.codecs.part import ColumnBlock, Part, Source


class Shape(ABC):
    """How the rows of one type are made of the rows of other columns, its children.

    Parameters
    ----------
    kind : pa.DataType
        In plain form; `suits` holds.

    Attributes
    ----------
    name : str
    kinds : list of pa.DataType
        Of the children, in the order of the file.
    per_row : int
        Values of a child for each row.
    """

    name: ClassVar[str]

    def __init__(self, kind: pa.DataType, kinds: list[pa.DataType], per_row: int = 1) -> None:
        self.kind, self.kinds, self.per_row = kind, kinds, per_row

    @classmethod
    @abstractmethod
    def of(cls, kind: pa.DataType) -> Shape | None:
        """The shape of `kind`, if it has this one."""

    @abstractmethod
    def split(self, array: pa.Array) -> list[pa.Array]:
        """The children of an array; what they hold for its nulls is any."""

    @abstractmethod
    def join(self, children: list[pa.Array], n_values: int, validity: pa.Buffer | None, source: Source) -> pa.Array:
        """The array of some children; raises CorruptionError."""

    def counts(self, n_values: int, parts: Sequence[Part]) -> list[int]:
        """Values that each child must have for n rows."""
        return [n_values * self.per_row] * len(parts)

    def take(self, children: Sequence[ColumnBlock], places: NDArray[np.int64], source: Source) -> list[pa.Array]:  # noqa: ARG002
        """The children of some rows; raises CorruptionError."""
        if self.per_row != 1:
            places = (places[:, None] * self.per_row + np.arange(self.per_row)).reshape(-1)
        return [child.take(places) for child in children]
