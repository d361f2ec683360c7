"""Whether strings that lie one behind the other are UTF-8, each of them by itself."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel

_BLOCK: Final = 256
"""Bytes that are tested for ASCII at once: enough for a loop over wide registers."""


@kernel(inner=True)
def _sequence(data: Any, i: Any) -> Any:
    """Bytes of the character that begins at i, or 0 if none does (RFC 3629, section 4)."""
    lead, left = data[i], np.uint64(data.size) - i
    if lead < 0x80:
        return np.uint64(1)
    if lead < 0xC2 or lead > 0xF4:
        return np.uint64(0)
    size = np.uint64(2) if lead < 0xE0 else np.uint64(3) if lead < 0xF0 else np.uint64(4)
    if left < size:
        return np.uint64(0)
    # not longer than it must be, no half of a pair of UTF-16, and none beyond the last character
    second = data[i + np.uint64(1)]
    least = 0xA0 if lead == 0xE0 else 0x90 if lead == 0xF0 else 0x80
    most = 0x9F if lead == 0xED else 0x8F if lead == 0xF4 else 0xBF
    if second < least or second > most:
        return np.uint64(0)
    for j in range(np.uint64(2), size):
        if data[i + np.uint64(j)] & 0xC0 != 0x80:
            return np.uint64(0)
    return size


@kernel(inner=True)
def _is_ascii(data: Any, start: Any) -> Any:
    union = np.uint8(0)
    for i in range(_BLOCK):
        union |= data[start + np.uint64(i)]
    return union < 0x80


@kernel
def _check(data: Any, offsets: Any) -> Any:
    size, i = np.uint64(data.size), np.uint64(0)
    is_ascii = True
    while i < size:
        if size - i >= np.uint64(_BLOCK) and _is_ascii(data, i):
            i += np.uint64(_BLOCK)
            continue
        stop = min(size, i + np.uint64(_BLOCK))
        while i < stop:
            step = _sequence(data, i)
            if step == 0:
                return False
            is_ascii &= step == 1
            i += step
    if is_ascii:
        return True
    # of text as a whole, a string is wrong only if it begins inside of a character
    for k in range(np.uint64(offsets.size)):
        place = np.uint64(offsets[np.uint64(k)])
        if place < size and data[place] & 0xC0 == 0x80:
            return False
    return True


def are_utf8(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> bool:
    """Whether all strings are UTF-8.

    Parameters
    ----------
    data : (b,) uint8
        Bytes of all strings.
    offsets : (n + 1,) int64
        Ascending from 0 to b: string i is ``data[offsets[i]:offsets[i + 1]]``.

    Returns
    -------
    bool

    Raises
    ------
    ValueError    wrong dtype, shape or layout, or offsets that do not begin at 0 and end at b

    Notes
    -----
    O(b + n), without the GIL. ASCII is passed over at the speed of memory, other characters one by one.
    """
    data, offsets = readonly("data", data, np.uint8, None), readonly("offsets", offsets, np.int64, None)
    if not offsets.size or offsets[0] != 0 or offsets[-1] != data.size:
        raise ValueError(f"offsets must ascend from 0 to the size of data; size={data.size}")
    return bool(_check(data, offsets))
