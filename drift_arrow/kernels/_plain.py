"""Twins in NumPy of what `lanes` compiles, for NUMBA_DISABLE_JIT=1."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray


def memory(address: Any, dtype: Any, size: int) -> NDArray[Any]:
    """Writable array over memory that the caller of the kernel keeps alive."""
    dtype = np.dtype(dtype)
    return np.frombuffer((ctypes.c_uint8 * (size * dtype.itemsize)).from_address(int(address)), dtype)


def unpack(source: Any, width: Any, bits: int) -> NDArray[Any]:
    """Unpack the vector at `source`: 1024 unsigned integers of `bits` bits."""
    width, lanes = int(width), 1024 // bits
    if not width:
        return np.zeros(1024, f"u{bits // 8}")
    words = memory(source, f"u{bits // 8}", (width + 1) * lanes).reshape(width + 1, lanes)
    bit = width * np.arange(bits)
    shift = (bit % bits).astype(words.dtype)[:, np.newaxis]
    word = bit // bits
    # two shifts, because one by the whole width of a lane is undefined
    high = words[word + 1] << words.dtype.type(1) << (words.dtype.type(bits - 1) - shift)
    values: NDArray[Any] = (words[word] >> shift | high) & words.dtype.type((1 << width) - 1)
    return values.reshape(1024)


def pack(values: NDArray[Any], width: Any, bits: int, target: Any) -> None:
    """Pack 1024 integers at `target`, whose bits above `width` are dropped."""
    width, lanes = int(width), 1024 // bits
    kind = np.dtype(f"u{bits // 8}").type
    rows = values.astype(kind).reshape(bits, lanes) & kind((1 << width) - 1)
    words = np.zeros((width + 1, lanes), kind)
    for row in range(bits):
        word, shift = divmod(row * width, bits)
        words[word] |= rows[row] << kind(shift)
        words[word + 1] |= rows[row] >> kind(1) >> kind(bits - 1 - shift)
    memory(target, kind, width * lanes)[:] = words[:width].reshape(-1)


def bit_length(value: Any) -> int:
    """Bits of an unsigned integer without its leading zeros."""
    return int(value).bit_length()
