"""Encoder of ALP; see `alp`."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir

from drift_arrow.kernels import _plain_floats as plain
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.alp import NARROW_BITS, transform
from drift_arrow.kernels.alp_search import (
    choose_candidate,
    exception_bits,
    load_numbers,
    narrow_to,
    search_sample,
    take_sample,
)
from drift_arrow.kernels.alp_width import LANES, choose_width, value_range, widen
from drift_arrow.kernels.float_exceptions import mark_exceptions, take_exceptions
from drift_arrow.kernels.float_header import ALP, pack_header
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

_LEAST = np.int64(-(2**63))
_GREATEST = np.int64(2**63 - 1)


@routine(plain.alp_encode)
def encode_block(
    builder: ir.IRBuilder,
    kinds: Any,
    source: Any,
    scale: Any,
    shrink: Any,
    factor: Any,
    inverse: Any,
    target: Any,
    extremes: Any,
    like: Any,  # noqa: ARG001
) -> None:
    """Integers of the 64 values at `source`, -2**63 for exceptions.

    target : uint64 address of 64 int64
    extremes : uint64 address of 16 least and 16 greatest int64 so far, updated without the exceptions
    """
    item_bits = kinds[-1].bitwidth
    if item_bits < 32:  # such values have no candidates
        return
    scales = [splat(builder, scalar, LANES) for scalar in (scale, shrink, factor, inverse)]
    kind = lane_vector(64, LANES)
    least, greatest = (load(builder, advance(builder, extremes, i * LANES * 8), kind) for i in range(2))
    for block in range(64 // LANES):
        address = advance(builder, source, block * LANES * item_bits // 8)
        codes, is_exception = transform(builder, load_numbers(builder, address, item_bits, LANES), *scales)
        least = narrow_to(builder, "<", least, codes, is_exception)
        greatest = narrow_to(builder, ">", greatest, codes, is_exception)
        # less any base this is larger, without its sign, than every packed integer
        marked = builder.select(is_exception, fill(kind, -(1 << 63)), codes)
        store(builder, marked, advance(builder, target, block * LANES * 8))
    for i, extreme in enumerate((least, greatest)):
        store(builder, extreme, advance(builder, extremes, i * LANES * 8))


def _emit_pack(bits: int) -> Any:
    def emit(builder: ir.IRBuilder, kinds: Any, source: Any, base: Any, width: Any, target: Any, _like: Any) -> None:
        if kinds[-1].bitwidth < max(bits, 32):  # such values have no integers of so many bits
            return
        lanes = VALUES // bits
        bases = splat(builder, base, lanes)

        def rows(row: int) -> Any:
            codes = load(builder, advance(builder, source, row * lanes * 8), lane_vector(64, lanes))
            return resize(builder, builder.sub(codes, bases), bits)

        pack(builder, width, bits, rows, target)

    return emit


pack_narrow: Any = routine(plain.alp_pack)(_emit_pack(NARROW_BITS))
"""Pack the 1024 int64 at `source` less `base` with `width` (int64 in [1, 32]) bits each; addresses are uint64.

The last argument is any uint32 or uint64, the type of the bits of the values.
"""

pack_wide: Any = routine(plain.alp_pack)(_emit_pack(64))
"""`pack_narrow` for widths in [33, 64]."""


@kernel(inner=True)
def _transform(
    source: Any, start: Any, exponent: Any, factor: Any, powers: Any, inverses: Any, codes: Any, extremes: Any,
    like: Any,
) -> None:  # fmt: skip
    extremes[:LANES] = _GREATEST
    extremes[LANES:] = _LEAST
    address = np.uint64(source.ctypes.data) + np.uint64(start * source.itemsize)
    target = np.uint64(codes.ctypes.data)
    for block in range(VALUES // 64):
        encode_block(
            address + np.uint64(block * 64 * source.itemsize),
            powers[exponent], inverses[factor], powers[factor], inverses[exponent],
            target + np.uint64(block * 64 * 8), np.uint64(extremes.ctypes.data), like,
        )  # fmt: skip


@kernel(inner=True)
def _any_integer(codes: Any) -> Any:
    """The first of the codes that is no exception, if there is one."""
    for code in codes:
        if code != np.uint64(1 << 63):
            return code
    return codes[0]


@kernel(inner=True)
def fit_alp(
    source: Any, start: Any, n_values: Any, candidates: Any, expected: Any, powers: Any, inverses: Any, codes: Any,
    extremes: Any, lengths: Any, sample: Any, whole_bytes: Any, like: Any,
) -> Any:  # fmt: skip
    """Turn a vector into integers; exponent, factor, base, width, and bits of the vector.

    source : (1024 * v,) uint32 or uint64     bits of float32 or float64 values; those past n_values may be anything
    candidates : (c, 2) int64     exponents and factors, likeliest first
    expected : int64     bits of a vector; one that takes far more gets exponents of its own
    codes : (1024,) uint64, overwritten
    extremes : (32,) int64, lengths : (1024,) uint8, sample : (64,) like source; scratch
    whole_bytes : bool         whether to widen; the bits of the vector are still those that it needs
    """
    item_bits = np.int64(source.itemsize * 8)
    widest = np.int64(64) if item_bits == 64 else np.int64(NARROW_BITS)
    take_sample(source, start, sample)
    number = choose_candidate(candidates, powers, inverses, sample, like)
    exponent, factor = candidates[number, 0], candidates[number, 1]
    base = width = cost = least = greatest = np.int64(0)
    for attempt in range(2):
        _transform(source, start, exponent, factor, powers, inverses, codes, extremes, like)
        if n_values - start < VALUES:
            codes[n_values - start :] = _any_integer(codes)
        least, greatest = value_range(extremes)
        base, width, cost = choose_width(codes, extremes, lengths, widest, exception_bits(item_bits))
        if attempt == 1 or cost <= expected:
            break
        own = search_sample(np.uint64(sample.ctypes.data), powers, inverses, item_bits, like)
        if own[0] == exponent and own[1] == factor:
            break
        exponent, factor = own[0], own[1]
    if whole_bytes:
        base, width = widen(base, width, least, greatest)
    if n_values - start < VALUES:
        codes[n_values - start :] = np.uint64(base)
    return exponent, factor, base, width, cost


@kernel(inner=True)
def put_alp(
    source: Any, start: Any, fit: Any, codes: Any, masks: Any, headers: Any, bases: Any, vector: Any, packed: Any,
    positions: Any, exceptions: Any, cursor: Any, like: Any,
) -> None:  # fmt: skip
    """Write a vector of integers.

    fit : tuple     what `fit_alp` has returned; it has left the codes
    masks : (16,) uint64, scratch
    packed, positions, exceptions : uint8, uint16, like source     written from the cursor on
    cursor : (3,) int64     ends of the packed bytes and of the exceptions of ALP and ALP_RD, updated
    """
    exponent, factor, base, width, _ = fit
    mark_exceptions(codes, base, np.int64(1) << width, masks, np.uint64(0))
    n = take_exceptions(masks, source, start, like, positions, cursor[1] + cursor[2], exceptions, cursor[1])
    headers[vector], bases[vector] = pack_header(ALP, width, exponent, factor, n), base
    target = np.uint64(packed.ctypes.data) + np.uint64(cursor[0])
    if width > NARROW_BITS:
        pack_wide(np.uint64(codes.ctypes.data), base, width, target, like)
    elif width > 0:
        pack_narrow(np.uint64(codes.ctypes.data), base, width, target, like)
    cursor[0] += width * ROW_BYTES
    cursor[1] += n
