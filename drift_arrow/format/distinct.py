"""Columns whose rows repeat themselves, taken apart into codes and distinct values."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drift_arrow.format.codecs.numbers import encode_numbers
from drift_arrow.format.numbers import filled_numbers, number_dtype

_RUN_ROWS: Final = 256
_SAMPLE_ROWS: Final = 4096
_LEAST_REPEATED: Final = _SAMPLE_ROWS // 16
"""Rows of a sample that must occur before in it. If all values are equally frequent, half of the rows of a block of
65,536 repeat others then, and fewer repeated ones cannot pay."""


class Distinct(NamedTuple):
    """Rows as codes: row i is value `codes[i]`, and no value is without a row. Values are in rising order."""

    codes: NDArray[np.uint32]
    values: pa.Array


def find_distinct(array: pa.Array, most_bytes: float) -> Distinct | None:
    """Take apart an array of a leaf type.

    Parameters
    ----------
    array : pa.Array
    most_bytes : float
        That the codes may take when they are packed.

    Returns
    -------
    Distinct or None
        None if a sample shows that rows hardly repeat others, or that codes take too much.

    Notes
    -----
    Numbers are the same if their bits are. A null has the code of a neighbour.
    """
    if array.null_count == len(array):
        return None
    bits = _bits(array)
    sample = _sample(bits).dictionary_encode()
    if len(sample) - len(sample.dictionary) < len(sample) * _LEAST_REPEATED // _SAMPLE_ROWS:
        return None
    if len(encode_numbers(sample.indices).stored) * len(array) > most_bytes * len(sample):
        return None
    encoded = bits.dictionary_encode()
    order = pc.array_sort_indices(encoded.dictionary).to_numpy()
    ranks = np.empty(len(order), np.uint32)
    ranks[order] = np.arange(len(order), dtype=np.uint32)
    values = encoded.dictionary.take(pa.array(order))
    return Distinct(ranks[encoded.indices.to_numpy()], _typed(values, array.type))


def _bits(array: pa.Array) -> pa.Array:
    """Rows of a type that Arrow compares bit by bit, with a neighbour in place of nulls."""
    dtype = number_dtype(array.type)
    if dtype is not None:
        return pa.array(filled_numbers(array).view(f"i{dtype.itemsize}"))
    return pc.fill_null_backward(pc.fill_null_forward(array)) if array.null_count else array


def _sample(array: pa.Array) -> pa.Array:
    """Runs of rows from all over an array."""
    if len(array) <= _SAMPLE_ROWS:
        return array
    starts = np.linspace(0, len(array) - _RUN_ROWS, _SAMPLE_ROWS // _RUN_ROWS).astype(np.int64)
    return pa.concat_arrays([array.slice(start, _RUN_ROWS) for start in starts.tolist()])


def _typed(values: pa.Array, kind: pa.DataType) -> pa.Array:
    return values if number_dtype(kind) is None else pa.Array.from_buffers(kind, len(values), values.buffers())
