"""How many of its ranked buckets a query must scan for a wanted recall.

A bucket is taken for a ball of rows around its centroid: the squared distance of its rows from a query at squared
distance D from the centroid is normal with mean D + S and variance (4 D S + 2 S**2) / d, where S is the mean squared
distance of rows from their centroid and d an effective dimension, both of the whole collection. The number of rows of
the bucket within the k-th best distance so far follows, and so does the share of all such rows that the buckets up to a
place hold. The share at which recall reaches a target is not derived but calibrated, so the model need only rank well.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.bitmap import Bits
from drift_arrow.kernels.distance import DOT, metric_code
from drift_arrow.kernels.normal import normal_share

LEAST_SPREAD: Final = 1e-30
"""Stands for a spread or a length of zero, by which nothing could be divided."""


@kernel(inline=True)
def neighbour_score(distance: Any, radius: Any, length: Any, is_dot: Any, spread: Any, effective_dim: Any) -> Any:
    """Standard deviations from the mean distance of a bucket's rows up to `radius`; NaN at an infinite distance."""
    if is_dot:
        return (radius - distance) / (length * math.sqrt(spread / effective_dim))
    variance = (4.0 * distance * spread + 2.0 * spread * spread) / effective_dim
    return (radius - distance - spread) / math.sqrt(variance)


@kernel
def _cumulative_shares(
    distances: Any, counts: Any, radii: Any, lengths: Any, is_dot: Any, spread: Any, effective_dim: Any, out: Any
) -> None:
    for q in range(distances.shape[0]):
        total = 0.0
        for j in range(distances.shape[1]):
            distance = np.float64(distances[q, j])
            score = neighbour_score(distance, radii[q], lengths[q], is_dot, spread, effective_dim)
            out[q, j] = np.float64(counts[q, j]) * normal_share(score)
            total += out[q, j]
        found = 0.0
        # nothing is expected anywhere when the neighbours found are much closer than all centroids
        for j in range(distances.shape[1]):
            found += out[q, j]
            out[q, j] = found / total if total > 0.0 else 1.0


def cumulative_shares(
    distances: NDArray[np.float32],
    counts: NDArray[np.int64],
    radii: NDArray[np.float64],
    lengths: NDArray[np.float64],
    metric: str,
    *,
    spread: float,
    effective_dim: float,
) -> NDArray[np.float64]:
    """Share of a query's neighbours that its buckets up to each place are expected to hold.

    Parameters
    ----------
    distances : (nq, B) float32
        As `rank_buckets` gives them.
    counts : (nq, B) int64
        Rows of these buckets that may be returned.
    radii : (nq,) float64
        Distance of the k-th best row so far, finite: squared for l2, 2 * (1 - cos) for cosine, negative inner product.
    lengths : (nq,) float64
        Euclidean lengths of the queries; used for dot only.
    metric : str
        A key of `distance.METRIC_CODES`.
    spread : float
        Mean squared distance of rows from their centroid, not negative.
    effective_dim : float
        Above 0: the smaller, the more buckets are expected to hold neighbours.

    Returns
    -------
    (nq, B) float64
        In [0, 1], ascending along a row.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, a number out of range, or unknown metric

    Notes
    -----
    For dot the inner products of a bucket's rows are normal with mean <q, c> and variance |q|**2 S / d. Nothing assumes
    that buckets partition the space, so those of several segments may overlap.
    """
    distances = readonly("distances", distances, np.float32, None, None)
    n_queries, n_buckets = distances.shape
    if not (0 <= spread < math.inf and 0 < effective_dim < math.inf):
        raise ValueError(f"number out of range; got spread={spread} effective_dim={effective_dim}")
    shares = np.empty((n_queries, n_buckets), np.float64)
    _cumulative_shares(
        distances,
        readonly("counts", counts, np.int64, n_queries, n_buckets),
        readonly("radii", radii, np.float64, n_queries),
        np.maximum(readonly("lengths", lengths, np.float64, n_queries), LEAST_SPREAD),
        metric_code(metric) == DOT,
        max(float(spread), LEAST_SPREAD),
        float(effective_dim),
        shares,
    )
    return shares


def count_allowed(first_row: NDArray[np.int64], rows: NDArray[np.uint32], allowed: Bits | None) -> NDArray[np.int64]:
    """Rows of each bucket whose bit is set, (B,) int64.

    Parameters
    ----------
    first_row, rows : (B,) int64, (B,) uint32
        Numbers of the first row, and of rows, of each bucket.
    allowed : uint8 or None
        Bitmap over row numbers; None for all.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, or a bitmap that ends before a bucket
    """
    first_row = readonly("first_row", first_row, np.int64, None)
    rows = readonly("rows", rows, np.uint32, len(first_row))
    if allowed is None:
        return rows.astype(np.int64)
    bits = readonly("allowed", allowed, np.uint8, None)
    if len(rows) and not (first_row.min() >= 0 and (first_row + rows).max() <= 8 * len(bits)):
        raise ValueError(f"buckets must lie within the bitmap; bits={8 * len(bits)}")
    before = np.concatenate([[0], np.cumsum(np.bitwise_count(bits), dtype=np.int64)])
    starts, stops = (_count_before(bits, before, ends) for ends in (first_row, first_row + rows))
    return stops - starts


def _count_before(bits: Bits, before: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Set bits in front of each row, from those in front of each byte."""
    inside = np.append(bits, np.uint8(0))[rows >> 3] & ((1 << (rows & 7)) - 1)
    counts: NDArray[np.int64] = before[rows >> 3] + np.bitwise_count(inside)
    return counts
