"""Arrow arrays of numbers of fixed width <-> their values and validity bitmap.

Numbers are integers, floats, dates, times, timestamps and durations: all that is one integer or float per row.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

from drift_arrow.errors import CorruptionError
from drift_arrow.format.codecs.number_block import raw_size
from drift_arrow.format.layout import CodecId

_LARGEST_BITS: Final = 64


class Numbers(NamedTuple):
    """Rows of a column of numbers.

    values : (n,) integers or floats     those of nulls repeat a neighbour, or are 0 if all are null
    validity : ((n + 7) // 8,) uint8     little-endian bits, set where a row is not null; empty if none is null
    """

    values: NDArray[Any]
    validity: NDArray[np.uint8]

    @property
    def raw_len(self) -> int:
        """Size of the raw bytes of their block."""
        return raw_size(self.values.size, self.values.itemsize, has_nulls=self.validity.size > 0)


def number_dtype(kind: pa.DataType) -> np.dtype[Any] | None:
    """Type in memory of the numbers of an Arrow type; None if its rows are no numbers."""
    if pt.is_floating(kind):
        return np.dtype(f"f{kind.bit_width // 8}")
    if pt.is_unsigned_integer(kind):
        return np.dtype(f"u{kind.bit_width // 8}")
    # one interval is made of three numbers
    if pt.is_integer(kind) or (pt.is_temporal(kind) and kind.bit_width <= _LARGEST_BITS):
        return np.dtype(f"i{kind.bit_width // 8}")
    return None


def number_codec(dtype: np.dtype[Any]) -> CodecId:
    """The codec of numbers of a type in memory."""
    return CodecId.FLOATS if dtype.kind == "f" else CodecId.INTEGERS


def split_numbers(array: pa.Array) -> Numbers:
    """Values and bitmap of an array for whose type there is a `number_dtype`; without nulls a view of its values."""
    dtype = number_dtype(array.type)
    if not len(array):
        # there may be no buffer
        return Numbers(np.zeros(0, dtype), np.zeros(0, np.uint8))
    values = np.frombuffer(array.buffers()[1], dtype, len(array), array.offset * array.type.bit_width // 8)
    if not array.null_count:
        return Numbers(values, np.zeros(0, np.uint8))
    is_valid = array.is_valid().to_numpy(zero_copy_only=False)
    return Numbers(_fill(values, is_valid), np.packbits(is_valid, bitorder="little"))


def join_numbers(raw: memoryview, codec: int, kind: pa.DataType, n_values: int, *, path: str, offset: int) -> pa.Array:
    """Arrow array of the raw bytes of a block.

    Parameters
    ----------
    raw : memoryview
        What `codec` decoded.
    codec : int
        Of the block.
    kind : pa.DataType
        Type of the column in the schema.
    n_values : int
        Rows that the block declares.
    path, offset : str, int
        Location of the block, for errors.

    Returns
    -------
    pa.Array
        Points into `raw`.

    Raises
    ------
    CorruptionError
        The raw bytes are none of this type and number of rows.
    """
    dtype = number_dtype(kind)
    sizes = [] if dtype is None else [raw_size(n_values, dtype.itemsize, has_nulls=null) for null in (False, True)]
    if dtype is None or codec != number_codec(dtype) or len(raw) not in sizes:
        message = f"payload block holds other rows than it declares; type={kind} n_values={n_values}"
        raise CorruptionError(message, path=path, offset=offset)
    buffer = pa.py_buffer(raw)
    if len(raw) == sizes[0]:
        return pa.Array.from_buffers(kind, n_values, [None, buffer], null_count=0)
    bitmap_bytes = -(-n_values // 8)
    bitmap = buffer.slice(len(raw) - bitmap_bytes)
    return pa.Array.from_buffers(kind, n_values, [bitmap, buffer.slice(0, n_values * dtype.itemsize)])


def _fill(values: NDArray[Any], is_valid: NDArray[np.bool_]) -> NDArray[Any]:
    """`values` with a neighbour in place of nulls: the one before, or the first of all."""
    if not is_valid.any():
        return np.zeros_like(values)
    rows = np.where(is_valid, np.arange(len(values)), is_valid.argmax())
    return values[np.maximum.accumulate(rows)]
