"""Differences of neighbours: vectors that rise or fall steadily, such as time stamps and sorted numbers.

A code is the difference of a value to its neighbour before it, less the smallest such difference of the vector, modulo
the range of the type. Exceptions of the vector are the values at which the sum starts anew: always the first, and those
after a jump that would have widened all codes.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.integer_table import BASES, EXCEPTIONS, POSITIONS, STRIDE, VECTORS, WIDTHS
from drift_arrow.kernels.lanes import ROW_BYTES, VALUES
from drift_arrow.kernels.memory import array_at
from drift_arrow.kernels.running_sum import join_sums, unpack_sums
from drift_arrow.kernels.streaming import can_stream, fetch, first_line, settle, stream_vector

MOST_JUMPS: Final = 8
"""Exceptions of a vector besides the first: at each the decoder begins anew, which takes as long as a hundred codes."""


@kernel(inner=True)
def differences(values: Any, base: Any, codes: Any) -> None:
    """Write `values[i] - values[i - 1]` of a vector to `codes`, and `base` in front of them."""
    before = values[: VALUES - 1]
    after, found = values[1:VALUES], codes[1:VALUES]
    for i in range(before.size):
        found[i] = after[i] - before[i]
    codes[0] = base


@kernel
def decode_deltas(kind: Any, start: Any, numbers: Any, lane: Any, streams: Any, scratch: Any, values: Any) -> None:
    """Decode the vectors of one kind; arguments as of `ffor.decode_frames`."""
    like, vector_bytes = values.dtype.type(0), VALUES * values.itemsize
    widths = array_at(numbers[WIDTHS], numbers[WIDTHS + 1], np.uint8(0))
    bases = array_at(numbers[BASES], numbers[BASES + 1], like)
    positions = array_at(numbers[POSITIONS], numbers[POSITIONS + 1], np.uint16(0))
    exceptions = array_at(numbers[EXCEPTIONS], numbers[EXCEPTIONS + 1], like)
    address, room = np.int64(values.ctypes.data), first_line(scratch)
    sums, is_streamed = np.uint64(room + vector_bytes), streams and can_stream(address)
    for i in range(values.size // VALUES):
        vector = VECTORS + STRIDE * (start + i)
        if numbers[vector] != kind:
            continue
        place = np.uint64(address + i * vector_bytes)
        target = np.uint64(room) if is_streamed else place
        width, step = np.uint64(widths[start + i]), bases[start + i]
        if width > 0:
            source, n_bytes = np.uint64(numbers[vector + 1]), width * np.uint64(ROW_BYTES)
            # the next vector is mostly as long as this one
            fetch(source + n_bytes, n_bytes)
            unpack_sums(source, width, sums, lane, like)
        else:
            array_at(np.int64(sums), VALUES, like)[:] = 0
        end = numbers[vector + STRIDE + 2]
        for e in range(numbers[vector + 2], end):
            stop = np.uint64(positions[e + 1]) if e + 1 < end else np.uint64(VALUES)
            join_sums(sums, width, np.uint64(positions[e]), stop, exceptions[e], step, target, lane)
        if is_streamed:
            stream_vector(target, place, like)
    if is_streamed:
        settle()
