"""Base and width of packed integers, such that what lies outside costs less than it saves."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from drift_arrow.kernels import _plain_floats as plain
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.float_header import CODE_LIMIT
from drift_arrow.kernels.lanes import VALUES, advance, fill, lane_vector, load, resize, routine, splat, store
from drift_arrow.kernels.whole_bytes import MOST_BITS, is_within, round_base, whole_width

LANES: Final = 16
"""Lanes in which least and greatest integers are kept."""

_MIDDLE_SAMPLE: Final = 15


@kernel(inner=True)
def value_range(extremes: Any) -> Any:
    """Least and greatest integer that is no exception; see `alp_encode.encode_block`."""
    least, greatest = extremes[0], extremes[LANES]
    for lane in range(1, LANES):
        least, greatest = min(least, extremes[lane]), max(greatest, extremes[LANES + lane])
    return least, greatest


@kernel(inner=True)
def _bit_length(value: Any) -> Any:
    length = np.int64(0)
    while value:
        value >>= 1
        length += 1
    return length


def _emit_lengths(*, is_signed: bool) -> Any:
    def emit(builder: ir.IRBuilder, _kinds: Any, source: Any, base: Any, target: Any) -> None:
        kind = lane_vector(64, LANES)
        bases, zero = splat(builder, base, LANES), fill(kind, 0)
        name = f"llvm.ctlz.v{LANES}i64"
        signature = ir.FunctionType(kind, [kind, ir.IntType(1)])
        zeros = cgutils.get_or_insert_function(builder.module, signature, name)  # type: ignore[no-untyped-call]
        with cgutils.for_range(builder, ir.Constant(ir.IntType(64), VALUES // LANES)) as loop:
            first = builder.mul(loop.index, ir.Constant(loop.index.type, LANES))
            codes = load(builder, builder.add(source, builder.mul(first, ir.Constant(first.type, 8))), kind)
            distances = builder.sub(codes, bases)
            magnitudes = distances
            if is_signed:
                magnitudes = builder.xor(distances, builder.ashr(distances, fill(kind, 63)))
            leading = builder.call(zeros, [magnitudes, ir.Constant(ir.IntType(1), 0)])
            lengths = builder.sub(fill(kind, 65 if is_signed else 64), leading)
            if is_signed:
                lengths = builder.select(builder.icmp_unsigned("==", distances, zero), zero, lengths)
            store(builder, resize(builder, lengths, 8), builder.add(target, first))

    return emit


_lengths_above: Any = routine(plain.lengths_above)(_emit_lengths(is_signed=False))
"""Bits of each of 1024 int64 less `base`; arguments: source (uint64 address), base (int64), target (of 1024 uint8)."""

_lengths_around: Any = routine(plain.lengths_around)(_emit_lengths(is_signed=True))
"""Widths of the windows of powers of two around `base` that hold each of 1024 int64; 0 for `base` itself."""


@routine(plain.count_longer, types.int64)
def _count_longer(builder: ir.IRBuilder, kinds: Any, lengths: Any, width: Any) -> Any:  # noqa: ARG001
    """Number of the 1024 uint8 at an address that are above `width` (int64)."""
    kind = lane_vector(8, 64)
    widths = splat(builder, resize(builder, width, 8), 64)
    total: Any = ir.Constant(ir.IntType(64), 0)
    for block in range(VALUES // 64):
        is_longer = builder.icmp_unsigned(">", load(builder, advance(builder, lengths, block * 64), kind), widths)
        total = builder.add(total, builder.ctpop(builder.bitcast(is_longer, ir.IntType(64))))
    return total


@kernel(inner=True)
def _middle(codes: Any, scratch: Any) -> Any:
    """Median of some of the codes."""
    for i in range(_MIDDLE_SAMPLE):
        code, place = np.int64(codes[i * (VALUES // _MIDDLE_SAMPLE)]), i
        while place > 0 and scratch[place - 1] > code:
            scratch[place] = scratch[place - 1]
            place -= 1
        scratch[place] = code
    return scratch[_MIDDLE_SAMPLE // 2]


@kernel(inner=True)
def choose_width(codes: Any, extremes: Any, lengths: Any, widest: Any, cost_of_exception: Any) -> Any:
    """Base, width, and the bits of the vector with its exceptions; width -1 where all integers are exceptions.

    codes : (1024,) uint64     integers, 2**63 for exceptions
    extremes : (32,) int64     16 least and 16 greatest integers without the exceptions; overwritten
    lengths : (1024,) uint8    scratch
    widest : int64             limit of the width

    Notes
    -----
    Tries the windows that begin at the least integer, for outliers above, and those around the middle of them, for
    outliers on both sides. O(1024), and little for each width.
    """
    least, greatest = value_range(extremes)
    if least > greatest:
        return least, np.int64(-1), np.int64(2**62)
    widest = min(widest, _bit_length(greatest - least))
    best_base, best, best_cost = least, widest, np.int64(2**62)
    source, target = np.uint64(codes.ctypes.data), np.uint64(lengths.ctypes.data)
    _lengths_above(source, least, target)
    for width in range(widest, -1, -1):
        exceptions_cost = _count_longer(target, width) * cost_of_exception
        if width * VALUES + exceptions_cost < best_cost:
            best, best_cost = width, width * VALUES + exceptions_cost
        if exceptions_cost >= best_cost:
            break
    middle = _middle(codes, extremes)
    if middle < -CODE_LIMIT:  # of more exceptions than integers
        return best_base, best, best_cost
    _lengths_around(source, middle, target)
    for width in range(best - 1, -1, -1):
        exceptions_cost = _count_longer(target, width) * cost_of_exception
        base = middle - ((np.int64(1) << width) >> 1)
        if width * VALUES + exceptions_cost < best_cost and base >= -CODE_LIMIT:
            best_base, best, best_cost = base, width, width * VALUES + exceptions_cost
        if exceptions_cost >= best_cost:
            break
    return best_base, best, best_cost


@kernel(inner=True)
def widen(base: Any, width: Any, least: Any, greatest: Any) -> Any:
    """Base and width in whole bytes, for what `choose_width` has found and the range of the integers."""
    if not 0 < width <= MOST_BITS:
        return base, width
    width, sign = whole_width(width), np.uint64(1 << 63)
    low, high = np.uint64(least) ^ sign, np.uint64(greatest) ^ sign
    # the limit of a base is a power of two, beyond which no rounding leads
    return np.int64(round_base(low, high, width) ^ sign) if is_within(low, high, width) else base, width
