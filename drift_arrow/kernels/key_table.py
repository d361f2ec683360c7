"""A hash table from fingerprints of keys to row numbers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel

_NO_ROW: Final = np.uint32(0xFFFFFFFF)
"""Marks an empty slot."""

# Source: Appleby, MurmurHash3, the 64-bit finaliser
_MULTIPLIER_1: Final = np.uint64(0xFF51AFD7ED558CCD)
_MULTIPLIER_2: Final = np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT: Final = np.uint64(33)


@kernel
def _find_slot(words: Any, rows: Any, first: Any, second: Any) -> Any:
    """Slot of a fingerprint, or the empty slot where it belongs; linear probing.

    words : (slots, 2) uint64, rows : (slots,) uint32; `slots` is a power of two and at least one is empty
    """
    mask = np.uint64(rows.size - 1)
    # integer keys come in runs and steps and are their own fingerprint: mix until every bit matters
    mixed = first ^ second
    mixed = (mixed ^ (mixed >> _SHIFT)) * _MULTIPLIER_1
    mixed = (mixed ^ (mixed >> _SHIFT)) * _MULTIPLIER_2
    slot = (mixed ^ (mixed >> _SHIFT)) & mask
    while rows[slot] != _NO_ROW and (words[slot, 0] != first or words[slot, 1] != second):
        slot = (slot + np.uint64(1)) & mask
    return slot


@kernel
def _insert(words: Any, rows: Any, fingerprints: Any, first_row: Any) -> int:
    """Set the row of every fingerprint and count those that are new."""
    n_new = 0
    for i in range(fingerprints.shape[0]):
        slot = _find_slot(words, rows, fingerprints[i, 0], fingerprints[i, 1])
        n_new += rows[slot] == _NO_ROW
        words[slot, 0] = fingerprints[i, 0]
        words[slot, 1] = fingerprints[i, 1]
        rows[slot] = np.uint32(first_row + i)
    return n_new


@kernel
def _rehash(old_words: Any, old_rows: Any, words: Any, rows: Any) -> None:
    for old in range(old_rows.size):
        if old_rows[old] != _NO_ROW:
            slot = _find_slot(words, rows, old_words[old, 0], old_words[old, 1])
            words[slot, 0] = old_words[old, 0]
            words[slot, 1] = old_words[old, 1]
            rows[slot] = old_rows[old]


@kernel
def _find(words: Any, rows: Any, fingerprints: Any, out: Any) -> None:
    for i in range(fingerprints.shape[0]):
        row = rows[_find_slot(words, rows, fingerprints[i, 0], fingerprints[i, 1])]
        out[i] = np.int64(-1) if row == _NO_ROW else np.int64(row)


@kernel
def _first_duplicate(words: Any, rows: Any, fingerprints: Any) -> int:
    for i in range(fingerprints.shape[0]):
        slot = _find_slot(words, rows, fingerprints[i, 0], fingerprints[i, 1])
        if rows[slot] != _NO_ROW:
            return i
        words[slot, 0] = fingerprints[i, 0]
        words[slot, 1] = fingerprints[i, 1]
        rows[slot] = np.uint32(i)
    return -1


def _empty_slots(n_keys: int) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    # at most half full, so that probing stays short and always ends
    n_slots = 1 << max(2 * n_keys - 1, 1).bit_length()
    return np.empty((n_slots, 2), np.uint64), np.full(n_slots, _NO_ROW)


class KeyTable:
    """Newest row of each key, by open addressing.

    Parameters
    ----------
    capacity : int
        Keys it holds before it grows; it grows by doubling.

    Raises
    ------
    ValueError    negative capacity

    Notes
    -----
    40 to 80 bytes per key. Not safe to read while another thread inserts.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 0:
            raise ValueError(f"capacity must not be negative; got={capacity}")
        self._words, self._rows = _empty_slots(capacity)
        self._n_keys = 0

    def __len__(self) -> int:
        """Keys in the table."""
        return self._n_keys

    def insert(self, fingerprints: NDArray[np.uint64], first_row: int) -> None:
        """Give key i the row `first_row + i`; of equal keys the last one counts, in this call and over calls.

        Parameters
        ----------
        fingerprints : (n, 2) uint64
        first_row : int
            In [0, 2**32 - 1 - n].

        Raises
        ------
        ValueError    wrong dtype, shape or layout, or a row out of range
        """
        fingerprints = readonly("fingerprints", fingerprints, np.uint64, None, 2)
        if not 0 <= first_row <= int(_NO_ROW) - len(fingerprints):
            raise ValueError(f"rows must be in [0, 2**32 - 1); got={first_row} rows={len(fingerprints)}")
        self._reserve(self._n_keys + len(fingerprints))
        self._n_keys += int(_insert(self._words, self._rows, fingerprints, int(first_row)))

    def find(self, fingerprints: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Row of each of (n, 2) uint64 fingerprints, or -1, as (n,) int64.

        Raises
        ------
        ValueError    wrong dtype, shape or layout
        """
        fingerprints = readonly("fingerprints", fingerprints, np.uint64, None, 2)
        out = np.empty(len(fingerprints), np.int64)
        _find(self._words, self._rows, fingerprints, out)
        return out

    def _reserve(self, n_keys: int) -> None:
        if 2 * n_keys <= len(self._rows):
            return
        words, rows = _empty_slots(n_keys)
        _rehash(self._words, self._rows, words, rows)
        self._words, self._rows = words, rows


def first_duplicate(fingerprints: NDArray[np.uint64]) -> int:
    """Index of the first of (n, 2) uint64 fingerprints that equals an earlier one, or -1.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, or 2**32 - 1 rows or more
    """
    fingerprints = readonly("fingerprints", fingerprints, np.uint64, None, 2)
    if len(fingerprints) >= int(_NO_ROW):
        raise ValueError(f"row numbers are 32 bits; rows={len(fingerprints)}")
    words, rows = _empty_slots(len(fingerprints))
    return int(_first_duplicate(words, rows, fingerprints))
