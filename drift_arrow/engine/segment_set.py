"""One bucket table over all segments of a snapshot, so that one compiled call scans them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drift_arrow.kernels.bucket_arrays import BucketArrays
from drift_arrow.kernels.bucket_table import BucketTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.format.segment_reader import SegmentReader

_ALIGN_ROWS = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentSet:
    """Buckets of several segments under one numbering of rows.

    Parameters
    ----------
    readers : tuple of SegmentReader
        Keep the memory maps alive into which `buckets` points.
    bases : tuple of int
        Global id of each segment's row 0; a multiple of 64, so that packed bitmaps concatenate bytewise.
    n_ids : int
        One past the last global id, padding included.
    centroids : (B, dim) float32
        Of all buckets.
    buckets : BucketArrays
        Where the SQ8 codes of each bucket lie.
    counts : (B,) int64
        Rows of each bucket, dead ones included.
    touches : (B,) uint32
        How many queries scanned each bucket since its segment was opened; searches add to it, see
        `kernels.touches.count_probed`.
    table : BucketTable or None
        All of it for kernels; None, as `buckets`, where there are no segments.
    """

    readers: tuple[SegmentReader, ...]
    bases: tuple[int, ...]
    n_ids: int
    centroids: NDArray[np.float32]
    buckets: BucketArrays | None
    counts: NDArray[np.int64]
    touches: NDArray[np.uint32]
    table: BucketTable | None

    @classmethod
    def of(cls, readers: tuple[SegmentReader, ...], before: SegmentSet | None = None) -> SegmentSet:
        """Gather the bucket tables of `readers`; O(buckets * dim + rows) copies.

        Parameters
        ----------
        readers : tuple of SegmentReader
        before : SegmentSet, optional
            Whose counts of scans go on for the readers that both have. What searches add to it from now on is lost,
            which does no harm to a measure of heat.
        """
        if not readers:
            return cls(
                readers=(),
                bases=(),
                n_ids=0,
                centroids=np.empty((0, 0), np.float32),
                buckets=None,
                counts=np.empty(0, np.int64),
                touches=np.empty(0, np.uint32),
                table=None,
            )
        padded = [-(-reader.n_rows // _ALIGN_ROWS) * _ALIGN_ROWS for reader in readers]
        stops = np.cumsum(padded)
        bases = (stops - padded).tolist()
        norms = np.zeros(int(stops[-1]), dtype=np.float32)
        for base, reader in zip(bases, readers, strict=True):
            norms[base : base + reader.n_rows] = reader.norms
        buckets = BucketArrays(
            code_address=np.concatenate([reader.code_address for reader in readers]),
            rows=np.concatenate([np.diff(reader.offsets) for reader in readers]).astype(np.uint32),
            first_row=np.concatenate([base + reader.offsets[:-1] for base, reader in zip(bases, readers, strict=True)]),
            lo=np.concatenate([reader.lo for reader in readers]),
            step=np.concatenate([reader.step for reader in readers]),
            norms=norms,
        )
        centroids = np.ascontiguousarray(np.concatenate([reader.centroids for reader in readers]))
        for reader in readers:
            reader.release_tables()
        centroids.flags.writeable = False
        touches = _touches(readers, before)
        table = BucketTable(centroids=centroids, buckets=buckets, touches=touches)
        return cls(
            readers=readers,
            bases=tuple(bases),
            n_ids=int(stops[-1]),
            centroids=centroids,
            buckets=buckets,
            counts=table.counts,
            touches=touches,
            table=table,
        )


def _touches(readers: tuple[SegmentReader, ...], before: SegmentSet | None) -> NDArray[np.uint32]:
    """Counts of scans by bucket, in the order of `readers`: those of `before`, and zero for new readers."""
    known = {}
    if before is not None and before.readers:
        ends = np.cumsum([reader.n_buckets for reader in before.readers])
        parts = np.split(before.touches, ends[:-1])
        known = {id(reader): part for reader, part in zip(before.readers, parts, strict=True)}
    return np.concatenate([known.get(id(reader), np.zeros(reader.n_buckets, np.uint32)) for reader in readers])
