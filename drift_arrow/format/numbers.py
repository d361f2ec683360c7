"""Arrow arrays of numbers of fixed width as NumPy arrays.

Numbers are integers, floats, dates, times, timestamps, durations and decimals of at most 64 bits: all that is one
integer or float per row.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

_LARGEST_BITS: Final = 64


@lru_cache(maxsize=256)
def number_dtype(kind: pa.DataType) -> np.dtype[Any] | None:
    """Type in memory of the numbers of an Arrow type; None if its rows are no numbers."""
    if pt.is_floating(kind):
        return np.dtype(f"f{kind.bit_width // 8}")
    if pt.is_unsigned_integer(kind):
        return np.dtype(f"u{kind.bit_width // 8}")
    # one interval is made of three numbers
    if pt.is_integer(kind) or ((pt.is_temporal(kind) or pt.is_decimal(kind)) and kind.bit_width <= _LARGEST_BITS):
        return np.dtype(f"i{kind.bit_width // 8}")
    return None


def fixed_values(array: pa.Array, dtype: np.dtype[Any], per_row: int = 1) -> NDArray[Any]:
    """Values of an array of fixed width, `per_row` of `dtype` for each row, also of nulls: a view, (n * per_row,)."""
    if not len(array):
        # there may be no buffer
        return np.zeros(0, dtype)
    row_bytes = dtype.itemsize * per_row
    return np.frombuffer(array.buffers()[1], dtype, len(array) * per_row, array.offset * row_bytes)


def numbers_of(array: pa.Array) -> NDArray[Any]:
    """Values of an array for whose type there is a `number_dtype`, also of nulls: a view, (n,)."""
    dtype = number_dtype(array.type)
    assert dtype is not None
    return fixed_values(array, dtype)


def filled_numbers(array: pa.Array) -> NDArray[Any]:
    """Values of an array for whose type there is a `number_dtype`; those of nulls cost little.

    Returns
    -------
    (n,) integers or floats
        Nulls repeat the value before, or the first of all; 0 if all are null. Without nulls, a view.
    """
    values = numbers_of(array)
    if not array.null_count:
        return values
    return values[filling(array)] if array.null_count < len(array) else np.zeros_like(values)


def filling(array: pa.Array) -> NDArray[np.int64]:
    """For each row of an array that is not all null, the last row up to it that is not null, or the first of all."""
    is_valid = array.is_valid().to_numpy(zero_copy_only=False)
    rows = np.where(is_valid, np.arange(len(array)), is_valid.argmax())
    return np.maximum.accumulate(rows)
