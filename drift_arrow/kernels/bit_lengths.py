"""Bit lengths of a vector of 1024 integers, a byte each: all that a choice of widths has to look at again and again."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from drift_arrow.kernels import _plain
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.lanes import VALUES, advance, fill, lane_vector, load, resize, routine, splat, store

_LANES = 64
_COUNT_BITS = 16


def _plain_lengths_above(source: Any, base: Any, target: Any) -> None:
    distances = _plain.memory(source, base.dtype, VALUES) - base
    _plain.memory(target, np.uint8, VALUES)[:] = [distance.bit_length() for distance in distances.tolist()]


def _plain_lengths_below(source: Any, top: Any, target: Any) -> None:
    distances = top - _plain.memory(source, top.dtype, VALUES)
    _plain.memory(target, np.uint8, VALUES)[:] = [distance.bit_length() for distance in distances.tolist()]


def _plain_split(lengths: Any, width: Any) -> np.int64:
    found = _plain.memory(lengths, np.uint8, VALUES)
    kept = found[found <= int(width)]
    return np.int64((VALUES - kept.size) | int(kept.max(initial=0)) << _COUNT_BITS)


def _emit_lengths(*, is_below: bool) -> Any:
    def emit(builder: ir.IRBuilder, kinds: Any, source: Any, origin: Any, target: Any) -> None:
        bits = kinds[1].bitwidth
        lanes = VALUES // bits
        kind, origins = lane_vector(bits), splat(builder, origin, lanes)
        signature = ir.FunctionType(kind, [kind, ir.IntType(1)])
        name = f"llvm.ctlz.v{lanes}i{bits}"
        zeros = cgutils.get_or_insert_function(builder.module, signature, name)  # type: ignore[no-untyped-call]
        with cgutils.for_range(builder, ir.Constant(ir.IntType(64), bits)) as loop:
            first = builder.mul(loop.index, ir.Constant(loop.index.type, lanes))
            place = builder.add(source, builder.mul(first, ir.Constant(first.type, bits // 8)))
            values = load(builder, place, kind)
            distances = builder.sub(origins, values) if is_below else builder.sub(values, origins)
            leading = builder.call(zeros, [distances, ir.Constant(ir.IntType(1), 0)])
            lengths = builder.sub(fill(kind, bits), leading)
            store(builder, resize(builder, lengths, 8), builder.add(target, first))

    return emit


lengths_above: Any = routine(_plain_lengths_above)(_emit_lengths(is_below=False))
"""Bits of each of 1024 unsigned integers less `base`; arguments: source (address), base, target (of 1024 uint8)."""

lengths_below: Any = routine(_plain_lengths_below)(_emit_lengths(is_below=True))
"""Bits of `top` less each of 1024 unsigned integers; arguments as of `lengths_above`."""


@routine(_plain_split, types.int64)
def _split(builder: ir.IRBuilder, kinds: Any, lengths: Any, width: Any) -> Any:  # noqa: ARG001
    """How many of 1024 uint8 at an address are above `width` (int64), and above 16 bits the greatest of the others."""
    kind = lane_vector(8, _LANES)
    widths, zero = splat(builder, resize(builder, width, 8), _LANES), fill(kind, 0)
    count: Any = ir.Constant(ir.IntType(64), 0)
    greatest: Any = zero
    for block in range(VALUES // _LANES):
        found = load(builder, advance(builder, lengths, block * _LANES), kind)
        is_longer = builder.icmp_unsigned(">", found, widths)
        count = builder.add(count, builder.ctpop(builder.bitcast(is_longer, ir.IntType(_LANES))))
        kept = builder.select(is_longer, zero, found)
        greatest = builder.select(builder.icmp_unsigned(">", kept, greatest), kept, greatest)
    signature = ir.FunctionType(kind.element, [kind])
    name = f"llvm.vector.reduce.umax.v{_LANES}i8"
    maximum = cgutils.get_or_insert_function(builder.module, signature, name)  # type: ignore[no-untyped-call]
    longest = resize(builder, builder.call(maximum, [greatest]), 64)
    return builder.or_(count, builder.shl(longest, ir.Constant(longest.type, _COUNT_BITS)))


@kernel
def patched_width(lengths: Any, width: Any, exception_bits: Any, most_exceptions: Any) -> Any:
    """Cheapest width of a vector of codes, some of which may be exceptions that cost `exception_bits` each.

    Parameters
    ----------
    lengths : (1024,) uint8
        Bits of the codes.
    width : int64
        The greatest of them.
    exception_bits, most_exceptions : int64

    Returns
    -------
    (int64, int64)
        Width, and number of codes that need more bits.

    Notes
    -----
    The same as trying every width on a histogram of the lengths, but one look for each width at which fewer exceptions
    would do, and the first look ends the search wherever half of the codes need all bits.
    """
    best_width, best_count, best_cost = width, np.int64(0), VALUES * width
    address = np.uint64(lengths.ctypes.data)
    while width > 0:
        found = _split(address, width - 1)
        count, width = found & ((1 << _COUNT_BITS) - 1), found >> _COUNT_BITS
        if count > most_exceptions or count * exception_bits >= best_cost:
            break
        cost = VALUES * width + count * exception_bits
        if cost < best_cost:
            best_width, best_count, best_cost = width, count, cost
    return best_width, best_count
