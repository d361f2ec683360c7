"""Inner products of a block of codes with the weights of several queries, one after the other.

What a query costs beyond its multiplications is to add up the lanes of each row. Where many queries want the same rows
it pays to turn the block round first: four codes of each of sixteen rows stand in one register, and the sums of sixteen
rows grow in the lanes of another one. For processors that multiply 64 pairs of bytes at once (`vpdpbusd`); a weight is
cut in two bytes, since one would cost recall.
"""

from __future__ import annotations

from typing import Any, Final

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba.core import cgutils

from drift_arrow.kernels._jit import INTERPRETED
from drift_arrow.kernels._plain import memory
from drift_arrow.kernels.lanes import fill, load, routine, shuffle, splat, store

BLOCK_ROWS: Final = 64
"""Rows of a block."""

BLOCK_WINDOW: Final = 64
"""Codes of a row that are turned at once, and the least dimension."""

LOW_BITS: Final = 7
"""A weight is `high * 128 + low`, both in a signed byte."""

HAS_BYTE_PRODUCTS: Final = not INTERPRETED and all(
    llvm.get_host_cpu_features().get(name, False) for name in ("avx512vnni", "avx512bw")
)
"""Whether the processor has what this module is for; nothing else in it may be called where it has not."""

_LANES: Final = 16
_TILES: Final = BLOCK_ROWS // _LANES
_REGISTER_BYTES: Final = 64
_INT32, _INT64 = ir.IntType(32), ir.IntType(64)
_LANE_VECTOR: Final = ir.VectorType(_INT32, _LANES)


def block_size(dim: int) -> int:
    """Codes of a row as turned, and weights of a query: whole windows."""
    return -(-dim // BLOCK_WINDOW) * BLOCK_WINDOW


def _starts(dim: int) -> list[int]:
    return [min(start, dim - BLOCK_WINDOW) for start in range(0, dim, BLOCK_WINDOW)]


def plain_turn(address: Any, dim: Any, count: Any, target: Any) -> None:
    """Twin of `turn_block` in NumPy."""
    dim, count = int(dim), int(count)
    codes = memory(address, np.uint8, count * dim).reshape(count, dim)
    rows = codes[np.minimum(np.arange(BLOCK_ROWS), count - 1)]
    turned = [rows[:, start : start + BLOCK_WINDOW].reshape(BLOCK_ROWS, -1, 4) for start in _starts(dim)]
    out = memory(target, np.uint8, block_size(dim) * BLOCK_ROWS)
    out[:] = np.concatenate(turned, axis=1).transpose(1, 0, 2).ravel()


def plain_products(turned: Any, size: Any, weights: Any, products: Any) -> None:
    """Twin of `block_products` in NumPy."""
    size = int(size)
    codes = memory(turned, np.uint8, size * BLOCK_ROWS).reshape(-1, BLOCK_ROWS, 4).transpose(1, 0, 2).reshape(-1, size)
    high, low = memory(weights, np.int8, 2 * size).reshape(2, size).astype(np.int64)
    out = memory(products, np.int32, BLOCK_ROWS)
    out[:] = (codes.astype(np.int64) @ (high * (1 << LOW_BITS) + low)).astype(np.int32)


@routine(plain_turn)
def turn_block(builder: ir.IRBuilder, _kinds: Any, address: Any, dim: Any, count: Any, target: Any) -> None:
    """Turn the codes of up to `BLOCK_ROWS` rows round.

    address : uint64
        Of `count` (int64, at least 1) rows of `dim` (int64) codes; the last row stands in for those that are missing.
    target : uint64
        Address of ``block_size(dim) * BLOCK_ROWS`` bytes: for every four codes, those of all rows. Where the last
        window would leave a row it starts earlier instead, so that some codes come twice.
    """
    window = ir.Constant(_INT64, BLOCK_WINDOW)
    n_windows = builder.udiv(builder.add(dim, ir.Constant(_INT64, BLOCK_WINDOW - 1)), window)
    last_start, last_row = builder.sub(dim, window), builder.sub(count, ir.Constant(_INT64, 1))
    with (
        cgutils.for_range(builder, n_windows) as windows,
        cgutils.for_range(builder, ir.Constant(_INT64, _TILES)) as tiles,
    ):
        start = _least(builder, builder.mul(windows.index, window), last_start)
        first = builder.mul(tiles.index, ir.Constant(_INT64, _LANES))
        rows = []
        for lane in range(_LANES):
            row = _least(builder, builder.add(first, ir.Constant(_INT64, lane)), last_row)
            rows.append(load(builder, builder.add(builder.add(address, builder.mul(row, dim)), start), _LANE_VECTOR))
        place = builder.mul(windows.index, ir.Constant(_INT64, _LANES * _TILES))
        place = builder.mul(builder.add(place, tiles.index), ir.Constant(_INT64, _REGISTER_BYTES))
        for group, turned in enumerate(_transposed(builder, rows)):
            offset = ir.Constant(_INT64, group * _TILES * _REGISTER_BYTES)
            store(builder, turned, builder.add(target, builder.add(place, offset)))


def _least(builder: ir.IRBuilder, value: Any, most: Any) -> Any:
    return builder.select(builder.icmp_signed("<", value, most), value, most)


def _transposed(builder: ir.IRBuilder, rows: list[Any]) -> list[Any]:
    """Sixteen rows of sixteen numbers, transposed by four rounds of merging rows that are eight apart."""
    half = _LANES // 2
    for _ in range(4):
        merged = []
        for upper, lower in zip(rows[:half], rows[half:], strict=True):
            for first in (0, half):
                picks = [lane + side for lane in range(first, first + half) for side in (0, _LANES)]
                merged.append(shuffle(builder, upper, lower, picks))
        rows = merged
    return rows


@routine(plain_products)
def block_products(builder: ir.IRBuilder, _kinds: Any, turned: Any, size: Any, weights: Any, products: Any) -> None:
    """Write the sum of products of the codes of each row with the weights of one query: exact, int32.

    turned : uint64
        Address of what `turn_block` wrote.
    size : int64
        `block_size` of the dimension.
    weights : uint64
        Address of the `size` high bytes of the weights, and then of their low bytes; 0 for codes that came before.
    products : uint64
        Address of `BLOCK_ROWS` int32.
    """
    planes = [
        [cgutils.alloca_once(builder, _LANE_VECTOR) for _ in range(_TILES)]  # type: ignore[no-untyped-call]
        for _ in range(2)
    ]
    for place in (place for plane in planes for place in plane):
        builder.store(fill(_LANE_VECTOR, 0), place)
    with cgutils.for_range(builder, builder.udiv(size, ir.Constant(_INT64, 4))) as groups:
        offset = builder.mul(groups.index, ir.Constant(_INT64, 4))
        spread = [
            splat(builder, builder.load(builder.inttoptr(address, _INT32.as_pointer()), align=1), _LANES)
            for address in (builder.add(weights, offset), builder.add(builder.add(weights, size), offset))
        ]
        block = builder.add(turned, builder.mul(groups.index, ir.Constant(_INT64, _TILES * _REGISTER_BYTES)))
        for tile in range(_TILES):
            codes = load(builder, builder.add(block, ir.Constant(_INT64, tile * _REGISTER_BYTES)), _LANE_VECTOR)
            for plane, weight in zip(planes, spread, strict=True):
                builder.store(multiply_bytes(builder, builder.load(plane[tile]), codes, weight), plane[tile])
    for tile in range(_TILES):
        high, low = (builder.load(plane[tile]) for plane in planes)
        total = builder.add(builder.shl(high, fill(_LANE_VECTOR, LOW_BITS)), low)
        store(builder, total, builder.add(products, ir.Constant(_INT64, tile * _REGISTER_BYTES)))


def multiply_bytes(builder: ir.IRBuilder, total: Any, codes: Any, weights: Any) -> Any:
    """Add the products of 64 pairs of an unsigned and a signed byte, four by four, to 16 sums."""
    kind = ir.FunctionType(_LANE_VECTOR, [_LANE_VECTOR] * 3)
    name = "llvm.x86.avx512.vpdpbusd.512"
    function = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
    return builder.call(function, [total, codes, weights])
