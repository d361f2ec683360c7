"""Columns whose rows repeat themselves, taken apart into codes and distinct values."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drift_arrow.format.codecs.numbers import encode_numbers
from drift_arrow.format.numbers import filled_numbers, number_dtype
from drift_arrow.kernels.dictionary import MOST_ENTRIES
from drift_arrow.kernels.distinct import count_changes, number_distinct, survey

_RUNS: Final = 8
_RUN_NUMBERS: Final = 64
_RUN_ROWS: Final = 512
"""A sample is made of some runs of rows, which show both how many values there are and whether neighbours repeat."""

_SINGLE_ROWS: Final = 4096
"""Of a larger sample, whose rows are no neighbours: it tells better how many values there are."""

_LEAST_REPEATED: Final = 1 / 16
"""Rows of a sample that must occur before in it. If all values are equally frequent, half of the rows of a block of
65,536 repeat others then, and fewer repeated ones cannot pay."""

_LEAST_BITS: Final = 3
"""Bits of a number below which codes are not worth a try."""

_REPEAT_BITS: Final = 48
"""Of codes in runs: a place and a code for each."""

_SPARED_BITS: Final = 0.5
"""Of codes that are not in runs, since a vector of them often uses a part of the values only."""

_WIDEST_CODE: Final = 16
_UNSEEN: Final = 64
"""Distinct numbers for each that a sample tells of, at most: a table that has room for more must be cleared too."""


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
    dtype = number_dtype(array.type)
    if dtype is None:
        return _distinct_strings(array, most_bytes)
    most_bits = 8 * most_bytes / len(array)
    if most_bits < _LEAST_BITS:
        return None
    return _distinct_numbers(array, np.dtype(f"u{dtype.itemsize}"), most_bits)


def _distinct_numbers(array: pa.Array, dtype: np.dtype[Any], most_bits: float) -> Distinct | None:
    values = filled_numbers(array)
    # vectors of integers have codes of their own, which are as short unless they repeat their neighbours
    most_entries = _most_entries(values.view(dtype), most_bits, only_runs=values.dtype.kind != "f")
    if not most_entries:
        return None
    found = number_distinct(values.view(dtype), dtype.type(1 << (8 * dtype.itemsize - 1)), most_entries, np.uint32)
    if found is None:
        return None
    entries = pa.Array.from_buffers(array.type, len(found.entries), [None, pa.py_buffer(found.entries)])
    return Distinct(found.codes, entries)


def _most_entries(values: NDArray[Any], most_bits: float, *, only_runs: bool) -> int:
    """Distinct numbers that may pay if a code may take so many bits; 0 if a sample shows that there are more."""
    size, changes = count_changes(values, _RUNS, _RUN_NUMBERS)
    repeats = _REPEAT_BITS * (1 + changes) <= most_bits * size
    if only_runs and not repeats:
        return 0
    n_distinct = survey(values, _RUNS, _RUN_NUMBERS).expected(len(values))
    most = min(MOST_ENTRIES, int(_UNSEEN * n_distinct))
    if not repeats:
        # the values must be stored too, once
        code_bits = most_bits * (1 - n_distinct / len(values)) + _SPARED_BITS
        most = min(most, int(2 ** min(code_bits, _WIDEST_CODE)))
    if n_distinct > most:
        return 0
    # where few may pay, to count them all takes little longer than another sample
    is_settled = repeats or most < _SINGLE_ROWS
    return most if is_settled or survey(values, _SINGLE_ROWS, 1).expected(len(values)) <= most else 0


def _distinct_strings(array: pa.Array, most_bytes: float) -> Distinct | None:
    """Of strings and wide decimals."""
    rows = pc.fill_null_backward(pc.fill_null_forward(array)) if array.null_count else array
    sample = pa.concat_arrays([rows.slice(start, _RUN_ROWS) for start in _run_starts(len(rows), _RUN_ROWS)])
    sample = sample.dictionary_encode()
    if len(sample) - len(sample.dictionary) < len(sample) * _LEAST_REPEATED:
        return None
    if len(encode_numbers(sample.indices).stored) * len(rows) > most_bytes * len(sample):
        return None
    encoded = rows.dictionary_encode()
    order = pc.array_sort_indices(encoded.dictionary).to_numpy()
    ranks = np.empty(len(order), np.uint32)
    ranks[order] = np.arange(len(order), dtype=np.uint32)
    return Distinct(ranks[encoded.indices.to_numpy()], encoded.dictionary.take(pa.array(order)))


def _run_starts(n_values: int, size: int) -> list[int]:
    """Where runs of `size` rows from all over an array begin, one after the other if it is short."""
    step = max((n_values - size) // (_RUNS - 1), size)
    return list(range(0, n_values, step))[:_RUNS]
