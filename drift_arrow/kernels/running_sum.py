"""Running sums of packed codes, in the order of the values.

Values come out in two steps, both inside the first-level cache. While a vector is unpacked, each register of codes
becomes its running sum, in integers as narrow as hold it: many to a register. Then the registers are joined, each
widened and raised by the sum of those before it. A sum may start anew at any value, which changes nothing but what is
added from there on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba.core import cgutils
from numpy.typing import NDArray

from drift_arrow.kernels import _plain
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

_REGISTER_BITS: Final = 512
_REGISTER_BYTES: Final = _REGISTER_BITS // 8
_BYTE: Final = 8


def _sum_bits(lane: int, bits: int) -> tuple[int, int, int]:
    """Bits of a sum of a register of codes up to a width, that width, and bits of a sum above it.

    Twice the bits of a lane hold the sum of any register of its codes. Narrow codes leave enough room in their lane;
    those of a byte do so too seldom.
    """
    wide = min(bits, 2 * lane)
    if lane in {_BYTE, bits}:
        return wide, lane, wide
    return lane, lane - (_REGISTER_BITS // lane - 1).bit_length(), wide


def _plain_registers(sums: Any, width: Any, lane: Any, like: Any) -> NDArray[Any]:
    narrow, most, wide = _sum_bits(lane.itemsize * 8, like.itemsize * 8)
    bits = narrow if width <= most else wide
    return _plain.memory(sums, f"u{bits // 8}", VALUES).reshape(-1, _REGISTER_BITS // bits)


def _plain_unpack_sums(source: Any, width: Any, sums: Any, lane: Any, like: Any) -> None:
    found = _plain_registers(sums, width, lane, like)
    codes = _plain.unpack(source, width, lane.itemsize * 8).reshape(found.shape)
    np.cumsum(codes, axis=1, dtype=found.dtype, out=found)


def _plain_join_sums(
    sums: Any, width: Any, position: Any, stop: Any, value: Any, step: Any, target: Any, lane: Any
) -> None:
    found = _plain_registers(sums, width, lane, value).astype(value.dtype)
    found[1:] += np.cumsum(found[:-1, -1], dtype=value.dtype)[:, np.newaxis]
    places = slice(int(position), int(stop))
    rise = found.reshape(-1)[places] + step * np.arange(VALUES, dtype=value.dtype)[places]
    _plain.memory(target, value.dtype, VALUES)[places] = rise - rise[0] + value


def _for_sums(
    builder: ir.IRBuilder, width: Any, lane: int, bits: int, emit: Callable[[ir.IRBuilder, int], None]
) -> None:
    """Emit code for the bits of a sum that the width asks for at run time."""
    narrow, most, wide = _sum_bits(lane, bits)
    if narrow == wide:
        emit(builder, wide)
        return
    is_narrow = builder.icmp_unsigned("<=", width, ir.Constant(width.type, most))
    with builder.if_else(is_narrow) as (then, otherwise):
        with then:
            emit(builder, narrow)
        with otherwise:
            emit(builder, wide)


@routine(_plain_unpack_sums)
def unpack_sums(builder: ir.IRBuilder, kinds: Any, source: Any, width: Any, sums: Any, _lane: Any, _like: Any) -> None:
    """Unpack 1024 codes at `source` and write the running sum of each register of them to `sums`.

    The types of `lane` and `like` are those of the lane and of the values; `sums` is room for 1024 values.
    """
    lane, bits = kinds[3].bitwidth, kinds[4].bitwidth

    def emit(builder: ir.IRBuilder, sum_bits: int) -> None:
        block = _REGISTER_BITS // sum_bits

        def visit(row: int, codes: Any) -> None:
            for first in range(0, codes.type.count, block):
                part = shuffle(builder, codes, codes, list(range(first, first + block)))
                place = advance(builder, sums, (row * codes.type.count + first) * sum_bits // 8)
                store(builder, _running_sum(builder, resize(builder, part, sum_bits)), place)

        unpack(builder, source, width, lane, visit)

    _for_sums(builder, width, lane, bits, emit)


def _running_sum(builder: ir.IRBuilder, values: Any) -> Any:
    count, distance = values.type.count, 1
    while distance < count:
        picks = [i - distance if i >= distance else count for i in range(count)]
        values = builder.add(values, shuffle(builder, values, fill(values.type, 0), picks))
        distance *= 2
    return values


@routine(_plain_join_sums)
def join_sums(
    builder: ir.IRBuilder,
    kinds: Any,
    sums: Any,
    width: Any,
    position: Any,
    stop: Any,
    value: Any,
    step: Any,
    target: Any,
    _lane: Any,
) -> None:
    """Write the running sum of `code + step` to places `position` up to `stop` of a vector, with `value` at the first.

    sums : as `unpack_sums` wrote them for this width
    target : address of the vector of 1024 values, which is written up to the end of the register that holds `stop - 1`
    """
    lane, bits = kinds[7].bitwidth, kinds[4].bitwidth

    def emit(builder: ir.IRBuilder, sum_bits: int) -> None:
        _emit_join(builder, sums, sum_bits, position, stop, value, step, target)

    _for_sums(builder, width, lane, bits, emit)


def _emit_join(
    builder: ir.IRBuilder, sums: Any, sum_bits: int, position: Any, stop: Any, value: Any, step: Any, target: Any
) -> None:
    block, bits, index = _REGISTER_BITS // sum_bits, step.type.width, position.type
    lanes = min(block, _REGISTER_BITS // bits)
    ramps = [_ramp(builder, step, first, lanes) for first in range(0, block, lanes)]
    rise = builder.mul(step, ir.Constant(step.type, block))

    def last_sum(address: Any) -> Any:
        pointer = builder.inttoptr(address, ir.IntType(sum_bits).as_pointer())
        return resize(builder, builder.load(pointer, align=1), bits)

    def write(number: Any, before: Any, kept: Any = None) -> Any:
        """Write what a register stands for if `before` precedes it, but for its `kept` first values; its last value."""
        source = builder.add(sums, builder.mul(number, ir.Constant(index, _REGISTER_BYTES)))
        goal = builder.add(target, builder.mul(number, ir.Constant(index, block * bits // 8)))
        for i, ramp in enumerate(ramps):
            part = load(builder, advance(builder, source, i * lanes * sum_bits // 8), lane_vector(sum_bits, lanes))
            values = builder.add(builder.add(resize(builder, part, bits), ramp), splat(builder, before, lanes))
            place = advance(builder, goal, i * lanes * bits // 8)
            if kept is not None:
                places = ir.Constant(lane_vector(index.width, lanes), list(range(i * lanes, (i + 1) * lanes)))
                is_kept = builder.icmp_unsigned("<", places, splat(builder, kept, lanes))
                values = builder.select(is_kept, load(builder, place, values.type), values)
            store(builder, values, place)
        return builder.add(
            builder.add(before, rise), last_sum(advance(builder, source, _REGISTER_BYTES - sum_bits // 8))
        )

    first, inside = builder.udiv(position, ir.Constant(index, block)), builder.urem(position, ir.Constant(index, block))
    own = last_sum(builder.add(sums, builder.mul(position, ir.Constant(index, sum_bits // 8))))
    steps = resize(builder, builder.add(inside, ir.Constant(index, 1)), bits)
    before = builder.sub(builder.sub(value, own), builder.mul(steps, step))
    total = cgutils.alloca_once_value(builder, write(first, before, inside))  # type: ignore[no-untyped-call]
    end = builder.udiv(builder.add(stop, ir.Constant(index, block - 1)), ir.Constant(index, block))
    with cgutils.for_range(builder, end, start=builder.add(first, ir.Constant(index, 1))) as loop:
        builder.store(write(loop.index, builder.load(total)), total)


def _ramp(builder: ir.IRBuilder, step: Any, first: int, lanes: int) -> Any:
    """Steps up to each of some values, from the one at place `first` on, itself included."""
    counts = ir.Constant(lane_vector(step.type.width, lanes), list(range(first + 1, first + lanes + 1)))
    return builder.mul(splat(builder, step, lanes), counts)
