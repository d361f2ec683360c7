"""ALP: floats that are decimal fractions, as integers that fit few bits.

A value v is stored as the integer d = round(v * 10**e * 10**-f), and comes back as d * 10**f * 10**-e: two roundings
each way, which an encoder repeats to see that every bit returns. Source: Afroozeh, Kuffo and Boncz, "ALP: Adaptive
Lossless floating-Point Compression", SIGMOD 2023. Unlike there, float32 is computed in float64, where far more decimals
return, and an integer is converted by an addition: 1.5 * 2**52 + d has the bits of d below those of its own exponent.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba.core import cgutils

from drift_arrow.kernels import _plain_floats as plain
from drift_arrow.kernels.lanes import VALUES, advance, fill, resize, routine, splat, store, unpack

MAGIC: Final = 1.5 * 2**52
MAGIC_BITS: Final = 0x4338000000000000
"""Bits of `MAGIC`."""

POWERS: Final = np.array([float(f"1e{i}") for i in range(19)])
INVERSES: Final = np.array([float(f"1e-{i}") for i in range(19)])
"""Powers of ten, each rounded once: 1 / 1e23 would not be 1e-23."""

for _table in (POWERS, INVERSES):
    _table.flags.writeable = False

NARROW_BITS: Final = 32
"""Integers of up to so many bits are packed in lanes of 32 bits, which halves the work, longer ones in lanes of 64."""


def doubles(lanes: int) -> ir.VectorType:
    """Type of a vector of float64."""
    return ir.VectorType(ir.DoubleType(), lanes)


def to_number(builder: ir.IRBuilder, codes: Any, factor: Any, inverse: Any) -> Any:
    """Values of the integers whose sum with `MAGIC_BITS` is given."""
    numbers = builder.bitcast(codes, doubles(codes.type.count))
    numbers = builder.fsub(numbers, ir.Constant(numbers.type, [MAGIC] * numbers.type.count))
    return builder.fmul(builder.fmul(numbers, factor), inverse)


def _emit_unpack(bits: int) -> Any:
    def emit(
        builder: ir.IRBuilder,
        kinds: Any,
        source: Any,
        width: Any,
        base: Any,
        factor: Any,
        inverse: Any,
        target: Any,
        _like: Any,
    ) -> None:
        item_bits = kinds[-1].bitwidth
        if item_bits < max(bits, 32):  # no header of such values leads here
            return
        lanes = VALUES // bits
        offset = splat(builder, builder.add(base, ir.Constant(base.type, MAGIC_BITS)), lanes)
        factors, inverses = splat(builder, factor, lanes), splat(builder, inverse, lanes)

        def visit(row: int, codes: Any) -> None:
            numbers = to_number(builder, builder.add(resize(builder, codes, 64), offset), factors, inverses)
            if item_bits == 32:
                numbers = builder.fptrunc(numbers, ir.VectorType(ir.FloatType(), lanes))
            store(builder, numbers, advance(builder, target, row * lanes * item_bits // 8))

        unpack(builder, source, width, bits, visit)

    return emit


unpack_narrow: Any = routine(plain.alp_unpack)(_emit_unpack(NARROW_BITS))
"""Decode a vector of ALP without its exceptions.

Arguments: source (uint64 address), width (int64 in [1, 32]), base (int64), 10**f, 10**-e (float64), target (uint64
address), and any uint32 or uint64, whose type says whether float32 or float64 is written.
"""

unpack_wide: Any = routine(plain.alp_unpack)(_emit_unpack(64))
"""`unpack_narrow` for widths in [33, 64]."""


@routine(plain.alp_unpack)
def unpack_short(
    builder: ir.IRBuilder,
    kinds: Any,
    source: Any,
    width: Any,
    base: Any,
    factor: Any,
    inverse: Any,
    target: Any,
    _like: Any,
) -> None:
    """`unpack_narrow` where all integers have 32 bits with their base: a tenth faster."""
    item_bits, lanes = kinds[-1].bitwidth, VALUES // NARROW_BITS
    if item_bits < 32:
        return
    bases = splat(builder, resize(builder, base, 32), lanes)
    factors, inverses = splat(builder, factor, lanes), splat(builder, inverse, lanes)

    def visit(row: int, codes: Any) -> None:
        numbers = builder.sitofp(builder.add(codes, bases), doubles(lanes))
        numbers = builder.fmul(builder.fmul(numbers, factors), inverses)
        if item_bits == 32:
            numbers = builder.fptrunc(numbers, ir.VectorType(ir.FloatType(), lanes))
        store(builder, numbers, advance(builder, target, row * lanes * item_bits // 8))

    unpack(builder, source, width, NARROW_BITS, visit)


@routine(plain.alp_unpack_whole)
def unpack_whole(
    builder: ir.IRBuilder, kinds: Any, source: Any, width: Any, base: Any, target: Any, _like: Any
) -> None:
    """`unpack_narrow` where nothing is to be scaled and all integers have 32 bits with their base: a third of the work.

    Arguments: source, width, base and target as there, and the last one.
    """
    item_bits, lanes = kinds[-1].bitwidth, VALUES // NARROW_BITS
    if item_bits < 32:
        return
    kind = doubles(lanes) if item_bits == 64 else ir.VectorType(ir.FloatType(), lanes)
    bases = splat(builder, resize(builder, base, 32), lanes)

    def visit(row: int, codes: Any) -> None:
        numbers = builder.sitofp(builder.add(codes, bases), kind)
        store(builder, numbers, advance(builder, target, row * lanes * item_bits // 8))

    unpack(builder, source, width, NARROW_BITS, visit)


@routine(plain.alp_fill)
def fill_number(builder: ir.IRBuilder, kinds: Any, number: Any, target: Any, _like: Any) -> None:
    """Write a float64 1024 times to a uint64 address, as a float of the size of the last argument; see above."""
    item_bits, lanes = kinds[-1].bitwidth, 16
    if item_bits < 32:
        return
    if item_bits == 32:
        number = builder.fptrunc(number, ir.FloatType())
    numbers = splat(builder, number, lanes)
    row_bytes = lanes * item_bits // 8
    with cgutils.for_range(builder, ir.Constant(ir.IntType(64), VALUES // lanes)) as loop:
        store(builder, numbers, builder.add(target, builder.mul(loop.index, ir.Constant(target.type, row_bytes))))


def transform(
    builder: ir.IRBuilder, numbers: Any, scale: Any, shrink: Any, factor: Any, inverse: Any
) -> tuple[Any, Any]:
    """Integers of a vector of float32 or float64, and whether each of them fails to bring back its value's bits.

    scale, shrink, factor, inverse : float64 vectors     10**e, 10**-f, 10**f and 10**-e
    """
    lanes = numbers.type.count
    is_single = isinstance(numbers.type.element, ir.FloatType)
    wide = builder.fpext(numbers, doubles(lanes)) if is_single else numbers
    scaled = builder.fmul(builder.fmul(wide, scale), shrink)
    codes = builder.bitcast(
        builder.fadd(scaled, ir.Constant(scaled.type, [MAGIC] * lanes)), ir.VectorType(ir.IntType(64), lanes)
    )
    back = to_number(builder, codes, factor, inverse)
    back = builder.fptrunc(back, numbers.type) if is_single else back
    pattern = ir.VectorType(ir.IntType(32 if is_single else 64), lanes)
    # bits tell -0.0 from 0.0, and one NaN from another
    is_changed = builder.icmp_unsigned("!=", builder.bitcast(back, pattern), builder.bitcast(numbers, pattern))
    codes = builder.sub(codes, fill(codes.type, MAGIC_BITS))
    # infinity comes back too, from an integer far outside the range
    shifted = builder.add(codes, fill(codes.type, 1 << 51))
    is_outside = builder.icmp_unsigned(">=", shifted, fill(codes.type, 1 << 52))
    return codes, builder.or_(is_changed, is_outside)
