"""A large bucket that many queries scan becomes two, and rows around them go where they belong.

Source: Xu et al. 2023, "SPFresh: Incremental In-Place Update for Billion-Scale Vector Search", section 3.3 (LIRE); the
estimate of a split: Mohoney et al. 2025, "Quake", section 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.bucketing import group_rows
from drift_arrow.engine.heal.change import Change
from drift_arrow.engine.heal.proposal import SPLIT, Proposal
from drift_arrow.kernels.kmeans import assign_buckets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.heal.survey import Survey

_OVERSIZE: Final = 2.0
"""Rows in target sizes."""

_HIT_SHARE: Final = 0.9
"""Of the hits of a bucket that each half is expected to keep."""

_NEIGHBOURS: Final = 64
_LEAST_HALF: Final = 0.1
"""Of the rows: less is a few outliers beside what cannot be parted, such as equal vectors."""


def propose_splits(survey: Survey) -> list[Proposal]:
    """Buckets of more than twice the rows of a fresh one, where two halves would cost less."""
    live, target = survey.live, survey.statistics.target_rows
    halves = 2 * _HIT_SHARE * survey.model.scan(live // 2, live // 2)
    saved = survey.hit_rate * (survey.scan_cost - halves) - survey.model.per_ranked
    wanted = np.flatnonzero((live > _OVERSIZE * target) & (saved > 0))
    return [
        Proposal(
            action=SPLIT,
            reason=f"{live[bucket] / target:.1f} times the rows of a fresh bucket",
            buckets=np.array([bucket], dtype=np.int64),
            rows=int(live[bucket]),
            gain=float(saved[bucket]),
        )
        for bucket in wanted.tolist()
    ]


def split(survey: Survey, bucket: int, seed: int, taken: NDArray[np.bool_]) -> Change | None:
    """Two halves, rows that are nearer to a neighbour than to either, and rows of neighbours that are nearer to one.

    Parameters
    ----------
    survey : Survey
    bucket : int
        Its rows are the ones that are parted.
    seed : int
        Of the clustering.
    taken : (B,) bool
        Buckets that other actions rewrite: they neither give nor get rows.

    Returns
    -------
    Change or None
        None if the rows cannot be parted, as those of equal vectors.

    Notes
    -----
    A row of the bucket may belong to a neighbour only if the old centroid was nearer to it than its half is, and a row
    of a neighbour to a half only if that is nearer to it than the old centroid was (LIRE's two necessary conditions).
    Of these, every one is assigned in earnest. Each row moves once, by its place and not by its value, so equal vectors
    are neither lost nor moved in circles.
    """
    bucket_of, row = survey.rows_of(np.array([bucket], dtype=np.int64))
    vectors = survey.vectors_of(bucket_of, row)
    halves, half = group_rows(vectors, 2, seed=seed, spherical=survey.is_cosine)
    if np.bincount(half, minlength=2).min() < max(1, _LEAST_HALF * len(row)):
        return None
    near = survey.nearest(survey.centroids[bucket], _NEIGHBOURS + 1)
    near = near[(near != bucket) & ~taken[near]]
    old = survey.centroids[bucket][np.newaxis]
    around = np.concatenate([halves, survey.centroids[near]])
    owner = _reassigned(survey, vectors, half.astype(np.int64), around, old)
    stolen = _stolen(survey, near, halves, old)
    return _pruned(
        Change(
            bucket=np.concatenate([bucket_of, stolen.bucket]),
            row=np.concatenate([row, stolen.row]),
            centroids=around,
            owner=np.concatenate([owner, stolen.owner]),
        )
    )


def _reassigned(
    survey: Survey,
    vectors: NDArray[np.float32],
    half: NDArray[np.int64],
    around: NDArray[np.float32],
    old: NDArray[np.float32],
) -> NDArray[np.int64]:
    """For each row its half, or another one of the centroids `around`, of which the halves are the first two."""
    costs = _costs(survey, vectors, np.concatenate([old, around[:2]]))
    lost = np.flatnonzero(costs[:, 0] < np.take_along_axis(costs, half[:, np.newaxis] + 1, axis=1)[:, 0])
    owner = half.copy()
    if len(lost):
        owner[lost] = assign_buckets(vectors[lost], around, spherical=survey.is_cosine)
    # a fragment costs more than what it spares unless it is as large as a bucket is worth
    sizes = np.bincount(owner, minlength=len(around))
    small = sizes[owner] < survey.model.per_scanned / survey.model.per_row
    return np.where((owner >= 2) & small, half, owner)


def _stolen(survey: Survey, near: NDArray[np.int64], halves: NDArray[np.float32], old: NDArray[np.float32]) -> Change:
    """Rows of neighbours that are nearest to a half."""
    bucket, row = survey.rows_of(near)
    vectors = survey.vectors_of(bucket, row)
    costs = _costs(survey, vectors, np.concatenate([old, halves]))
    suspects = np.flatnonzero(costs[:, 1:].min(axis=1) < costs[:, 0])
    centroids = np.concatenate([halves, survey.centroids[near]])
    owner = assign_buckets(vectors[suspects], centroids, spherical=survey.is_cosine).astype(np.int64)
    moved = suspects[owner < 2]
    return Change(bucket=bucket[moved], row=row[moved], centroids=halves, owner=owner[owner < 2])


def _costs(survey: Survey, vectors: NDArray[np.float32], centroids: NDArray[np.float32]) -> NDArray[np.float32]:
    """Ordered as distances are, (n, m)."""
    costs: NDArray[np.float32] = -(vectors @ centroids.T)
    return costs if survey.is_cosine else costs + np.einsum("ij,ij->i", centroids, centroids) / 2


def _pruned(change: Change) -> Change:
    """The same without buckets that got no row."""
    used, places = np.unique(change.owner, return_inverse=True)
    return Change(bucket=change.bucket, row=change.row, centroids=change.centroids[used], owner=places.astype(np.int64))
