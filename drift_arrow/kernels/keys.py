"""Keys as 128-bit fingerprints: hashed, looked up in memory, and looked up in sorted files.

Two keys with equal fingerprints count as the same key. Integers are their own fingerprint, so they never clash.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.key_table import KeyTable, first_duplicate
from drift_arrow.kernels.xxh64 import xxh64

__all__ = [
    "KeyTable",
    "find_sorted",
    "fingerprint_ints",
    "fingerprint_strings",
    "first_duplicate",
    "sort_fingerprints",
]

Fingerprints = NDArray[np.uint64]

SECOND_SEED: Final = 0x9E3779B97F4A7C15
"""Exclusive-or of the two seeds of a string."""


@kernel
def _fingerprint_strings(offsets: Any, data: Any, seed: Any, second_seed: Any, out: Any) -> None:
    for i in range(out.shape[0]):
        start, stop = np.int64(offsets[i]), np.int64(offsets[i + 1])
        out[i, 0] = xxh64(data, start, stop, seed)
        out[i, 1] = xxh64(data, start, stop, second_seed)


@kernel
def _find_sorted(fingerprints: Any, order: Any, wanted: Any, out: Any) -> None:
    for i in range(wanted.shape[0]):
        first, second = wanted[i, 0], wanted[i, 1]
        low, high = 0, fingerprints.shape[0]
        while low < high:
            middle = (low + high) >> 1
            found = fingerprints[middle, 0]
            if found < first or (found == first and fingerprints[middle, 1] < second):
                low = middle + 1
            else:
                high = middle
        is_found = low < order.size and fingerprints[low, 0] == first and fingerprints[low, 1] == second
        out[i] = np.int64(order[low]) if is_found else np.int64(-1)


def fingerprint_ints(values: NDArray[np.int64] | NDArray[np.uint64]) -> Fingerprints:
    """Fingerprints of integer keys: the bits of each value, then 0.

    Parameters
    ----------
    values : (n,) int64 or uint64

    Returns
    -------
    (n, 2) uint64

    Raises
    ------
    ValueError    wrong dtype, shape or layout
    """
    dtype = np.uint64 if getattr(values, "dtype", None) == np.uint64 else np.int64
    out = np.zeros((len(values), 2), np.uint64)
    out[:, 0] = readonly("values", values, dtype, None).view(np.uint64)
    return out


def fingerprint_strings(
    offsets: NDArray[np.int32] | NDArray[np.int64], data: NDArray[np.uint8], seed: int
) -> Fingerprints:
    """Fingerprints of string keys: two XXH64 digests of the bytes of each.

    Parameters
    ----------
    offsets : (n + 1,) int32 or int64
        String i is `data[offsets[i]:offsets[i + 1]]`, as Arrow stores a string column or a slice of one.
    data : (bytes,) uint8
    seed : int
        In [0, 2**64). The digests use `seed` and `seed ^ SECOND_SEED`.

    Returns
    -------
    (n, 2) uint64

    Raises
    ------
    ValueError    wrong dtype, shape or layout, offsets that decrease or leave the data, or a seed out of range
    """
    dtype = np.int32 if getattr(offsets, "dtype", None) == np.int32 else np.int64
    offsets = readonly("offsets", offsets, dtype, None)
    data = readonly("data", data, np.uint8, None)
    if not len(offsets) or offsets[0] < 0 or offsets[-1] > len(data) or np.any(offsets[1:] < offsets[:-1]):
        raise ValueError(f"offsets must be non-decreasing positions in the data; bytes={len(data)}")
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed must be in [0, 2**64); got={seed}")
    out = np.empty((len(offsets) - 1, 2), np.uint64)
    _fingerprint_strings(offsets, data, np.uint64(seed), np.uint64(seed ^ SECOND_SEED), out)
    return out


def sort_fingerprints(fingerprints: Fingerprints) -> NDArray[np.uint32]:
    """Order (n,) uint32 that sorts (n, 2) uint64 fingerprints by the first word, then by the second.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, or 2**32 rows or more
    """
    fingerprints = readonly("fingerprints", fingerprints, np.uint64, None, 2)
    if len(fingerprints) >= 2**32:
        raise ValueError(f"row numbers are 32 bits; rows={len(fingerprints)}")
    order = np.argsort(fingerprints[:, 0])
    first = fingerprints[order, 0]
    if np.any(first[1:] == first[:-1]):
        # two words decide only here, at several times the cost
        order = np.lexsort((fingerprints[:, 1], fingerprints[:, 0]))
    return order.astype(np.uint32)


def find_sorted(sorted_fp: Fingerprints, order: NDArray[np.uint32], wanted: Fingerprints) -> NDArray[np.int64]:
    """Rows of fingerprints in a sorted list, by binary search.

    Parameters
    ----------
    sorted_fp : (n, 2) uint64
        Ascending, for example a view of a memory map.
    order : (n,) uint32
        Row of each of them.
    wanted : (m, 2) uint64

    Returns
    -------
    (m,) int64
        The row, or -1 where the fingerprint is not in the list.

    Raises
    ------
    ValueError    wrong dtype, shape or layout
    """
    sorted_fp = readonly("sorted_fp", sorted_fp, np.uint64, None, 2)
    order = readonly("order", order, np.uint32, len(sorted_fp))
    wanted = readonly("wanted", wanted, np.uint64, None, 2)
    out = np.empty(len(wanted), np.int64)
    _find_sorted(sorted_fp, order, wanted, out)
    return out
