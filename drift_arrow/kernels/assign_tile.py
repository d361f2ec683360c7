"""A few rows against all centroids of a panel: a matrix product whose results are compared before they leave registers.

A panel holds as many centroids as there are lanes in some registers, turned round: first coordinate of all, second
coordinate of all, and so on. The products of one row and one centroid are added up in the order of the coordinates,
whatever rows stand beside it, so that the answer depends neither on how rows are cut nor on the number of threads, as
that of a BLAS does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba.core import cgutils

from drift_arrow.kernels._jit import INTERPRETED
from drift_arrow.kernels._plain import memory
from drift_arrow.kernels.lanes import fill, load, routine, splat, store

_IS_WIDE: Final = not INTERPRETED and bool(llvm.get_host_cpu_features().get("avx512f", False))

LANES: Final = 16 if _IS_WIDE else 8
"""Centroids of one register."""

GROUPS: Final = 4 if _IS_WIDE else 2
"""Registers of a panel."""

PANEL: Final = LANES * GROUPS
"""Centroids of a panel."""

TILE_ROWS: Final = 6 if _IS_WIDE else 4
"""Rows whose sums fit into registers, beside one coordinate of a panel."""

_FLOAT, _INT32, _INT64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_VECTOR, _NUMBERS = ir.VectorType(_FLOAT, LANES), ir.VectorType(_INT32, LANES)
_VALUE_BYTES: Final = 4
_LANE_BYTES: Final = LANES * _VALUE_BYTES


def _plain_tile(
    rows: Any, n_rows: int, dim: Any, panel: Any, offsets: Any, first: Any, costs: Any, groups: Any
) -> None:
    """Twin of the routines in NumPy."""
    matrix = memory(rows, np.float32, n_rows * int(dim)).reshape(n_rows, -1)
    centroids = memory(panel, np.float32, int(dim) * PANEL).reshape(-1, PANEL)
    found = memory(offsets, np.float32, PANEL) - matrix @ centroids
    best = memory(costs, np.float32, n_rows * LANES).reshape(n_rows, LANES)
    group = memory(groups, np.int32, n_rows * LANES).reshape(n_rows, LANES)
    for number in range(GROUPS):
        cost = found[:, number * LANES : (number + 1) * LANES]
        closer = cost < best
        best[closer] = cost[closer]
        group[closer] = int(first) + number


def plain_rows(rows: Any, dim: Any, panel: Any, offsets: Any, first: Any, costs: Any, groups: Any) -> None:
    """Twin of `nearest_rows`."""
    _plain_tile(rows, TILE_ROWS, dim, panel, offsets, first, costs, groups)


def plain_row(row: Any, dim: Any, panel: Any, offsets: Any, first: Any, costs: Any, groups: Any) -> None:
    """Twin of `nearest_row`."""
    _plain_tile(row, 1, dim, panel, offsets, first, costs, groups)


def _emit(n_rows: int) -> Callable[..., None]:
    def emit(
        builder: ir.IRBuilder,
        _kinds: Any,
        rows: Any,
        dim: Any,
        panel: Any,
        offsets: Any,
        first: Any,
        costs: Any,
        groups: Any,
    ) -> None:
        sums = [[cgutils.alloca_once(builder, _VECTOR) for _ in range(GROUPS)] for _ in range(n_rows)]  # type: ignore[no-untyped-call]
        for place in (place for line in sums for place in line):
            builder.store(fill(_VECTOR, 0), place)
        row_bytes = builder.mul(dim, ir.Constant(_INT64, _VALUE_BYTES))
        with cgutils.for_range(builder, dim) as coordinates:
            column = builder.add(rows, builder.mul(coordinates.index, ir.Constant(_INT64, _VALUE_BYTES)))
            line = builder.add(panel, builder.mul(coordinates.index, ir.Constant(_INT64, GROUPS * _LANE_BYTES)))
            centroids = [load(builder, _after(builder, line, group * _LANE_BYTES), _VECTOR) for group in range(GROUPS)]
            for row in range(n_rows):
                address = builder.add(column, builder.mul(row_bytes, ir.Constant(_INT64, row)))
                value = splat(builder, builder.load(builder.inttoptr(address, _FLOAT.as_pointer()), align=4), LANES)
                for place, centroid in zip(sums[row], centroids, strict=True):
                    builder.store(_multiply_add(builder, value, centroid, builder.load(place)), place)
        for row in range(n_rows):
            best, best_groups = _after(builder, costs, row * _LANE_BYTES), _after(builder, groups, row * _LANE_BYTES)
            least, number = load(builder, best, _VECTOR), load(builder, best_groups, _NUMBERS)
            for group, place in enumerate(sums[row]):
                offset = load(builder, _after(builder, offsets, group * _LANE_BYTES), _VECTOR)
                cost = builder.fsub(offset, builder.load(place))
                is_closer = builder.fcmp_ordered("<", cost, least)
                own = splat(builder, builder.add(first, ir.Constant(_INT32, group)), LANES)
                least, number = builder.select(is_closer, cost, least), builder.select(is_closer, own, number)
            store(builder, least, best)
            store(builder, number, best_groups)

    return emit


def _after(builder: ir.IRBuilder, address: Any, n_bytes: int) -> Any:
    return builder.add(address, ir.Constant(_INT64, n_bytes))


def _multiply_add(builder: ir.IRBuilder, left: Any, right: Any, total: Any) -> Any:
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    name = f"llvm.fmuladd.v{LANES}f32"
    function = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
    return builder.call(function, [left, right, total])


nearest_rows = routine(plain_rows)(_emit(TILE_ROWS))
"""Compare `TILE_ROWS` rows with the centroids of a panel.

rows, panel, offsets : uint64
    Addresses of (TILE_ROWS, dim) float32 rows, of (dim, PANEL) float32 centroids turned round, and of PANEL float32
    offsets. A cost is the offset of a centroid less its product with the row.
dim : int64
first : int32
    Number of the first group of `LANES` centroids.
costs, groups : uint64
    Addresses of (TILE_ROWS, LANES) float32 and int32: the least cost so far in each lane, and its group. Equal costs
    leave the earlier one.
"""

nearest_row = routine(plain_row)(_emit(1))
"""The same for one row, with the same results."""
