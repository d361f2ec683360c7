"""Rows of memtables and segments to the contents of one new segment, grouped by bucket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drift_arrow.engine.bucketing import count_buckets, group_rows, sort_by_bucket
from drift_arrow.engine.heal.source import read_sources
from drift_arrow.format.layout import MAX_BLOCK_BYTES
from drift_arrow.format.segment_content import SegmentContent
from drift_arrow.format.segment_extent import SegmentExtent
from drift_arrow.format.segment_spec import SegmentSpec
from drift_arrow.format.take import take_rows
from drift_arrow.kernels.distance import normalize_rows, squared_norms
from drift_arrow.kernels.sq8 import sq8_encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from drift_arrow.engine.heal.source import Source
    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.options import Options


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Targets:
    """The buckets that rows go to.

    Parameters
    ----------
    centroids : (B, dim) float32
        Unit vectors under cosine. Several may be equal; one that owns no row becomes no bucket.
    owner : (n,) uint32
        Bucket of each row of the sources laid end to end.
    """

    centroids: NDArray[np.float32]
    owner: NDArray[np.uint32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Built:
    """A segment ready to be written.

    Parameters
    ----------
    content : SegmentContent
        What `write_segment` takes.
    order : (n,) int64
        For each row of the segment, its place in the rows of the sources laid end to end.
    """

    content: SegmentContent
    order: NDArray[np.int64]


def build_segment(
    sources: Sequence[Source],
    targets: Targets | None,
    spec: CollectionSpec,
    options: Options,
    seqno_range: tuple[int, int],
) -> Built | None:
    """Gather the rows of `sources` in buckets, with SQ8 ranges of their own.

    Parameters
    ----------
    sources : sequence of Source
        Memory is about twice that of their vectors.
    targets : Targets or None
        Where each row goes; None to cluster them afresh.
    spec, options : CollectionSpec, Options
        Of the collection.
    seqno_range : (int, int)
        Oldest and newest operation among the rows.

    Returns
    -------
    Built or None
        None if there is no row.
    """
    if not sum(len(source.rows) for source in sources):
        return None
    rows = read_sources(sources, spec)
    matrix = np.ascontiguousarray(rows.vectors, dtype=np.float32)
    basis = normalize_rows(matrix) if spec.metric == "cosine" else matrix
    if targets is None:
        targets = _clustered(basis, spec, options)
    buckets = sort_by_bucket(targets.centroids, targets.owner, max(1, MAX_BLOCK_BYTES // spec.dim))
    order = buckets.order
    sq8 = sq8_encode(basis[order], buckets.offsets)
    extent = SegmentExtent(
        table=take_rows(rows.table, rows.places[order]),
        vectors=rows.vectors[order],
        offsets=buckets.offsets,
        centroids=buckets.centroids,
        codes=sq8.codes,
        lo=sq8.lo,
        step=sq8.step,
        norms=squared_norms(matrix[order]),
        fingerprints=rows.fingerprints[order],
    )
    segment = SegmentSpec(
        schema=spec.schema,
        vector=spec.vector,
        key=spec.key,
        metric=spec.metric,
        seqno_range=seqno_range,
        profile=options.profile,
    )
    return Built(content=SegmentContent(spec=segment, rows=extent), order=order)


def _clustered(basis: NDArray[np.float32], spec: CollectionSpec, options: Options) -> Targets:
    n_buckets = count_buckets(len(basis))
    centroids, owner = group_rows(basis, n_buckets, seed=options.seed, spherical=spec.metric == "cosine")
    return Targets(centroids=centroids, owner=owner)
