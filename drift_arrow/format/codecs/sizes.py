"""What rows take in memory, without their validity: the part of `raw_len` that is not left to children."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

from drift_arrow.format.numbers import number_dtype

LENGTH_BYTES: Final = 4
"""Of a row of any length."""


def is_text(kind: pa.DataType) -> bool:
    """Whether rows of a type are UTF-8."""
    return bool(pt.is_string(kind) or pt.is_large_string(kind))


@lru_cache(maxsize=256)
def is_string(kind: pa.DataType) -> bool:
    """Whether rows of a type are bytes, of any or of a fixed number."""
    return bool(is_text(kind) or pt.is_binary(kind) or pt.is_large_binary(kind) or pt.is_fixed_size_binary(kind))


@lru_cache(maxsize=256)
def is_leaf(kind: pa.DataType) -> bool:
    """Whether rows of a type are numbers, decimals or strings, which one dictionary can hold."""
    return bool(number_dtype(kind) is not None or pt.is_decimal(kind) or is_string(kind))


def offset_type(kind: pa.DataType) -> np.dtype[Any]:
    """Type in memory of the offsets of strings of any length."""
    return np.dtype(np.int64 if pt.is_large_string(kind) or pt.is_large_binary(kind) else np.int32)


def offsets_of(array: pa.Array) -> NDArray[np.int64]:
    """Where the rows of a not empty array of strings of any length begin and end in its data, (n + 1,)."""
    dtype = offset_type(array.type)
    return np.frombuffer(array.buffers()[1], dtype, len(array) + 1, array.offset * dtype.itemsize).astype(np.int64)


def fixed_bytes(kind: pa.DataType) -> int | None:
    """Bytes of a row of a leaf type; None if it may be of any length."""
    return None if is_string(kind) and not pt.is_fixed_size_binary(kind) else kind.bit_width // 8


def plain_bytes(array: pa.Array, rows: NDArray[np.integer[Any]] | None = None) -> int:
    """Bytes of some rows of a leaf column, which exist, all by default; of strings, those of their lengths included."""
    n_values = len(array) if rows is None else len(rows)
    width = fixed_bytes(array.type)
    if width is not None:
        return n_values * width
    if not n_values:
        return 0
    offsets = offsets_of(array)
    if rows is None:
        return n_values * LENGTH_BYTES + int(offsets[-1] - offsets[0])
    # twice as fast as to index them, which is careful about negative numbers
    return n_values * LENGTH_BYTES + int(np.diff(offsets).take(rows, mode="clip").sum(dtype=np.int64))
