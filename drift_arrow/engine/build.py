"""Rows of memtables and segments to the contents of one new segment, grouped by bucket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drift_arrow.engine.bucketing import count_buckets, group_rows, sort_by_bucket
from drift_arrow.engine.heal.source import read_sources
from drift_arrow.engine.ordered_content import OrderedContent
from drift_arrow.engine.outliers import set_apart
from drift_arrow.format.layout import MAX_BLOCK_BYTES
from drift_arrow.format.segment_spec import SegmentSpec
from drift_arrow.format.take import take_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
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
    content : OrderedContent
        What `write_segment` takes.
    order : (n,) int64
        For each row of the segment, its place in the rows of the sources laid end to end.
    """

    content: OrderedContent
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
        Memory is that of their vectors, but for one memtable that is alive as a whole, which is used as it is.
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
    if targets is None:
        targets = _clustered(rows.vectors, spec, options)
    buckets = sort_by_bucket(targets.centroids, targets.owner, max(1, MAX_BLOCK_BYTES // spec.dim))
    if options.clip_percent:
        buckets = set_apart(rows.vectors, buckets, options.clip_percent, spherical=spec.metric == "cosine")
    segment = SegmentSpec(
        schema=spec.schema,
        vector=spec.vector,
        key=spec.key,
        metric=spec.metric,
        seqno_range=seqno_range,
        profile=options.profile,
    )
    content = OrderedContent(
        spec=segment,
        vectors=rows.vectors,
        fingerprints=rows.fingerprints,
        table=take_rows(rows.table, rows.places[buckets.order]),
        buckets=buckets,
    )
    return Built(content=content, order=buckets.order)


def _clustered(vectors: NDArray[Any], spec: CollectionSpec, options: Options) -> Targets:
    n_buckets = count_buckets(len(vectors))
    centroids, owner = group_rows(vectors, n_buckets, seed=options.seed, spherical=spec.metric == "cosine")
    return Targets(centroids=centroids, owner=owner)
