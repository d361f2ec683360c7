"""The schemes of vectors of integers, and the kinds of machine code that decode them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np

from drift_arrow.kernels._jit import kernel

FRAME: Final = 0
"""`base` plus a code of `width` bits. Exceptions replace values. A constant vector has width 0 and no exceptions."""
DELTA: Final = 1
"""Running sum of `base` plus a code. Exceptions are the values at which it starts anew, the first of them included."""
RUNS: Final = 2
"""Exceptions are the runs: each value repeats up to the next. Width 0."""
DICTIONARY: Final = 3
"""Entry of the dictionary number `base` plus a code. No exceptions."""

N_SCHEMES: Final = 4
POSITION_BITS: Final = 16
N_LANES: Final = 4

LANES: Final = (np.uint8(0), np.uint16(0), np.uint32(0), np.uint64(0))
"""A value of the type of each lane, by which the compiled code of that lane is chosen."""


@kernel(inner=True)
def vector_kind(scheme: Any, width: Any) -> Any:
    """Number of the machine code for a vector: `scheme * N_LANES + log2(lane / 8)`."""
    return scheme * N_LANES + (width > 8) + (width > 16) + (width > 32)


@lru_cache(maxsize=256)
def kinds_in(bits: int) -> tuple[int, ...]:
    """Numbers of the bits that are set, one for each kind, in rising order."""
    return tuple(kind for kind in range(bits.bit_length()) if bits >> kind & 1)
