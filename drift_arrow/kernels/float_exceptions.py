"""Exceptions of a vector: the values, or left parts of values, that do not fit what is packed."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from drift_arrow.kernels import _plain_floats as plain
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.lanes import VALUES, lane_vector, load, resize, routine, splat


@routine(plain.at_least, types.uint64)
def at_least(builder: ir.IRBuilder, kinds: Any, source: Any, base: Any, limit: Any, like: Any) -> Any:  # noqa: ARG001
    """Which of the 64 integers at `source` are, less `base`, not below `limit`, all without sign; bit i for integer i.

    base, limit : int64     like: uint16 or uint64, for the type of the integers
    """
    bits = kinds[-1].bitwidth
    values = load(builder, source, lane_vector(bits, 64))
    bases, limits = (splat(builder, resize(builder, scalar, bits), 64) for scalar in (base, limit))
    return builder.bitcast(builder.icmp_unsigned(">=", builder.sub(values, bases), limits), ir.IntType(64))


@routine(plain.pop_lowest, types.int64)
def lowest_bit(builder: ir.IRBuilder, kinds: Any, mask: Any) -> Any:  # noqa: ARG001
    """Number of the lowest bit that is set in a uint64, which is not 0."""
    return builder.cttz(mask, ir.Constant(ir.IntType(1), 1))


@kernel(inner=True)
def mark_exceptions(codes: Any, base: Any, limit: Any, masks: Any, like: Any) -> None:
    """Set the bits of the codes that are, less `base`, not below `limit`.

    codes : (1024,) uint16 or uint64
    masks : (16,) uint64, overwritten
    """
    for block in range(VALUES // 64):
        address = np.uint64(codes.ctypes.data) + np.uint64(block * 64 * codes.itemsize)
        masks[block] = at_least(address, base, limit, like)


@kernel(inner=True)
def take_exceptions(
    masks: Any, source: Any, start: Any, shift: Any, positions: Any, first: Any, taken: Any, first_taken: Any
) -> Any:
    """Write the marked values of a vector, shifted right, and their positions; the number of them.

    masks : (16,) uint64
    source : (n,) unsigned integers     `start` is where the vector begins
    positions : (m,) uint16     written from `first` on
    taken : (t,) unsigned integers     written from `first_taken` on
    """
    n = np.int64(0)
    for block in range(len(masks)):
        mask = masks[block]
        while mask != np.uint64(0):
            position = np.int64(block * 64) + lowest_bit(mask)
            mask &= mask - np.uint64(1)
            positions[first + n] = position
            taken[first_taken + n] = source[start + position] >> shift
            n += 1
    return n
