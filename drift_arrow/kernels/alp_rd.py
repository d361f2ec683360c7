"""ALP_RD: floats that are no decimal fractions, cut in two. See `alp` for the source.

The left parts, up to 16 bits of sign, exponent and first digits, repeat: they are stored as codes of a dictionary of 8,
or as exceptions. The right parts are packed without the zeros at the end that all of a vector have in common, which is
where bfloat16, float16 or float32 values have nothing once they are widened.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from drift_arrow.kernels import _plain_floats as plain
from drift_arrow.kernels.float_header import DICTIONARY_SIZE
from drift_arrow.kernels.lanes import (
    ROW_BYTES,
    advance,
    fill,
    lane_vector,
    load,
    resize,
    routine,
    splat,
    store,
    unpack,
)

CODE_BITS = 16
"""Lane of packed codes: that of the left parts which they become."""


@routine(plain.rd_unpack_lefts)
def unpack_lefts(
    builder: ir.IRBuilder,
    kinds: Any,  # noqa: ARG001
    source: Any,
    width: Any,
    dictionary: Any,
    target: Any,
) -> None:
    """Decode the left parts of a vector to 1024 uint16.

    source, dictionary, target : uint64 addresses     width : int64 in [1, 3]
    """
    kind = lane_vector(CODE_BITS)
    entry_type = ir.IntType(CODE_BITS)
    entries = []
    for i in range(DICTIONARY_SIZE):
        pointer = builder.inttoptr(advance(builder, dictionary, 2 * i), entry_type.as_pointer())
        entries.append(splat(builder, builder.load(pointer, align=1), kind.count))

    def visit(row: int, codes: Any) -> None:
        # a tree of selections by the bits of a code: no gather, on any processor
        chosen = entries
        for bit in (1, 2, 4):
            is_set = builder.icmp_unsigned("!=", builder.and_(codes, fill(kind, bit)), fill(kind, 0))
            pairs = zip(chosen[::2], chosen[1::2], strict=True)
            chosen = [builder.select(is_set, odd, even) for even, odd in pairs]
        store(builder, chosen[0], advance(builder, target, row * ROW_BYTES))

    unpack(builder, source, width, CODE_BITS, visit)


@routine(plain.rd_glue)
def glue(
    builder: ir.IRBuilder,
    kinds: Any,
    source: Any,
    width: Any,
    shift: Any,
    right_bits: Any,
    lefts: Any,
    target: Any,
    like: Any,  # noqa: ARG001
) -> None:
    """Unpack the right parts of a vector and join them to its left parts.

    source, lefts, target : uint64 addresses
    width, shift, right_bits : int64     of a packed right part, of the zeros behind it, and of both
    like : uint16, uint32 or uint64, for the type of the values
    """
    bits = kinds[-1].bitwidth
    kind = lane_vector(bits)
    behind, below = (splat(builder, resize(builder, scalar, bits), kind.count) for scalar in (shift, right_bits))

    def visit(row: int, rights: Any) -> None:
        left = load(builder, advance(builder, lefts, row * kind.count * 2), lane_vector(CODE_BITS, kind.count))
        left = builder.shl(resize(builder, left, bits), below)
        value = builder.or_(left, builder.shl(rights, behind))
        store(builder, value, advance(builder, target, row * ROW_BYTES))

    unpack(builder, source, width, bits, visit)
