"""Blocks of a column as lines of a `RowTable`, by which compiled code finds single rows of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

from drift_arrow.format.numbers import number_dtype
from drift_arrow.kernels.row_table import plain_line


class RowLine(NamedTuple):
    """The numbers of a block, and what keeps alive the memory that they point to."""

    numbers: NDArray[np.int64]
    owner: object


def offsets_dtype(kind: pa.DataType) -> np.dtype[Any] | None:
    """Type of the offsets of strings or binaries; None if an array of `kind` has other buffers than they have."""
    if pt.is_string(kind) or pt.is_binary(kind):
        return np.dtype(np.int32)
    if pt.is_large_string(kind) or pt.is_large_binary(kind):
        return np.dtype(np.int64)
    return None


def array_line(array: pa.Array) -> RowLine | None:
    """Line of a decoded array; None if it holds neither numbers nor strings."""
    dtype = number_dtype(array.type) or offsets_dtype(array.type)
    if dtype is None:
        return None
    validity, first, *rest = array.buffers()
    places = [first.address + array.offset * dtype.itemsize if first else 0]
    # there is no buffer of bytes if all strings are empty
    places += [buffer.address if buffer else 0 for buffer in rest]
    nulls = validity.address if validity and array.null_count else 0
    return RowLine(plain_line(len(array), *places, validity=nulls, first_bit=array.offset), array)
