"""Frame of reference: vectors of packed distances from a base, with exceptions for the few that are too far away.

The base is added while the vector is unpacked, in the type of the values and modulo its range, so that no difference
of two values overflows. Vectors without any width hold the base 1024 times.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir

from drift_arrow.kernels import _plain
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.integer_table import BASES, EXCEPTIONS, POSITIONS, STRIDE, VECTORS, WIDTHS
from drift_arrow.kernels.lanes import (
    ROW_BYTES,
    VALUES,
    advance,
    lane_vector,
    load,
    pack,
    resize,
    routine,
    splat,
    store,
    unpack,
)
from drift_arrow.kernels.memory import array_at
from drift_arrow.kernels.streaming import can_stream, fetch, first_line, settle, stream_vector


def _plain_pack_above(source: Any, base: Any, width: Any, target: Any, lane: Any) -> None:
    values = _plain.memory(source, base.dtype, VALUES)
    _plain.pack(values - base, width, lane.itemsize * 8, target)


def _plain_unpack_above(source: Any, base: Any, width: Any, target: Any, lane: Any) -> None:
    codes = _plain.unpack(source, width, lane.itemsize * 8)
    _plain.memory(target, base.dtype, VALUES)[:] = codes.astype(base.dtype) + base


def _plain_repeat(value: Any, target: Any) -> None:
    _plain.memory(target, value.dtype, VALUES)[:] = value


@routine(_plain_pack_above)
def pack_above(builder: ir.IRBuilder, kinds: Any, source: Any, base: Any, width: Any, target: Any, _lane: Any) -> None:
    """Pack the low `width` bits of `value - base` of the 1024 values at `source`.

    The type of `base` is the type of the values, that of `lane` the lane, which is not wider.
    """
    bits, lane = kinds[1].bitwidth, kinds[4].bitwidth
    lanes = VALUES // lane
    bases = splat(builder, base, lanes)

    def codes(row: int) -> Any:
        values = load(builder, advance(builder, source, row * lanes * bits // 8), lane_vector(bits, lanes))
        return resize(builder, builder.sub(values, bases), lane)

    pack(builder, width, lane, codes, target)


@routine(_plain_unpack_above)
def unpack_above(
    builder: ir.IRBuilder, kinds: Any, source: Any, base: Any, width: Any, target: Any, _lane: Any
) -> None:
    """Unpack 1024 values to `target`, the reverse of `pack_above`. The width is at least 1."""
    bits, lane = kinds[1].bitwidth, kinds[4].bitwidth
    lanes = VALUES // lane
    bases = splat(builder, base, lanes)

    def visit(row: int, codes: Any) -> None:
        values = builder.add(resize(builder, codes, bits), bases)
        store(builder, values, advance(builder, target, row * lanes * bits // 8))

    unpack(builder, source, width, lane, visit)


@routine(_plain_repeat)
def repeat(builder: ir.IRBuilder, kinds: Any, value: Any, target: Any) -> None:
    """Write one value 1024 times to `target`."""
    bits = kinds[0].bitwidth
    values = splat(builder, value, VALUES // bits)
    for row in range(bits):
        store(builder, values, advance(builder, target, row * ROW_BYTES))


@kernel
def encode_frames(
    kind: Any,
    start: Any,
    kinds: Any,
    widths: Any,
    bases: Any,
    packed_offsets: Any,
    packed: Any,
    lane: Any,
    values: Any,
) -> None:
    """Pack the vectors of one kind, which is a scheme with a lane, among those from `start` on.

    kinds : (n,) uint8; widths : (n,) uint8; bases : (n,) unsigned
    packed_offsets : (n + 1,) uint64
        Where the packed bytes of a vector begin in `packed` (uint8).
    lane : unsigned
        Any value of the type of the lane.
    values : (1024 * m,) unsigned
        Vectors `start` to `start + m`.
    """
    address, target = np.uint64(values.ctypes.data), np.uint64(packed.ctypes.data)
    for i in range(values.size // VALUES):
        v = start + i
        if kinds[v] == kind and widths[v] > 0:
            source = address + np.uint64(i * VALUES * values.itemsize)
            pack_above(source, bases[v], np.uint64(widths[v]), target + packed_offsets[v], lane)


@kernel
def decode_frames(kind: Any, start: Any, numbers: Any, lane: Any, streams: Any, scratch: Any, values: Any) -> None:
    """Decode the vectors of one kind, which is a scheme with a lane, among those from `start` on.

    numbers : int64
        Of a table that was checked; see `integer_table`.
    lane : unsigned
        Any value of the type of the lane.
    streams : bool
        Write past the caches, where the address of `values` allows it.
    scratch : (SCRATCH_BYTES,) uint8
    values : (1024 * m,) unsigned
        Receives vectors `start` to `start + m`; those of other kinds are left alone.
    """
    like, vector_bytes = values.dtype.type(0), VALUES * values.itemsize
    widths = array_at(numbers[WIDTHS], numbers[WIDTHS + 1], np.uint8(0))
    bases = array_at(numbers[BASES], numbers[BASES + 1], like)
    positions = array_at(numbers[POSITIONS], numbers[POSITIONS + 1], np.uint16(0))
    exceptions = array_at(numbers[EXCEPTIONS], numbers[EXCEPTIONS + 1], like)
    address, room = np.int64(values.ctypes.data), first_line(scratch)
    is_streamed = streams and can_stream(address)
    for i in range(values.size // VALUES):
        vector = VECTORS + STRIDE * (start + i)
        if numbers[vector] != kind:
            continue
        place = address + i * vector_bytes
        target = room if is_streamed else place
        width, base = np.uint64(widths[start + i]), bases[start + i]
        if width > 0:
            source, n_bytes = np.uint64(numbers[vector + 1]), width * np.uint64(ROW_BYTES)
            # the next vector is mostly as long as this one
            fetch(source + n_bytes, n_bytes)
            unpack_above(source, base, width, np.uint64(target), lane)
        else:
            repeat(base, np.uint64(target))
        found = array_at(target, VALUES, like)
        for e in range(numbers[vector + 2], numbers[vector + STRIDE + 2]):
            found[positions[e]] = exceptions[e]
        if is_streamed:
            stream_vector(np.uint64(target), np.uint64(place), like)
    if is_streamed:
        settle()
