"""Rows to buckets: how many, which row belongs to which, and in what order a segment holds them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drift_arrow.engine.workers import Workers
from drift_arrow.kernels.distance import normalize_rows
from drift_arrow.kernels.kmeans import assign_buckets, train_centroids

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SAMPLE_ROWS_PER_BUCKET: Final = 64
_PART_ROWS: Final = 1 << 14
"""Rows that are brought into their search form at once."""


@dataclass(frozen=True, slots=True, eq=False)
class BucketOrder:
    """Rows sorted by bucket, as a segment holds them; no bucket is empty.

    Parameters
    ----------
    centroids : (B, dim) float32
    offsets : (B + 1,) int64
        Bucket b holds the places [offsets[b], offsets[b + 1]) of `order`.
    order : (n,) int64
        Row at each place; rows of a bucket keep their order.
    """

    centroids: NDArray[np.float32]
    offsets: NDArray[np.int64]
    order: NDArray[np.int64]


def count_buckets(n_rows: int) -> int:
    """How many buckets suit so many rows.

    Notes
    -----
    About sqrt(n): ranking the buckets and scanning a fixed number of them then cost the same order of work.
    """
    return max(1, round(math.sqrt(n_rows)))


def group_rows(
    rows: NDArray[Any],
    n_buckets: int,
    *,
    seed: int,
    spherical: bool,
    initial: NDArray[np.float32] | None = None,
    n_threads: int | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.uint32]]:
    """Centroids of a sample of the rows, and the closest of them for every row.

    Parameters
    ----------
    rows : (n, dim) float16, float32 or float64
        Finite as float32, at least one.
    n_buckets : int
        At least 1.
    seed : int
        Not negative. The same seed and rows give the same groups on the same machine.
    spherical : bool
        For cosine: by direction, and centroids are unit vectors.
    initial : (n_buckets, dim) float32, optional
        Centroids to start from, as those of buckets that are grouped again; by default rows of the sample.
    n_threads : int, optional
        As of `Workers`; the groups do not depend on it.

    Returns
    -------
    centroids : (n_buckets, dim) float32
    owner : (n,) uint32
        Number of a centroid for each row; a centroid may own none.
    """
    n_sampled = min(len(rows), n_buckets * _SAMPLE_ROWS_PER_BUCKET)
    sampled = np.sort(np.random.default_rng(seed).choice(len(rows), n_sampled, replace=False))
    owner = np.empty(len(rows), np.uint32)
    with Workers(n_threads) as workers:
        sample = search_form(rows[sampled], spherical=spherical)
        centroids = train_centroids(sample, n_buckets, seed=seed, spherical=spherical, initial=initial, run=workers.run)

        def assign(start: int, stop: int) -> None:
            part = search_form(rows[start:stop], spherical=spherical)
            owner[start:stop] = assign_buckets(part, centroids, spherical=spherical)

        workers.run(assign, len(rows), _PART_ROWS)
    return centroids, owner


def search_form(rows: NDArray[Any], *, spherical: bool) -> NDArray[np.float32]:
    """Rows as buckets and codes see them: (n, dim) float32, for cosine of unit length; no copy where they are that."""
    matrix = np.ascontiguousarray(rows, dtype=np.float32)
    return normalize_rows(matrix) if spherical else matrix


def sort_by_bucket(centroids: NDArray[np.float32], owner: NDArray[np.uint32], max_rows: int) -> BucketOrder:
    """The order of rows in a segment.

    Parameters
    ----------
    centroids : (B, dim) float32
    owner : (n,) uint32
        Number of a centroid for each row; at least one row.
    max_rows : int
        A bucket of more rows becomes several with the same centroid, so that a block holds each; at least 1.
    """
    order = np.argsort(owner, kind="stable").astype(np.int64)
    bucket, sizes = _split_oversized(np.bincount(owner, minlength=len(centroids)), max_rows)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return BucketOrder(np.ascontiguousarray(centroids[bucket]), offsets, order)


def _split_oversized(counts: NDArray[np.intp], max_rows: int) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Buckets that are not empty; those above `max_rows` as several of one centroid."""
    bucket: list[int] = []
    sizes: list[int] = []
    for number in np.flatnonzero(counts).tolist():
        for start in range(0, int(counts[number]), max_rows):
            bucket.append(number)
            sizes.append(min(max_rows, int(counts[number]) - start))
    return np.asarray(bucket, dtype=np.intp), np.asarray(sizes, dtype=np.int64)
