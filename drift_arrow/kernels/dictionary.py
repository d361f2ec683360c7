"""Dictionary: vectors of packed numbers of the distinct values of their column, which are stored once."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.distinct import Dictionary, number_distinct, survey
from drift_arrow.kernels.ffor import unpack_above
from drift_arrow.kernels.lanes import VALUES

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
    for width in range(_BITS_OF_MOST - _SPARED_BITS, -1 - _SPARED_BITS, -1):
        codes, room = 1 << width + _SPARED_BITS, int(n * (bits - width) / value_bits)
        most = max(most, min(codes, room))
        if codes <= room:
            break
    return most


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
