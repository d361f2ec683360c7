"""Dictionary: vectors of packed numbers of the distinct values of their column, which are stored once."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.ffor import unpack_above
from drift_arrow.kernels.integer_table import BASES, ENTRIES, STRIDE, VECTORS, WIDTHS
from drift_arrow.kernels.lanes import VALUES, bit_length
from drift_arrow.kernels.memory import array_at
from drift_arrow.kernels.streaming import can_stream, first_line, settle, stream_vector

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
def decode_codes(kind: Any, start: Any, numbers: Any, lane: Any, streams: Any, scratch: Any, values: Any) -> None:
    """Look up the vectors of one kind; arguments as of `ffor.decode_frames`. The dictionary has at least one entry."""
    like, vector_bytes = values.dtype.type(0), VALUES * values.itemsize
    widths = array_at(numbers[WIDTHS], numbers[WIDTHS + 1], np.uint8(0))
    bases = array_at(numbers[BASES], numbers[BASES + 1], like)
    entries = array_at(numbers[ENTRIES], numbers[ENTRIES + 1], like)
    address, room = np.int64(values.ctypes.data), first_line(scratch)
    codes, last = array_at(room + vector_bytes, VALUES, np.uint16(0)), np.uint16(entries.size - 1)
    is_streamed = streams and can_stream(address)
    for i in range(values.size // VALUES):
        vector = VECTORS + STRIDE * (start + i)
        if numbers[vector] != kind:
            continue
        width, base = np.uint64(widths[start + i]), np.uint16(bases[start + i])
        unpack_above(np.uint64(numbers[vector + 1]), base, width, np.uint64(room + vector_bytes), lane)
        # codes come from a file and only unpacking shows them: none may read past the entries. A loop of its own,
        # because it works on many codes at once and the next one cannot
        for j in range(codes.size):
            codes[j] = min(codes[j], last)
        place = address + i * vector_bytes
        target = room if is_streamed else place
        found = array_at(target, VALUES, like)
        for j in range(found.size):
            found[j] = entries[codes[j]]
        if is_streamed:
            stream_vector(np.uint64(target), np.uint64(place), like)
    if is_streamed:
        settle()
