"""Recent rows, columnar and append-only: searchable as soon as they are durable, flushed to a segment later."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from drift_arrow.engine.vectors import vector_array
from drift_arrow.format.take import take_rows
from drift_arrow.kernels.keys import KeyTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.graph import Graph
    from drift_arrow.engine.ingest import Batch
    from drift_arrow.engine.spec import CollectionSpec


class Memtable:
    """Rows of one WAL generation, in the order of their arrival.

    Parameters
    ----------
    spec : CollectionSpec
        Of the collection.
    capacity_rows : int
        Rows it can hold; the matrix is reserved at once, and the system commits its pages as they are written.

    Notes
    -----
    One writer appends (under the collection's write lock) while readers use the first `n_rows` of their snapshot: rows
    once written never change and the arrays never move, so readers need no lock. Deletions live in the snapshots.
    """

    def __init__(self, spec: CollectionSpec, capacity_rows: int) -> None:
        self.spec = spec
        self.capacity_rows = capacity_rows
        self.matrix = np.empty((capacity_rows, spec.dim), dtype=np.float32)
        self.fingerprints = np.empty((capacity_rows, 2), dtype=np.uint64)
        self.n_rows = 0
        self.graph: Graph | None = None
        self._keys = KeyTable(1024)
        self._batches: list[pa.RecordBatch] = []
        self._starts: list[int] = []
        self._keeps_vectors = spec.vector in spec.stored_schema.names

    @property
    def free_rows(self) -> int:
        """Rows that still fit."""
        return self.capacity_rows - self.n_rows

    def append(self, batch: Batch) -> None:
        """Add the rows of a checked batch; the caller has made sure that they fit."""
        start, stop = self.n_rows, self.n_rows + batch.n_rows
        self.matrix[start:stop] = batch.matrix
        self.fingerprints[start:stop] = batch.fingerprints
        self._keys.insert(batch.fingerprints, start)
        self._batches.append(batch.stored)
        self._starts.append(start)
        self.n_rows = stop

    def find(self, fingerprints: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Newest row of each key, or -1. Only the writer may call this."""
        return self._keys.find(fingerprints)

    def columns(self, names: list[str], n_rows: int) -> pa.Table:
        """The first `n_rows` rows of the columns `names`, in arrival order."""
        n_batches = bisect_right(self._starts, n_rows - 1) if n_rows else 0
        return self._with_vectors(names, self._batches[:n_batches], slice(0, n_rows)).slice(0, n_rows)

    def take(self, rows: NDArray[np.int64], names: list[str]) -> pa.Table:
        """The given rows, in that order, of the columns `names`; touches only the batches that hold them."""
        if not len(rows):
            return self.columns(names, 0)
        starts = np.asarray(self._starts, dtype=np.int64)
        owners = np.searchsorted(starts, rows, side="right") - 1
        used, local_owner = np.unique(owners, return_inverse=True)
        batches = [self._batches[owner] for owner in used.tolist()]
        sizes = np.asarray([batch.num_rows for batch in batches], dtype=np.int64)
        local_starts = np.cumsum(sizes) - sizes
        positions = local_starts[local_owner] + rows - starts[owners]
        stored = pa.Table.from_batches([batch.select(self._stored(names)) for batch in batches])
        return self._arrange(take_rows(stored, positions), names, self.matrix[rows])

    def raw_vectors(self, n_rows: int) -> NDArray[np.generic]:
        """The first `n_rows` vectors in their stored type, (n_rows, dim)."""
        if not self._keeps_vectors:
            return self.matrix[:n_rows]
        array = self.columns([self.spec.vector], n_rows).column(0).combine_chunks()
        flat: NDArray[np.generic] = array.flatten().to_numpy(zero_copy_only=True)
        return flat.reshape(n_rows, self.spec.dim)

    def _with_vectors(self, names: list[str], batches: list[pa.RecordBatch], rows: slice) -> pa.Table:
        stored = pa.Table.from_batches(batches, schema=self.spec.stored_schema)
        return self._arrange(stored, names, self.matrix[rows])

    def _stored(self, names: list[str]) -> list[str]:
        return names if self._keeps_vectors else [name for name in names if name != self.spec.vector]

    def _arrange(self, stored: pa.Table, names: list[str], vectors: NDArray[np.float32]) -> pa.Table:
        if self._keeps_vectors or self.spec.vector not in names:
            return stored.select(names)
        array = vector_array(vectors, self.spec.schema.field(self.spec.vector).type)
        with_vector = stored.slice(0, len(vectors)).append_column(self.spec.schema.field(self.spec.vector), array)
        return with_vector.select(names)
