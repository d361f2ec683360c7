"""A payload block that is decoded once when rows of it are asked for again and again."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drift_arrow.format.codecs.numbers import FloatsBlock, NumbersBlock
from drift_arrow.format.codecs.part import ColumnBlock
from drift_arrow.format.codecs.stream import StreamBlock
from drift_arrow.format.encoding import Encoding
from drift_arrow.format.numbers import numbers_of
from drift_arrow.format.row_lines import RowLine, array_line
from drift_arrow.format.single_floats import SingleFloats

_COLD_TAKES: Final = 8
"""Few rows of strings cost about an eighth of all rows of their block; so this never costs twice the best choice."""


class WarmColumn:
    """A block, and its rows once they have been asked for often.

    Parameters
    ----------
    block : ColumnBlock
    single : SingleFloats, optional
        If it is a block of floats, what its single rows are found by.

    Notes
    -----
    Safe to use by many threads; two may decode the rows at once.
    """

    def __init__(self, block: ColumnBlock, single: SingleFloats | None = None) -> None:
        self.n_values = block.n_values
        self._block, self._single = block, single
        self._n_takes = 0
        self._rows: pa.Array | None = None

    def read(self) -> pa.Array:
        """All rows."""
        return self._block.read() if self._rows is None else self._rows

    def read_into(self, out: NDArray[Any], *, streams: bool = False) -> bool:
        """Write all rows, which must be numbers, to (n,) `out` of their type; False if some of them are null.

        With `streams`, past the caches: if `out` is a part of so much that it leaves them.
        """
        if self._rows is None and isinstance(self._block, NumbersBlock):
            return self._block.read_into(out, streams=streams)
        rows = self.read()
        if rows.null_count:
            return False
        out[:] = numbers_of(rows)
        return True

    def take(self, places: NDArray[np.int64]) -> pa.Array:
        """Rows in any order."""
        if isinstance(self._block, NumbersBlock):
            return self._block.take(places)
        if self._rows is None:
            self._n_takes += 1
            if self._n_takes <= _COLD_TAKES:
                return self._block.take(places)
            self._rows = self._block.read()
        return pc.take(self._rows, pa.array(places), boundscheck=False)

    def line(self) -> RowLine | None:
        """By which compiled code finds single rows; None as long as they would have to be decoded for it."""
        if isinstance(self._block, FloatsBlock):
            return RowLine(self._block.line(self._single), (self._block, self._single))
        if isinstance(self._block, NumbersBlock):
            return RowLine(self._block.line(), self._block)
        rows = self._block.read() if isinstance(self._block, StreamBlock) else self._rows
        return None if rows is None else array_line(rows)

    @property
    def may_grow(self) -> bool:
        """Whether rows will be kept decoded when they are asked for often; numbers are found where they are stored."""
        return not isinstance(self._block, NumbersBlock)

    def describe(self) -> Encoding:
        """As the block."""
        return self._block.describe()
