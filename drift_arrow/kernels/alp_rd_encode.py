"""Encoder of ALP_RD; see `alp_rd`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numpy.typing import NDArray

from drift_arrow.kernels import _plain_floats as plain
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.alp_rd import CODE_BITS
from drift_arrow.kernels.float_exceptions import mark_exceptions, take_exceptions
from drift_arrow.kernels.float_header import (
    ALP_RD,
    DICTIONARY_SIZE,
    GROUP_VECTORS,
    MAX_LEFT_BITS,
    MAX_LEFT_WIDTH,
    pack_header,
)
from drift_arrow.kernels.float_plain import put_constant, put_raw
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

LEFT_EXCEPTION_BITS: Final = 32
"""Bits that an exception of ALP_RD takes: its left part and its position."""

_SAMPLE: Final = 1024
_SAMPLED_VECTORS: Final = 8
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


@kernel
def _rank_lefts(lefts: Any, left_bits: Any, dictionary: Any, counts: Any) -> None:
    """Most frequent left parts.

    lefts : (s,) uint16, ascending     upper 16 bits of the sampled values
    dictionary, counts : (8,) uint16, int64, overwritten     by falling counts; 0 where there are fewer
    """
    shift = np.uint16(MAX_LEFT_BITS - left_bits)
    counts[:] = 0
    dictionary[:] = 0
    first = 0
    for i in range(1, len(lefts) + 1):
        if i < len(lefts) and lefts[i] >> shift == lefts[first] >> shift:
            continue
        count, place = i - first, DICTIONARY_SIZE
        while place > 0 and counts[place - 1] < count:
            if place < DICTIONARY_SIZE:
                counts[place], dictionary[place] = counts[place - 1], dictionary[place - 1]
            place -= 1
        if place < DICTIONARY_SIZE:
            counts[place], dictionary[place] = count, lefts[first] >> shift
        first = i


@kernel
def _choose_cut(lefts: Any, dictionary: Any, counts: Any) -> Any:
    """Length of the left part with the fewest bits, and how many bits of a value it saves; see `_rank_lefts`."""
    best, best_saved = 1, -np.inf
    for left_bits in range(1, MAX_LEFT_BITS + 1):
        _rank_lefts(lefts, left_bits, dictionary, counts)
        kept, entry = np.int64(0), 0
        for width in range(MAX_LEFT_WIDTH + 1):
            while entry < 1 << width:
                kept += counts[entry]
                entry += 1
            exceptions_bits = LEFT_EXCEPTION_BITS * (len(lefts) - kept) / len(lefts)
            saved = left_bits - width - exceptions_bits
            if saved > best_saved:
                best, best_saved = left_bits, saved
    _rank_lefts(lefts, best, dictionary, counts)
    for i in range(1, DICTIONARY_SIZE):
        if counts[i] == 0:
            dictionary[i] = dictionary[0]
    return best, best_saved


@kernel
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


@kernel
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


@kernel
def encode_alp_rd(
    source: Any, n_values: Any, cut: Any, dictionary: Any, codes: Any, rights: Any, masks: Any, headers: Any,
    bases: Any, packed: Any, positions: Any, lefts: Any, cursor: Any,
) -> None:  # fmt: skip
    """Encode the vectors of a row-group.

    source : (1024 * v,) uint16, uint32 or uint64     bits of floats; those past n_values may be anything
    cut : unsigned integer like source     bits below the cut
    dictionary : (8,) uint16
    codes : (1024,) uint16, rights : (1024,) like source, masks : (16,) uint64; scratch
    headers, bases : (v,) uint32, int64, overwritten
    packed, positions, lefts : uint8, uint16, uint16     written from the cursor on
    cursor : (3,) int64     ends of the packed bytes and of the exceptions of ALP and ALP_RD, updated
    """
    item_bits, right_bits = np.int64(source.itemsize * 8), np.int64(cut)
    codes_at, rights_at = np.uint64(codes.ctypes.data), np.uint64(rights.ctypes.data)
    for vector in range(len(headers)):
        start = vector * VALUES
        if put_constant(source, start, headers, bases, vector):
            continue
        address = np.uint64(source.ctypes.data) + np.uint64(start * source.itemsize)
        for block in range(VALUES // 64):
            first = np.uint64(block * 64)
            split_block(
                address + first * np.uint64(source.itemsize), right_bits, np.uint64(dictionary.ctypes.data),
                codes_at + first * np.uint64(2), rights_at + first * np.uint64(source.itemsize), cut,
            )  # fmt: skip
        codes[max(np.int64(0), n_values - start) :] = np.uint16(0)
        left_width, cost = _choose_left_width(codes)
        shift, width = _extent(rights)
        if cost + width * VALUES >= item_bits * VALUES:
            put_raw(source, start, headers, bases, vector, packed, cursor)
            continue
        mark_exceptions(codes, np.int64(0), np.int64(1) << left_width, masks, np.uint16(0))
        n = take_exceptions(masks, source, start, cut, positions, cursor[1] + cursor[2], lefts, cursor[2])
        headers[vector], bases[vector] = pack_header(ALP_RD, width, right_bits, shift, n), left_width
        target = np.uint64(packed.ctypes.data) + np.uint64(cursor[0])
        if left_width > 0:
            pack_codes(codes_at, left_width, target)
        if width > 0:
            pack_rights(rights_at, shift, width, target + np.uint64(left_width * ROW_BYTES), cut)
        cursor[0] += (left_width + width) * ROW_BYTES
        cursor[2] += n


def search_cut(group: NDArray[Any]) -> tuple[int, NDArray[np.uint16], float]:
    """Cut and dictionary for a row-group.

    Parameters
    ----------
    group : (1024 * v,) uint16, uint32 or uint64
        Bits of floats.

    Returns
    -------
    int
        Bits below the cut.
    (8,) uint16
        Left parts, the most frequent first.
    float
        Estimated bits of a value.
    """
    bits = group.dtype.itemsize * 8
    sample = group[:: max(1, len(group) // _SAMPLE)]
    lefts = np.sort((sample >> group.dtype.type(bits - MAX_LEFT_BITS)).astype(np.uint16), kind="stable")
    dictionary, counts = np.zeros(DICTIONARY_SIZE, np.uint16), np.zeros(DICTIONARY_SIZE, np.int64)
    left_bits, saved = _choose_cut(lefts, dictionary, counts)
    vectors = group.reshape(-1, VALUES)[:: -(-GROUP_VECTORS // _SAMPLED_VECTORS)]
    unions = np.bitwise_or.reduce(vectors, axis=1).tolist()
    right_bits = bits - int(left_bits)
    zeros = [min(right_bits, (union & -union).bit_length() - 1) if union else right_bits for union in unions]
    return right_bits, dictionary, bits - float(saved) - sum(zeros) / len(zeros)
