"""Rows picked out of the chunks of a column, in any order, in as few arrays as Arrow allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drift_arrow.errors import LimitExceededError
from drift_arrow.format.plain import from_plain, plain_type

MAX_PIECE_BYTES: Final = 1 << 30
"""Largest array of a result; strings and binaries with 32-bit offsets end at twice this."""

_Chunks = Callable[[int, NDArray[np.int64]], pa.Array]


def take_pieces(
    chunks: _Chunks, owners: NDArray[np.integer[Any]], places: NDArray[np.int64], kind: pa.DataType
) -> pa.ChunkedArray:
    """Gather m rows of a column.

    Parameters
    ----------
    chunks : callable
        Takes the number of a chunk and (m,) int64 places in it, and returns these rows in plain form; asked once for
        every chunk that holds a wanted row.
    owners : (m,) int
        Chunk of each row, in the order of the result.
    places : (m,) int64
        Row inside its chunk.
    kind : pa.DataType
        Type of the column; `format.plain` says what its plain form is.

    Returns
    -------
    pa.ChunkedArray
        One chunk, unless the rows need more than 1 GiB or more distinct values than `kind` can number.

    Raises
    ------
    LimitExceededError
        One row alone does not fit into an array of `kind`.
    """
    return pa.chunked_array(_take(chunks, owners, places, kind), type=kind)


def no_rows(kind: pa.DataType) -> list[pa.Array]:
    """An array of type `kind` without rows, in a list; by way of the plain form, for of some types Arrow makes none."""
    return restore_pieces(pa.nulls(0, plain_type(kind)), kind)


def restore_pieces(plain: pa.Array, kind: pa.DataType) -> list[pa.Array]:
    """Bring rows in plain form back to the type `kind`: one array, or more if one cannot number their distinct values.

    Raises
    ------
    LimitExceededError
        One row alone does not fit into an array of `kind`.
    """
    try:
        return [from_plain(plain, kind)]
    except LimitExceededError:
        if len(plain) == 1:
            raise
    half = len(plain) // 2
    return restore_pieces(plain.slice(0, half), kind) + restore_pieces(plain.slice(half), kind)


def _take(
    chunks: _Chunks, owners: NDArray[np.integer[Any]], places: NDArray[np.int64], kind: pa.DataType
) -> list[pa.Array]:
    if not len(owners):
        return no_rows(kind)
    plain = _gather(chunks, owners, places)
    if plain is not None:
        return restore_pieces(plain, kind)
    half = len(owners) // 2
    front = _take(chunks, owners[:half], places[:half], kind)
    return front + _take(chunks, owners[half:], places[half:], kind)


def _gather(chunks: _Chunks, owners: NDArray[np.integer[Any]], places: NDArray[np.int64]) -> pa.Array | None:
    """The rows as one plain array, or None if they are too many for one."""
    order = np.argsort(owners, kind="stable")
    numbers, starts = np.unique(owners[order], return_index=True)
    gathered: list[pa.Array] = []
    size_bytes = 0
    for number, rows in zip(numbers.tolist(), np.split(order, starts[1:]), strict=True):
        gathered.append(chunks(number, places[rows]))
        size_bytes += gathered[-1].nbytes
        if size_bytes > MAX_PIECE_BYTES and len(owners) > 1:
            return None
    if len(gathered) == 1:
        return gathered[0]
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    return pc.take(pa.concat_arrays(gathered), pa.array(back), boundscheck=False)
