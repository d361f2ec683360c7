"""Rows of one segment: hot arrays as views into the file, vectors and columns on demand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drift_arrow.errors import InvalidArgumentError
from drift_arrow.format.block_info import BlockInfo
from drift_arrow.format.hot_tables import HotTables
from drift_arrow.format.layout import BlockType, Buffer
from drift_arrow.format.segment_columns import SegmentColumns
from drift_arrow.format.segment_file import SegmentFile
from drift_arrow.format.segment_inspection import SegmentInspection
from drift_arrow.format.segment_vectors import SegmentVectors
from drift_arrow.format.source import RangedSource
from drift_arrow.format.zone import Zone
from drift_arrow.kernels.bloom import bloom_contains
from drift_arrow.kernels.row_table import RowTable


class SegmentReader:
    """One immutable segment, read in place or by ranges.

    Parameters
    ----------
    source : buffer or RangedSource
        The whole file, for instance a read-only memory map, kept alive by this object and by every array from it; or
        a store that is asked for ranges.
    path : str
        Named in errors.
    expected_size, expected_digest : int, str, optional
        What the manifest says; see `SegmentFile` for what is verified when.

    Attributes
    ----------
    n_rows, n_buckets, dim, size_bytes : int
    schema : pa.Schema
        Of all columns, the vector included.
    vector, key, metric, uuid : str
    seqno_range : (int, int)
        Smallest and largest seqno of the rows.
    offsets : (n_buckets + 1,) int64
        Rows of bucket b are ``offsets[b]`` up to ``offsets[b + 1]``.
    centroids, lo, step : (n_buckets, dim) float32
    norms : (n_rows,) float32
        Exact squared lengths.
    code_address : (n_buckets,) uint64
        Address in memory of each bucket's codes, (rows, dim) uint8; valid while this object lives.
    sorted_fingerprints : (n_rows, 2) uint64
    key_order : (n_rows,) uint32
        Row of each sorted fingerprint.

    Raises
    ------
    CorruptionError
        From every method: the bytes it needs are damaged; path and offset say where.
    UnsupportedFormatError
        A newer version wrote the file.

    Notes
    -----
    Arrays are read-only. Safe to use by many threads. Tables and codes of a ranged source are fetched when it is
    opened, since they are scanned by address: dim bytes per row, and 25 for its norm and its key. Everything else is
    fetched by the block when it is asked for.
    """

    def __init__(
        self,
        source: Buffer | RangedSource,
        path: str,
        expected_size: int | None = None,
        expected_digest: str | None = None,
    ) -> None:
        self._file = SegmentFile(source, path, expected_size, expected_digest)
        meta = self._file.meta
        self.schema, self.vector, self.key, self.metric = meta.schema, meta.vector, meta.key, meta.metric
        self.n_rows, self.n_buckets, self.seqno_range = meta.n_rows, meta.n_buckets, meta.seqno_range
        self.dim = int(meta.vector_type.list_size)
        self.uuid, self.size_bytes = self._file.uuid, self._file.size_bytes
        self._tables = HotTables(self._file)
        self.offsets, self.centroids = self._tables.offsets, self._tables.centroids
        self.lo, self.step, self.norms = self._tables.lo, self._tables.step, self._tables.norms
        self.sorted_fingerprints, self.key_order = self._tables.sorted_fingerprints, self._tables.key_order
        self.code_address = self._tables.code_address
        self._vectors = SegmentVectors(self._file)
        self._columns = SegmentColumns(self._file, self._vectors)
        # to open it, every page may have been read; of the tables, a search needs few again
        self._file.file.release()

    def vectors(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Full-precision vectors of `rows`, in their order: a new (m, dim) float32 C-contiguous matrix.

        Raises
        ------
        InvalidArgumentError
            A row is not in [0, n_rows).
        """
        return self._vectors.gather(self._check_rows(rows)).astype(np.float32, copy=False)

    @property
    def vector_table(self) -> RowTable | None:
        """Where kernels find single vectors, for as long as the table lives; None if they are not stored as float32.

        Notes
        -----
        For `kernels.float_points.gather_floats`, which other kernels may call: no Python per block, nor per row. It
        returns `NOT_OPEN` at a row of a block that nobody asked for yet, or that no kernel reads: `vectors` gives those
        rows, opens their blocks, and puts another table in the place of this one.
        """
        return self._vectors.table if self._vectors.dtype == np.float32 else None

    def column_table(self, name: str) -> RowTable | None:
        """As `vector_table`, of a payload column; for `column_rows.take_known`."""
        return self._columns.table(name)

    def release_tables(self) -> None:
        """Keep no page of the tables of a mapped file in this process, for those who have copied what they need."""
        self._file.file.release((self._file.index.tables_start, self.size_bytes))

    def raw_vectors(self, start: int, stop: int) -> NDArray[Any]:
        """Vectors of rows `start` up to `stop` in their stored type, (stop - start, dim).

        Raises
        ------
        InvalidArgumentError
            The rows are not in the segment.
        """
        self._check_range(start, stop)
        return self._vectors.read(start, stop)

    def vector_blocks(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """First row and (n, dim) float32 matrix of every block, decoded one by one; a view if stored as it is."""
        for first_row, matrix in self._vectors.blocks():
            yield first_row, matrix.astype(np.float32, copy=False)

    def take(self, rows: NDArray[np.int64], columns: list[str]) -> pa.Table:
        """`rows` in their order, decoding no more than the blocks that hold them.

        Parameters
        ----------
        rows : (m,) int64
            Any order, repeats allowed.
        columns : list of str
            Of the schema; may include the vector.

        Returns
        -------
        pa.Table
            One chunk per column; more if the rows of a column need more than 1 GiB, or have more distinct values than
            its dictionary type can number.

        Raises
        ------
        InvalidArgumentError
            A row or column is not in the segment.
        """
        self._check_columns(columns)
        return self._columns.take(self._check_rows(rows), columns)

    def read_rows(self, start: int, stop: int, columns: list[str]) -> pa.Table:
        """Rows `start` up to `stop` of `columns`, one chunk per block or more; reads only the blocks that hold them.

        Raises
        ------
        InvalidArgumentError
            The rows or a column are not in the segment.
        """
        self._check_columns(columns)
        self._check_range(start, stop)
        return self._columns.read(start, stop, columns)

    def read_bucket(self, bucket: int, columns: list[str]) -> pa.Table:
        """The rows of one bucket, as by `read_rows`.

        Raises
        ------
        InvalidArgumentError
            The bucket or a column is not in the segment.
        """
        if not 0 <= bucket < self.n_buckets:
            raise InvalidArgumentError(f"no such bucket; got={bucket} n_buckets={self.n_buckets}")
        return self.read_rows(int(self.offsets[bucket]), int(self.offsets[bucket + 1]), columns)

    def read_columns(self, columns: list[str]) -> pa.Table:
        """All rows of `columns`, as by `read_rows`."""
        return self.read_rows(0, self.n_rows, columns)

    def maybe_contains(self, fingerprints: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Whether each of (m, 2) fingerprints may be that of a key: False is sure, True is wrong once in 100 times."""
        return bloom_contains(self._tables.bloom, fingerprints)

    def zones(self, column: str) -> list[Zone]:
        """Bounds of the rows of each block of a payload column, in the order of the rows.

        Raises
        ------
        InvalidArgumentError
            The column is not in the segment, or is the vector.
        """
        blocks, inspection = self._payload_blocks(column), self._inspection()
        number = self.schema.get_field_index(column)
        return [inspection.zone(block, number) for block in range(blocks.start, blocks.stop)]

    def block_starts(self, column: str) -> NDArray[np.int64]:
        """First row of each block of a payload column, (n,) int64.

        Raises
        ------
        InvalidArgumentError
            The column is not in the segment, or is the vector.
        """
        return self._file.index.first_rows[self._payload_blocks(column)]

    def blocks(self) -> list[BlockInfo]:
        """Every block, in the order of the file; parses those of columns and vectors."""
        return self._inspection().blocks()

    def verify(self) -> None:
        """Check every byte of the file, and that every block of a column or of vectors decodes; CorruptionError."""
        self._file.verify()
        self._inspection().check()

    def _inspection(self) -> SegmentInspection:
        return SegmentInspection(self._file, self._tables.zones, self._columns, self._vectors)

    def _payload_blocks(self, column: str) -> slice:
        self._check_columns([column])
        if column == self.vector:
            raise InvalidArgumentError(f"vectors have no zones; column={column!r}")
        return self._file.index.blocks(BlockType.COLUMN, self.schema.get_field_index(column))

    def _check_rows(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        if len(rows) and not 0 <= rows.min() <= rows.max() < self.n_rows:
            raise InvalidArgumentError(f"rows are outside of the segment; n_rows={self.n_rows}")
        return np.ascontiguousarray(rows)

    def _check_range(self, start: int, stop: int) -> None:
        if not 0 <= start <= stop <= self.n_rows:
            message = f"rows are outside of the segment; start={start} stop={stop} n_rows={self.n_rows}"
            raise InvalidArgumentError(message)

    def _check_columns(self, columns: list[str]) -> None:
        unknown = [name for name in columns if name not in self.schema.names]
        if unknown:
            raise InvalidArgumentError(f"no such column; got={unknown} columns={self.schema.names}")
