"""Differences of neighbours: vectors that rise or fall steadily, such as time stamps and sorted numbers.

A code is the difference of a value to its neighbour before it, less the smallest such difference of the vector, modulo
the range of the type. The running sum is formed in registers while the vector is unpacked, so that values come out in
the order of the column. Exceptions of the vector are the values at which the sum starts anew: always the first, and
those after a jump that would have widened all codes.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba.core import cgutils

from drift_arrow.kernels import _plain
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.lanes import (
    VALUES,
    advance,
    fill,
    lane_vector,
    load,
    resize,
    routine,
    shuffle,
    splat,
    store,
    unpack,
)

MOST_JUMPS: Final = 8
"""Exceptions of a vector besides the first: each costs a pass over the values behind it."""

_REGISTER_BITS: Final = 512

_SPLIT_LANE: Final = 16
_SPLIT_WIDTH: Final = 11
"""Codes of this lane and up to this width have sums of no more bits than the lane, over a register of 32 of them."""


def _plain_running(source: Any, step: Any, before: Any, width: Any, target: Any, lane: Any) -> None:
    codes = _plain.unpack(source, width, lane.itemsize * 8).astype(step.dtype)
    _plain.memory(target, step.dtype, VALUES)[:] = np.cumsum(codes + step, dtype=step.dtype) + before


@routine(_plain_running)
def unpack_running(
    builder: ir.IRBuilder, kinds: Any, source: Any, step: Any, before: Any, width: Any, target: Any, _lane: Any
) -> None:
    """Unpack 1024 codes at `source` and write the running sum of `code + step`, begun at `before`, to `target`.

    The types of `step` and `lane` are those of the values and of the lane.
    """
    bits, lane = kinds[1].bitwidth, kinds[5].bitwidth

    def emit(sum_bits: int) -> None:
        _emit_running(builder, source, step, before, width, target, lane, sum_bits)

    # a register of codes of half a sum's bits cannot overflow it, and narrow sums are many to a register
    if lane != _SPLIT_LANE or bits == lane:
        emit(min(bits, 2 * lane))
        return
    fits = builder.icmp_unsigned("<=", width, ir.Constant(width.type, _SPLIT_WIDTH))
    with builder.if_else(fits) as (then, otherwise):
        with then:
            emit(lane)
        with otherwise:
            emit(2 * lane)


def _emit_running(
    builder: ir.IRBuilder, source: Any, step: Any, before: Any, width: Any, target: Any, lane: int, sum_bits: int
) -> None:
    block = _REGISTER_BITS // sum_bits
    # sums go through memory: widening them from there takes no instructions that take registers apart
    cells = cgutils.alloca_once(builder, lane_vector(sum_bits, VALUES))  # type: ignore[no-untyped-call]
    sums = builder.ptrtoint(cells, source.type)

    def visit(row: int, codes: Any) -> None:
        for first in range(0, codes.type.count, block):
            part = shuffle(builder, codes, codes, list(range(first, first + block)))
            place = advance(builder, sums, (row * codes.type.count + first) * sum_bits // 8)
            store(builder, _running_sum(builder, resize(builder, part, sum_bits)), place)

    unpack(builder, source, width, lane, visit)
    _join_sums(builder, sums, lane_vector(sum_bits, block), step, before, target)


def _join_sums(builder: ir.IRBuilder, sums: Any, kind: ir.VectorType, step: Any, before: Any, target: Any) -> None:
    """Turn the running sums of blocks of codes into one running sum of `code + step`."""
    bits, block = step.type.width, kind.count
    ramp = builder.mul(splat(builder, step, block), ir.Constant(lane_vector(bits, block), list(range(1, block + 1))))
    block_step = builder.mul(step, ir.Constant(step.type, block))
    total = cgutils.alloca_once_value(builder, before)  # type: ignore[no-untyped-call]
    with cgutils.for_range(builder, ir.Constant(sums.type, VALUES // block)) as loop:
        place = builder.add(sums, builder.mul(loop.index, ir.Constant(sums.type, _REGISTER_BITS // 8)))
        offset = builder.add(ramp, splat(builder, builder.load(total), block))
        values = builder.add(resize(builder, load(builder, place, kind), bits), offset)
        store(builder, values, builder.add(target, builder.mul(loop.index, ir.Constant(sums.type, block * bits // 8))))
        last = advance(builder, place, (block - 1) * kind.element.width // 8)
        grown = builder.add(builder.load(total), block_step)
        last_sum = builder.load(builder.inttoptr(last, kind.element.as_pointer()), align=1)
        builder.store(builder.add(grown, resize(builder, last_sum, bits)), total)


def _running_sum(builder: ir.IRBuilder, values: Any) -> Any:
    count, distance = values.type.count, 1
    while distance < count:
        picks = [i - distance if i >= distance else count for i in range(count)]
        values = builder.add(values, shuffle(builder, values, fill(values.type, 0), picks))
        distance *= 2
    return values


@kernel(inner=True)
def differences(values: Any, base: Any, codes: Any) -> None:
    """Write `values[i] - values[i - 1]` of a vector to `codes`, and `base` in front of them."""
    before = values[: VALUES - 1]
    after, found = values[1:VALUES], codes[1:VALUES]
    for i in range(before.size):
        found[i] = after[i] - before[i]
    codes[0] = base


@kernel
def decode_deltas(
    kind: Any,
    start: Any,
    kinds: Any,
    widths: Any,
    bases: Any,
    packed_offsets: Any,
    packed: Any,
    exception_offsets: Any,
    positions: Any,
    exceptions: Any,
    lane: Any,
    values: Any,
) -> None:
    """Decode the vectors of one kind; arguments as in `ffor.decode_frames`."""
    address, source = np.uint64(values.ctypes.data), np.uint64(packed.ctypes.data)
    kind_of = bases.dtype.type
    for i in range(values.size // VALUES):
        v = start + i
        if kinds[v] != kind:
            continue
        vector = values[i * VALUES : (i + 1) * VALUES]
        step, first = bases[v], exceptions[exception_offsets[v]]
        if widths[v] > 0:
            target = address + np.uint64(i * VALUES * values.itemsize)
            before = kind_of(first - step)
            unpack_running(source + packed_offsets[v], step, before, np.uint64(widths[v]), target, lane)
        else:
            value = first
            for j in range(vector.size):
                vector[j] = value
                value = kind_of(value + step)
        for e in range(exception_offsets[v] + 1, exception_offsets[v + 1]):
            rest = vector[positions[e] :]
            shift = kind_of(exceptions[e] - rest[0])
            for j in range(rest.size):
                rest[j] += shift
