"""Checked integers as decoders take them: one array of int64 that says where everything lies.

It begins with the address and the length of each array of the column, in their order in a file. Then come three numbers
for each vector, and for the end of the last: its kind, the address of its packed bytes, and its first exception.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels import _plain
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.integer_schemes import DICTIONARY, FRAME, N_SCHEMES, RUNS, kinds_in, vector_kind
from drift_arrow.kernels.lanes import ROW_BYTES, TAIL_BYTES, VALUES
from drift_arrow.kernels.memory import array_at

BASES: Final = 0
EXCEPTIONS: Final = 2
ENTRIES: Final = 4
COUNTS: Final = 6
POSITIONS: Final = 8
SCHEMES: Final = 10
WIDTHS: Final = 12
PACKED: Final = 14
"""Places of addresses. The length of an array stands behind its address."""

VECTORS: Final = 16
STRIDE: Final = 3
"""Where the numbers of the vectors begin, and how many each has."""

_WIDEST_CODE: Final = 16
"""Codes of a dictionary are unpacked as uint16; a code beyond the last entry means that one."""

_CONTRADICTIONS: Final = (
    "",
    "unknown scheme; vector={}",
    "width does not suit the scheme; vector={}",
    "number of exceptions does not suit the scheme; vector={}",
    "first exception is not at position 0; vector={}",
    "exceptions are out of order or outside the vector; vector={}",
    "the dictionary is empty; vector={}",
    "more exceptions than are stored; vector={}",
    "vectors count fewer exceptions; got={}",
    "packed bytes do not match the widths; want={}",
)


class IntegerTable(NamedTuple):
    """A column that was checked; see the module.

    length : int
    dtype : dtype
        Integers of 8, 16, 32 or 64 bits.
    present : tuple of int
        The kinds of its vectors; see `integer_schemes.vector_kind`.
    numbers : (16 + 3 * (v + 1),) int64
    memory : object
        What must live as long as the table: the arrays whose addresses are in it.
    """

    length: int
    dtype: np.dtype[Any]
    present: tuple[int, ...]
    numbers: NDArray[np.int64]
    memory: object

    @property
    def n_vectors(self) -> int:
        """Vectors of the column."""
        return -(-self.length // VALUES)

    @property
    def n_exceptions(self) -> int:
        """Exceptions of all vectors."""
        return int(self.numbers[EXCEPTIONS + 1])

    @property
    def schemes(self) -> NDArray[np.uint8]:
        """(v,): scheme of each vector."""
        return self._bytes(SCHEMES)

    @property
    def widths(self) -> NDArray[np.uint8]:
        """(v,): bits of a packed code of each vector."""
        return self._bytes(WIDTHS)

    def _bytes(self, place: int) -> NDArray[np.uint8]:
        address, size = self.numbers[place : place + 2].tolist()
        return _plain.memory(address, np.uint8, size).copy()


def numbers_for(n_vectors: int) -> NDArray[np.int64]:
    """Room for the numbers of a table."""
    return np.empty(VECTORS + STRIDE * (n_vectors + 1), np.int64)


def checked_table(length: int, dtype: np.dtype[Any], numbers: NDArray[np.int64], memory: object) -> IntegerTable:
    """Table of a column, of whose numbers only the addresses and lengths of the arrays are filled in.

    Parameters
    ----------
    length, dtype, numbers, memory : as of `IntegerTable`
        The lengths fit each other. What the arrays say may be anything, and is checked here.

    Raises
    ------
    ValueError    the arrays contradict each other, so that decoding them would read or write somewhere else
    """
    problem, detail, kinds = _locate_vectors(numbers, dtype.itemsize * 8)
    if problem:
        raise ValueError(_CONTRADICTIONS[problem].format(detail))
    numbers.setflags(write=False)
    return IntegerTable(length, dtype, kinds_in(int(kinds)), numbers, memory)


@kernel(inner=True)
def _header_problem(scheme: Any, width: Any, count: Any, n_entries: Any, value_bits: Any) -> int:
    if scheme >= N_SCHEMES:
        return 1
    if scheme == DICTIONARY:
        is_wrong = width < 1 or width > min(value_bits, _WIDEST_CODE)
        return 2 if is_wrong else 3 if count > 0 else 6 if n_entries == 0 else 0
    if width > (0 if scheme == RUNS else value_bits):
        return 2
    return 3 if count > VALUES or (scheme != FRAME and count == 0) else 0


@kernel(inner=True)
def _exception_problem(scheme: Any, positions: Any) -> int:
    if scheme != FRAME and positions.size > 0 and positions[0] != 0:
        return 4
    for e in range(positions.size):
        if positions[e] >= VALUES or (e > 0 and positions[e] <= positions[e - 1]):
            return 5
    return 0


@kernel
def _locate_vectors(numbers: Any, value_bits: Any) -> Any:
    """Fill in the vectors: number of a contradiction or 0, what there is to say of it, and a bit for each kind."""
    n, kinds = numbers[SCHEMES + 1], np.int64(0)
    schemes = array_at(numbers[SCHEMES], n, np.uint8(0))
    widths = array_at(numbers[WIDTHS], n, np.uint8(0))
    counts = array_at(numbers[COUNTS], n, np.uint16(0))
    positions = array_at(numbers[POSITIONS], numbers[POSITIONS + 1], np.uint16(0))
    source, first = numbers[PACKED], np.int64(0)
    for v in range(n):
        scheme, width, count = np.int64(schemes[v]), np.int64(widths[v]), np.int64(counts[v])
        problem = _header_problem(scheme, width, count, numbers[ENTRIES + 1], value_bits)
        if problem == 0:
            is_short = first + count > positions.size
            problem = 7 if is_short else _exception_problem(scheme, positions[first : first + count])
        if problem != 0:
            return problem, v, kinds
        vector, kind = VECTORS + STRIDE * v, vector_kind(scheme, width)
        numbers[vector], numbers[vector + 1], numbers[vector + 2] = kind, source, first
        kinds |= np.int64(1) << kind
        source, first = source + width * ROW_BYTES, first + count
    end = VECTORS + STRIDE * n
    numbers[end], numbers[end + 1], numbers[end + 2] = np.int64(-1), source, first
    if first != positions.size:
        return 8, first, kinds
    n_packed = source - numbers[PACKED] + TAIL_BYTES
    return (0 if n_packed == numbers[PACKED + 1] else 9), n_packed, kinds
