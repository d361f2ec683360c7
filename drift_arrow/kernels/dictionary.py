"""Dictionary: vectors of packed numbers of the distinct values of their column, which are stored once."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.ffor import unpack_above
from drift_arrow.kernels.lanes import VALUES, bit_length

MOST_ENTRIES: Final = 1 << 14
"""Larger dictionaries leave the fast caches when they are looked up, and seldom pay."""

_BITS_OF_MOST: Final = MOST_ENTRIES.bit_length() - 1
_SPARED_BITS: Final = 1
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)
"""2**64 over the golden ratio: a product with it has well mixed upper bits."""


class Dictionary(NamedTuple):
    """Distinct values of a column in rising order, and the number of each value among them."""

    entries: NDArray[Any]
    codes: NDArray[np.uint16]


@kernel
def _number_values(values: Any, slots: Any, entries: Any, codes: Any) -> int:
    """Number the values in order of appearance; the number of distinct ones, or -1 if `entries` does not hold them.

    slots : int32
        As many as a power of two, more than entries, all -1: a hash table of numbers.
    """
    count = 0
    shift = np.uint64(64 - bit_length(np.uint64(slots.size - 1)))
    for i in range(values.size):
        if i > 0 and values[i] == values[i - 1]:
            codes[i] = codes[i - 1]
            continue
        slot = np.int64((np.uint64(values[i]) * _SPREAD) >> shift)
        while slots[slot] >= 0 and entries[slots[slot]] != values[i]:
            slot = (slot + 1) & (slots.size - 1)
        if slots[slot] < 0:
            if count == entries.size:
                return -1
            entries[count] = values[i]
            slots[slot] = count
            count += 1
        codes[i] = slots[slot]
    return count


@kernel
def _translate(codes: Any, ranks: Any) -> None:
    for i in range(codes.size):
        codes[i] = ranks[codes[i]]


def build_dictionary(values: NDArray[Any], flip: Any, bits: float) -> Dictionary | None:
    """Dictionary of a column, or None where too many of its values are distinct.

    Parameters
    ----------
    values : (n,) unsigned
    flip : scalar of the same type
        Bits to invert so that the unsigned order of the values becomes the order of what they stand for.
    bits : float
        What a value takes without a dictionary.

    Notes
    -----
    A sample decides first: where its codes alone would take as many bits, or half of it is distinct, the column is
    not read.
    """
    sample = values[:: max(1, values.size // max(VALUES, values.size // 64))]
    most = _most_entries(values.size, values.itemsize * 8, bits)
    few = _distinct(sample, min(sample.size // 2, most))
    if few is None or (few.entries.size - 1).bit_length() >= bits:
        return None
    return number_distinct(values, flip, most)


def number_distinct(values: NDArray[Any], flip: Any, most: int) -> Dictionary | None:
    """Dictionary of all values of a column, or None if more than `most` of them, at most 65,536, are distinct.

    values, flip : as of `build_dictionary`
    """
    found = _distinct(values, most)
    if found is None:
        return None
    order = np.argsort(found.entries ^ flip)
    ranks = np.empty(order.size, np.uint16)
    ranks[order] = np.arange(order.size, dtype=np.uint16)
    _translate(found.codes, ranks)
    return Dictionary(found.entries[order], found.codes)


def _most_entries(n: int, value_bits: int, bits: float) -> int:
    """Entries of the largest dictionary that may take, with n codes, no more than n values of so many bits.

    A vector often uses a part of the entries only, so that its codes take a bit less.
    """
    spared = range(-_SPARED_BITS, _BITS_OF_MOST + 1 - _SPARED_BITS)
    rooms = (min(1 << width + _SPARED_BITS, int(n * (bits - width) / value_bits)) for width in spared)
    return max(1, *rooms)


def _distinct(values: NDArray[Any], most: int) -> Dictionary | None:
    entries = np.empty(most, values.dtype)
    codes = np.empty(values.size, np.uint16)
    values = readonly("values", np.ascontiguousarray(values), values.dtype, None)
    slots = np.full(4 << most.bit_length(), -1, np.int32)
    count = _number_values(values, slots, entries, codes)
    return None if count < 0 else Dictionary(entries[:count], codes)


@kernel
def decode_codes(
    kind: Any,
    start: Any,
    kinds: Any,
    widths: Any,
    bases: Any,
    packed_offsets: Any,
    packed: Any,
    entries: Any,
    scratch: Any,
    lane: Any,
    values: Any,
) -> None:
    """Look up the vectors of one kind; arguments as in `ffor.decode_frames`.

    entries : (k,) unsigned, at least one; scratch : (1024,) uint16
    """
    source, target = np.uint64(packed.ctypes.data), np.uint64(scratch.ctypes.data)
    last = np.uint16(entries.size - 1)
    for i in range(values.size // VALUES):
        v = start + i
        if kinds[v] != kind:
            continue
        unpack_above(source + packed_offsets[v], np.uint16(bases[v]), np.uint64(widths[v]), target, lane)
        # codes come from a file and only unpacking shows them: none may read past the entries. A loop of its own,
        # because it works on many codes at once and the next one cannot
        for j in range(scratch.size):
            scratch[j] = min(scratch[j], last)
        vector = values[i * VALUES : (i + 1) * VALUES]
        for j in range(vector.size):
            vector[j] = entries[scratch[j]]
