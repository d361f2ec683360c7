"""Sampled queries, and which buckets of any table they would have to scan for their nearest rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.kernels.adc import adc_scan
from drift_arrow.kernels.distance import normalize_rows
from drift_arrow.kernels.rank import rank_buckets
from drift_arrow.kernels.topk import Heaps
from drift_arrow.options import DEFAULT_K

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from drift_arrow.engine.snapshot import Snapshot

_QUERIES: Final = 512
_LOOKED_AT: Final = 64
"""Nearest buckets in which the k nearest rows of a query are sought."""

_FOUND: Final = 0.9
"""Of its nearest rows: a query scans all buckets that are as near as those that hold so many of them."""

_EVEN_SHARE: Final = 0.5
"""Of the queries that are drawn from all rows alike; the others come from where searches were."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Workload:
    """Queries at live rows, many of them where searches are, and the rows that they want to find.

    Parameters
    ----------
    queries : (nq, dim) float32
        Unit vectors for cosine.
    bucket, row : (nq, k) int64
        Bucket, and number in its segment, of the nearest rows of each query; a bucket of -1 where there are fewer.
    metric : str
        Of the collection.
    """

    queries: NDArray[np.float32]
    bucket: NDArray[np.int64]
    row: NDArray[np.int64]
    metric: str

    def __len__(self) -> int:
        return len(self.queries)

    def distances(self, centroids: NDArray[np.float32]) -> NDArray[np.float32]:
        """(nq, B) float32 by which every query ranks the buckets; comparable along a row only."""
        products = self.queries @ centroids.T
        if self.metric == "dot":
            return -products
        squares: NDArray[np.float32] = np.einsum("ij,ij->i", centroids, centroids)
        return squares - 2 * products


def reach(distances: NDArray[np.float32], bucket: NDArray[np.int64]) -> NDArray[np.float32]:
    """(m,) float32: up to which distance queries must scan to find most of their nearest rows.

    Parameters
    ----------
    distances : (m, B) float32
        Of the queries from all buckets.
    bucket : (m, k) int64
        Of the nearest rows of each; -1 for none.

    Notes
    -----
    What a query needs, whatever rule stops it: so tables of different make are compared at the same recall, and nothing
    has to be calibrated for a table that does not exist yet.
    """
    found = np.where(bucket >= 0, np.take_along_axis(distances, np.maximum(bucket, 0), axis=1), np.float32(-np.inf))
    last = max(0, int(np.ceil(_FOUND * bucket.shape[1])) - 1)
    needed: NDArray[np.float32] = np.partition(found, last, axis=1)[:, last]
    return needed


def draw_workload(
    snapshot: Snapshot, live: NDArray[np.int64], masks: Sequence[NDArray[np.bool_]], seed: int
) -> Workload:
    """Queries for a snapshot.

    Parameters
    ----------
    snapshot : Snapshot
        With a live row in a segment at least.
    live : (B,) int64
        Live rows of the buckets of its segments.
    masks : sequence of (n_rows,) bool
        Live rows of each segment.
    seed : int
        Of the draw.

    Notes
    -----
    Half of the queries come from buckets in proportion to how often these were scanned, which is known of the searches
    of this process alone.
    """
    metric = snapshot.manifest.metric
    queries = _sampled_rows(snapshot, live, masks, np.random.default_rng(seed))
    if metric == "cosine":
        queries = normalize_rows(queries)
    ids = _nearest(queries, snapshot, masks)
    segments = snapshot.segment_set
    assert segments.buckets is not None
    by_row = np.argsort(segments.buckets.first_row, kind="stable")
    place = np.searchsorted(segments.buckets.first_row[by_row], np.maximum(ids, 0), side="right") - 1
    bases = np.asarray(segments.bases, np.int64)
    base = bases[np.searchsorted(bases, np.maximum(ids, 0), side="right") - 1]
    return Workload(
        queries=queries,
        bucket=np.where(ids >= 0, by_row[place], -1).astype(np.int64),
        row=ids - base,
        metric=metric,
    )


def _sampled_rows(
    snapshot: Snapshot, live: NDArray[np.int64], masks: Sequence[NDArray[np.bool_]], rng: np.random.Generator
) -> NDArray[np.float32]:
    touches = snapshot.segment_set.touches.astype(np.float64) * (live > 0)
    chances = live / live.sum()
    if touches.any():
        chances = _EVEN_SHARE * chances + (1 - _EVEN_SHARE) * touches / touches.sum()
    drawn = np.bincount(rng.choice(len(live), min(_QUERIES, int(live.sum())), p=chances), minlength=len(live))
    vectors, first = [], 0
    for view, mask in zip(snapshot.segments, masks, strict=True):
        offsets = view.reader.offsets
        rows: list[int] = []
        for bucket in np.flatnonzero(drawn[first : first + view.reader.n_buckets]).tolist():
            alive = offsets[bucket] + np.flatnonzero(mask[offsets[bucket] : offsets[bucket + 1]])
            rows += rng.choice(alive, drawn[first + bucket]).tolist()
        first += view.reader.n_buckets
        vectors.append(view.vectors(np.array(rows, dtype=np.int64)))
    return np.concatenate(vectors)


def _nearest(queries: NDArray[np.float32], snapshot: Snapshot, masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.int64]:
    """(nq, k) global ids of the nearest rows but the first, which is the query itself or its equal; -1 for none."""
    segments, metric = snapshot.segment_set, snapshot.manifest.metric
    assert segments.buckets is not None
    order, _ = rank_buckets(queries, segments.centroids, metric)
    heaps = Heaps.empty(len(queries), DEFAULT_K + 1)
    allowed = np.zeros(segments.n_ids, dtype=np.bool_)
    for base, mask in zip(segments.bases, masks, strict=True):
        allowed[base : base + len(mask)] = mask
    bits = None if all(mask.all() for mask in masks) else np.packbits(allowed, bitorder="little")
    adc_scan(queries, np.ascontiguousarray(order[:, :_LOOKED_AT], np.int64), segments.buckets, bits, metric, heaps)
    return heaps.sorted()[0][:, 1:]
