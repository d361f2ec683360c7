"""Live rows of memtables and segments to the contents of one new segment, grouped by bucket."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from drift_arrow.engine.snapshot import SegmentView, live_mask
from drift_arrow.format.layout import MAX_BLOCK_BYTES
from drift_arrow.format.segment_content import SegmentContent
from drift_arrow.format.segment_extent import SegmentExtent
from drift_arrow.format.segment_spec import SegmentSpec
from drift_arrow.format.take import take_rows
from drift_arrow.kernels.distance import normalize_rows, squared_norms
from drift_arrow.kernels.kmeans import assign_buckets, train_centroids
from drift_arrow.kernels.sq8 import sq8_encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from drift_arrow.engine.snapshot import View
    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.options import Options

_SAMPLE_ROWS_PER_BUCKET: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Built:
    """A segment ready to be written.

    Parameters
    ----------
    content : SegmentContent
        What `write_segment` takes.
    order : (n,) int64
        For each row of the segment, its place in the inputs laid end to end, dead rows counted.
    """

    content: SegmentContent
    order: NDArray[np.int64]


def build_segment(
    inputs: Sequence[View], spec: CollectionSpec, options: Options, seqno_range: tuple[int, int]
) -> Built | None:
    """Gather the live rows of `inputs` and group them into buckets.

    Parameters
    ----------
    inputs : sequence of View
        Each row once; memory is about twice that of the inputs' vectors.
    spec, options : CollectionSpec, Options
        Of the collection.
    seqno_range : (int, int)
        Oldest and newest operation among the rows.

    Returns
    -------
    Built or None
        None if no row is alive.

    Notes
    -----
    About sqrt(n) buckets: ranking the buckets and scanning a fixed number of them then cost the same order of work.
    """
    alive = np.flatnonzero(np.concatenate([live_mask(view) for view in inputs]))
    if not len(alive):
        return None
    vectors = np.concatenate([_raw_vectors(view) for view in inputs])[alive]
    matrix = np.ascontiguousarray(vectors, dtype=np.float32)
    basis = normalize_rows(matrix) if spec.metric == "cosine" else matrix
    centroids, offsets, order = _group(basis, spec, options.seed)
    sq8 = sq8_encode(basis[order], offsets)
    payload = pa.concat_tables([view.columns(spec.payload_schema.names) for view in inputs])
    rows = SegmentExtent(
        table=take_rows(payload, alive[order]),
        vectors=vectors[order],
        offsets=offsets,
        centroids=centroids,
        codes=sq8.codes,
        lo=sq8.lo,
        step=sq8.step,
        norms=squared_norms(matrix[order]),
        fingerprints=np.concatenate([_fingerprints(view) for view in inputs])[alive[order]],
    )
    segment = SegmentSpec(
        schema=spec.schema,
        vector=spec.vector,
        key=spec.key,
        metric=spec.metric,
        seqno_range=seqno_range,
        profile=options.profile,
    )
    content = SegmentContent(spec=segment, rows=rows)
    return Built(content=content, order=alive[order])


def _group(
    basis: NDArray[np.float32], spec: CollectionSpec, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Centroids, row offsets of the buckets, and the row order that sorts by bucket."""
    spherical = spec.metric == "cosine"
    n_buckets = max(1, round(math.sqrt(len(basis))))
    sample_rows = min(len(basis), n_buckets * _SAMPLE_ROWS_PER_BUCKET)
    sample = np.random.default_rng(seed).choice(len(basis), sample_rows, replace=False)
    sample.sort()
    centroids = train_centroids(basis[sample], n_buckets, seed=seed, spherical=spherical)
    owner = assign_buckets(basis, centroids, spherical=spherical)
    order = np.argsort(owner, kind="stable")
    counts = np.bincount(owner, minlength=len(centroids))
    bucket, sizes = _split_oversized(counts, max(1, MAX_BLOCK_BYTES // spec.dim))
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return np.ascontiguousarray(centroids[bucket]), offsets, order.astype(np.int64)


def _split_oversized(counts: NDArray[np.intp], max_rows: int) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Buckets that are not empty; those above `max_rows` as several of one centroid, so that a block holds each."""
    bucket: list[int] = []
    sizes: list[int] = []
    for number in np.flatnonzero(counts).tolist():
        for start in range(0, int(counts[number]), max_rows):
            bucket.append(number)
            sizes.append(min(max_rows, int(counts[number]) - start))
    return np.asarray(bucket, dtype=np.intp), np.asarray(sizes, dtype=np.int64)


def _raw_vectors(view: View) -> NDArray[np.generic]:
    if isinstance(view, SegmentView):
        return view.reader.raw_vectors(0, view.n_rows)
    return view.memtable.raw_vectors(view.n_rows)


def _fingerprints(view: View) -> NDArray[np.uint64]:
    if not isinstance(view, SegmentView):
        return view.memtable.fingerprints[: view.n_rows]
    fingerprints = np.empty((view.n_rows, 2), dtype=np.uint64)
    fingerprints[view.reader.key_order] = view.reader.sorted_fingerprints
    return fingerprints
