"""Packed integers of 8 or 16 bits, for a compressor of bytes that is to follow.

It finds the same bytes again only where each integer has bytes of its own, and where the same value is the same integer
in every vector. Integers of more than 16 bits hardly repeat, and are packed as tightly as they can be.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from drift_arrow.kernels._jit import kernel

MOST_BITS: Final = 16
"""Width up to which whole bytes compress better."""


@kernel(inner=True)
def whole_width(width: Any) -> Any:
    """Width in whole bytes for one from 1 to 16."""
    return np.int64(8) if width <= 8 else np.int64(MOST_BITS)


@kernel(inner=True)
def is_within(low: Any, high: Any, width: Any) -> Any:
    """Whether `width` bits reach from `low` to `high`, both uint64."""
    return (high - low) >> np.uint64(width) == np.uint64(0)


@kernel(inner=True)
def round_base(low: Any, high: Any, width: Any) -> Any:
    """Base with the most zeros at its end from which `width` bits reach from below `low` to `high`, all uint64."""
    for n_zeros in range(width, 0, -1):
        base = low >> np.uint64(n_zeros) << np.uint64(n_zeros)
        if is_within(base, high, width):
            return base
    return low
