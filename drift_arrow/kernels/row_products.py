"""Inner products of the codes of a few rows with the weights of one query, as they stand in memory.

Sixteen rows at once, because what a row costs beside its multiplications is to add up the lanes of its register: the
sums of sixteen rows share the steps of a transposition. For processors that multiply 64 pairs of bytes at once
(`vpdpbusd`), with weights cut in two bytes as `code_block` has them.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba.core import cgutils

from drift_arrow.kernels._plain import memory
from drift_arrow.kernels.code_block import BLOCK_WINDOW, LOW_BITS, block_size, multiply_bytes
from drift_arrow.kernels.lanes import fill, load, routine, shuffle, store

_LANES: Final = 16
_ROWS: Final = 4
"""Rows whose products are summed side by side, with the same weights in registers."""

_INT32, _INT64 = ir.IntType(32), ir.IntType(64)
_LANE_VECTOR: Final = ir.VectorType(_INT32, _LANES)


def plain_row_products(address: Any, dim: Any, count: Any, weights: Any, products: Any) -> None:
    """Twin of `row_products` in NumPy."""
    dim, count = int(dim), int(count)
    size = block_size(dim)
    high, low = memory(weights, np.int8, 2 * size).reshape(2, size).astype(np.int64)
    starts = [min(start, dim - BLOCK_WINDOW) for start in range(0, dim, BLOCK_WINDOW)]
    rows = memory(address, np.uint8, count * dim).reshape(count, dim)
    windows = np.concatenate([rows[:, start : start + BLOCK_WINDOW] for start in starts], axis=1)
    out = memory(products, np.int32, count)
    out[:] = (windows.astype(np.int64) @ (high * (1 << LOW_BITS) + low)).astype(np.int32)


@routine(plain_row_products)
def row_products(
    builder: ir.IRBuilder, _kinds: Any, address: Any, dim: Any, count: Any, weights: Any, products: Any
) -> None:
    """Write the sum of products of the codes of each row with the weights of one query: exact, int32.

    address : uint64
        Of `count` (int64, at least 1) rows of `dim` (int64, at least `BLOCK_WINDOW`) codes.
    weights : uint64
        Address of the ``block_size(dim)`` high bytes of the weights, and then of their low bytes. Where the last window
        of codes would leave a row it starts earlier instead, and the codes that came before weigh 0 there.
    products : uint64
        Address of int32 for as many rows as make sixteens; those behind the last row hold its product.
    """
    last_row = builder.sub(count, ir.Constant(_INT64, 1))
    n_groups = builder.udiv(builder.add(count, ir.Constant(_INT64, _LANES - 1)), ir.Constant(_INT64, _LANES))
    size = builder.and_(builder.add(dim, ir.Constant(_INT64, BLOCK_WINDOW - 1)), ir.Constant(_INT64, -BLOCK_WINDOW))
    with cgutils.for_range(builder, n_groups) as groups:
        first = builder.mul(groups.index, ir.Constant(_INT64, _LANES))
        quarters = []
        for quarter in range(_LANES // _ROWS):
            rows = []
            for row in range(quarter * _ROWS, (quarter + 1) * _ROWS):
                number = _least(builder, builder.add(first, ir.Constant(_INT64, row)), last_row)
                rows.append(builder.add(address, builder.mul(number, dim)))
            quarters.append(_sum_lanes_of_four(builder, _row_sums(builder, rows, dim, size, weights)))
        place = builder.add(products, builder.mul(first, ir.Constant(_INT64, 4)))
        store(builder, _sum_quarters(builder, quarters), place)


def _least(builder: ir.IRBuilder, value: Any, most: Any) -> Any:
    return builder.select(builder.icmp_signed("<", value, most), value, most)


def _row_sums(builder: ir.IRBuilder, rows: list[Any], dim: Any, size: Any, weights: Any) -> list[Any]:
    """A vector for each row, the lanes of which add up to its product."""
    sums = [[cgutils.alloca_once(builder, _LANE_VECTOR) for _ in rows] for _ in range(2)]  # type: ignore[no-untyped-call]
    for place in (place for plane in sums for place in plane):
        builder.store(fill(_LANE_VECTOR, 0), place)
    window, low_weights = ir.Constant(_INT64, BLOCK_WINDOW), builder.add(weights, size)
    last_start = builder.sub(dim, window)
    with cgutils.for_range(builder, builder.udiv(size, window)) as windows:
        offset = builder.mul(windows.index, window)
        planes = [load(builder, builder.add(plane, offset), _LANE_VECTOR) for plane in (weights, low_weights)]
        start = _least(builder, offset, last_start)
        for number, row in enumerate(rows):
            codes = load(builder, builder.add(row, start), _LANE_VECTOR)
            for plane, weight in zip(sums, planes, strict=True):
                builder.store(multiply_bytes(builder, builder.load(plane[number]), codes, weight), plane[number])
    high, low = ([builder.load(place) for place in plane] for plane in sums)
    shift = fill(_LANE_VECTOR, LOW_BITS)
    return [builder.add(builder.shl(upper, shift), lower) for upper, lower in zip(high, low, strict=True)]


def _sum_lanes_of_four(builder: ir.IRBuilder, rows: list[Any]) -> Any:
    """Four vectors become one: each of its quarters has, in this order, a share of the sum of each of them."""
    pairs = [_add_picks(builder, rows[i], rows[i + 1], [0, 16, 1, 17], [2, 18, 3, 19]) for i in (0, 2)]
    return _add_picks(builder, pairs[0], pairs[1], [0, 1, 16, 17], [2, 3, 18, 19])


def _sum_quarters(builder: ir.IRBuilder, quarters: list[Any]) -> Any:
    """Four vectors become one, whose quarters are the sums of the quarters of each of them."""
    pairs = [_add_quarters(builder, quarters[i], quarters[i + 1], [0, 1, 4, 5], [2, 3, 6, 7]) for i in (0, 2)]
    return _add_quarters(builder, pairs[0], pairs[1], [0, 2, 4, 6], [1, 3, 5, 7])


def _add_picks(builder: ir.IRBuilder, left: Any, right: Any, first: list[int], second: list[int]) -> Any:
    """Picks within each quarter of two vectors; numbers are those of the first quarters."""
    picks = [[pick + 4 * quarter for quarter in range(4) for pick in some] for some in (first, second)]
    return builder.add(*(shuffle(builder, left, right, some) for some in picks))


def _add_quarters(builder: ir.IRBuilder, left: Any, right: Any, first: list[int], second: list[int]) -> Any:
    """Picks of whole quarters of two vectors."""
    picks = [[4 * quarter + lane for quarter in some for lane in range(4)] for some in (first, second)]
    return builder.add(*(shuffle(builder, left, right, some) for some in picks))
