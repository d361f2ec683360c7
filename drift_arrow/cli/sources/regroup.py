"""Batches of a size that suits the log: neither a sync per handful of rows, nor a record of gigabytes."""

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


def regroup(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """The same rows in the same order, in tables of at most `rows` rows and about ADD_BYTES."""
    waiting: list[pa.RecordBatch] = []
    n_rows = n_bytes = 0
    for piece in (piece for batch in batches for piece in _pieces(batch, rows)):
        if waiting and (n_rows + piece.num_rows > rows or n_bytes + piece.nbytes > ADD_BYTES):
            yield pa.Table.from_batches(waiting)
            waiting, n_rows, n_bytes = [], 0, 0
        waiting.append(piece)
        n_rows += piece.num_rows
        n_bytes += piece.nbytes
    if waiting:
        yield pa.Table.from_batches(waiting)


def _pieces(batch: pa.RecordBatch, rows: int) -> Iterator[pa.RecordBatch]:
    if batch.num_rows == 0:
        return
    step = max(1, min(rows, batch.num_rows * ADD_BYTES // max(1, batch.nbytes)))
    for start in range(0, batch.num_rows, step):
        yield batch.slice(start, step)
