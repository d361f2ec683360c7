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
def _rank_lefts(lefts: Any, sizes: Any, n: Any, dictionary: Any, counts: Any) -> None:
    """Most frequent left parts.

    lefts, sizes : (n,) of them uint16, int64     left parts in rising order, and how often each occurs
    dictionary, counts : (8,) uint16, int64, overwritten     by falling counts; 0 where there are fewer
    """
    counts[:] = 0
    dictionary[:] = 0
    for i in range(n):
        count, place = sizes[i], DICTIONARY_SIZE
        while place > 0 and counts[place - 1] < count:
            if place < DICTIONARY_SIZE:
                counts[place], dictionary[place] = counts[place - 1], dictionary[place - 1]
            place -= 1
        if place < DICTIONARY_SIZE:
            counts[place], dictionary[place] = count, lefts[i]


@kernel(inner=True)
def _saved_bits(left_bits: Any, counts: Any, n: Any) -> Any:
    """Bits of a value that left parts of so many bits save, by the best length of a code; see `_rank_lefts`."""
    kept, entry, best = np.int64(0), 0, -np.inf
    for width in range(MAX_LEFT_WIDTH + 1):
        while entry < 1 << width:
            kept += counts[entry]
            entry += 1
        best = max(best, left_bits - width - LEFT_EXCEPTION_BITS * (n - kept) / n)
    return best


@kernel(inner=True)
def _merge_lefts(lefts: Any, sizes: Any, n: Any) -> Any:
    """Cut the last bit off the left parts, and add up those that become equal; how many remain."""
    merged = np.int64(0)
    for i in range(n):
        left = lefts[i] >> np.uint16(1)
        if merged > 0 and lefts[merged - 1] == left:
            sizes[merged - 1] += sizes[i]
        else:
            lefts[merged], sizes[merged] = left, sizes[i]
            merged += 1
    return merged


@kernel
def _choose_cut(sample: Any, lefts: Any, sizes: Any, ranked: Any, counts: Any, dictionary: Any) -> Any:
    """Length of the left part with the fewest bits, and how many bits of a value it saves.

    sample : (s,) uint16     upper 16 bits of sampled values, in rising order
    lefts, sizes : (s,) uint16, int64, scratch
    ranked, counts : (8,) uint16, int64, scratch
    dictionary : (8,) uint16, overwritten     most frequent left parts of that length, the first also in place of none

    Notes
    -----
    Left parts that are cut shorter are merged, so that most lengths look at few of them.
    """
    best, best_saved, n = 1, -np.inf, np.int64(0)
    for i in range(len(sample)):
        if i == 0 or sample[i] != sample[i - 1]:
            lefts[n], sizes[n] = sample[i], 0
            n += 1
        sizes[n - 1] += 1
    for left_bits in range(MAX_LEFT_BITS, 0, -1):
        _rank_lefts(lefts, sizes, n, ranked, counts)
        saved = _saved_bits(left_bits, counts, len(sample))
        if saved >= best_saved:
            best, best_saved = left_bits, saved
            for i in range(DICTIONARY_SIZE):
                dictionary[i] = ranked[i] if counts[i] > 0 else ranked[0]
        n = _merge_lefts(lefts, sizes, n)
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
    dictionary, ranked = np.empty((2, DICTIONARY_SIZE), np.uint16)
    sizes, counts = np.empty(len(lefts), np.int64), np.empty(DICTIONARY_SIZE, np.int64)
    left_bits, saved = _choose_cut(lefts, np.empty_like(lefts), sizes, ranked, counts, dictionary)
    vectors = group.reshape(-1, VALUES)
    unions = np.bitwise_or.reduce(vectors[:: -(-len(vectors) // _SAMPLED_VECTORS)], axis=1).tolist()
    right_bits = bits - int(left_bits)
    zeros = [min(right_bits, (union & -union).bit_length() - 1) if union else right_bits for union in unions]
    return right_bits, dictionary, bits - float(saved) - sum(zeros) / len(zeros)
