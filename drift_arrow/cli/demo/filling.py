"""Add the sample in batches, and search between them while every row is still in the memtable."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.cli.progress import row_progress

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

    from drift_arrow import Collection

BATCH_ROWS: Final = 500


@dataclass(slots=True)
class Filling:
    """What happened while rows were added.

    Parameters
    ----------
    n_batches, n_found : int
        Batches, and those whose last row a search found right after.
    n_timed_rows : int
        Rows of all batches but the first, which waits for the kernels to compile.
    add_s : float
        Seconds that these rows took, until durable.
    """

    n_batches: int = 0
    n_found: int = 0
    n_timed_rows: int = 0
    add_s: float = 0.0


def fill(collection: Collection, table: pa.Table, console: Console) -> Filling:
    """Add every row; after each batch search for its last row, which must be there at once."""
    filling = Filling()
    with row_progress(console) as progress:
        task = progress.add_task("adding", total=table.num_rows)
        for start in range(0, table.num_rows, BATCH_ROWS):
            batch = table.slice(start, BATCH_ROWS)
            started = time.perf_counter()
            collection.add(batch)
            if start > 0:
                filling.add_s += time.perf_counter() - started
                filling.n_timed_rows += batch.num_rows
            filling.n_batches += 1
            filling.n_found += _finds_last_row(collection, batch)
            progress.advance(task, batch.num_rows)
    return filling


def _finds_last_row(collection: Collection, batch: pa.Table) -> bool:
    last = batch.slice(batch.num_rows - 1)
    vector = np.asarray(last.column(collection.vector)[0].as_py(), dtype=np.float32)
    nearest = collection.search(vector).limit(1).to_arrow()
    same_key = nearest.column(collection.key).to_pylist() == last.column(collection.key).to_pylist()
    return bool(same_key and nearest.column("_distance")[0].as_py() == 0)
