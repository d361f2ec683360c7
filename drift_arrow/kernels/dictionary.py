"""Dictionary: vectors of packed numbers of the distinct values of their column, which are stored once."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.distinct import Dictionary, number_distinct, survey
from drift_arrow.kernels.ffor import unpack_above
from drift_arrow.kernels.integer_table import BASES, ENTRIES, STRIDE, VECTORS, WIDTHS
from drift_arrow.kernels.lanes import VALUES
from drift_arrow.kernels.memory import array_at
from drift_arrow.kernels.streaming import can_stream, first_line, settle, stream_vector

MOST_ENTRIES: Final = 1 << 14
"""Larger dictionaries leave the fast caches when they are looked up, and seldom pay."""

_BITS_OF_MOST: Final = MOST_ENTRIES.bit_length() - 1
_SPARED_BITS: Final = 1


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
    A sample decides first: where its codes alone would take as many bits, half of it is distinct, or it tells of too
    many values, the column is not read.
    """
    most = _most_entries(values.size, values.itemsize * 8, bits)
    sample = survey(values, max(VALUES, values.size // 64), 1)
    if sample.distinct > min(sample.size // 2, most) or (sample.distinct - 1).bit_length() >= bits:
        return None
    return number_distinct(values, flip, most) if sample.expected(values.size) <= most else None


def _most_entries(n: int, value_bits: int, bits: float) -> int:
    """Entries of the largest dictionary that may take, with n codes, no more than n values of so many bits.

    A vector often uses a part of the entries only, so that its codes take a bit less.
    """
    most = 1
    # codes of as many bits as the values leave no room at all
    for width in range(min(_BITS_OF_MOST - _SPARED_BITS, int(bits)), -1 - _SPARED_BITS, -1):
        codes, room = 1 << width + _SPARED_BITS, int(n * (bits - width) / value_bits)
        most = max(most, min(codes, room))
        if codes <= room:
            break
    return most


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
