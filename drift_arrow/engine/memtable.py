"""Recent rows, columnar and append-only: searchable as soon as they are durable, flushed to a segment later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from drift_arrow.engine.memtable_codes import MemtableCodes
from drift_arrow.engine.memtable_columns import MemtableColumns
from drift_arrow.engine.vectors import vector_array
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
        self.codes = MemtableCodes(spec.dim, spec.metric, capacity_rows)
        self.n_rows = 0
        self.graph: Graph | None = None
        self._keys = KeyTable(1024)
        self._columns = MemtableColumns(spec.stored_schema)
        self._keeps_vectors = spec.vector in spec.stored_schema.names

    @property
    def free_rows(self) -> int:
        """Rows that still fit."""
        return self.capacity_rows - self.n_rows

    @property
    def nbytes(self) -> int:
        """Bytes in use: vectors, codes, keys, columns and graph; capacity that no row has taken yet is not counted."""
        rows = self.n_rows * (self.matrix.itemsize * self.spec.dim + self.fingerprints.itemsize * 2)
        graph = 0 if self.graph is None else self.graph.nbytes
        return rows + self.codes.nbytes + self._columns.nbytes + graph

    def append(self, batch: Batch) -> None:
        """Add the rows of a checked batch; the caller has made sure that they fit."""
        start, stop = self.n_rows, self.n_rows + batch.n_rows
        self.matrix[start:stop] = batch.matrix
        self.fingerprints[start:stop] = batch.fingerprints
        self._keys.insert(batch.fingerprints, start)
        self._columns.append(batch.stored)
        self.codes.extend(self.matrix[:stop])
        self.n_rows = stop

    def find(self, fingerprints: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Newest row of each key, or -1. Only the writer may call this."""
        return self._keys.find(fingerprints)

    def columns(self, names: list[str], n_rows: int) -> pa.Table:
        """The first `n_rows` rows of the columns `names`, in arrival order."""
        return self._arrange(self._columns.first(n_rows), names, self.matrix[:n_rows])

    def take(self, rows: NDArray[np.int64], names: list[str]) -> pa.Table:
        """The given rows, in that order, of the columns `names`; touches only the batches that hold them."""
        if not len(rows):
            return self.columns(names, 0)
        return self._arrange(self._columns.take(rows, self._stored(names)), names, self.matrix[rows])

    def raw_vectors(self, n_rows: int) -> NDArray[np.generic]:
        """The first `n_rows` vectors in their stored type, (n_rows, dim)."""
        if not self._keeps_vectors:
            return self.matrix[:n_rows]
        array = self.columns([self.spec.vector], n_rows).column(0).combine_chunks()
        flat: NDArray[np.generic] = array.flatten().to_numpy(zero_copy_only=True)
        return flat.reshape(n_rows, self.spec.dim)

    def _stored(self, names: list[str]) -> list[str]:
        return names if self._keeps_vectors else [name for name in names if name != self.spec.vector]

    def _arrange(self, stored: pa.Table, names: list[str], vectors: NDArray[np.float32]) -> pa.Table:
        if self._keeps_vectors or self.spec.vector not in names:
            return stored.select(names)
        kind = self.spec.schema.field(self.spec.vector).type
        columns = [vector_array(vectors, kind) if name == self.spec.vector else stored.column(name) for name in names]
        fields = [self.spec.schema.field(name) for name in names]
        # not by appending to `stored`, which may have no column and then knows no number of rows
        return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata=stored.schema.metadata))
