"""Strings picked out of a dictionary, into the two buffers of a column of strings."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numpy.typing import NDArray

from drift_arrow.kernels import _plain
from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.lanes import lane_vector, load, routine, store

_STEP: Final = 16
"""Bytes of a copy. Most strings of a dictionary are shorter: one copy and no call of memcpy, which takes longer."""


def _plain_copy_step(source: Any, target: Any) -> None:
    _plain.memory(target, np.uint8, _STEP)[:] = _plain.memory(source, np.uint8, _STEP)


@routine(_plain_copy_step)
def _copy_step(builder: ir.IRBuilder, _kinds: Any, source: Any, target: Any) -> None:
    """Copy 16 bytes."""
    store(builder, load(builder, source, lane_vector(8, _STEP)), target)


@kernel
def _place(codes: Any, starts: Any, places: Any) -> None:
    """Where each string goes: `places` becomes the offsets of the result."""
    place = np.int64(0)
    places[0] = place
    for i in range(codes.size):
        code = np.uint64(codes[i])
        place += starts[code + np.uint64(1)] - starts[code]
        places[i + 1] = place


@kernel
def _copy(codes: Any, starts: Any, data: Any, places: Any, out: Any) -> None:
    """Copy each string. `data` and `out` have 16 bytes more than are used; the next string covers what is beyond."""
    source, target = np.uint64(data.ctypes.data), np.uint64(out.ctypes.data)
    for i in range(codes.size):
        begin, end = target + np.uint64(places[i]), target + np.uint64(places[i + 1])
        distance = source + np.uint64(starts[np.uint64(codes[i])]) - begin
        while begin < end:
            _copy_step(begin + distance, begin)
            begin += np.uint64(_STEP)


def gather_strings(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], codes: NDArray[np.uint32]
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Lay strings of a dictionary one after the other.

    Parameters
    ----------
    data : (b,) uint8
        Bytes of all strings of the dictionary.
    offsets : (v + 1,) int64
        Ascending from 0 to b: string c is ``data[offsets[c]:offsets[c + 1]]``.
    codes : (n,) uint32
        Strings to pick, in [0, v); any order, repeats allowed.

    Returns
    -------
    offsets : (n + 1,) int64
    data : (offsets[-1],) uint8

    Raises
    ------
    ValueError    wrong dtype, shape or layout, offsets that do not ascend from 0 to b, or a code without a string

    Notes
    -----
    O(n + bytes), without the GIL. How many bytes come out the caller bounds: codes may repeat a long string.
    """
    offsets, codes = readonly("offsets", offsets, np.int64, None), readonly("codes", codes, np.uint32, None)
    data = readonly("data", data, np.uint8, None)
    if not offsets.size or offsets[0] != 0 or offsets[-1] != data.size or (offsets[1:] < offsets[:-1]).any():
        raise ValueError(f"offsets must ascend from 0 to the size of data; size={data.size}")
    if codes.size and int(codes.max()) >= offsets.size - 1:
        raise ValueError(f"a code has no string; code={codes.max()} strings={offsets.size - 1}")
    places = np.empty(codes.size + 1, np.int64)
    _place(codes, offsets, places)
    out = np.empty(int(places[-1]) + _STEP, np.uint8)
    _copy(codes, offsets, np.concatenate([data, np.zeros(_STEP, np.uint8)]), places, out)
    return places, out[: places[-1]]
