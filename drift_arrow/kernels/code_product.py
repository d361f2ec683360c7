"""Inner product of a row of uint8 codes with int16 weights, the innermost loop of every scan of codes.

Written in vectors because LLVM's own vectorisation of the plain loop reaches half the speed of memory. The vectors are
LLVM's portable ones: on x86 a step becomes a widening load and `vpdpwssd`, or `vpmaddwd` and an addition.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from drift_arrow.kernels._jit import INTERPRETED, kernel

WINDOW: Final = 32
"""Codes of one step."""


def weights_size(dim: int) -> int:
    """Length of the weights of rows of `dim` codes; see `code_product`."""
    return dim if dim < WINDOW else -(-dim // WINDOW) * WINDOW


def _byte_at(address: Any, offset: Any) -> Any:
    """Unsigned byte at `address + offset` (uint64, int64), in memory that the caller of the kernel keeps alive."""
    return ctypes.c_uint8.from_address(int(address) + int(offset)).value


def _window_product(address: Any, dim: Any, weights: Any) -> Any:
    """`code_product` of at least `WINDOW` codes."""
    offsets = [min(start, int(dim) - WINDOW) for start in range(0, weights.size, WINDOW)]
    codes = [_byte_at(address, offset + i) for offset in offsets for i in range(WINDOW)]
    return np.int32(np.dot(codes, weights.astype(np.int64)))


def _load_byte(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
    address, offset = arguments
    return builder.load(builder.gep(builder.inttoptr(address, ir.IntType(8).as_pointer()), [offset]), align=1)


def _sum_windows(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
    address, dim, weights = arguments
    weights = context.make_array(signature.args[2])(context, builder, weights)
    size = builder.extract_value(weights.shape, 0)
    int32, int64 = ir.IntType(32), ir.IntType(64)
    window = ir.Constant(int64, WINDOW)
    codes = builder.inttoptr(address, ir.IntType(8).as_pointer())
    last = builder.sub(dim, window)
    wide, half = ir.VectorType(int32, WINDOW), ir.VectorType(int32, WINDOW // 2)
    total = cgutils.alloca_once_value(builder, ir.Constant(half, None))  # type: ignore[no-untyped-call]
    with cgutils.for_range(builder, builder.udiv(size, window)) as loop:
        start = builder.mul(loop.index, window)
        offset = builder.select(builder.icmp_unsigned("<", start, last), start, last)
        code = _load_vector(builder, builder.gep(codes, [offset]), 8)
        weight = _load_vector(builder, builder.gep(weights.data, [start]), 16)
        products = builder.mul(builder.zext(code, wide), builder.sext(weight, wide))
        builder.store(builder.add(builder.load(total), _sum_of_pairs(builder, products, half)), total)
    name = f"llvm.vector.reduce.add.v{WINDOW // 2}i32"
    kind = ir.FunctionType(int32, [half])
    reduce = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
    return builder.call(reduce, [builder.load(total)])


def _load_vector(builder: ir.IRBuilder, pointer: Any, bits: int) -> Any:
    vector = ir.VectorType(ir.IntType(bits), WINDOW)
    return builder.load(builder.bitcast(pointer, vector.as_pointer()), align=bits // 8)


def _sum_of_pairs(builder: ir.IRBuilder, products: Any, half: Any) -> Any:
    # the form in which LLVM recognises multiply-and-add-pairs instructions
    nothing = ir.Constant(products.type, ir.Undefined)
    even, odd = (
        builder.shuffle_vector(products, nothing, ir.Constant(half, list(range(first, WINDOW, 2)))) for first in (0, 1)
    )
    return builder.add(even, odd)


if not INTERPRETED:

    @intrinsic
    def _byte_at(_typing_context: Any, _address: Any, _offset: Any) -> Any:
        return types.uint8(types.uint64, types.int64), _load_byte

    @intrinsic
    def _window_product(_typing_context: Any, _address: Any, _dim: Any, weights: Any) -> Any:
        return types.int32(types.uint64, types.int64, weights), _sum_windows


@kernel(inline=True)
def code_product(address: Any, dim: Any, weights: Any) -> Any:
    """Sum of products of the `dim` uint8 codes at an address with their weights; exact, int32.

    weights : (weights_size(dim),) int16
        In windows of `WINDOW`. Where the last window would leave the row it starts earlier instead, and the codes that
        an earlier window has counted weigh 0 there: no byte outside the row is touched.
    """
    if dim >= WINDOW:
        return _window_product(address, dim, weights)
    total = np.int32(0)
    for j in range(dim):
        total = np.int32(total + np.int32(_byte_at(address, j)) * np.int32(weights[j]))
    return total
