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
    resize,
    routine,
    shuffle,
    splat,
    store,
    unpack_rows,
)

CODE_BITS = 16
"""Lane of packed codes: that of the left parts which they become."""


@routine(plain.rd_join)
def join_parts(
    builder: ir.IRBuilder,
    kinds: Any,
    source: Any,
    left_width: Any,
    width: Any,
    shift: Any,
    right_bits: Any,
    dictionary: Any,
    target: Any,
    like: Any,  # noqa: ARG001
) -> None:
    """Unpack the left codes and the right parts of a vector, and join them.

    source, dictionary, target : uint64 addresses     of the packed codes, which the right parts follow
    left_width : int64 in [0, 3]
    width, shift, right_bits : int64     of a packed right part, of the zeros behind it, and of both
    like : uint16, uint32 or uint64, for the type of the values
    """
    bits = kinds[-1].bitwidth
    kind, code_kind = lane_vector(bits), lane_vector(CODE_BITS)
    entries = []
    for i in range(DICTIONARY_SIZE):
        pointer = builder.inttoptr(advance(builder, dictionary, 2 * i), ir.IntType(CODE_BITS).as_pointer())
        entries.append(splat(builder, builder.load(pointer, align=1), code_kind.count))
    behind, below = (splat(builder, resize(builder, scalar, bits), kind.count) for scalar in (shift, right_bits))
    rights_at = builder.add(source, builder.mul(left_width, ir.Constant(left_width.type, ROW_BYTES)))
    rights = enumerate(unpack_rows(builder, _or_anywhere(builder, width, rights_at, target), width, bits))
    for codes in unpack_rows(builder, _or_anywhere(builder, left_width, source, target), left_width, CODE_BITS):
        lefts = _look_up(builder, codes, entries)
        for part in range(bits // CODE_BITS):
            picks = list(range(part * kind.count, (part + 1) * kind.count))
            left = builder.shl(resize(builder, shuffle(builder, lefts, lefts, picks), bits), below)
            row, right = next(rights)
            value = builder.or_(left, builder.shl(right, behind))
            store(builder, value, advance(builder, target, row * ROW_BYTES))


def _or_anywhere(builder: ir.IRBuilder, width: Any, source: Any, target: Any) -> Any:
    """Where to unpack from: at `source`, or of no bits, behind which there may be no two rows, where one may read."""
    return builder.select(builder.icmp_unsigned("==", width, ir.Constant(width.type, 0)), target, source)


def _look_up(builder: ir.IRBuilder, codes: Any, entries: list[Any]) -> Any:
    """Entry for each code, by a tree of selections by the bits of a code: no gather, on any processor."""
    for bit in (1, 2, 4):
        is_set = builder.icmp_unsigned("!=", builder.and_(codes, fill(codes.type, bit)), fill(codes.type, 0))
        pairs = zip(entries[::2], entries[1::2], strict=True)
        entries = [builder.select(is_set, odd, even) for even, odd in pairs]
    return entries[0]
