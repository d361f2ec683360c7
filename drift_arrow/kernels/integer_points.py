"""Single values of encoded integers from anywhere in a segment, of which nothing else is decoded.

A value is two words of its lane, at places that follow from its number; only sums and runs have to be followed from
where they begin.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import check_writable, readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.integer_schemes import DELTA, DICTIONARY, N_LANES, RUNS
from drift_arrow.kernels.integer_table import BASES, ENTRIES, EXCEPTIONS, POSITIONS, STRIDE, VECTORS, WIDTHS
from drift_arrow.kernels.lanes import ROW_BYTES, VALUES
from drift_arrow.kernels.memory import array_at
from drift_arrow.kernels.row_table import (
    ABSENT,
    BODY,
    DONE,
    FORM,
    INTEGERS,
    NO_ROW,
    NOT_OPEN,
    OTHER_FORM,
    PLAIN,
    RowTable,
    check_status,
    find_block,
)

_NUMBERS: Final = 1
"""Place of the address of an `IntegerTable`'s numbers in a line of `INTEGERS`, behind the number of values."""


@kernel(inner=True)
def _code(source: Any, width: Any, lane: Any, i: Any) -> Any:
    """Packed integer `i` of the vector at an address, in lanes of `8 << lane` bits; `width` is at least 1."""
    bits, lanes = np.int64(8) << lane, np.int64(ROW_BYTES) >> lane
    row, column = i // lanes, i % lanes
    bit = row * width
    place, shift = bit // bits * lanes + column, np.uint64(bit % bits)
    n_words = (width + 1) * lanes
    if lane == 0:
        words8 = array_at(source, n_words, np.uint8(0))
        low, high = np.uint64(words8[place]), np.uint64(words8[place + lanes])
    elif lane == 1:
        words16 = array_at(source, n_words, np.uint16(0))
        low, high = np.uint64(words16[place]), np.uint64(words16[place + lanes])
    elif lane == 2:
        words32 = array_at(source, n_words, np.uint32(0))
        low, high = np.uint64(words32[place]), np.uint64(words32[place + lanes])
    else:
        words64 = array_at(source, n_words, np.uint64(0))
        low, high = np.uint64(words64[place]), np.uint64(words64[place + lanes])
    # two shifts, because one by the whole width of a lane is undefined
    joined = low >> shift | high << np.uint64(1) << (np.uint64(bits - 1) - shift)
    return joined & (~np.uint64(0) >> np.uint64(64 - width))


@kernel(inner=True)
def _last_up_to(positions: Any, begin: Any, end: Any, i: Any) -> Any:
    """Number of the last position from `begin` up to `end` that is at most `i`, or `begin - 1`; positions rise."""
    while begin < end:
        middle = (begin + end) >> 1
        if np.int64(positions[middle]) <= i:
            begin = middle + 1
        else:
            end = middle
    return begin - 1


@kernel(inner=True)
def _running(source: Any, width: Any, lane: Any, step: Any, position: Any, value: Any, i: Any) -> Any:
    """Value `i` of a running sum with a value at a position before it; the sum is one of uint64, modulo its range."""
    if width == 0:
        return value + np.uint64(i - position) * step
    for j in range(position + 1, i + 1):
        value += _code(source, width, lane, j) + step
    return value


@kernel(inner=True)
def _value(line: Any, place: Any, like: Any) -> Any:
    """One value of a block, as uint64 of which the bits of the type count.

    line : INTEGERS, from the number of values on     its index was checked, its packed bytes may be any
    """
    v, i = place // VALUES, place % VALUES
    vector = VECTORS + STRIDE * v
    numbers = array_at(line[_NUMBERS], vector + 2 * STRIDE, np.int64(0))
    kind, source = numbers[vector], numbers[vector + 1]
    width = np.int64(array_at(numbers[WIDTHS], v + 1, np.uint8(0))[v])
    base = np.uint64(array_at(numbers[BASES], v + 1, like)[v])
    scheme, lane = kind // N_LANES, kind % N_LANES
    if scheme == DICTIONARY:
        # codes of 16 bits, modulo their range, of which a file may hold ones without an entry
        entry = (base + _code(source, width, lane, i)) & np.uint64(0xFFFF)
        n_entries = numbers[ENTRIES + 1]
        return np.uint64(array_at(numbers[ENTRIES], n_entries, like)[min(np.int64(entry), n_entries - 1)])
    begin, end = numbers[vector + 2], numbers[vector + STRIDE + 2]
    positions = array_at(numbers[POSITIONS], end, np.uint16(0))
    exceptions = array_at(numbers[EXCEPTIONS], end, like)
    e = _last_up_to(positions, begin, end, i)
    if scheme == RUNS:
        return np.uint64(exceptions[e])
    if scheme == DELTA:
        return _running(source, width, lane, base, np.int64(positions[e]), np.uint64(exceptions[e]), i)
    if e >= begin and np.int64(positions[e]) == i:
        return np.uint64(exceptions[e])
    return base + _code(source, width, lane, i) if width > 0 else base


@kernel
def gather_integers(first_rows: Any, blocks: Any, rows: Any, out: Any) -> Any:
    """Write values to `out`; `DONE`, or why not, when `out` is partly written. See `row_table`.

    first_rows, blocks : of a `RowTable` of integers of the size of those in `out`
    rows : (m,) int64     any numbers, in any order, repeated or not
    out : (m,) unsigned integers

    Some 10 ns for a value in the cache; up to 2 microseconds for one of a running sum.
    """
    like = out.dtype.type(0)
    for i in range(len(rows)):
        block = find_block(first_rows, rows[i])
        if block < 0:
            return NO_ROW
        line, place = blocks[block], rows[i] - first_rows[block]
        if line[FORM] == ABSENT:
            return NOT_OPEN
        body = line[BODY:]
        if place >= body[0]:
            return NO_ROW
        if line[FORM] == PLAIN:
            out[i] = array_at(body[1], body[0], like)[place]
        elif line[FORM] == INTEGERS:
            out[i] = out.dtype.type(_value(body, place, like))
        else:
            return OTHER_FORM
    return DONE


def gather_integer_points(table: RowTable, rows: NDArray[np.int64], out: NDArray[Any]) -> bool:
    """Write integers of a segment to an array.

    Parameters
    ----------
    table : RowTable
        Of integers of the size of those in `out`.
    rows : (m,) int64
        Any order, repeats allowed.
    out : (m,) signed or unsigned integers of 8, 16, 32 or 64 bits
        Receives the values.

    Returns
    -------
    bool
        False if a block that holds one of them is absent; `out` is then partly written.

    Raises
    ------
    ValueError    there is no such row, or wrong dtype, shape or layout of an array
    """
    dtype = getattr(out, "dtype", None)
    if dtype is None or dtype.kind not in "iu" or not dtype.isnative:
        raise ValueError(f"out must be integers in native byte order; got={dtype or type(out)}")
    rows = readonly("rows", rows, np.int64, None)
    check_writable("out", out, dtype, len(rows))
    bits = out.view(f"u{dtype.itemsize}", np.ndarray)
    return check_status(int(gather_integers(table.first_rows, table.blocks, rows, bits)), table, rows)
