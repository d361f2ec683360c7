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
    packed_bytes,
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
from drift_arrow.kernels.streaming import can_stream, fetch, first_line, settle, stream_vector

_SHORT: Final = np.int64(1 << (NARROW_BITS - 1))
"""Integers below this in magnitude have 32 bits."""


@kernel(inner=True)
def _patch(positions: Any, first: Any, values: Any, first_value: Any, n: Any, found: Any) -> Any:
    """Put exceptions where they belong; whether all of them belong into the vector."""
    # indices without a sign, which numba need not test for negative ones
    begin, begin_value = np.uint64(first), np.uint64(first_value)
    for i in range(np.uint64(n)):
        position = np.uint64(positions[begin + i])
        if position >= np.uint64(VALUES):
            return False
        found[position] = values[begin_value + i]
    return True


@kernel(inner=True)
def _decode_alp(header: Any, base: Any, source: Any, powers: Any, inverses: Any, target: Any, like: Any) -> None:
    width = header_width(header)
    factor, inverse = powers[header_factor(header)], inverses[header_exponent(header)]
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
def _patch_lefts(positions: Any, first: Any, lefts: Any, first_left: Any, n: Any, cut: Any, found: Any) -> Any:
    """Put left parts that are exceptions above the `cut` lowest bits; whether all of them belong into the vector."""
    # into the values, not into left parts before these become values: wide loads would wait for the stores
    kind = found.dtype.type
    low_bits = kind((kind(1) << cut) - kind(1))
    begin, begin_left = np.uint64(first), np.uint64(first_left)
    for i in range(np.uint64(n)):
        position = np.uint64(positions[begin + i])
        if position >= np.uint64(VALUES):
            return False
        left = kind(kind(lefts[begin_left + i]) << cut)
        found[position] = kind(found[position] & low_bits) | left
    return True


@kernel(inner=True)
def _decode_vector(table: Any, vector: Any, address: Any, item_bits: Any, like: Any) -> Any:
    """Decode a vector to an int64 address; whether it is not damaged. It is partly written otherwise."""
    target = np.uint64(address)
    header = array_at(table[HEADERS], table[HEADERS + 1], np.uint32(0))[vector]
    base = array_at(table[BASES], table[BASES + 1], np.int64(0))[vector]
    begin = array_at(table[STARTS], table[STARTS + 1], np.int64(0))[3 * vector : 3 * vector + 3]
    if not is_valid_header(header, base, item_bits) or not is_inside(header, base, begin, table):
        return False
    found = array_at(address, VALUES, like)
    source, scheme = np.uint64(table[PACKED]) + np.uint64(begin[0]), header_scheme(header)
    if scheme == CONSTANT:
        found[:] = base
        return True
    # the next vector is mostly as long as this one, and waits behind what is being stored
    n_bytes = np.uint64(packed_bytes(header, base))
    fetch(source + n_bytes, n_bytes)
    if scheme == RAW:
        copy_rows(source, target, item_bits)
        return True
    positions = array_at(table[POSITIONS], table[POSITIONS + 1], np.uint16(0))
    first_position, n = begin[1] + begin[2], header_exceptions(header)
    if scheme == ALP:
        exceptions = array_at(table[EXCEPTIONS], table[EXCEPTIONS + 1], like)
        _decode_alp(header, base, source, POWERS, INVERSES, target, like)
        return _patch(positions, first_position, exceptions, begin[1], n, found)
    lefts = array_at(table[LEFTS], table[LEFTS + 1], np.uint16(0))
    entry, cut = vector // GROUP_VECTORS * DICTIONARY_SIZE, found.dtype.type(header_exponent(header))
    join_parts(
        source, base, header_width(header), header_factor(header), header_exponent(header),
        np.uint64(table[DICTIONARIES]) + np.uint64(2 * entry), target, like,
    )  # fmt: skip
    return _patch_lefts(positions, first_position, lefts, begin[2], n, cut, found)


@kernel
def decode_vectors(table: Any, numbers: Any, streams: Any, scratch: Any, out: Any) -> Any:
    """Decode vectors one after the other to `out`; number of the first that is damaged, or -1.

    table : (17,) int64     see `float_table`; its arrays may have any content
    numbers : (m,) int64     of the vectors, which exist
    streams : bool     write past the caches, where the address of `out` allows it
    scratch : (SCRATCH_BYTES,) uint8; any size without `streams`
    out : (1024 * m,) unsigned integers
    """
    like, item_bits, vector_bytes = out.dtype.type(0), np.int64(out.itemsize * 8), VALUES * out.itemsize
    address, room = np.int64(out.ctypes.data), first_line(scratch)
    is_streamed, damaged = streams and can_stream(address), np.int64(-1)
    for i in range(len(numbers)):
        place = address + i * vector_bytes
        target = room if is_streamed else place
        if not _decode_vector(table, numbers[i], target, item_bits, like):
            damaged = numbers[i]
            break
        if is_streamed:
            stream_vector(np.uint64(target), np.uint64(place), like)
    if is_streamed:
        settle()
    return damaged
