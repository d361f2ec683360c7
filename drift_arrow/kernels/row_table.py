"""Where the rows of a segment lie, block by block, as numbers that a kernel follows without help from Python.

A table has one line of numbers per block: what form it has, where the bits of its nulls are, and then, by its form,

========  ==========================================================================================================
form      numbers
========  ==========================================================================================================
ABSENT    none: the block is not open
PLAIN     number of values; address of the values, or of the offsets and then of the bytes
FLOATS    as in `float_table`
INTEGERS  number of values; the addresses of kinds, widths, bases, packed offsets, packed, exception offsets,
          positions, exceptions and dictionary of `VectorIndex`; entries of the dictionary
========  ==========================================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.encoded_floats import EncodedFloats
from drift_arrow.kernels.float_table import TABLE_SIZE
from drift_arrow.kernels.integer_table import IntegerTable
from drift_arrow.kernels.memory import address_of, array_at

ABSENT: Final = 0
PLAIN: Final = 1
FLOATS: Final = 2
INTEGERS: Final = 3

FORM: Final = 0
VALIDITY: Final = 1
"""Address of bits that are set where a row is not null; 0 where none is."""
FIRST_BIT: Final = 2
"""Bit of the first row."""
DESCRIPTOR: Final = 3
"""One more than that of the file from which floats are to be read; 0 if from memory."""
OFFSET: Final = 4
"""Of them, plain or packed, in that file."""
BODY: Final = 5
"""Where the numbers of the form begin."""
N_NUMBERS: Final = BODY + TABLE_SIZE

DONE: Final = -1
NO_ROW: Final = -2
NOT_OPEN: Final = -3
OTHER_FORM: Final = -4
"""What gathering kernels return; numbers from 0 on are those of damaged vectors."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RowTable:
    """The blocks of one column or of the vectors, under one numbering of rows. Immutable; safe to use by many threads.

    first_rows : (b + 1,) int64, ascending    first row of each block, then one past the last row
    blocks : (b, 22) int64                    a line of each block, see above
    owners : tuple                            keeps alive what the addresses point to
    """

    first_rows: NDArray[np.int64]
    blocks: NDArray[np.int64]
    owners: tuple[Any, ...]

    @classmethod
    def of(cls, first_rows: NDArray[np.int64], lines: Sequence[NDArray[np.int64] | None], owners: Any) -> RowTable:
        """Table of the lines of blocks, None for one that is absent.

        Raises
        ------
        ValueError    another number of lines than of blocks, or blocks that do not ascend
        """
        blocks = np.zeros((len(lines), N_NUMBERS), np.int64)
        for place, line in zip(blocks, lines, strict=True):
            if line is not None:
                place[: line.size] = line
        first_rows = readonly("first_rows", first_rows, np.int64, len(lines) + 1)
        if (first_rows[1:] < first_rows[:-1]).any():
            raise ValueError("first_rows must ascend")
        return cls(first_rows=first_rows, blocks=readonly("blocks", blocks, np.int64, None, None), owners=tuple(owners))

    @cached_property
    def has_nulls(self) -> bool:
        """Whether a row may be null."""
        return bool(self.blocks[:, VALIDITY].any())


NO_ROWS: Final = RowTable.of(np.zeros(1, np.int64), [], ())
"""Of a column without a row."""


def plain_line(
    n_values: int, *addresses: int, validity: int = 0, first_bit: int = 0, stored_at: tuple[int, int] | None = None
) -> NDArray[np.int64]:
    """Line of a block of values that lie in memory, one after the other.

    `stored_at` is a descriptor and an offset: kernels then read floats from that file and not from memory.
    """
    descriptor, offset = (-1, 0) if stored_at is None else stored_at
    return np.array([PLAIN, validity, first_bit, descriptor + 1, offset, n_values, *addresses], np.int64)


def floats_line(
    encoded: EncodedFloats, validity: int = 0, packed_at: tuple[int, int] | None = None
) -> NDArray[np.int64]:
    """Line of a block of encoded floats, which may be damaged.

    `packed_at` is a descriptor and an offset: kernels then read packed vectors from that file and not from memory.
    """
    descriptor, offset = (-1, 0) if packed_at is None else packed_at
    return np.array([FLOATS, validity, 0, descriptor + 1, offset, *encoded.table.tolist()], np.int64)


def integers_line(integers: IntegerTable, validity: int = 0) -> NDArray[np.int64]:
    """Line of a block of checked integers."""
    return np.array([INTEGERS, validity, 0, 0, 0, integers.length, address_of(integers.numbers)], np.int64)


@kernel(inner=True)
def find_block(first_rows: Any, row: Any) -> Any:
    """Number of the block that holds a row, or -1."""
    low, high = np.int64(0), np.int64(len(first_rows) - 1)
    if row < first_rows[0] or row >= first_rows[high]:
        return np.int64(-1)
    while high - low > 1:
        middle = (low + high) >> 1
        if row < first_rows[middle]:
            high = middle
        else:
            low = middle
    return low


@kernel(inner=True)
def is_null(line: Any, place: Any) -> Any:
    """Whether a row of a block is null."""
    if line[VALIDITY] == 0:
        return False
    bit = line[FIRST_BIT] + place
    bits = array_at(line[VALIDITY], (bit >> 3) + 1, np.uint8(0))
    return (np.int64(bits[bit >> 3]) >> (bit & 7)) & 1 == 0


@kernel
def _gather_validity(first_rows: Any, blocks: Any, rows: Any, bits: Any, n_nulls: Any) -> Any:
    """Set the bits of rows that are not null, and count the others; `DONE`, or why not."""
    for i in range(len(rows)):
        block = find_block(first_rows, rows[i])
        if block < 0 or rows[i] - first_rows[block] >= max(blocks[block, BODY], 1):
            return NO_ROW
        if blocks[block, FORM] == ABSENT:
            return NOT_OPEN
        if is_null(blocks[block], rows[i] - first_rows[block]):
            n_nulls[0] += 1
        else:
            bits[i >> 3] |= np.uint8(1 << (i & 7))
    return DONE


def gather_validity(table: RowTable, rows: NDArray[np.int64]) -> tuple[NDArray[np.uint8], int] | None:
    """Which rows of a column are null.

    Parameters
    ----------
    table : RowTable
    rows : (m,) int64
        Any order, repeats allowed.

    Returns
    -------
    bits : ((m + 7) // 8,) uint8
        Lowest bit first, set where a row is not null.
    n_nulls : int

    Instead of both, None if a block that holds a row is absent.

    Raises
    ------
    ValueError    there is no such row, or wrong dtype, shape or layout of `rows`
    """
    rows = readonly("rows", rows, np.int64, None)
    bits, n_nulls = np.zeros(-(-len(rows) // 8), np.uint8), np.zeros(1, np.int64)
    status = int(_gather_validity(table.first_rows, table.blocks, rows, bits, n_nulls))
    return (bits, int(n_nulls[0])) if check_status(status, table, rows) else None


def check_status(status: int, table: RowTable, rows: NDArray[np.int64]) -> bool:
    """Whether a gathering kernel found all blocks open; ValueError if it stopped for another reason."""
    if status == DONE:
        return True
    if status == NOT_OPEN:
        return False
    if status == NO_ROW:
        end = int(table.first_rows[-1])
        raise ValueError(f"there is no such row; got={rows.min()} to {rows.max()} rows={end}")
    if status == OTHER_FORM:
        raise ValueError("the table holds blocks of another type")
    raise ValueError(f"encoded numbers are damaged: read them again or restore them; vector={status}")
