"""Rows of a segment that are written together: whole buckets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drift_arrow.errors import InvalidArgumentError
from drift_arrow.format.layout import EXTENT_ROWS, EXTENT_VECTOR_BYTES, MAX_BLOCK_BYTES, MAX_SEGMENT_ROWS
from drift_arrow.format.segment_spec import SegmentSpec


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentExtent:
    """n rows in B buckets, with vectors of dim dimensions.

    Parameters
    ----------
    table : pa.Table
        All columns of the schema but the vector, in their order.
    vectors : (n, dim) float16, float32 or float64
        Full precision.
    offsets : (B + 1,) int64
        Rows of bucket b are ``offsets[b]`` up to ``offsets[b + 1]``, counted from the first row of the extent.
    centroids : (B, dim) float32
    codes : (n, dim) uint8
        ``lo + step * code`` of the bucket approximates a vector.
    lo, step : (B, dim) float32
    norms : (n,) float32
        Exact squared length of each vector as float32.
    fingerprints : (n, 2) uint64
        Of the key of each row.
    """

    table: pa.Table
    vectors: NDArray[Any]
    offsets: NDArray[np.int64]
    centroids: NDArray[np.float32]
    codes: NDArray[np.uint8]
    lo: NDArray[np.float32]
    step: NDArray[np.float32]
    norms: NDArray[np.float32]
    fingerprints: NDArray[np.uint64]

    def check(self, spec: SegmentSpec) -> None:
        """Raise InvalidArgumentError unless arrays and table fit to each other and to the columns of a segment."""
        problem = self._array_problem(spec) or self._bucket_problem() or self._table_problem(spec)
        if problem:
            raise InvalidArgumentError(f"segment content does not fit together; {problem}")

    def cut(self) -> Iterator[SegmentExtent]:
        """The same rows in extents of at most `EXTENT_ROWS` rows and `EXTENT_VECTOR_BYTES` bytes of vectors.

        A bucket that is larger is an extent of its own.
        """
        row_bytes = self.vectors.itemsize * self.vectors.shape[1]
        cuts = bucket_cuts(self.offsets, extent_rows(row_bytes))
        for first, stop in pairwise(cuts):
            yield self._slice(first, stop)

    def _slice(self, first: int, stop: int) -> SegmentExtent:
        """Buckets `first` up to `stop`."""
        start, end = self.offsets[[first, stop]].tolist()
        return SegmentExtent(
            table=self.table.slice(start, end - start),
            vectors=self.vectors[start:end],
            offsets=self.offsets[first : stop + 1] - start,
            centroids=self.centroids[first:stop],
            codes=self.codes[start:end],
            lo=self.lo[first:stop],
            step=self.step[first:stop],
            norms=self.norms[start:end],
            fingerprints=self.fingerprints[start:end],
        )

    def _array_problem(self, spec: SegmentSpec) -> str | None:
        n_rows, n_buckets, dim = len(self.vectors), len(self.centroids), spec.dim
        wanted: dict[str, tuple[tuple[int, ...], Any]] = {
            "vectors": ((n_rows, dim), spec.dtype),
            "offsets": ((n_buckets + 1,), np.int64),
            "centroids": ((n_buckets, dim), np.float32),
            "codes": ((n_rows, dim), np.uint8),
            "lo": ((n_buckets, dim), np.float32),
            "step": ((n_buckets, dim), np.float32),
            "norms": ((n_rows,), np.float32),
            "fingerprints": ((n_rows, 2), np.uint64),
        }
        for name, (shape, dtype) in wanted.items():
            array = getattr(self, name)
            if array.shape != shape or array.dtype != dtype:
                return f"{name}={array.dtype}{array.shape} expected={np.dtype(dtype)}{shape}"
        return None if 1 <= n_rows <= MAX_SEGMENT_ROWS else f"n_rows={n_rows} limit={MAX_SEGMENT_ROWS}"

    def _bucket_problem(self) -> str | None:
        sizes = np.diff(self.offsets)
        if self.offsets[0] != 0 or self.offsets[-1] != len(self.vectors) or (sizes < 0).any():
            return "bucket offsets must ascend from 0 to the number of rows"
        largest = int(sizes.max()) * self.vectors.shape[1]
        return None if largest <= MAX_BLOCK_BYTES else f"split the largest bucket: code_bytes={largest}"

    def _table_problem(self, spec: SegmentSpec) -> str | None:
        if self.table.schema.equals(spec.payload, check_metadata=False) and self.table.num_rows == len(self.vectors):
            return None
        return f"table has {self.table.num_rows} rows of another schema or number"


def extent_rows(row_bytes: int) -> int:
    """Most rows of an extent of several buckets, whose vectors take `row_bytes` each."""
    return max(1, min(EXTENT_ROWS, EXTENT_VECTOR_BYTES // row_bytes))


def bucket_cuts(offsets: NDArray[np.int64], max_rows: int) -> list[int]:
    """First bucket of every run of buckets with at most `max_rows` rows, or of one that has more; then their number.

    Every run has a row.
    """
    cuts = [0]
    while offsets[cuts[-1]] < offsets[-1]:
        first_row = offsets[cuts[-1]]
        stop = int(np.searchsorted(offsets, first_row + max_rows, side="right")) - 1
        if offsets[stop] == first_row:
            stop = int(np.searchsorted(offsets, first_row, side="right"))
        cuts.append(stop)
    return cuts
