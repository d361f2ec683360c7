"""Decoder of vectors of floats. Unlike other kernels it trusts nothing it reads: a wrong header stops it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.alp import (
    INVERSES,
    NARROW_BITS,
    POWERS,
    fill_number,
    unpack_narrow,
    unpack_short,
    unpack_whole,
    unpack_wide,
)
from drift_arrow.kernels.alp_rd import join_parts
from drift_arrow.kernels.float_header import (
    ALP,
    CONSTANT,
    DICTIONARY_SIZE,
    GROUP_VECTORS,
    RAW,
    header_exceptions,
    header_exponent,
    header_factor,
    header_scheme,
    header_width,
    is_valid_header,
)
from drift_arrow.kernels.float_plain import copy_rows
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
from drift_arrow.kernels.lanes import VALUES
from drift_arrow.kernels.memory import array_at

_SHORT: Final = np.int64(1 << (NARROW_BITS - 1))
"""Integers below this in magnitude have 32 bits."""


@kernel(inner=True)
def _patch(positions: Any, first: Any, values: Any, first_value: Any, n: Any, out: Any, start: Any) -> Any:
    """Put exceptions where they belong; whether all of them belong into the vector."""
    # indices without a sign, which numba need not test for negative ones
    origin = np.uint64(start)
    begin, begin_value = np.uint64(first), np.uint64(first_value)
    for i in range(np.uint64(n)):
        position = np.uint64(positions[begin + i])
        if position >= np.uint64(VALUES):
            return False
        out[origin + position] = values[begin_value + i]
    return True


@kernel(inner=True)
def _decode_alp(
    header: Any, base: Any, source: Any, powers: Any, inverses: Any, out: Any, start: Any, like: Any
) -> None:
    width = header_width(header)
    factor, inverse = powers[header_factor(header)], inverses[header_exponent(header)]
    target = np.uint64(out.ctypes.data) + np.uint64(start * out.itemsize)
    if width > NARROW_BITS:
        unpack_wide(source, width, base, factor, inverse, target, like)
    elif width > 0 and -_SHORT <= base <= _SHORT - (np.int64(1) << width):
        if header_exponent(header) == 0:
            unpack_whole(source, width, base, target, like)
        else:
            unpack_short(source, width, base, factor, inverse, target, like)
    elif width > 0:
        unpack_narrow(source, width, base, factor, inverse, target, like)
    else:
        fill_number(np.float64(base) * factor * inverse, target, like)


@kernel(inner=True)
def _patch_lefts(
    positions: Any, first: Any, lefts: Any, first_left: Any, n: Any, cut: Any, out: Any, start: Any
) -> Any:
    """Put left parts that are exceptions above the `cut` lowest bits; whether all of them belong into the vector."""
    # into the values, not into left parts before these become values: wide loads would wait for the stores
    kind = out.dtype.type
    low_bits = kind((kind(1) << cut) - kind(1))
    origin = np.uint64(start)
    begin, begin_left = np.uint64(first), np.uint64(first_left)
    for i in range(np.uint64(n)):
        position = np.uint64(positions[begin + i])
        if position >= np.uint64(VALUES):
            return False
        left = kind(kind(lefts[begin_left + i]) << cut)
        out[origin + position] = kind(out[origin + position] & low_bits) | left
    return True


@kernel
def decode_vectors(table: Any, numbers: Any, out: Any) -> Any:
    """Decode vectors one after the other to `out`; number of the first that is damaged, or -1.

    table : (17,) int64     see `float_table`; its arrays may have any content
    numbers : (m,) int64     of the vectors, which exist
    out : (1024 * m,) unsigned integers
    """
    kind_of = out.dtype.type
    item_bits, like = np.int64(out.itemsize * 8), kind_of(0)
    headers = array_at(table[HEADERS], table[HEADERS + 1], np.uint32(0))
    bases = array_at(table[BASES], table[BASES + 1], np.int64(0))
    starts = array_at(table[STARTS], table[STARTS + 1], np.int64(0))
    positions = array_at(table[POSITIONS], table[POSITIONS + 1], np.uint16(0))
    exceptions = array_at(table[EXCEPTIONS], table[EXCEPTIONS + 1], like)
    lefts = array_at(table[LEFTS], table[LEFTS + 1], np.uint16(0))
    for i in range(len(numbers)):
        vector = numbers[i]
        header, base, begin = headers[vector], bases[vector], starts[3 * vector : 3 * vector + 3]
        if not is_valid_header(header, base, item_bits):
            return vector
        if not is_inside(header, base, begin, table):
            return vector
        start = i * VALUES
        source = np.uint64(table[PACKED]) + np.uint64(begin[0])
        first_position = begin[1] + begin[2]
        scheme = header_scheme(header)
        if scheme == ALP:
            _decode_alp(header, base, source, POWERS, INVERSES, out, start, like)
            n = header_exceptions(header)
            if not _patch(positions, first_position, exceptions, begin[1], n, out, start):
                return vector
        elif scheme == CONSTANT:
            out[start : start + VALUES] = base
        elif scheme == RAW:
            copy_rows(source, np.uint64(out.ctypes.data) + np.uint64(start * out.itemsize), item_bits)
        else:
            entry = vector // GROUP_VECTORS * DICTIONARY_SIZE
            cut = kind_of(header_exponent(header))
            target = np.uint64(out.ctypes.data) + np.uint64(start * out.itemsize)
            join_parts(
                source, base, header_width(header), header_factor(header), header_exponent(header),
                np.uint64(table[DICTIONARIES]) + np.uint64(2 * entry), target, like,
            )  # fmt: skip
            n = header_exceptions(header)
            if not _patch_lefts(positions, first_position, lefts, begin[2], n, cut, out, start):
                return vector
    return np.int64(-1)
