"""Rows that would stretch the SQ8 ranges of their bucket, in a bucket of their own.

Codes that clip values would break what search relies on: that a code is off by at most half a step. So ranges are
taken by percentiles, but a row that lies far outside of them is not clipped: it moves to a second bucket with the same
centroid, whose ranges hold only such rows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drift_arrow.engine.bucketing import BucketOrder, search_form

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_ROWS: Final = 16
"""Of a bucket whose percentiles say something."""


def set_apart(vectors: NDArray[Any], buckets: BucketOrder, percent: float, *, spherical: bool) -> BucketOrder:
    """Give the outliers of each bucket a bucket of their own, behind it.

    Parameters
    ----------
    vectors : (n, dim) float16, float32 or float64
    buckets : BucketOrder
        Of them.
    percent : float
        Above 0 and below 50: of the values of a dimension in a bucket, the share at either end that the range of the
        others does not count.
    spherical : bool
        For cosine.

    Returns
    -------
    BucketOrder
        An outlier is farther outside the range of a dimension than that range is wide, so that all others take at most
        three times the range of the percentiles. At most so many rows of a bucket are outliers as values are left out
        of a dimension, the farthest ones; of a bucket of fewer than 16 rows none is.

    Notes
    -----
    O(n * dim), some hundred million values per second.
    """
    order, offsets, centroids = [], [0], []
    for bucket, centroid in enumerate(buckets.centroids):
        rows = buckets.order[buckets.offsets[bucket] : buckets.offsets[bucket + 1]]
        far = _are_far(search_form(np.take(vectors, rows, axis=0), spherical=spherical), percent)
        for part in (rows[~far], rows[far]):
            if len(part):
                order.append(part)
                offsets.append(offsets[-1] + len(part))
                centroids.append(centroid)
    return BucketOrder(np.stack(centroids), np.array(offsets, dtype=np.int64), np.concatenate(order))


def _are_far(matrix: NDArray[np.float32], percent: float) -> NDArray[np.bool_]:
    n_rows = len(matrix)
    far = np.zeros(n_rows, dtype=np.bool_)
    n_left_out = math.ceil(n_rows * percent / 100)
    if n_rows < max(_LEAST_ROWS, 2 * n_left_out + 1):
        return far
    ends = np.partition(matrix, (n_left_out, n_rows - 1 - n_left_out), axis=0)
    low, high = (ends[place].astype(np.float64) for place in (n_left_out, n_rows - 1 - n_left_out))
    width = high - low
    # constant but for what is left out: whatever differs is infinitely far out, unless it differs by rounding
    width = np.maximum(width, np.abs(high) * np.finfo(np.float32).eps + np.finfo(np.float32).tiny)
    excess = (np.maximum(matrix - high, low - matrix) / width).max(axis=1)
    farthest = np.argsort(-excess, kind="stable")[: 2 * n_left_out]
    far[farthest] = excess[farthest] > 1
    return far
