"""Vectors without a codec: all values alike, or stored as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils

from drift_arrow.kernels import _plain_floats as plain
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.float_header import CONSTANT, RAW, pack_header
from drift_arrow.kernels.lanes import ROW_BYTES, VALUES, lane_vector, load, routine, store


@routine(plain.copy_rows)
def copy_rows(builder: ir.IRBuilder, kinds: Any, source: Any, target: Any, n_rows: Any) -> None:  # noqa: ARG001
    """Copy 128 bytes `n_rows` times between two uint64 addresses."""
    with cgutils.for_range(builder, n_rows) as loop:
        offset = builder.mul(loop.index, ir.Constant(loop.index.type, ROW_BYTES))
        row = load(builder, builder.add(source, offset), lane_vector(8))
        store(builder, row, builder.add(target, offset))


@kernel(inner=True)
def put_constant(source: Any, start: Any, headers: Any, bases: Any, vector: Any) -> Any:
    """Write the header of a vector whose values have the same bits; whether it is one."""
    first = source[start]
    for i in range(start + 1, start + VALUES):
        if source[i] != first:
            return False
    headers[vector], bases[vector] = pack_header(CONSTANT, 0, 0, 0, 0), np.int64(first)
    return True


@kernel(inner=True)
def put_raw(source: Any, start: Any, headers: Any, bases: Any, vector: Any, packed: Any, cursor: Any) -> None:
    """Write a vector as it is, and its header.

    packed : (n,) uint8     written from the cursor on
    cursor : (3,) int64     its first number, the end of the packed bytes, is updated
    """
    item_bits = np.int64(source.itemsize * 8)
    headers[vector], bases[vector] = pack_header(RAW, item_bits, 0, 0, 0), 0
    address = np.uint64(source.ctypes.data) + np.uint64(start * source.itemsize)
    copy_rows(address, np.uint64(packed.ctypes.data) + np.uint64(cursor[0]), item_bits)
    cursor[0] += item_bits * ROW_BYTES
