"""What a segment holds, before it becomes bytes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drift_arrow.errors import InvalidArgumentError
from drift_arrow.format.layout import MAX_BLOCK_BYTES, MAX_SEGMENT_ROWS, NO_COLUMN
from drift_arrow.format.plain import check_storable
from drift_arrow.format.segment_footer import SegmentMeta

_VECTOR_TYPES = {np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentContent:
    """Rows of one segment, sorted by bucket, with n rows, B buckets and dim dimensions.

    Parameters
    ----------
    schema : pa.Schema
        Of the collection: the columns of `table` in their order, and the vector column.
    vector, key : str
        Names of the vector and the key column.
    metric : str
        ``l2``, ``cosine`` or ``dot``.
    table : pa.Table
        All columns but the vector.
    vectors : (n, dim) float16, float32 or float64
        Full precision.
    offsets : (B + 1,) int64
        Rows of bucket b are ``offsets[b]`` up to ``offsets[b + 1]``; the codes of one bucket take at most 16 MiB.
    centroids : (B, dim) float32
    codes : (n, dim) uint8
        ``lo + step * code`` of the bucket approximates a vector.
    lo, step : (B, dim) float32
    norms : (n,) float32
        Exact squared length of each vector as float32.
    fingerprints : (n, 2) uint64
        Of the keys, sorted.
    key_order : (n,) uint32
        Row of each entry of `fingerprints`.
    seqno_range : (int, int)
        Smallest and largest seqno of the rows.
    uuid : str
        Identity of the file, in the 36-character form; a new one by default.
    """

    schema: pa.Schema
    vector: str
    key: str
    metric: str
    table: pa.Table
    vectors: NDArray[Any]
    offsets: NDArray[np.int64]
    centroids: NDArray[np.float32]
    codes: NDArray[np.uint8]
    lo: NDArray[np.float32]
    step: NDArray[np.float32]
    norms: NDArray[np.float32]
    fingerprints: NDArray[np.uint64]
    key_order: NDArray[np.uint32]
    seqno_range: tuple[int, int]
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def meta(self) -> SegmentMeta:
        """The part that the footer repeats as JSON."""
        return SegmentMeta(
            schema=self.schema,
            vector=self.vector,
            key=self.key,
            metric=self.metric,
            n_rows=len(self.vectors),
            n_buckets=len(self.centroids),
            seqno_range=self.seqno_range,
        )

    def check(self) -> None:
        """Raise InvalidArgumentError unless shapes, types and schema fit together."""
        problem = self._array_problem() or self._bucket_problem() or self._column_problem()
        if problem:
            raise InvalidArgumentError(f"segment content does not fit together; {problem}")

    def _array_problem(self) -> str | None:
        if self.vectors.ndim != 2 or self.vectors.shape[1] == 0 or self.vectors.dtype not in _VECTOR_TYPES:
            return f"vectors={self.vectors.dtype}{self.vectors.shape}"
        n_rows, dim = self.vectors.shape
        n_buckets = len(self.centroids)
        wanted: dict[str, tuple[tuple[int, ...], type]] = {
            "offsets": ((n_buckets + 1,), np.int64),
            "centroids": ((n_buckets, dim), np.float32),
            "codes": ((n_rows, dim), np.uint8),
            "lo": ((n_buckets, dim), np.float32),
            "step": ((n_buckets, dim), np.float32),
            "norms": ((n_rows,), np.float32),
            "fingerprints": ((n_rows, 2), np.uint64),
            "key_order": ((n_rows,), np.uint32),
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

    def _column_problem(self) -> str | None:
        if self.vector not in self.schema.names or self.key not in self.schema.names or len(self.schema) > NO_COLUMN:
            return f"vector={self.vector!r} key={self.key!r} columns={self.schema.names[:100]}"
        index = self.schema.get_field_index(self.vector)
        expected = self.schema.remove(index)
        if not self.table.schema.equals(expected, check_metadata=False) or self.table.num_rows != len(self.vectors):
            return f"table has {self.table.num_rows} rows of another schema or number"
        kind = self.schema.field(index).type
        value_type = pa.from_numpy_dtype(self.vectors.dtype)
        if not isinstance(kind, pa.FixedSizeListType) or kind.value_type != value_type:
            return f"vector column type={kind}"
        if kind.list_size != self.vectors.shape[1]:
            return f"dim={self.vectors.shape[1]} schema={kind}"
        for column in expected:
            check_storable(column)
        return None
