"""Encoder of ALP_RD; see `alp_rd`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir

from drift_arrow.kernels import _plain_floats as plain
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.alp_rd import CODE_BITS
from drift_arrow.kernels.alp_rd_search import LEFT_EXCEPTION_BITS
from drift_arrow.kernels.float_exceptions import mark_exceptions, take_exceptions
from drift_arrow.kernels.float_header import (
    ALP_RD,
    DICTIONARY_SIZE,
    MAX_LEFT_WIDTH,
    pack_header,
)
from drift_arrow.kernels.lanes import (
    ROW_BYTES,
    VALUES,
    advance,
    fill,
    lane_vector,
    load,
    pack,
    resize,
    routine,
    splat,
    store,
)

_LANES: Final = 32


@routine(plain.rd_split)
def split_block(
    builder: ir.IRBuilder,
    kinds: Any,
    source: Any,
    right_bits: Any,
    dictionary: Any,
    codes: Any,
    rights: Any,
    like: Any,  # noqa: ARG001
) -> None:
    """Cut the 64 values at `source` in two, and look up the left parts.

    dictionary : uint64 address of 8 uint16     its first entry that equals a left part is the code, 8 if none does
    codes, rights : uint64 addresses of 64 uint16 and 64 values
    """
    bits = kinds[-1].bitwidth
    kind, code_type = lane_vector(bits, _LANES), lane_vector(CODE_BITS, _LANES)
    shift = splat(builder, resize(builder, right_bits, bits), _LANES)
    low_bits = builder.sub(builder.shl(fill(kind, 1), shift), fill(kind, 1))
    entries = []
    for i in range(DICTIONARY_SIZE):
        pointer = builder.inttoptr(advance(builder, dictionary, 2 * i), ir.IntType(CODE_BITS).as_pointer())
        entries.append(splat(builder, builder.load(pointer, align=1), _LANES))
    for block in range(64 // _LANES):
        offset = block * _LANES * bits // 8
        values = load(builder, advance(builder, source, offset), kind)
        store(builder, builder.and_(values, low_bits), advance(builder, rights, offset))
        left = resize(builder, builder.lshr(values, shift), CODE_BITS)
        code: Any = fill(code_type, DICTIONARY_SIZE)
        for i in reversed(range(DICTIONARY_SIZE)):
            code = builder.select(builder.icmp_unsigned("==", left, entries[i]), fill(code_type, i), code)
        store(builder, code, advance(builder, codes, block * _LANES * 2))


@routine(plain.rd_pack_codes)
def pack_codes(builder: ir.IRBuilder, kinds: Any, source: Any, width: Any, target: Any) -> None:  # noqa: ARG001
    """Pack 1024 uint16 with `width` (int64 in [1, 3]) bits each; addresses are uint64."""
    kind = lane_vector(CODE_BITS)
    pack(builder, width, CODE_BITS, lambda row: load(builder, advance(builder, source, row * ROW_BYTES), kind), target)


@routine(plain.rd_pack_rights)
def pack_rights(
    builder: ir.IRBuilder,
    kinds: Any,
    source: Any,
    shift: Any,
    width: Any,
    target: Any,
    like: Any,  # noqa: ARG001
) -> None:
    """Pack 1024 values shifted right by `shift` with `width` (int64, at least 1) bits each; addresses are uint64."""
    bits = kinds[-1].bitwidth
    kind = lane_vector(bits)
    shifts = splat(builder, resize(builder, shift, bits), kind.count)

    def rows(row: int) -> Any:
        return builder.lshr(load(builder, advance(builder, source, row * ROW_BYTES), kind), shifts)

    pack(builder, width, bits, rows, target)


@kernel(inner=True)
def _choose_left_width(codes: Any) -> Any:
    """Bits of a code, with the fewest bits in all, and these bits: rare entries may be better off as exceptions."""
    best, best_cost = 0, np.int64(2**62)
    for width in range(MAX_LEFT_WIDTH + 1):
        count = np.uint64(0)
        for code in codes:
            count += np.uint64(code >= np.uint16(1 << width))
        cost = width * VALUES + np.int64(count) * LEFT_EXCEPTION_BITS
        if cost < best_cost:
            best, best_cost = width, cost
    return best, best_cost


@kernel(inner=True)
def _extent(rights: Any) -> Any:
    """Number of zeros that end all of the right parts, and number of bits from there to the first that is set."""
    union = rights[0]
    for right in rights:
        union |= right
    left, shift, width = np.uint64(union), np.int64(0), np.int64(0)
    while left != np.uint64(0) and left & np.uint64(1) == np.uint64(0):
        left >>= np.uint64(1)
        shift += 1
    while left != np.uint64(0):
        left >>= np.uint64(1)
        width += 1
    return shift, width


@kernel(inner=True)
def fit_alp_rd(source: Any, start: Any, n_values: Any, cut: Any, dictionary: Any, codes: Any, rights: Any) -> Any:
    """Cut a vector in two; bits of a left code, zeros behind the right parts, bits of these, and bits of the vector.

    source : (1024 * v,) uint16, uint32 or uint64     bits of floats; those past n_values may be anything
    cut : like source     number of bits below the cut
    dictionary : (8,) uint16
    codes, rights : (1024,) uint16, like source, overwritten
    """
    codes_at, rights_at = np.uint64(codes.ctypes.data), np.uint64(rights.ctypes.data)
    address = np.uint64(source.ctypes.data) + np.uint64(start * source.itemsize)
    for block in range(VALUES // 64):
        first = np.uint64(block * 64)
        split_block(
            address + first * np.uint64(source.itemsize), np.int64(cut), np.uint64(dictionary.ctypes.data),
            codes_at + first * np.uint64(2), rights_at + first * np.uint64(source.itemsize), cut,
        )  # fmt: skip
    if n_values - start < VALUES:
        codes[n_values - start :] = np.uint16(0)
    left_width, cost = _choose_left_width(codes)
    shift, width = _extent(rights)
    return left_width, shift, width, cost + width * VALUES


@kernel(inner=True)
def put_alp_rd(
    source: Any, start: Any, fit: Any, cut: Any, codes: Any, rights: Any, masks: Any, headers: Any, bases: Any,
    vector: Any, packed: Any, positions: Any, lefts: Any, cursor: Any,
) -> None:  # fmt: skip
    """Write a vector that was cut in two.

    fit : tuple     what `fit_alp_rd` has returned; it has left the codes and right parts
    masks : (16,) uint64, scratch
    packed, positions, lefts : uint8, uint16, uint16     written from the cursor on
    cursor : (3,) int64     ends of the packed bytes and of the exceptions of ALP and ALP_RD, updated
    """
    left_width, shift, width, _ = fit
    mark_exceptions(codes, np.int64(0), np.int64(1) << left_width, masks, np.uint16(0))
    n = take_exceptions(masks, source, start, cut, positions, cursor[1] + cursor[2], lefts, cursor[2])
    headers[vector], bases[vector] = pack_header(ALP_RD, width, np.int64(cut), shift, n), left_width
    target = np.uint64(packed.ctypes.data) + np.uint64(cursor[0])
    if left_width > 0:
        pack_codes(np.uint64(codes.ctypes.data), left_width, target)
    if width > 0:
        pack_rights(np.uint64(rights.ctypes.data), shift, width, target + np.uint64(left_width * ROW_BYTES), cut)
    cursor[0] += (left_width + width) * ROW_BYTES
    cursor[2] += n
