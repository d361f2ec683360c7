"""Rows of one segment: hot arrays as views into the file, vectors and columns on demand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drift_arrow.errors import CorruptionError, InvalidArgumentError
from drift_arrow.format.layout import HEADER_BYTES, NO_COLUMN, BlockType, Buffer
from drift_arrow.format.segment_columns import SegmentColumns
from drift_arrow.format.segment_file import SegmentFile
from drift_arrow.format.segment_vectors import SegmentVectors


class SegmentReader:
    """One immutable segment, read in place.

    Parameters
    ----------
    data : memoryview or (size,) uint8
        The whole file, for instance a read-only memory map; kept alive by this object and by every array from it.
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
    Arrays are read-only. Safe to use by many threads.
    """

    def __init__(
        self, data: Buffer, path: str, expected_size: int | None = None, expected_digest: str | None = None
    ) -> None:
        self._file = SegmentFile(data, path, expected_size, expected_digest)
        meta = self._file.meta
        self.schema, self.vector, self.key, self.metric = meta.schema, meta.vector, meta.key, meta.metric
        self.n_rows, self.n_buckets, self.seqno_range = meta.n_rows, meta.n_buckets, meta.seqno_range
        self.dim = int(meta.vector_type.list_size)
        self.uuid, self.size_bytes = self._file.uuid, len(self._file.data)
        self.offsets = self._array(BlockType.BUCKET_OFFSETS, "<i8")
        self.centroids = self._array(BlockType.CENTROIDS, "<f4", self.dim)
        self.lo = self._array(BlockType.CODE_LO, "<f4", self.dim)
        self.step = self._array(BlockType.CODE_STEP, "<f4", self.dim)
        self.norms = self._array(BlockType.NORMS, "<f4")
        self.sorted_fingerprints = self._array(BlockType.FINGERPRINTS, "<u8", 2)
        self.key_order = self._array(BlockType.KEY_ORDER, "<u4")
        self._check_order()
        self.code_address = self._locate_codes()
        self._vectors = SegmentVectors(self._file)
        self._columns = SegmentColumns(self._file, self._vectors)

    def vectors(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Full-precision vectors of `rows`, in their order: a new (m, dim) float32 C-contiguous matrix.

        Raises
        ------
        InvalidArgumentError
            A row is not in [0, n_rows).
        """
        return self._vectors.gather(self._check_rows(rows)).astype(np.float32, copy=False)

    def raw_vectors(self, start: int, stop: int) -> NDArray[Any]:
        """Vectors of rows `start` up to `stop` in their stored type, (stop - start, dim); a view if in one block."""
        if not 0 <= start <= stop <= self.n_rows:
            raise InvalidArgumentError(
                f"rows are outside of the segment; start={start} stop={stop} n_rows={self.n_rows}"
            )
        return self._vectors.read(start, stop)

    def vector_blocks(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """First row and (n, dim) float32 matrix of every block; a view into the file when stored as float32."""
        for first_row, matrix in self._vectors.blocks():
            yield first_row, matrix.astype(np.float32, copy=False)

    def take(self, rows: NDArray[np.int64], columns: list[str]) -> pa.Table:
        """`rows` in their order, decoding only the blocks that hold them.

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

    def read_columns(self, columns: list[str]) -> pa.Table:
        """All rows of `columns`, one chunk per block or more; the vector column is a view into the file.

        Raises
        ------
        InvalidArgumentError
            A column is not in the segment.
        """
        self._check_columns(columns)
        return self._columns.read(columns)

    def verify(self) -> None:
        """Check every byte of the file, and that every payload block decodes; raises CorruptionError."""
        self._file.verify()
        self._columns.read(self.schema.names)

    def _array(self, block_type: BlockType, dtype: str, width: int | None = None) -> NDArray[Any]:
        """All values of one kind: a view into the file if they are in one block."""
        blocks = self._file.index.blocks(block_type)
        parts = [np.frombuffer(self._file.block(i), dtype=dtype) for i in range(blocks.start, blocks.stop)]
        flat = parts[0] if len(parts) == 1 else np.concatenate(parts)
        flat.flags.writeable = False
        return flat if width is None else flat.reshape(-1, width)

    def _check_order(self) -> None:
        """Compiled code trusts these numbers as addresses and rows: they must be right even if the writer was not."""
        sizes = np.diff(self.offsets)
        if self.offsets[0] != 0 or self.offsets[-1] != self.n_rows or (sizes < 0).any():
            raise self._error(BlockType.BUCKET_OFFSETS, "bucket offsets do not ascend")
        if (self.key_order >= self.n_rows).any():
            raise self._error(BlockType.KEY_ORDER, "key order names rows that are not there")

    def _locate_codes(self) -> NDArray[np.uint64]:
        index = self._file.index
        blocks = index.blocks(BlockType.CODES)
        firsts, lasts = self.offsets[:-1], np.maximum(self.offsets[1:] - 1, self.offsets[:-1])
        owners = index.owners(blocks, firsts)
        if (index.owners(blocks, lasts) != owners).any():
            raise self._error(BlockType.CODES, "a bucket crosses blocks")
        base = np.frombuffer(self._file.data, dtype=np.uint8).ctypes.data
        starts = index.offsets[owners] + HEADER_BYTES + (firsts - index.first_rows[owners]) * self.dim
        return (starts + base).astype(np.uint64)

    def _error(self, block_type: BlockType, problem: str) -> CorruptionError:
        number = self._file.index.blocks(block_type, NO_COLUMN).start
        return CorruptionError(problem, path=self._file.path, offset=self._file.start(number))

    def _check_rows(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        if len(rows) and not 0 <= rows.min() <= rows.max() < self.n_rows:
            raise InvalidArgumentError(f"rows are outside of the segment; n_rows={self.n_rows}")
        return rows

    def _check_columns(self, columns: list[str]) -> None:
        unknown = [name for name in columns if name not in self.schema.names]
        if unknown:
            raise InvalidArgumentError(f"no such column; got={unknown} columns={self.schema.names}")
