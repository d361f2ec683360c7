"""Memory that a kernel writes to and nobody reads afterwards: one piece per thread, which call after call cuts up."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._aligned import aligned
from drift_arrow.kernels.memory import address_of

_KEPT_BYTES: Final = 1 << 20
"""Most that a thread keeps between calls; more pays for itself by what is done in it."""

_LINE: Final = 64
_BYTE: Final = np.dtype(np.uint8)


class _Kept(threading.local):
    def __init__(self) -> None:
        self.memory: NDArray[np.uint8] = np.empty(0, np.uint8)
        self.address = 0


_KEPT: Final = _Kept()


def scratch(n_bytes: int) -> tuple[int, NDArray[np.uint8]]:
    """Address of so many bytes, the first of a cache line, and what keeps them alive.

    The same bytes as at the last call of this thread if there were enough: whoever calls is done with them before it
    calls again. They hold anything.
    """
    if n_bytes <= _KEPT.memory.size:
        return _KEPT.address, _KEPT.memory
    memory = aligned(n_bytes, _BYTE)
    address = address_of(memory)
    if n_bytes <= _KEPT_BYTES:
        _KEPT.memory, _KEPT.address = memory, address
    return address, memory


def layout(sizes: Sequence[tuple[int, type[np.generic]]]) -> tuple[NDArray[np.int64], int]:
    """Where arrays of so many numbers of a type lie in one piece of memory, each from a cache line on.

    Returns
    -------
    places : (n,) int64
        Offsets in bytes; read-only.
    n_bytes : int
        Of the piece.
    """
    lines = [-(-size * np.dtype(kind).itemsize // _LINE) for size, kind in sizes]
    ends = np.cumsum([0, *lines], dtype=np.int64) * _LINE
    places = ends[:-1].copy()
    places.flags.writeable = False
    return places, int(ends[-1])
