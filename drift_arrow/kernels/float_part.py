"""Decoder of a part of a vector of floats: of the words of all lanes, only those that hold it are unpacked.

In a packed vector, neighbours lie in neighbouring lanes: 128 values of 32 bits are four of the 32 rows of a vector.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba.core import cgutils

from drift_arrow.kernels import _plain_floats as plain
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.alp import INVERSES, MAGIC_BITS, NARROW_BITS, POWERS, fill_number, to_number
from drift_arrow.kernels.alp_rd import CODE_BITS
from drift_arrow.kernels.file_read import read_at
from drift_arrow.kernels.float_header import (
    ALP,
    CONSTANT,
    DICTIONARY_SIZE,
    GROUP_VECTORS,
    MAX_LEFT_WIDTH,
    RAW,
    header_exceptions,
    header_exponent,
    header_factor,
    header_scheme,
    header_width,
    is_valid_header,
    packed_bytes,
)
from drift_arrow.kernels.float_table import (
    BASES,
    DICTIONARIES,
    EXCEPTIONS,
    HEADERS,
    LEFTS,
    PACKED,
    POSITIONS,
    STARTS,
    is_inside,
)
from drift_arrow.kernels.lanes import (
    ROW_BYTES,
    TAIL_BYTES,
    VALUES,
    advance,
    fill,
    funnel_shift,
    lane_vector,
    load,
    resize,
    routine,
    splat,
    store,
)
from drift_arrow.kernels.memory import array_at
from drift_arrow.kernels.row_table import BODY, DESCRIPTOR, OFFSET

_INT64 = ir.IntType(64)

_MOST_WIDTH: Final = 64 + MAX_LEFT_WIDTH
PARTS: Final = VALUES + (_MOST_WIDTH * ROW_BYTES + TAIL_BYTES) // 2
"""Size of the scratch of `decode_part`: left parts, and a packed vector with what must be readable behind it."""


def _unpack_rows(
    builder: ir.IRBuilder,
    source: Any,
    width: Any,
    bits: int,
    rows: tuple[Any, Any],
    visit: Callable[[Any, Any], None],
) -> None:
    """As `lanes.unpack`, but only from one row up to another; `visit` gets the offset of a row in bytes."""
    kind = lane_vector(bits)
    unused = builder.sub(ir.Constant(_INT64, 64), width)
    mask = splat(builder, resize(builder, builder.lshr(ir.Constant(_INT64, (1 << 64) - 1), unused), bits), kind.count)
    one = ir.Constant(_INT64, 1)
    with cgutils.for_range_slice(builder, *rows, one) as (row, _):
        bit = builder.mul(row, width)
        word = builder.udiv(bit, ir.Constant(_INT64, bits))
        address = builder.add(source, builder.mul(word, ir.Constant(_INT64, ROW_BYTES)))
        low, high = (load(builder, advance(builder, address, n_bytes), kind) for n_bytes in (0, ROW_BYTES))
        shift = splat(builder, resize(builder, bit, bits), kind.count)
        codes = builder.and_(funnel_shift(builder, "r", high, low, shift), mask)
        visit(builder.mul(row, ir.Constant(_INT64, ROW_BYTES)), codes)


def _emit_alp_rows(bits: int) -> Any:
    def emit(
        builder: ir.IRBuilder,
        kinds: Any,
        source: Any,
        width: Any,
        base: Any,
        factor: Any,
        inverse: Any,
        first: Any,
        stop: Any,
        target: Any,
        _like: Any,
    ) -> None:
        item_bits, lanes = kinds[-1].bitwidth, VALUES // bits
        if item_bits < max(bits, 32):  # no header of such values leads here
            return
        offset = splat(builder, builder.add(base, ir.Constant(base.type, MAGIC_BITS)), lanes)
        factors, inverses = splat(builder, factor, lanes), splat(builder, inverse, lanes)

        def visit(row_offset: Any, codes: Any) -> None:
            numbers = to_number(builder, builder.add(resize(builder, codes, 64), offset), factors, inverses)
            if item_bits == 32:
                numbers = builder.fptrunc(numbers, ir.VectorType(ir.FloatType(), lanes))
            place = builder.mul(row_offset, ir.Constant(_INT64, item_bits // bits))
            store(builder, numbers, builder.add(target, place))

        _unpack_rows(builder, source, width, bits, (first, stop), visit)

    return emit


_narrow_rows: Any = routine(plain.alp_rows_narrow)(_emit_alp_rows(NARROW_BITS))
"""`alp.unpack_narrow` of the rows (int64) `first` up to `stop`, which come before the target."""

_wide_rows: Any = routine(plain.alp_rows_wide)(_emit_alp_rows(64))
"""The same of `alp.unpack_wide`."""


@routine(plain.rd_left_rows)
def _left_rows(
    builder: ir.IRBuilder,
    kinds: Any,  # noqa: ARG001
    source: Any,
    width: Any,
    dictionary: Any,
    first: Any,
    stop: Any,
    target: Any,
) -> None:
    """`alp_rd.unpack_lefts` of the rows `first` up to `stop`."""
    kind, entry_type = lane_vector(CODE_BITS), ir.IntType(CODE_BITS)
    entries = []
    for i in range(DICTIONARY_SIZE):
        pointer = builder.inttoptr(advance(builder, dictionary, 2 * i), entry_type.as_pointer())
        entries.append(splat(builder, builder.load(pointer, align=1), kind.count))

    def visit(row_offset: Any, codes: Any) -> None:
        chosen = entries
        for bit in (1, 2, 4):
            is_set = builder.icmp_unsigned("!=", builder.and_(codes, fill(kind, bit)), fill(kind, 0))
            pairs = zip(chosen[::2], chosen[1::2], strict=True)
            chosen = [builder.select(is_set, odd, even) for even, odd in pairs]
        store(builder, chosen[0], builder.add(target, row_offset))

    _unpack_rows(builder, source, width, CODE_BITS, (first, stop), visit)


@routine(plain.rd_glue_rows)
def _glue_rows(
    builder: ir.IRBuilder,
    kinds: Any,
    source: Any,
    width: Any,
    shift: Any,
    right_bits: Any,
    lefts: Any,
    first: Any,
    stop: Any,
    target: Any,
    like: Any,  # noqa: ARG001
) -> None:
    """`alp_rd.glue` of the rows `first` up to `stop`."""
    bits = kinds[-1].bitwidth
    kind = lane_vector(bits)
    behind, below = (splat(builder, resize(builder, scalar, bits), kind.count) for scalar in (shift, right_bits))

    def visit(row_offset: Any, rights: Any) -> None:
        place = builder.udiv(row_offset, ir.Constant(_INT64, bits // CODE_BITS))
        left = load(builder, builder.add(lefts, place), lane_vector(CODE_BITS, kind.count))
        left = builder.shl(resize(builder, left, bits), below)
        value = builder.or_(left, builder.shl(rights, behind))
        store(builder, value, builder.add(target, row_offset))

    _unpack_rows(builder, source, width, bits, (first, stop), visit)


@kernel(inner=True)
def _patch(positions: Any, values: Any, first: Any, stop: Any, out: Any) -> Any:
    """Put exceptions where they belong from `first` up to `stop`; whether all belong into the vector."""
    for i in range(len(positions)):
        position = np.int64(positions[i])
        if position >= VALUES:
            return False
        if first <= position < stop:
            out[position] = values[i]
    return True


@kernel(inner=True)
def _alp_part(header: Any, base: Any, source: Any, first: Any, stop: Any, room: Any, like: Any) -> None:
    """Values of ALP without their exceptions, and others around them."""
    width, target = header_width(header), np.uint64(room.ctypes.data)
    factor, inverse = POWERS[header_factor(header)], INVERSES[header_exponent(header)]
    if width > NARROW_BITS:
        lanes = VALUES // 64
        _wide_rows(source, width, base, factor, inverse, first // lanes, (stop + lanes - 1) // lanes, target, like)
    elif width > 0:
        lanes = VALUES // NARROW_BITS
        _narrow_rows(source, width, base, factor, inverse, first // lanes, (stop + lanes - 1) // lanes, target, like)
    else:
        fill_number(np.float64(base) * factor * inverse, target, like)


@kernel(inner=True)
def _rd_part(
    header: Any, base: Any, source: Any, dictionary: Any, positions: Any, lefts: Any, first: Any, stop: Any,
    parts: Any, room: Any, like: Any,
) -> Any:  # fmt: skip
    width = header_width(header)
    if base > 0:
        lanes = VALUES // CODE_BITS
        target = np.uint64(parts.ctypes.data)
        entries = np.uint64(dictionary.ctypes.data)
        _left_rows(source, base, entries, first // lanes, (stop + lanes - 1) // lanes, target)
    else:
        parts[first:stop] = dictionary[0]
    if not _patch(positions, lefts, first, stop, parts):
        return False
    if width > 0:
        lanes = ROW_BYTES // room.itemsize
        _glue_rows(
            source + np.uint64(base * ROW_BYTES), width, header_factor(header), header_exponent(header),
            np.uint64(parts.ctypes.data), first // lanes, (stop + lanes - 1) // lanes, np.uint64(room.ctypes.data),
            like,
        )  # fmt: skip
    else:
        cut = room.dtype.type(header_exponent(header))
        for i in range(first, stop):
            room[i] = (like | parts[i]) << cut
    return True


@kernel(inner=True)
def decode_part(line: Any, vector: Any, first: Any, stop: Any, parts: Any, room: Any) -> Any:
    """Decode values `first` up to `stop` of a vector to the same places of `room`; whether it is not damaged.

    line : (22,) int64     of a `RowTable`, of floats; their arrays may have any content
    vector, first, stop : int64     of a vector that exists, within [0, 1024]
    parts : (PARTS,) uint16, scratch
    room : (1024,) unsigned integers     other places than those asked for may be overwritten too
    """
    table, like, item_bits = line[BODY:], room.dtype.type(0), np.int64(room.itemsize * 8)
    header = array_at(table[HEADERS], table[HEADERS + 1], np.uint32(0))[vector]
    base = array_at(table[BASES], table[BASES + 1], np.int64(0))[vector]
    begin = array_at(table[STARTS], table[STARTS + 1], np.int64(0))[3 * vector : 3 * vector + 3]
    if not is_valid_header(header, base, item_bits) or not is_inside(header, base, begin, table):
        return False
    source, scheme, n = table[PACKED] + begin[0], header_scheme(header), header_exceptions(header)
    size = packed_bytes(header, base)
    if line[DESCRIPTOR] > 0 and size > 0:
        # behind the left parts; a valid header has no more bytes than there is room
        source = np.int64(parts.ctypes.data) + 2 * VALUES
        if read_at(np.int32(line[DESCRIPTOR] - 1), source, size, line[OFFSET] + begin[0]) != size:
            return False
    if scheme == CONSTANT:
        room[first:stop] = base
        return True
    if scheme == RAW:
        values, target = array_at(source, np.int64(VALUES), like)[first:stop], room[first:stop]
        for i in range(target.size):
            target[i] = values[i]
        return True
    positions = array_at(table[POSITIONS] + 2 * (begin[1] + begin[2]), n, np.uint16(0))
    if scheme == ALP:
        _alp_part(header, base, np.uint64(source), first, stop, room, like)
        values = array_at(table[EXCEPTIONS] + room.itemsize * begin[1], n, like)
        return _patch(positions, values, first, stop, room)
    entry = table[DICTIONARIES] + 2 * (vector // GROUP_VECTORS * DICTIONARY_SIZE)
    dictionary = array_at(entry, np.int64(DICTIONARY_SIZE), np.uint16(0))
    lefts = array_at(table[LEFTS] + 2 * begin[2], n, np.uint16(0))
    return _rd_part(
        header, base, np.uint64(source), dictionary, positions, lefts, first, stop, parts, room, like
    )  # fmt: skip
