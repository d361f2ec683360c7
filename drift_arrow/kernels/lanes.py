"""Packed vectors of 1024 integers, as LLVM code: what every codec of numbers is made of.

A vector is packed in lanes of T = 8, 16, 32 or 64 bits, the layout of FastLanes (Afroozeh and Boncz, VLDB 2023): value
`r * L + l` stands in row r of lane l, where L = 1024 / T. A lane is a string of T values of `width` bits each, the
first in its lowest bits, cut into `width` words of T bits; word k of lane l is word `k * L + l` of the vector. So every
step works on all lanes at once, which is one LLVM vector of 1024 bits, and a vector takes `128 * width` bytes.

Functions that build code take a builder and LLVM values; addresses are uint64. A decoder unpacks with a callback that
turns a row of packed integers into a row of values and stores it, an encoder packs rows that a callback loads.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from drift_arrow.kernels import _plain
from drift_arrow.kernels._jit import INTERPRETED

VALUES: Final = 1024
"""Values of a vector."""

ROW_BYTES: Final = 128
"""Bytes of one word of all lanes, and of one bit of width."""

TAIL_BYTES: Final = 128
"""Readable bytes that must follow a packed vector: unpacking its last row loads them, and drops what it has loaded."""

_INT64: Final = ir.IntType(64)

Emitter = TypeVar("Emitter", bound=Callable[..., Any])


def lane_bits(width: int) -> int:
    """Lane of packed values of `width` bits: the narrowest that holds them."""
    return max(8, 1 << (width - 1).bit_length()) if width else 8


def routine(twin: Callable[..., Any], returns: Any = types.void) -> Callable[[Emitter], Any]:
    """Turn a function that builds code into one that kernels call.

    Parameters
    ----------
    twin : callable
        Does the same in NumPy with the same arguments; stands in under NUMBA_DISABLE_JIT=1. See `_plain`.
    returns : numba type
        Of the result. Arguments may have any scalar type.

    Returns
    -------
    callable
        Decorator of `emit(builder, kinds, *arguments)`, where `kinds` are the numba types of the arguments. It returns
        the LLVM value of the result, if there is one.
    """

    def decorate(emit: Emitter) -> Any:
        if INTERPRETED:
            return twin

        def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
            result = emit(builder, signature.args, *arguments)
            return context.get_dummy_value() if returns is types.void else result

        def infer(_typing_context: Any, *kinds: Any) -> Any:
            return returns(*kinds), generate

        # numba binds the arguments of a call to the names it finds here, and fails at a variable number of them;
        # `kinds` stands where it passes its typing context
        _, *names = inspect.signature(emit).parameters.values()
        infer.__signature__ = inspect.Signature(names)  # type: ignore[attr-defined]
        infer.__name__ = emit.__name__
        return intrinsic(infer)

    return decorate


def lane_vector(bits: int, lanes: int | None = None) -> ir.VectorType:
    """Type of a row: `lanes` integers, by default as many of them as there are lanes of `bits`."""
    return ir.VectorType(ir.IntType(bits), lanes or VALUES // bits)


def fill(kind: ir.VectorType, value: int) -> ir.Constant:
    """Vector of one constant."""
    return ir.Constant(kind, [value] * kind.count)


def splat(builder: ir.IRBuilder, scalar: Any, lanes: int) -> Any:
    """Vector of one value that is known at run time."""
    kind = ir.VectorType(scalar.type, lanes)
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
    return shuffle(builder, first, first, [0] * lanes)


def shuffle(builder: ir.IRBuilder, left: Any, right: Any, picks: list[int]) -> Any:
    """Vector of the elements `picks` of two vectors laid end to end."""
    return builder.shuffle_vector(left, right, ir.Constant(lane_vector(32, len(picks)), picks))


def resize(builder: ir.IRBuilder, value: Any, bits: int) -> Any:
    """Integer or vector of integers with zeros in front, or with its upper bits cut off."""
    is_vector = isinstance(value.type, ir.VectorType)
    width = (value.type.element if is_vector else value.type).width
    kind = lane_vector(bits, value.type.count) if is_vector else ir.IntType(bits)
    if width == bits:
        return value
    return builder.trunc(value, kind) if width > bits else builder.zext(value, kind)


def advance(builder: ir.IRBuilder, address: Any, n_bytes: int) -> Any:
    """Address that lies a constant number of bytes further on."""
    return builder.add(address, ir.Constant(_INT64, n_bytes)) if n_bytes else address


def load(builder: ir.IRBuilder, address: Any, kind: ir.VectorType) -> Any:
    """Vector at an address of any alignment."""
    return builder.load(builder.inttoptr(address, kind.as_pointer()), align=1)


def store(builder: ir.IRBuilder, value: Any, address: Any) -> None:
    """Write a vector at an address of any alignment."""
    builder.store(value, builder.inttoptr(address, value.type.as_pointer()), align=1)


def unpack_rows(builder: ir.IRBuilder, source: Any, width: Any, bits: int) -> Iterator[Any]:
    """Unpack the vector of `bits`-bit lanes at `source`: code that is built row by row, as rows are asked for.

    The width (i64) is a run time value in [0, bits]; with 0, two rows of any bytes must be readable. Row r holds the
    values from `r * 1024 / bits` on.
    """
    kind = lane_vector(bits)
    mask = _low_bits(builder, width, bits)
    bit: Any = ir.Constant(_INT64, 0)
    for _ in range(bits):
        address = builder.add(source, _word_offset(builder, bit, bits))
        low, high = (load(builder, advance(builder, address, n_bytes), kind) for n_bytes in (0, ROW_BYTES))
        shift = splat(builder, resize(builder, bit, bits), kind.count)
        yield builder.and_(funnel_shift(builder, "r", high, low, shift), mask)
        bit = builder.add(bit, width)


def unpack(builder: ir.IRBuilder, source: Any, width: Any, bits: int, visit: Callable[[int, Any], None]) -> None:
    """Unpack a vector as `unpack_rows` does; `visit(row, values)` gets each of the `bits` rows in order."""
    for row, values in enumerate(unpack_rows(builder, source, width, bits)):
        visit(row, values)


def pack(builder: ir.IRBuilder, width: Any, bits: int, rows: Callable[[int], Any], target: Any) -> None:
    """Pack a vector into `bits`-bit lanes at `target`: the reverse of `unpack`.

    `rows(row)` gives the values of a row, whose bits above `width` are dropped.
    """
    kind = lane_vector(bits)
    mask, zero = _low_bits(builder, width, bits), fill(kind, 0)
    word: Any = zero
    bit: Any = ir.Constant(_INT64, 0)
    for row in range(bits):
        start = builder.and_(bit, ir.Constant(_INT64, bits - 1))
        shift = splat(builder, resize(builder, start, bits), kind.count)
        values = builder.and_(rows(row), mask)
        word = builder.or_(word, builder.shl(values, shift))
        store(builder, word, builder.add(target, _word_offset(builder, bit, bits)))
        is_full = builder.icmp_unsigned(">=", builder.add(start, width), ir.Constant(_INT64, bits))
        word = builder.select(is_full, funnel_shift(builder, "l", zero, values, shift), word)
        bit = builder.add(bit, width)


def funnel_shift(builder: ir.IRBuilder, direction: str, high: Any, low: Any, shift: Any) -> Any:
    """Lower half of `high:low` shifted right ("r"), or its upper half shifted left ("l"), by `shift` modulo lane."""
    kind = low.type
    name = f"llvm.fsh{direction}.v{kind.count}i{kind.element.width}"
    signature = ir.FunctionType(kind, [kind, kind, kind])
    function = cgutils.get_or_insert_function(builder.module, signature, name)  # type: ignore[no-untyped-call]
    return builder.call(function, [high, low, shift])


def _low_bits(builder: ir.IRBuilder, width: Any, bits: int) -> Any:
    ones = ir.Constant(ir.IntType(bits), (1 << bits) - 1)
    dropped = builder.sub(ir.Constant(ir.IntType(bits), bits), resize(builder, width, bits))
    # to shift by a whole lane is undefined
    is_none = builder.icmp_unsigned("==", width, ir.Constant(_INT64, 0))
    mask = builder.select(is_none, ir.Constant(ones.type, 0), builder.lshr(ones, dropped))
    return splat(builder, mask, VALUES // bits)


def _word_offset(builder: ir.IRBuilder, bit: Any, bits: int) -> Any:
    """Bytes from the start of a vector to the word that holds bit `bit` of each lane."""
    whole = builder.and_(bit, ir.Constant(_INT64, (1 << 64) - bits))
    return builder.shl(whole, ir.Constant(_INT64, 7 - (bits.bit_length() - 1)))


@routine(_plain.bit_length, types.int64)
def bit_length(builder: ir.IRBuilder, kinds: Any, value: Any) -> Any:
    """Bits of an unsigned integer without its leading zeros; 0 for 0."""
    zeros = builder.ctlz(value, ir.Constant(ir.IntType(1), 0))
    return resize(builder, builder.sub(ir.Constant(value.type, kinds[0].bitwidth), zeros), 64)
