"""Packed sets of rows: bit r of byte r // 8, lowest first, as Arrow packs them. Bits past the last row are zero."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel

Bits = NDArray[np.uint8]

ALL_ROWS: Final = readonly("all rows", np.empty(0, np.uint8), np.uint8, 0)
"""What kernels take for `None`: no bits, no filter."""


# by value of a byte; no byte 0 asks for its lowest bit
_LOWEST_BIT: Final = np.array([max((byte & -byte).bit_length() - 1, 0) for byte in range(256)], np.int64)
_BIT_COUNT: Final = np.bitwise_count(np.arange(256)).astype(np.int64)


@kernel(inner=True)
def is_allowed(bits: Any, position: Any) -> Any:
    """Whether a bit is set. No bits at all allow every position."""
    return bits.size == 0 or bits[position >> 3] >> np.uint8(position & 7) & 1


@kernel
def next_allowed(bits: Any, position: Any, stop: Any) -> Any:
    """First position in [position, stop) whose bit is set, or `stop`. No bits at all allow every position."""
    if bits.size == 0:
        return position
    while position < stop:
        byte = bits[position >> 3] >> np.uint8(position & 7)
        if byte:
            return min(position + _LOWEST_BIT[byte], stop)
        position = (position | 7) + 1
    return stop


@kernel(inner=True)
def is_dense(bits: Any, start: Any, stop: Any) -> Any:
    """Whether a quarter or more of the bits of [start, stop) are set, counted in whole bytes.

    Then reading every row in order is faster than jumping, which defeats the prefetching of the processor.
    """
    set_bits = 0
    for byte in bits[start >> 3 : (stop + 7) >> 3]:
        set_bits += _BIT_COUNT[byte]
    return 4 * set_bits >= stop - start


@kernel
def _clear(bits: Any, rows: Any) -> None:
    for row in rows:
        bits[row >> 3] &= ~(np.uint8(1) << np.uint8(row & 7))


def full(n: int) -> Bits:
    """Bitmap of `n` rows with every bit set, ((n + 7) // 8,) uint8."""
    return extended(np.empty(0, np.uint8), 0, n)


def extended(bits: Bits, n: int, total: int) -> Bits:
    """Bitmap of `total` rows: the first `n` as in `bits`, the others set. O(total / 8) bytes are written.

    Raises
    ------
    ValueError    not a bitmap of `n` rows, or total < n
    """
    bits = readonly("bits", bits, np.uint8, n_bytes(n))
    if total < n:
        raise ValueError(f"a bitmap grows; got={total} rows={n}")
    longer = np.full(n_bytes(total), 255, np.uint8)
    longer[: len(bits)] = bits
    if n % 8:
        longer[n // 8] |= 255 << n % 8 & 255
    if total % 8:
        longer[-1] &= (1 << total % 8) - 1
    return longer


def from_mask(mask: NDArray[np.bool_]) -> Bits:
    """Bitmap of a (n,) boolean mask."""
    return np.packbits(mask, bitorder="little")


def to_mask(bits: Bits, n: int) -> NDArray[np.bool_]:
    """Boolean mask (n,) of a bitmap of `n` rows.

    Raises
    ------
    ValueError    not a bitmap of `n` rows
    """
    return np.unpackbits(readonly("bits", bits, np.uint8, n_bytes(n)), count=n, bitorder="little").view(np.bool_)


def count(bits: Bits, n: int) -> int:
    """Number of set bits of a bitmap of `n` rows.

    Raises
    ------
    ValueError    not a bitmap of `n` rows
    """
    return int(np.bitwise_count(readonly("bits", bits, np.uint8, n_bytes(n))).sum(dtype=np.int64))


def clear(bits: Bits, rows: NDArray[np.int64]) -> Bits:
    """Copy of a bitmap without `rows`, (m,) int64 in any order. The original stays as readers know it.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, or a row out of range
    """
    copy = readonly("bits", bits, np.uint8, None).copy()
    _clear(copy, _checked_rows(copy, rows))
    return copy


def test(bits: Bits, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the bit of each of `rows`, (m,) int64, is set, as a (m,) mask.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, or a row out of range
    """
    rows = _checked_rows(bits, rows)
    found: Bits = bits[rows >> 3] >> (rows & 7).astype(np.uint8) & 1
    return found.view(np.bool_)


def intersect(a: Bits | None, b: Bits | None) -> Bits | None:
    """Bitmap of the rows in both, where None stands for all rows.

    Raises
    ------
    ValueError    bitmaps of different length
    """
    if a is None or b is None:
        return b if a is None else a
    both: Bits = readonly("a", a, np.uint8, None) & readonly("b", b, np.uint8, len(a))
    return both


def n_bytes(n: int) -> int:
    """Bytes of a bitmap of `n` rows."""
    return (n + 7) // 8


def _checked_rows(bits: Bits, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    rows = readonly("rows", rows, np.int64, None)
    if len(rows) and not (rows.min() >= 0 and rows.max() < 8 * len(bits)):
        raise ValueError(f"row out of range; got={rows.min()}..{rows.max()} bits={8 * len(bits)}")
    return rows
