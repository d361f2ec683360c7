"""What has become of every bucket of a snapshot since it was founded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drift_arrow.engine.signs.bucket_moments import moments_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BucketStatistics:
    """Every bucket of a snapshot's segments, in the order of its `SegmentSet`.

    Parameters
    ----------
    segment, bucket : (B,) int64
        Place of the segment in the snapshot, and number of the bucket in it.
    live, dead : (B,) int64
        Rows.
    drift : (B,) float64
        How far the mean of the live rows is from the founding centroid, in founding radii: 0 where it did not move,
        about 1 where all that is left lies at the rim.
    radius : (B,) float64
        Root mean square distance of the live rows from the founding centroid; for cosine, of unit vectors.
    quantisation_error : (B,) float64
        Error of the codes relative to the spread of the live rows, both as root mean squares.
    range_shift : (B,) float64
        Share of the range of the codes that no live row uses any more, 0 to 1.
    age : (B,) int64
        Operations on the collection since the newest row of the segment was written.
    means : (B, dim) float32
        Of the live rows; zeros where there are none.
    target_rows : float
        Rows of a bucket of a collection that is built anew from the live rows; at least 1.

    Notes
    -----
    Ada-IVF (arXiv 2411.00970, section 4) divides the shift of the mean by the length of the founding centroid. That
    changes when all vectors are moved by a constant, and is without meaning near the origin; the radius is the length
    that decides whether a row of the bucket is nearer to another one. Codes span the range of the rows of their bucket,
    which never change, so that nothing is ever clipped; ranges that are too wide show in `quantisation_error`.
    """

    segment: NDArray[np.int64]
    bucket: NDArray[np.int64]
    live: NDArray[np.int64]
    dead: NDArray[np.int64]
    drift: NDArray[np.float64]
    radius: NDArray[np.float64]
    quantisation_error: NDArray[np.float64]
    range_shift: NDArray[np.float64]
    age: NDArray[np.int64]
    means: NDArray[np.float32]
    target_rows: float

    def __len__(self) -> int:
        return len(self.live)

    @property
    def zombie_ratio(self) -> NDArray[np.float64]:
        """(B,) float64: share of the rows that are dead, which searches pass over and whose codes stay on disk."""
        ratio: NDArray[np.float64] = self.dead / np.maximum(self.live + self.dead, 1)
        return ratio

    @property
    def fullness(self) -> NDArray[np.float64]:
        """(B,) float64: live rows over `target_rows`."""
        return self.live / self.target_rows


def measure_buckets(snapshot: Snapshot) -> BucketStatistics:
    """Statistics of all buckets, exact at the moment of the snapshot.

    Notes
    -----
    Derived from codes and live rows, not kept: they survive whatever the segments survive. A segment is read once after
    each change of its live rows, see `moments_of`.
    """
    metric, dim = snapshot.manifest.metric, snapshot.manifest.schema.field(snapshot.manifest.vector).type.list_size
    found = [moments_of(view, metric) for view in snapshot.segments]
    moments, radii = [pair[0] for pair in found], [pair[1] for pair in found]
    counts = [view.reader.n_buckets for view in snapshot.segments]
    # the range of a segment ends with the records that close its log, which are younger than the newest operation
    ages = [max(0, snapshot.seqno - view.reader.seqno_range[1]) for view in snapshot.segments]
    live = _joined_integers([part.live for part in moments])
    rows = _joined_integers([np.diff(view.reader.offsets) for view in snapshot.segments])
    shift, founding_radius = _joined([part.shift for part in moments]), _joined(radii)
    return BucketStatistics(
        segment=np.repeat(np.arange(len(counts)), counts),
        bucket=_joined_integers([np.arange(count) for count in counts]),
        live=live,
        dead=rows - live,
        drift=np.divide(shift, founding_radius, out=np.zeros_like(shift), where=founding_radius > 0),
        radius=_joined([part.radius for part in moments]),
        quantisation_error=_joined([part.quantisation_error for part in moments]),
        range_shift=_joined([part.range_shift for part in moments]),
        age=np.repeat(np.asarray(ages, np.int64), counts),
        means=np.concatenate([np.empty((0, dim), np.float32), *(part.means for part in moments)]),
        target_rows=max(1.0, math.sqrt(int(live.sum()))),
    )


def _joined(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate([np.empty(0), *parts])


def _joined_integers(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.empty(0, np.int64), *parts])
