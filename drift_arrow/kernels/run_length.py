"""Runs of one value: a vector is the list of the positions at which its value changes, and of the values there."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir

from drift_arrow.kernels import _plain
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.lanes import ROW_BYTES, VALUES, routine, splat, store


def _plain_store_row(value: Any, target: Any) -> None:
    _plain.memory(target, value.dtype, ROW_BYTES // value.itemsize)[:] = value


@routine(_plain_store_row)
def _store_row(builder: ir.IRBuilder, kinds: Any, value: Any, target: Any) -> None:
    """Write 128 bytes of one value."""
    store(builder, splat(builder, value, VALUES // kinds[0].bitwidth), target)


@kernel
def count_runs(values: Any) -> int:
    """Runs of a vector."""
    before, after = values[: VALUES - 1], values[1:VALUES]
    count = 1
    for i in range(before.size):
        count += before[i] != after[i]
    return count


@kernel
def decode_runs(
    kind: Any,
    start: Any,
    kinds: Any,
    run_offsets: Any,
    positions: Any,
    run_values: Any,
    values: Any,
) -> None:
    """Decode the vectors that consist of runs; arguments as in `ffor.decode_frames`, runs in place of exceptions.

    The first run of a vector is at position 0, and positions rise.
    """
    address, row_values = np.uint64(values.ctypes.data), ROW_BYTES // values.itemsize
    for i in range(values.size // VALUES):
        v = start + i
        if kinds[v] != kind:
            continue
        vector = values[i * VALUES : (i + 1) * VALUES]
        target = address + np.uint64(i * VALUES * values.itemsize)
        for r in range(run_offsets[v], run_offsets[v + 1]):
            begin = np.int64(positions[r])
            end = np.int64(positions[r + 1]) if r + 1 < run_offsets[v + 1] else VALUES
            # whole rows, though they run past the end of the run: the next run overwrites them. Not past the end of
            # the vector, where a vector may stand already, or the memory of somebody else
            while begin < end and begin + row_values <= VALUES:
                _store_row(run_values[r], target + np.uint64(begin * values.itemsize))
                begin += row_values
            for j in range(begin, end):
                vector[j] = run_values[r]
