"""Batches of a size that suits what they are written to: a sync of the log, or a row group of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ADD_BYTES: Final = 8 << 20
"""Arrow size of one `add` of the command line; large enough that the sync of the log costs little."""


def rows_per_add(dim: int) -> int:
    """Rows whose float32 vectors fill one `add`."""
    return max(1, ADD_BYTES // (4 * dim))


def regroup(batches: Iterable[pa.RecordBatch], rows: int, limit_bytes: int) -> Iterator[pa.Table]:
    """The same rows in the same order, in tables of at most `rows` rows and about `limit_bytes`.

    Each has one dictionary per column.
    """
    waiting: list[pa.RecordBatch] = []
    n_rows = n_bytes = 0
    for piece in (piece for batch in batches for piece in _pieces(batch, rows, limit_bytes)):
        if waiting and (n_rows + piece.num_rows > rows or n_bytes + piece.nbytes > limit_bytes):
            yield from _join(waiting)
            waiting, n_rows, n_bytes = [], 0, 0
        waiting.append(piece)
        n_rows += piece.num_rows
        n_bytes += piece.nbytes
    if waiting:
        yield from _join(waiting)


def _join(batches: list[pa.RecordBatch]) -> list[pa.Table]:
    try:
        return [pa.Table.from_batches(batches).unify_dictionaries()]
    except pa.ArrowException:
        # Their values are too many for one index type, or hold null. One by one they were written and read before.
        return [pa.Table.from_batches([batch]) for batch in batches]


def _pieces(batch: pa.RecordBatch, rows: int, limit_bytes: int) -> Iterator[pa.RecordBatch]:
    if batch.num_rows == 0:
        return
    step = max(1, min(rows, batch.num_rows * limit_bytes // max(1, batch.nbytes)))
    for start in range(0, batch.num_rows, step):
        yield batch.slice(start, step)
