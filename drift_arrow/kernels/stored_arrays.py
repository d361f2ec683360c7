"""Arrays that lie one behind the other in stored bytes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.lanes import TAIL_BYTES

ALIGNMENT: Final = 8
"""Arrays begin at multiples of it, counted from the first stored byte."""

FITS: Final = 0
MISALIGNED: Final = 1
WRONG_SIZE: Final = 2
NOT_ZERO: Final = 3
"""What `place_arrays` finds: nothing wrong; the stored bytes begin at an address where numbers may not stand; they are
more or fewer than the arrays; padding that is not zero."""


@kernel(inner=True)
def _is_zero(stored: Any, start: Any, stop: Any) -> Any:
    found = np.uint8(0)
    for i in range(start, stop):
        found |= stored[i]
    return found == 0


@kernel
def _place(stored: Any, start: Any, item_bytes: Any, sizes: Any, numbers: Any) -> Any:
    address, place = np.int64(stored.ctypes.data), np.int64(start)
    if address % ALIGNMENT != 0:
        return MISALIGNED, place
    for a in range(len(sizes)):
        numbers[2 * a], numbers[2 * a + 1] = address + place, sizes[a]
        place += (sizes[a] * item_bytes[a] + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
    if place != stored.size:
        return WRONG_SIZE, place
    for a in range(len(sizes)):
        stop = numbers[2 * a] - address + sizes[a] * item_bytes[a]
        if not _is_zero(stored, stop, (stop + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT):
            return NOT_ZERO, stop
    return (FITS if _is_zero(stored, place - TAIL_BYTES, place) else NOT_ZERO), place


def place_arrays(
    stored: NDArray[np.uint8],
    start: int,
    item_bytes: tuple[int, ...],
    sizes: tuple[int, ...],
    numbers: NDArray[np.int64],
) -> tuple[int, int]:
    """Find arrays that follow each other, each filled up with zeros to a multiple of 8 bytes.

    Parameters
    ----------
    stored : (n,) uint8, read-only
        Ends with the last array, and that with `TAIL_BYTES` zeros.
    start : int
        Multiple of 8 at which the first array begins.
    item_bytes, sizes : tuples of int, of one length a
        Of each array: bytes of an item, and items, fewer than 2**32. The last has at least `TAIL_BYTES` bytes.
    numbers : (2 * a or more,) int64
        Receives the address and the size of each.

    Returns
    -------
    (int, int)
        `FITS` or what is wrong; and how many bytes there should be, if they are `WRONG_SIZE`.

    Notes
    -----
    Compiled, since it takes ten times as long to make views of a few arrays as to decode a vector.
    """
    found: tuple[int, int] = _place(stored, start, item_bytes, sizes, numbers)
    return found
