"""How unlike the data the queries are: what they are apart from the nearest bucket, beside what rows are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.row_space import RowSpace
from drift_arrow.engine.signs.row_sample import sample_rows
from drift_arrow.kernels.distance import normalize_rows
from drift_arrow.kernels.kmeans import assign_buckets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.snapshot import Snapshot

_SAMPLE: Final = 512
_SEED: Final = 0
_CRITICAL: Final = 1.628
"""Of the Kolmogorov-Smirnov statistic, one wrong alarm in a hundred (Smirnov, 1948)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryShift:
    """Sampled queries beside sampled rows.

    Parameters
    ----------
    n_queries, n_rows : int
        Compared; if either is 0, nothing is known, and the other figures are None.
    ratio : float or None
        Median distance of the queries from their nearest centroid over that of the rows: about 1 if they are alike.
    statistic : float or None
        Largest difference of the two cumulative distributions, 0 to 1 (Kolmogorov-Smirnov).
    is_significant : bool
        Whether chance would give so large a difference once in a hundred times at most.
    """

    n_queries: int
    n_rows: int
    ratio: float | None
    statistic: float | None
    is_significant: bool


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """Of some vectors the nearest bucket (n,) int64, and their Euclidean distance (n,) float64 from its centroid."""

    buckets: NDArray[np.int64]
    distances: NDArray[np.float64]


def nearest_buckets(vectors: NDArray[np.float32], snapshot: Snapshot) -> Nearest:
    """The nearest of all buckets of a snapshot that has some; for cosine, of unit vectors."""
    centroids, is_cosine = snapshot.segment_set.centroids, snapshot.manifest.metric == "cosine"
    basis = normalize_rows(vectors) if is_cosine else vectors
    owners = assign_buckets(basis, centroids, spherical=is_cosine).astype(np.int64)
    apart = basis.astype(np.float64) - centroids[owners]
    return Nearest(owners, np.linalg.norm(apart, axis=1))


def nearest_of_queries(snapshot: Snapshot) -> Nearest:
    """Those of the queries that were sampled from searches; none if there are no buckets."""
    queries = snapshot.observations.queries.vectors(_SAMPLE)
    if not len(queries) or not len(snapshot.segment_set.centroids):
        return Nearest(np.empty(0, np.int64), np.empty(0))
    return nearest_buckets(queries, snapshot)


def measure_query_shift(snapshot: Snapshot) -> QueryShift:
    """Compare the queries that were sampled from searches with rows of the collection."""
    of_queries = nearest_of_queries(snapshot).distances
    space = RowSpace(snapshot, None)
    if not len(of_queries) or not any(space.n_allowed):
        return QueryShift(n_queries=len(of_queries), n_rows=0, ratio=None, statistic=None, is_significant=False)
    of_rows = nearest_buckets(sample_rows(space, _SAMPLE, _SEED)[1], snapshot).distances
    statistic = _largest_gap(of_queries, of_rows)
    median = float(np.median(of_rows))
    limit = _CRITICAL * math.sqrt(1 / len(of_queries) + 1 / len(of_rows))
    return QueryShift(
        n_queries=len(of_queries),
        n_rows=len(of_rows),
        ratio=float(np.median(of_queries)) / median if median > 0 else None,
        statistic=statistic,
        is_significant=statistic > limit,
    )


def _largest_gap(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Of the cumulative distributions of two samples."""
    values = np.concatenate([first, second])
    below = [np.searchsorted(np.sort(sample), values, side="right") / len(sample) for sample in (first, second)]
    return float(np.abs(below[0] - below[1]).max())
