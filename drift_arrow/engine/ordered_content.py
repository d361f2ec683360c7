"""Rows in the order of a segment, as extents that are made when they are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from drift_arrow.engine.bucketing import search_form
from drift_arrow.errors import InvalidArgumentError
from drift_arrow.format.segment_extent import SegmentExtent, bucket_cuts, extent_rows
from drift_arrow.kernels.distance import squared_norms
from drift_arrow.kernels.sq8 import sq8_encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

    from drift_arrow.engine.bucketing import BucketOrder
    from drift_arrow.format.segment_spec import SegmentSpec


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OrderedContent:
    """A segment of n rows, of which an extent at a time is gathered and quantised.

    Parameters
    ----------
    spec : SegmentSpec
    vectors : (n, dim) float16, float32 or float64
        In any order, as are the fingerprints.
    fingerprints : (n, 2) uint64
    table : pa.Table
        Payload columns in the order of the segment.
    buckets : BucketOrder
        That order.

    Notes
    -----
    Vectors take no memory beyond the given ones but that of the extents that somebody holds.
    """

    spec: SegmentSpec
    vectors: NDArray[Any]
    fingerprints: NDArray[np.uint64]
    table: pa.Table
    buckets: BucketOrder

    def check(self) -> None:
        """Raise InvalidArgumentError unless all parts have as many rows; the rest is checked extent by extent."""
        self.spec.check()
        found = {len(self.vectors), len(self.fingerprints), self.table.num_rows, len(self.buckets.order)}
        if len(found) != 1:
            raise InvalidArgumentError(f"segment content does not fit together; numbers_of_rows={sorted(found)}")

    def extents(self) -> Iterator[SegmentExtent]:
        """All rows, in extents as `SegmentExtent.cut` makes them."""
        row_bytes = self.vectors.itemsize * self.vectors.shape[1]
        for first, stop in pairwise(bucket_cuts(self.buckets.offsets, extent_rows(row_bytes))):
            yield self._extent(first, stop)

    def _extent(self, first: int, stop: int) -> SegmentExtent:
        """Buckets `first` up to `stop`."""
        start, end = self.buckets.offsets[[first, stop]].tolist()
        rows, offsets = self.buckets.order[start:end], self.buckets.offsets[first : stop + 1] - start
        vectors = np.take(self.vectors, rows, axis=0)
        matrix = np.ascontiguousarray(vectors, dtype=np.float32)
        sq8 = sq8_encode(search_form(matrix, spherical=self.spec.metric == "cosine"), offsets)
        return SegmentExtent(
            table=self.table.slice(start, end - start),
            vectors=vectors,
            offsets=offsets,
            centroids=self.buckets.centroids[first:stop],
            codes=sq8.codes,
            lo=sq8.lo,
            step=sq8.step,
            norms=squared_norms(matrix),
            fingerprints=self.fingerprints[rows],
        )
