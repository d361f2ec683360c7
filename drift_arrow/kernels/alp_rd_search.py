"""Cut and dictionary for ALP_RD, found on a sample of a row-group; see `alp_rd`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.float_header import DICTIONARY_SIZE, MAX_LEFT_BITS, MAX_LEFT_WIDTH
from drift_arrow.kernels.lanes import VALUES

LEFT_EXCEPTION_BITS: Final = 32
"""Bits that an exception of ALP_RD takes: its left part and its position."""

_SAMPLE: Final = 2048
_SAMPLED_VECTORS: Final = 8


@kernel(inner=True)
def _rank_lefts(lefts: Any, left_bits: Any, dictionary: Any, counts: Any) -> None:
    """Most frequent left parts.

    lefts : (s,) uint16, ascending     upper 16 bits of the sampled values
    dictionary, counts : (8,) uint16, int64, overwritten     by falling counts; 0 where there are fewer
    """
    shift = np.uint16(MAX_LEFT_BITS - left_bits)
    counts[:] = 0
    dictionary[:] = 0
    first = 0
    for i in range(1, len(lefts) + 1):
        if i < len(lefts) and lefts[i] >> shift == lefts[first] >> shift:
            continue
        count, place = i - first, DICTIONARY_SIZE
        while place > 0 and counts[place - 1] < count:
            if place < DICTIONARY_SIZE:
                counts[place], dictionary[place] = counts[place - 1], dictionary[place - 1]
            place -= 1
        if place < DICTIONARY_SIZE:
            counts[place], dictionary[place] = count, lefts[first] >> shift
        first = i


@kernel
def _choose_cut(lefts: Any, dictionary: Any, counts: Any) -> Any:
    """Length of the left part with the fewest bits, and how many bits of a value it saves; see `_rank_lefts`."""
    best, best_saved = 1, -np.inf
    for left_bits in range(1, MAX_LEFT_BITS + 1):
        _rank_lefts(lefts, left_bits, dictionary, counts)
        kept, entry = np.int64(0), 0
        for width in range(MAX_LEFT_WIDTH + 1):
            while entry < 1 << width:
                kept += counts[entry]
                entry += 1
            exceptions_bits = LEFT_EXCEPTION_BITS * (len(lefts) - kept) / len(lefts)
            saved = left_bits - width - exceptions_bits
            if saved > best_saved:
                best, best_saved = left_bits, saved
    _rank_lefts(lefts, best, dictionary, counts)
    for i in range(1, DICTIONARY_SIZE):
        if counts[i] == 0:
            dictionary[i] = dictionary[0]
    return best, best_saved


def search_cut(group: NDArray[Any]) -> tuple[int, NDArray[np.uint16], float]:
    """Cut and dictionary for a row-group.

    Parameters
    ----------
    group : (1024 * v,) uint16, uint32 or uint64
        Bits of floats.

    Returns
    -------
    int
        Bits below the cut.
    (8,) uint16
        Left parts, the most frequent first.
    float
        Estimated bits of a value.
    """
    bits = group.dtype.itemsize * 8
    # an odd step: that of a power of two would meet only some dimensions of vectors
    sample = group[:: len(group) // _SAMPLE | 1]
    lefts = np.sort((sample >> group.dtype.type(bits - MAX_LEFT_BITS)).astype(np.uint16), kind="stable")
    dictionary, counts = np.zeros(DICTIONARY_SIZE, np.uint16), np.zeros(DICTIONARY_SIZE, np.int64)
    left_bits, saved = _choose_cut(lefts, dictionary, counts)
    vectors = group.reshape(-1, VALUES)
    unions = np.bitwise_or.reduce(vectors[:: -(-len(vectors) // _SAMPLED_VECTORS)], axis=1).tolist()
    right_bits = bits - int(left_bits)
    zeros = [min(right_bits, (union & -union).bit_length() - 1) if union else right_bits for union in unions]
    return right_bits, dictionary, bits - float(saved) - sum(zeros) / len(zeros)
