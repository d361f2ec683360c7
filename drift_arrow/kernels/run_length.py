"""Runs of one value: a vector is the list of the positions at which its value changes, and of the values there."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir

from drift_arrow.kernels import _plain
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.integer_table import EXCEPTIONS, POSITIONS, STRIDE, VECTORS
from drift_arrow.kernels.lanes import ROW_BYTES, VALUES, routine, splat, store
from drift_arrow.kernels.memory import array_at
from drift_arrow.kernels.streaming import can_stream, first_line, settle, stream_vector


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
def decode_runs(kind: Any, start: Any, numbers: Any, streams: Any, scratch: Any, values: Any) -> None:
    """Decode the vectors that consist of runs; arguments as of `ffor.decode_frames`, runs in place of exceptions.

    The first run of a vector is at position 0, and positions rise.
    """
    like, vector_bytes, row_values = values.dtype.type(0), VALUES * values.itemsize, ROW_BYTES // values.itemsize
    positions = array_at(numbers[POSITIONS], numbers[POSITIONS + 1], np.uint16(0))
    run_values = array_at(numbers[EXCEPTIONS], numbers[EXCEPTIONS + 1], like)
    address, room = np.int64(values.ctypes.data), first_line(scratch)
    is_streamed = streams and can_stream(address)
    for i in range(values.size // VALUES):
        vector = VECTORS + STRIDE * (start + i)
        if numbers[vector] != kind:
            continue
        place = address + i * vector_bytes
        target = room if is_streamed else place
        found, last = array_at(target, VALUES, like), numbers[vector + STRIDE + 2] - 1
        for r in range(numbers[vector + 2], last + 1):
            begin = np.int64(positions[r])
            end = np.int64(positions[r + 1]) if r < last else VALUES
            # whole rows, though they run past the end of the run: the next run overwrites them. Not past the end of
            # the vector, where a vector may stand already, or the memory of somebody else
            while begin < end and begin + row_values <= VALUES:
                _store_row(run_values[r], np.uint64(target + begin * values.itemsize))
                begin += row_values
            for j in range(begin, end):
                found[j] = run_values[r]
        if is_streamed:
            stream_vector(np.uint64(target), np.uint64(place), like)
    if is_streamed:
        settle()
